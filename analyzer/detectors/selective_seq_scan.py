"""Sequential scans that read a large table to keep a few rows.

What it finds
    A Seq Scan (also a parallel one) in a plan that was executed, whose filter throws nearly
    everything away: 10,000 rows or 1,000 pages read in one pass, less than 5 % of the rows kept,
    and time enough in it to matter. Filters that wrap the column (a cast, a function, LIKE '%x')
    are told apart: there an index on the column alone would not help.

Why it hurts
    The time grows with the table and not with the answer, every execution reads all pages again,
    and it pushes other tables' pages out of memory. It is the usual reason for a lookup that was
    quick at launch and misses its target a year later.

How it decides
    Rows read = (rows kept + rows removed by the filter) x loops. A scan is reported when it keeps
    less than 5 % of them and is hot: at least 10 % of the plan's time and 5 % of the target.
    Silent on small tables; where a LIMIT, EXISTS, semi or anti join stops the scan early, unless
    the planner, too, expects few rows of the whole table; on an OR over different columns; where
    no column is compared with a value; on system catalogs. One finding stands for all plans of a
    statement that scan the same table by the same columns. Severity: the scan's time against the
    target (critical from five targets on, high from one, medium from a half).
    Without times (auto_explain.log_timing = off) the scan's part of the estimated cost stands in.
    Estimated saving: an index fetches a share f of the rows at about four times the price of
    reading them in order (random_page_cost / seq_page_cost), so scan time x (1 - 4f).

When it is wrong
    The table is read once a night and nobody waits for it. The plan was taken with a rare value,
    and others are frequent. The table is written far more than read. A cast was judged without the
    column's type (lower confidence): give the schema.

What to do
    Create the suggested index, or rewrite the condition so that the column stands alone. Check
    with EXPLAIN (ANALYZE, BUFFERS) that the plan becomes an index scan.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.model.catalog import Catalog
from analyzer.model.evidence import ColumnCondition, SeqScanEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Severity, Status
from analyzer.model.plan import Plan, PlanNode
from analyzer.model.statement import Statement
from analyzer.model.workload import Workload
from analyzer.sql.conditions import Condition, ParsedFilter, parse_condition

MIN_ROWS = 10_000  # one pass over the table: below, a scan takes about a millisecond
MIN_PAGES = 1_000
MAX_KEPT = 0.05
MIN_SHARE = 0.10  # of the plan's time
MIN_TARGET_SHARE = 0.05  # of the target: 5 ms of 100
INDEX_FETCH_PRICE = 4.0  # random_page_cost / seq_page_cost, PostgreSQL's defaults
_SEVERITIES = ((5.0, Severity.CRITICAL), (1.0, Severity.HIGH), (0.5, Severity.MEDIUM))
_BLOCKING = frozenset({"Sort", "Hash", "Aggregate", "BitmapAnd", "BitmapOr", "SetOp"})
_RANGES = frozenset({"<", "<=", ">", ">=", "between", "is not null"})
_CONTAINS = frozenset({"@>", "<@", "&&", "@@", "?", "?|", "?&", "~", "~*", "ilike"})
_EQUALITIES = frozenset({"=", "is null", "is true", "is false"})
_NO_PLANS = (
    "no executed plan in the input: log plans with auto_explain (log_analyze = on, log_buffers = on, "
    "log_format = 'json', log_min_duration = '100ms') or give EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"
)


@dataclass(frozen=True, slots=True)
class _Scan:
    """A node that passed every test, with what is known of its plan's statement."""

    evidence: SeqScanEvidence
    confidence: float
    identity: str  # the statement's lineage, or the table where no statement is known
    fingerprint: str | None


class SelectiveSeqScan:
    """The detector; see the module's docstring."""

    id = "selective-seq-scan"

    def detect(self, workload: Workload) -> Outcome:
        """Findings over all executed plans, or not-applicable where there is none."""
        executed = [plan for plan in workload.plans if plan.analyzed]
        if not executed:
            return Outcome(Status.NOT_APPLICABLE, reason=_NO_PLANS)
        statements = {statement.shape_id: statement for statement in workload.statements}
        groups: dict[tuple[str, str, tuple[str, ...]], list[_Scan]] = {}
        for plan in executed:
            statement = statements.get(plan.shape_id) if plan.shape_id else None
            for scan in _scans(plan, statement, workload):
                columns = tuple(sorted({c.column for c in scan.evidence.conditions}))
                group = (scan.identity, scan.evidence.table, columns)
                groups.setdefault(group, []).append(scan)
        findings = [
            self._finding(group, scans, workload.target.ms) for group, scans in groups.items()
        ]
        findings.sort(key=lambda finding: (-(finding.impact.total_ms or 0.0), finding.key))
        return Outcome(Status.FOUND if findings else Status.CLEAN, tuple(findings))

    def _finding(
        self, group: tuple[str, str, tuple[str, ...]], scans: Sequence[_Scan], target_ms: float
    ) -> Finding:
        worst = max(scans, key=lambda scan: (scan.evidence.self_ms, scan.evidence.plan_key))
        keys = {scan.evidence.plan_key for scan in scans}
        evidence = replace(worst.evidence, plans=len(keys))
        shapes = {scan.evidence.shape_id for scan in scans if scan.evidence.shape_id}
        prints = {scan.fingerprint for scan in scans if scan.fingerprint}
        return Finding(
            key=f"{self.id}-{_digest(group)}",
            detector=self.id,
            severity=_severity(evidence.self_ms, target_ms),
            confidence=worst.confidence,
            title=_title(evidence),
            evidence=evidence,
            impact=Impact(
                total_ms=sum(scan.evidence.self_ms for scan in scans),
                saving_ms=sum(_saving_ms(scan.evidence) for scan in scans),
            ),
            shape_ids=tuple(sorted(shapes)),
            fingerprints=tuple(sorted(prints)),
            tables=(evidence.table,),
        )


