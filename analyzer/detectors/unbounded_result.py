"""Results that grow with their table: a SELECT without LIMIT that returns many rows.

What it finds
    A SELECT without LIMIT that returns five thousand rows and more in the mean; from a thousand on
    where it takes 10 ms or 1 % of all database time.

Why it hurts
    The application waits for all rows and holds them all, and both grow with the table: what is
    fast today is slow in a year.

How it decides
    By rows that were counted: pg_stat_statements (rows by calls), else analysed plans (from five
    thousand rows: plans are logged of slow executions, which are the large ones). For a SELECT of a
    whole table, without a condition, also by the table's rows in the catalog. Logs alone do not
    tell rows, and nothing is guessed. Left out are cursors, results of one row, what
    count-by-fetching is about, and lists of keys (`IN`, `= ANY`), which the application bounds
    itself. Severity counts rows, the mean duration and the share of database time.

When it is wrong
    Exports and reports that need every row. Counters whose calls were of very different sizes.

What to do
    Ask for a page (LIMIT behind a keyset), for the columns and rows that are needed, or aggregate
    in the database. What has to read everything reads it through a cursor.
"""

from analyzer.detectors._base import with_unique_keys
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._weights import RowsPerCall, rows_per_call, share_of_time
from analyzer.model.evidence import UnboundedResultEvidence
from analyzer.model.finding import Finding, Impact, Outcome, Severity, Status
from analyzer.model.statement import Arity, Kind, Role, Statement, StatementFacts
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_MANY = 1_000  # rows per call
_ALWAYS = 5_000
_NOTED_MS = 10.0
_NOTED_SHARE = 0.01
_STEPS = (10_000, 100_000)  # rows per call from which it is worse
_SLOW_MS = 100.0
_SHARE = 0.05
_LEVELS = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH)
_UNKNOWN = "nothing in the input tells how many rows statements return: give pg_stat_statements, plans of EXPLAIN (ANALYZE) or auto_explain, or --dsn"


class UnboundedResult:
    """Detector `unbounded-result`: one finding per statement (shape)."""

    id = "unbounded-result"

    def __init__(self, loops: LoopFinder) -> None:
        self._fetches = loops.neighbours.fetches

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        self._fetches.settle()
        known = rows_per_call(workload, _MANY)
        counted = {one.whole for one in self._fetches.found.values() if one.accompanied}
        findings = []
        for number, statement in enumerate(workload.statements):
            if number in counted or not _open_ended(statement):
                continue
            rows = known.get(number) or _whole_table(workload, number)
            if rows is not None and _worth_it(workload, number, rows):
                findings.append(_finding(workload, number, rows))
        if findings:
            return Outcome(Status.FOUND, with_unique_keys(findings))
        if any(row.rows is not None for row in workload.counters):
            return Outcome(Status.CLEAN)
        return Outcome(Status.NOT_APPLICABLE, reason=_UNKNOWN)


def _worth_it(workload: Workload, number: int, rows: RowsPerCall) -> bool:
    """Whether so many rows are worth acting on."""
    if rows.rows >= _ALWAYS:
        # A plan is of one text: with and without LIMIT are one statement.
        return rows.known_by != "plan" or workload.statements[number].facts.limit is None
    stats = workload.stats[number]
    costs = stats.mean_ms >= _NOTED_MS or share_of_time(workload, stats.total_ms) >= _NOTED_SHARE
    return rows.rows >= _MANY and rows.known_by == "pg_stat_statements" and costs


def _open_ended(statement: Statement) -> bool:
    """A SELECT of the team's whose number of rows nothing in its text bounds."""
    facts = statement.facts
    if facts.kind is not Kind.SELECT or facts.role is not Role.WORKLOAD or not facts.tables:
        return False
    if facts.cursor or facts.one_row:
        return False
    listed = any(one.operator == "=" and one.arity is Arity.MANY for one in facts.predicates)
    # Of a UNION's or a CTE's LIMIT the facts do not tell.
    return not listed and (facts.main_table is not None or " limit " not in statement.sql.lower())


def _whole_table(workload: Workload, number: int) -> RowsPerCall | None:
    """The rows of the table that a statement without any condition reads."""
    statement = workload.statements[number]
    table = workload.catalog.table(statement.facts.main_table) if workload.catalog else None
    if table is None or table.rows is None or not _reads_all(statement.facts, statement.sql):
        return None
    return RowsPerCall(float(table.rows), "catalog")


def _reads_all(facts: StatementFacts, sql: str) -> bool:
    words = sql.lower().replace(" where 1=1", "")  # as Prisma writes "no condition"
    filtered = " where " in words or " join " in words or " having " in words
    return len(facts.tables) == 1 and facts.limit is None and not facts.grouped and not filtered


def _finding(workload: Workload, number: int, rows: RowsPerCall) -> Finding:
    statement, stats = workload.statements[number], workload.stats[number]
    facts = statement.facts
    table = workload.catalog.table(facts.main_table) if workload.catalog else None
    evidence = UnboundedResultEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        table=facts.main_table,
        calls=stats.calls,
        rows_per_call=round(rows.rows, 1),
        rows_known_by=rows.known_by,
        table_rows=table.rows if table else None,
        mean_ms=stats.mean_ms,
    )
    points = sum(rows.rows >= step for step in _STEPS) + int(stats.mean_ms >= _SLOW_MS)
    points += int(share_of_time(workload, stats.total_ms) >= _SHARE)
    return Finding(
        key=f"unbounded-result-{short_hash(statement.lineage, 12)}",
        detector=UnboundedResult.id,
        severity=_LEVELS[min(points, len(_LEVELS) - 1)],
        confidence=0.6 if rows.known_by == "catalog" else 0.9,
        title=f"{rows.rows:,.0f} rows of {facts.main_table or facts.tables[0]} at once, without a LIMIT",
        evidence=evidence,
        impact=Impact(None, stats.total_ms, None, stats.requests),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=facts.tables,
    )
