"""The workload that the report's tests are about, built by hand: a small shop over six hours.

Durations follow from integers alone, so that golden files hold on every platform.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pandas as pd

from analyzer.model.acknowledgement import Acknowledged, Acknowledgement
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.coverage import Coverage, SourceCoverage
from analyzer.model.event import Event
from analyzer.model.evidence import (
    ColumnCondition,
    NPlusOneEvidence,
    RepeatedLookupEvidence,
    RepeatedQueryEvidence,
    SeqScanEvidence,
)
from analyzer.model.evidence_parts import ExampleExecution, Spread, Timeline
from analyzer.model.executions import Clock
from analyzer.model.finding import Finding, Impact, Outcome, Recommendation, Severity, Status
from analyzer.model.index_advice import CreatedIndex, DroppedIndex, IndexAdvice, StatementGain
from analyzer.model.plan import Plan, PlanNode
from analyzer.model.saving import Quantiles, RequestSaving, RoundTripCost, Saving, Savings
from analyzer.model.statement import Kind, Role, Statement, StatementFacts, StatementStats
from analyzer.model.target import RequestVerdict, Target, Verdict
from analyzer.model.workload import Workload
from analyzer.report.document import build_document

summing = sys.modules["report_summing"]  # beside this file, loaded as it is

START_US = 1_767_312_000_000_000  # 2026-01-02 00:00 UTC
HOUR_US = 3_600_000_000
REQUESTS = 240
PRIVATE = "s3cret@example.org"

POSTS = (
    'SELECT "public"."posts"."id", "public"."posts"."title", "public"."posts"."body", '
    '"public"."posts"."author_id", "public"."posts"."created_at" FROM "public"."posts" '
    'WHERE "public"."posts"."published" = $1 ORDER BY "public"."posts"."created_at" DESC LIMIT $2'
)
AUTHOR = (
    'SELECT "public"."authors"."id", "public"."authors"."name", "public"."authors"."email" '
    'FROM "public"."authors" WHERE "public"."authors"."id" = $1 LIMIT $2'
)
ORDERS = (
    "SELECT o.id, o.total, c.name FROM orders o JOIN customers c ON c.id = o.customer_id "
    "WHERE o.reference = $1 AND o.created_at BETWEEN $2 AND $3 ORDER BY o.created_at"
)
SETTINGS = "SELECT value FROM settings WHERE name = $1"
VIEWS = "UPDATE posts SET views = views + $1 WHERE id = $2"
AUDIT = "INSERT INTO audit (actor, action, at) VALUES ($1, $2, $3 /*, … */)"
BEGIN = "BEGIN"


@dataclass(slots=True)
class Facts:
    """All arguments of build_document, to be changed by a test before building."""

    workload: Workload
    findings: Sequence[Finding]
    outcomes: dict[str, Outcome]
    indexes: IndexAdvice | None
    executions: pd.DataFrame
    requests: pd.DataFrame
    redact: str = field(default="strict")
    savings: Savings | None = None

    def build(self) -> dict[str, Any]:
        """The document, under a version of its own: a release must not change golden files."""
        traffic = summing.traffic_of(self.executions, self.requests, self.workload.target.quantile)
        document = build_document(
            replace(self.workload, traffic=traffic), self.findings, self.outcomes,
            indexes=self.indexes, redact=self.redact,
            savings=self.savings if self.findings else None,
        )  # fmt: skip
        document["tool"]["version"] = "0.0.0"
        return document


def statement(
    shape_id: str, sql: str, tables: tuple[str, ...], kind: Kind = Kind.SELECT
) -> Statement:
    role = Role.TRANSACTION if kind is Kind.TRANSACTION else Role.WORKLOAD
    facts = StatementFacts(kind=kind, role=role, tables=tables)
    fingerprint, lineage = shape_id[:16], f"l{shape_id[:15]}"
    return Statement(shape_id, fingerprint, lineage, sql, parsed=True, facts=facts)


STATEMENTS = (
    statement("a1b2c3d4e5f60001.1", POSTS, ("posts",)),
    statement("a1b2c3d4e5f60002.1", AUTHOR, ("authors",)),
    statement("a1b2c3d4e5f60003.1", ORDERS, ("orders", "customers")),
    statement("a1b2c3d4e5f60004.1", SETTINGS, ("settings",)),
    statement("a1b2c3d4e5f60005.1", VIEWS, ("posts",), Kind.UPDATE),
    statement("a1b2c3d4e5f60006.1", AUDIT, ("audit",), Kind.INSERT),
    statement("a1b2c3d4e5f60007.0", BEGIN, (), Kind.TRANSACTION),
)
BASES_MS = (6.0, 0.8, 140.0, 0.4, 2.5, 1.2, 0.05)


def duration_ms(position: int, number: int) -> float:
    """Between 0.5 and 4 times the statement's base, skewed; at night everything is slower."""
    ratio = (number * 7919 % 101) / 100
    return round(BASES_MS[position] * (0.5 + 3.5 * ratio**4), 3)