def _scans(plan: Plan, statement: Statement | None, workload: Workload) -> Iterator[_Scan]:
    """The selective scans of one plan."""
    above = {node.id: node for node in plan.root.walk()}
    for node in above.values():
        if node.type != "Seq Scan" or not node.filter or _is_system(node.relation):
            continue
        figures = _figures(node, plan, workload.target.ms)
        if figures is None or (_stops_early(node, above) and not _few_expected(node, figures)):
            continue
        parsed = _parsed(node, workload.catalog)
        conditions = _conditions(parsed)
        if conditions:
            yield _scan(node, plan, statement, figures, conditions, parsed)


@dataclass(frozen=True, slots=True)
class _NodeFigures:
    """What a scan read and took: `passes` is how often it went through the table."""

    read: float
    kept: float
    passes: float
    self_ms: float
    share: float
    whole_ms: float
    measured: bool


def _figures(node: PlanNode, plan: Plan, target_ms: float) -> _NodeFigures | None:
    """The scan's figures if it is large, selective and hot, else None."""
    if node.never_executed or node.rows_actual is None:
        return None
    kept = node.rows_actual * node.loops
    read = kept + node.rows_removed_by_filter * node.loops
    # Workers share one pass of a parallel-aware scan; any other reads the table in every loop.
    passes = max(1.0, node.loops / node.processes if node.parallel_aware else node.loops)
    pages = _pages(node)
    large = read / passes >= MIN_ROWS or (pages is not None and pages / passes >= MIN_PAGES)
    if not large or read <= 0 or kept / read >= MAX_KEPT:
        return None
    timed = _times(node, plan)
    if timed is None:
        return None
    self_ms, whole_ms, measured = timed
    share = min(1.0, self_ms / whole_ms) if whole_ms > 0 else 0.0
    if share < MIN_SHARE or self_ms < MIN_TARGET_SHARE * target_ms:
        return None
    return _NodeFigures(read, kept, passes, self_ms, share, whole_ms, measured)


def _times(node: PlanNode, plan: Plan) -> tuple[float, float, bool] | None:
    """Milliseconds of the scan and of the execution, and whether the scan's were measured."""
    whole = plan.execution_ms or plan.total_ms
    if node.self_ms is not None and whole is not None:
        return node.self_ms, max(whole, node.self_ms), True
    whole = plan.execution_ms or plan.duration_ms
    if whole is None or not node.total_cost or not plan.root.total_cost:
        return None
    repeated = node.total_cost * max(1.0, node.loops / node.processes)
    return whole * min(1.0, repeated / max(plan.root.total_cost, repeated)), whole, False


def _pages(node: PlanNode) -> int | None:
    if node.shared_hit_blocks is None and node.shared_read_blocks is None:
        return None
    return (node.shared_hit_blocks or 0) + (node.shared_read_blocks or 0)


def _is_system(relation: str | None) -> bool:
    name = relation or "pg_"
    return name.startswith(("pg_", "information_schema."))


def _stops_early(node: PlanNode, above: Mapping[int, PlanNode]) -> bool:
    """Whether something above may stop the scan before the table's end.

    Nothing does through a node that takes all its input first (Sort, Hash, Aggregate).
    """
    child = node
    while child.parent is not None:
        if child.parent_relationship in ("SubPlan", "InitPlan"):
            return not (child.subplan_name or "").startswith("CTE ")  # EXISTS asks for one row
        parent = above[child.parent]
        if parent.type == "Limit":
            return True
        if parent.join_type in ("Semi", "Anti") and parent.type == "Nested Loop":
            return child.parent_relationship == "Inner"
        if parent.type in _BLOCKING:
            return False
        child = parent
    return False


