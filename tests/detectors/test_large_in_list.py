"""large-in-list: lengths are read off executions, and an array is parsed faster on a real server."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from heavy_log import Ran, analysed, found, outcome

from analyzer.model.finding import Finding, Severity
from analyzer.model.text_evidence import LargeInListEvidence
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "large-in-list"
COUNTERS = """{{"query": "SELECT id FROM users WHERE id IN ({})", "calls": 50, "total_exec_time": 2000.0, "mean_exec_time": 40.0, "min_exec_time": 30.0, "max_exec_time": 50.0, "stddev_exec_time": 2.0, "rows": 50, "queryid": 17, "toplevel": true, "userid": 10, "dbid": 5}}\n"""


def django(items: int) -> str:
    """As Django's `in_bulk` and `prefetch_related` write it, values in the text."""
    keys = ", ".join(map(str, range(items)))
    return f"""SELECT "users"."id", "users"."email" FROM "users" WHERE "users"."team_id" = 5 AND "users"."id" IN ({keys})"""


def prisma(items: int, ms: float = 40.0) -> Ran:
    """As Prisma writes it, a parameter each and one for OFFSET."""
    marks = ",".join(f"${n}" for n in range(1, items + 1))
    sql = f"""SELECT "public"."users"."id" FROM "public"."users" WHERE "public"."users"."id" IN ({marks}) OFFSET ${items + 1}"""
    values = ", ".join(f"${n} = '{n}'" for n in range(1, items + 1))
    return Ran(sql, ms=ms, parameters=f"{values}, ${items + 1} = '0'")


def evidence(finding: Finding) -> LargeInListEvidence:
    assert isinstance(finding.evidence, LargeInListEvidence)
    return finding.evidence


def test_found_in_texts(tmp_path: Path) -> None:
    finding = found(tmp_path, DETECTOR, django(800))
    assert evidence(finding).items.max == 800
    assert finding.severity is Severity.LOW
    assert '"users"."id" = ANY ($2);' in finding.recommendations[0].text


def test_found_in_parameters(tmp_path: Path) -> None:
    finding = found(tmp_path, DETECTOR, prisma(700))
    assert evidence(finding).items.max == 700
    assert "= ANY ($1) OFFSET" in finding.recommendations[0].text


def test_lengths_that_differ_are_one_statement(tmp_path: Path) -> None:
    lists = [Ran(django(items), calls=2) for items in (400, 520, 610, 750)]
    result = analysed(tmp_path, lists)
    (finding,) = result.findings
    assert (evidence(finding).lengths, evidence(finding).items.min) == (4, 400)
    assert evidence(finding).looked_at == 8


def test_items_that_are_cast(tmp_path: Path) -> None:
    keys = ", ".join(f"'{n:032x}'::uuid" for n in range(600))
    finding = found(tmp_path, DETECTOR, f"SELECT email FROM users WHERE ref IN ({keys})")
    assert evidence(finding).items.max == 600


@pytest.mark.parametrize("statement", [Ran(django(60)), prisma(100), Ran(django(1))])
def test_short_lists_are_clean(tmp_path: Path, statement: Ran) -> None:
    assert outcome(tmp_path, DETECTOR, statement).status == "clean"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM users WHERE id = ANY ('{" + ",".join(map(str, range(900))) + "}')",
        "INSERT INTO users (id) VALUES " + ", ".join(f"({n})" for n in range(900)),
    ],
    ids=["an array", "rows to insert"],
)
def test_near_misses(tmp_path: Path, sql: str) -> None:
    assert outcome(tmp_path, DETECTOR, sql).status == "clean"


def test_silent_below_the_floor(tmp_path: Path) -> None:
    assert outcome(tmp_path, DETECTOR, prisma(700, ms=2.0)).status == "clean"


def test_counters_alone_do_not_tell(tmp_path: Path) -> None:
    counters = tmp_path / "pg_stat_statements.jsonl"
    counters.write_text(COUNTERS.format("$1 /*, ... */"))
    answer = run(Options(inputs=[str(counters)])).outcomes[DETECTOR]
    assert answer.status == "not-applicable"
    assert "how long the lists are" in (answer.reason or "")


def test_phases_make_it_medium(tmp_path: Path) -> None:
    """Parse and bind entries, as the extended protocol logs them, take half of the time."""
    ran = prisma(700)
    start = "2026-03-01 10:00:{:02}.000 UTC [{}] app@shop/web LOG:  duration: {:.3f} ms  {} <unnamed>: {}\n"
    detail = "2026-03-01 10:00:{:02}.000 UTC [{}] app@shop/web DETAIL:  Parameters: {}\n"
    lines = []
    for n in range(8):
        lines.append(start.format(n, 4000 + n, 9.0, "parse", ran.sql))
        lines.append(start.format(n, 4000 + n, 9.0, "bind", ran.sql))
        lines.append(detail.format(n, 4000 + n, ran.parameters))
        lines.append(start.format(n, 4000 + n, 18.0, "execute", ran.sql))
        lines.append(detail.format(n, 4000 + n, ran.parameters))
    log = tmp_path / "phases.log"
    log.write_text("".join(lines))
    (finding,) = [f for f in run(Options(inputs=[str(log)])).findings if f.detector == DETECTOR]
    assert finding.severity is Severity.MEDIUM
    assert (evidence(finding).parse_ms, evidence(finding).bind_ms) == (72.0, 72.0)


def fastest_ms(connection: "psycopg.Connection[tuple[object]]", sql: str) -> float:
    """The shortest time to parse and plan a statement, of several tries."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        connection.execute(f"EXPLAIN {sql}")
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


def test_an_array_is_parsed_and_planned_faster(postgres15: "Server") -> None:
    dsn = postgres15.create_database("texts_lists")
    postgres15.psql(
        "CREATE TABLE users (id int PRIMARY KEY, email text);"
        "INSERT INTO users SELECT n, 'u' || n FROM generate_series(1, 20000) n; ANALYZE",
        dsn,
    )
    keys = [str(n) for n in range(1, 10_001)]
    # With a cast each, as drivers bind them, items are not folded before they are planned.
    items = ", ".join(f"{key}::bigint" for key in keys)
    listed = f"SELECT email FROM users WHERE id IN ({items})"
    array = f"SELECT email FROM users WHERE id = ANY ('{{{','.join(keys)}}}'::bigint[])"
    with psycopg.connect(dsn, autocommit=True) as connection:
        rows = [
            connection.execute(f"SELECT count(*) FROM ({sql}) x").fetchone()
            for sql in (listed, array)
        ]
        assert rows[0] == rows[1] == (10_000,)
        assert fastest_ms(connection, array) < 0.5 * fastest_ms(connection, listed)