def execution_rows() -> list[dict[str, Any]]:
    rows = []
    for request in range(REQUESTS):
        at = START_US + request * (6 * HOUR_US // REQUESTS)
        calls = [6, 3, 3, 0, *([1] * 20), 4] if request % 3 else [3, *([2] * 7), 5]
        for order, position in enumerate(calls):
            took = duration_ms(position, request * 31 + order)
            rows.append(
                {
                    "start_us": at,
                    "end_us": at + int(took * 1000),
                    "duration_ms": took,
                    "statement": position,
                    "parameters": -1,
                    "comment": -1,
                    "session": request % 4,
                    "clock": int(Clock.SERVER),
                    "request": request,
                    "transaction": request,
                    "trace": -1,
                    "application": 0,
                    "line": len(rows) + 1,
                    "source": 0,
                }
            )
            at += int(took * 1000) + 200
    return rows


def plan() -> Plan:
    scan = PlanNode(
        id=3, parent=2, type="Seq Scan", relation="orders", alias="o",
        filter=f"((reference = '{PRIVATE}'::text) AND (created_at >= '2026-01-01'::date))",
        rows_estimated=12.0, rows_actual=1.0, rows_removed_by_filter=199_999.0, total_ms=131.2,
        self_ms=131.2, shared_hit_blocks=1_024, shared_read_blocks=2_310,
    )  # fmt: skip
    lookup = PlanNode(
        id=4, parent=2, type="Index Scan", relation="customers", alias="c", index="customers_pkey",
        index_condition="(id = o.customer_id)", rows_estimated=1.0, rows_actual=1.0, total_ms=0.04,
        self_ms=0.04,
    )  # fmt: skip
    join = PlanNode(
        id=2, parent=1, type="Nested Loop", children=(scan, lookup), join_type="Inner",
        rows_estimated=12.0, rows_actual=1.0, total_ms=131.4, self_ms=0.16,
    )  # fmt: skip
    root = PlanNode(
        id=1, parent=None, type="Sort", children=(join,), sort_key=("o.created_at",),
        rows_estimated=12.0, rows_actual=1.0, total_ms=131.5, self_ms=0.1,
    )  # fmt: skip
    return Plan(
        key="plan-7d0c", root=root, origin="shop.log", format="json", analyzed=True,
        shape_id=STATEMENTS[2].shape_id, duration_ms=131.6, planning_ms=0.31,
    )  # fmt: skip


def example(position: int, seconds: int) -> ExampleExecution:
    return ExampleExecution(
        f"2026-01-02T03:14:{seconds:02d}.120Z", "6957a2c1.1f4", 0.8,
        STATEMENTS[position].shape_id, (PRIVATE,),
    )  # fmt: skip


def n_plus_one() -> Finding:
    parent, child = STATEMENTS[0], STATEMENTS[1]
    evidence = NPlusOneEvidence(
        child=child.fingerprint, parent=parent.fingerprint, child_shape_id=child.shape_id,
        parent_shape_id=parent.shape_id, child_sql=AUTHOR, parent_sql=POSTS,
        child_table="authors", child_tables=("authors",), parent_table="posts",
        lookup_columns=("id",), parent_columns=("author_id",), link="foreign key",
        scope="transaction", occurrences=160, executions=3_200,
        children_per_occurrence=Spread(20, 20, 20), children_per_parent=Spread(20, 20, 20),
        distinct_parameters=180, median_child_ms=0.8, wall_ms=41.0,
        reasons=("20 lookups by authors.id follow each posts list", "posts.author_id refers to it"),
        examples=(example(1, 7), example(1, 8)),
        timeline=Timeline((0.0, 3.0, 5.0, 7.5), (1.8, 0.8, 0.7, 0.9), (0, 0, 1, 0), 17),
    )  # fmt: skip
    batched = Recommendation(
        "rewrite", "sql", "Load the authors of all posts at once",
        "SELECT id, name, email\nFROM authors\nWHERE id = ANY($1)", "rule",
        "The result is one list: the application maps it back to its posts.",
        {"round_trips_before": 21, "round_trips_after": 2},
    )  # fmt: skip
    include = Recommendation(
        "orm", "prisma", "Let Prisma load the author with the post",
        "const posts = await prisma.post.findMany({\n  where: { published: true },\n"
        "  include: { author: true },\n});",
        "rule", "Every column of the author is loaded.",
    )  # fmt: skip
    return Finding(
        key="n-plus-one-4f1d09", detector="n-plus-one", severity=Severity.HIGH, confidence=0.97,
        title="authors is read once for each row of posts", evidence=evidence,
        impact=Impact(
            3_040, 4_112.5, 3_800.0, 160,
            Saving(160, 3_040, 12.5, 3_800.0, (19, 0.08, 23.75), None, "the window is too short"),
        ),
        shape_ids=(child.shape_id, parent.shape_id),
        fingerprints=(child.fingerprint, parent.fingerprint), tables=("authors", "posts"),
        routes=("GET /posts",), recommendations=(batched, include),
    )  # fmt: skip


def seq_scan() -> Finding:
    shape = STATEMENTS[2]
    raw = f"((reference = '{PRIVATE}'::text) AND (created_at >= '2026-01-01'::date))"
    evidence = SeqScanEvidence(
        plan_key="plan-7d0c", node_id=3, table="orders", filter=raw,
        conditions=(ColumnCondition("reference", "=", "equality"),), rows_read=200_000,
        rows_kept=1, kept_ratio=0.000005, self_ms=131.2, share=0.997719, plan_total_ms=131.5,
        pages=3_334, plans=12, sql=f"SELECT 1 FROM orders WHERE reference = '{PRIVATE}'",
        shape_id=shape.shape_id, reasons=(f"reads 200000 rows to keep 1: {raw}",),
    )  # fmt: skip
    index = Recommendation(
        "index", "sql", "Index orders by reference and time",
        "CREATE INDEX CONCURRENTLY orders_reference_created_at_idx\n"
        "  ON orders (reference, created_at);", "plan",
        "About 9 MB, and every insert into orders writes it too.", {"rows_read_after": 1},
    )  # fmt: skip
    return Finding(
        key="seq-scan-90aa31", detector="selective-seq-scan", severity=Severity.CRITICAL,
        confidence=0.9, title="orders is read whole to find one row", evidence=evidence,
        impact=Impact(total_ms=101_000.0, saving_ms=97_000.0), shape_ids=(shape.shape_id,),
        fingerprints=(shape.fingerprint,), tables=("orders",), recommendations=(index,),
    )  # fmt: skip


def repeated() -> tuple[Finding, Finding]:
    shape = STATEMENTS[3]
    query = RepeatedQueryEvidence(
        shape.shape_id, SETTINGS, "transaction", 160, 320, Spread(2, 2, 2), 1, 0.4, (example(3, 9),)
    )
    lookup = RepeatedLookupEvidence(
        shape.shape_id, SETTINGS, "settings", ("name",), "session", 3, 41, Spread(8, 12, 21), 38,
        0.4, (),
    )  # fmt: skip
    cache = Recommendation(
        "cache", "text", "Keep the setting for the length of the request",
        "Read it once at the start of the request and pass it on.", "rule", "It may be stale.",
    )  # fmt: skip
    accepted = Acknowledgement("repeated-lookup-77e0", "<b>one</b> a tenant", ticket="SHOP-1")
    return (
        Finding(
            "repeated-query-11c2", "repeated-query", Severity.LOW, 0.8,
            "settings is asked the same thing twice in a request", query,
            Impact(160, 160.5, 80.0, 160), (shape.shape_id,), (shape.fingerprint,), ("settings",),
            (), (cache,),
        ),
        Finding(
            "repeated-lookup-77e0", "repeated-lookup", Severity.INFO, 0.55,
            "settings is looked up one row at a time", lookup, Impact(), (shape.shape_id,),
            (shape.fingerprint,), ("settings",), acknowledged=Acknowledged(accepted, expired=False),
        ),
    )  # fmt: skip


def catalog() -> Catalog:
    orders = Table(
        "orders", (Column("id", "bigint"), Column("reference", "text")), ("id",),
        indexes=(Index("orders_pkey", ("id",), unique=True, primary=True, bytes=4_513_792, scans=9),),
        rows=200_000, bytes=27_312_128, reads=48_000_000, writes=200_410, hot_ratio=0.42,
    )  # fmt: skip
    posts = Table(
        "posts", (Column("id", "bigint"),), ("id",),
        indexes=(Index("posts_pkey", ("id",), unique=True, primary=True),
                 Index("posts_lower", (f"lower('{PRIVATE}')",), predicate="state = 'published'")),
        rows=5_000, bytes=8_192_000,
    )  # fmt: skip
    tables = {table.name: table for table in (orders, posts, Table("authors"), Table("unused"))}
    return Catalog(tables, "schema.sql")


def advice() -> IndexAdvice:
    shape_id = STATEMENTS[2].shape_id
    return IndexAdvice(
        create=(
            CreatedIndex(
                "CREATE INDEX CONCURRENTLY ON orders (reference, created_at)", 9_437_184,
                (StatementGain(shape_id, 5_834.0, 8.45), StatementGain("gone.1")),
                {"inserts": 410, "extra_bytes": 9_437_184}, "what-if",
                "equality first, then the range", "Writers of orders maintain it.",
            ),
        ),
        drop=(DroppedIndex("DROP INDEX CONCURRENTLY posts_lower", "never scanned", 16_384),),
        cost_before=1_400_160.0, cost_after=2_028.0, what_if_calls=14,
    )  # fmt: skip


def coverage() -> Coverage:
    return Coverage(
        sources=[
            SourceCoverage(
                "shop.log", "stderr", "log_line_prefix %m [%p]", bytes=812_004, bytes_unparsed=93,
                entries=4_410, executions=4_320, plans=12, errors=2, events=3, unparsed_lines=2,
                first_unparsed=f"line 12, byte 345: garbage {PRIVATE}",
            ),
            SourceCoverage("shop.csv", "csvlog", "26 columns", bytes=999, same_as="shop.log"),
        ],
        warnings=[f"shop.log: 2 lines not understood, first at line 12, byte 345: garbage {PRIVATE}"],
    )  # fmt: skip


def outcomes(findings: Sequence[Finding]) -> dict[str, Outcome]:
    result = {
        detector: Outcome(Status.FOUND, tuple(f for f in findings if f.detector == detector))
        for detector in ("n-plus-one", "repeated-lookup", "repeated-query", "selective-seq-scan")
    }
    result["write-loop"] = Outcome(Status.CLEAN)
    result["offset-pagination"] = Outcome(
        Status.NOT_APPLICABLE, reason="no statement has an OFFSET whose value is known"
    )
    return result


@cache
def measured() -> tuple[pd.DataFrame, pd.DataFrame, tuple[StatementStats, ...]]:
    """Executions, requests and figures: the same for every test, which copies before it changes."""
    executions = pd.DataFrame(execution_rows())
    durations = [list(g) for _, g in executions.groupby("statement")["duration_ms"]]
    per_request = (1.0, 20.0, 1.0, 2.0, 1.0, 1.0, 1.0)
    stats = tuple(summing.stats_of(d, 160, n) for d, n in zip(durations, per_request, strict=True))
    return executions, summing.requests_frame(executions), stats


def server_events() -> list[Event]:
    """Files, waits and errors of an afternoon; statements are by their place in STATEMENTS."""
    files = Event(kind="temp-file")
    waits = Event(kind="lock-wait", code="ShareLock")
    errors = Event(kind="error", code="23505", derived=1)
    for n in range(14):
        at_us = START_US + n * HOUR_US // 3
        files.happened(at_us, {"temp_bytes": 52_428_800})
        files.statement(n % 2, at_us, {"temp_bytes": 52_428_800})
    for n in range(3):
        at_us = START_US + n * HOUR_US
        waits.happened(at_us, {"waited_ms": 1_200.25})
        waits.part("object", "transaction").add(at_us, {"waited_ms": 1_200.25})
        waits.statement(2, at_us, {"waited_ms": 1_200.25})
    known = 'duplicate key value violates unique constraint "orders_pkey"'
    for n, (what, text) in enumerate((("message", known), ("text", f"{PRIVATE} was taken"))):
        at_us = START_US + 5 + n * 4
        errors.happened(at_us, {})
        errors.statement(3, at_us, {})
        errors.part("severity", "ERROR").add(at_us, {})
        message = errors.part(what, text)
        message.add(at_us, {})
        message.statement(3, at_us, {})
    table = Event(kind="autovacuum", code="vacuum")
    figures = {"elapsed_ms": 90.0, "tuples_removed": 12, "tuples_dead": 3, "wal_bytes": 4_096}
    table.happened(START_US, figures)
    table.part("table", "shop.public.orders").add(START_US, figures)
    return [files, waits, errors, table]


def build_facts() -> Facts:
    executions, requests, stats = measured()
    ours = executions[executions["statement"] != 6]["duration_ms"].tolist()
    p95 = summing.nearest(ours, 0.95)
    exact = Verdict(p95, p95, p95, "exact", "missed", len(ours), "every execution is in the input")
    slow = summing.nearest(requests["duration_ms"].tolist(), 0.95)
    request = Verdict(
        slow, slow, slow, "exact", "missed", REQUESTS, "every request is in the input"
    )
    events = server_events()
    workload = Workload(
        statements=STATEMENTS, stats=stats,
        coverage=coverage(), target=Target(), verdict=exact,
        request_verdict=RequestVerdict("transaction", request, 25.0), client_verdict=None,
        catalog=catalog(), plans=(plan(),), events={(e.kind, e.code): e for e in events},
        event_statements=dict(enumerate(STATEMENTS)), promises=summing.PROMISES,
    )  # fmt: skip
    findings = (*repeated(), n_plus_one(), seq_scan())
    return Facts(
        workload, findings, outcomes(findings), advice(), executions, requests, savings=savings()
    )


def savings() -> Savings:
    """What fixing the loops saves, on a route with a hostile name too."""
    quantiles = (Quantiles(55.8, 20.0), Quantiles(0.48, 1.24))
    routes = [
        RequestSaving(name, 80, 70, 2_000.0, 900.5, 1_760, 240, quantiles[0])
        for name in ("/orders", "/<script>alert(1)</script>", None)
    ]
    return Savings(
        RoundTripCost(0.5, "given", "as --rtt-ms says"), {}, routes,
        RequestSaving(None, 160, 140, 4_000.0, 1_801.0, 3_520, 480, quantiles[0]), quantiles[1],
        "transaction", "every request that holds a loop was simulated",
    )  # fmt: skip