def _few_expected(node: PlanNode, figures: _NodeFigures) -> bool:
    """Whether the planner expects few rows of the whole table: then stopping is not why few came."""
    expected = (node.rows_estimated or 0.0) * (node.processes if node.parallel_aware else 1)
    return expected < MAX_KEPT * figures.read / figures.passes


def _parsed(node: PlanNode, catalog: Catalog | None) -> ParsedFilter | None:
    table = catalog.table(node.relation) if catalog is not None else None

    def column_type(name: str) -> str | None:
        column = table.column(name) if table is not None else None
        return column.type if column is not None else None

    return parse_condition(node.filter or "", alias=node.alias, column_type=column_type)


def _conditions(parsed: ParsedFilter | None) -> tuple[ColumnCondition, ...]:
    """The conditions as evidence; none where no index could take one of them over."""
    if parsed is None or parsed.disjunctive:
        return ()
    return tuple(_condition(condition) for condition in parsed.conditions)


def _condition(condition: Condition) -> ColumnCondition:
    kind, sargable = "other", False
    if condition.operator in _EQUALITIES:
        kind, sargable = "equality", True
    elif condition.operator in _RANGES:
        kind, sargable = "range", True
    elif condition.operator == "like":
        sargable = condition.pattern == "prefix"
        kind = "range" if sargable else "other"
    elif condition.operator in _CONTAINS:
        sargable = condition.operator not in ("~", "~*", "ilike")
    wrapped = condition.wrapped
    return ColumnCondition(
        column=condition.column,
        operator=condition.operator,
        kind=kind,
        sargable=sargable and wrapped is None,
        expression=wrapped.text if wrapped else None,
        immutable=wrapped is not None and wrapped.immutable,
        pattern=condition.pattern,
        value_type=condition.value_type,
    )


def _scan(
    node: PlanNode,
    plan: Plan,
    statement: Statement | None,
    figures: _NodeFigures,
    conditions: tuple[ColumnCondition, ...],
    parsed: ParsedFilter | None,
) -> _Scan:
    table = node.relation or ""
    certain = parsed is not None and all(condition.certain for condition in parsed.conditions)
    evidence = SeqScanEvidence(
        plan_key=plan.key,
        node_id=node.id,
        table=table,
        filter=node.filter or "",
        conditions=conditions,
        rows_read=figures.read,
        rows_kept=figures.kept,
        kept_ratio=figures.kept / figures.read,
        self_ms=figures.self_ms,
        share=figures.share,
        plan_total_ms=figures.whole_ms,
        pages=_pages(node),
        plans=1,
        sql=statement.sql if statement else plan.statement,
        shape_id=plan.shape_id,
        reasons=_reasons(figures, conditions, certain=certain),
        scans=figures.passes,
    )
    confidence = 0.95 if figures.measured else 0.6
    return _Scan(
        evidence=evidence,
        confidence=confidence if certain else round(confidence - 0.15, 2),
        identity=statement.lineage if statement else table,
        fingerprint=statement.fingerprint if statement else None,
    )


def _reasons(
    figures: _NodeFigures, conditions: tuple[ColumnCondition, ...], *, certain: bool
) -> tuple[str, ...]:
    reasons = [
        f"keeps {figures.kept:,.0f} of {figures.read:,.0f} rows read ({figures.kept / figures.read:.2%})",
        f"{figures.self_ms:.1f} ms in the scan, {figures.share:.0%} of the plan's {figures.whole_ms:.1f} ms",
    ]
    if figures.passes > 1:
        reasons.append(f"the table is read through {figures.passes:,.0f} times in one execution")
    if not figures.measured:
        reasons.append("the plan has no times: the scan's are its part of the estimated cost")
    reasons.extend(
        f"an index on {condition.column} alone cannot serve {condition.expression or condition.operator}"
        for condition in conditions
        if not condition.sargable
    )
    if not certain:
        reasons.append("the type of a cast column is not known: give the schema to be sure")
    return tuple(reasons)


def _title(evidence: SeqScanEvidence) -> str:
    columns = ", ".join(dict.fromkeys(c.column for c in evidence.conditions))
    figures = f"reads {evidence.rows_read:,.0f} rows to keep {evidence.rows_kept:,.0f}"
    if any(condition.sargable for condition in evidence.conditions):
        return f"Sequential scan of {evidence.table} {figures}: no index on {columns} serves it"
    return f"Sequential scan of {evidence.table} {figures}: its condition on {columns} cannot use an index"


def _saving_ms(evidence: SeqScanEvidence) -> float:
    return evidence.self_ms * max(0.0, 1.0 - INDEX_FETCH_PRICE * evidence.kept_ratio)


def _severity(self_ms: float, target_ms: float) -> Severity:
    for share, severity in _SEVERITIES:
        if self_ms >= share * target_ms:
            return severity
    return Severity.LOW


def _digest(group: tuple[str, str, tuple[str, ...]]) -> str:
    identity, table, columns = group
    text = "\x1f".join((identity, table, *columns))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
