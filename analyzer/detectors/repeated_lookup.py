"""The same lookup again and again in one unit of work, with no parent that explains it.

What it finds
    A SELECT with an equality on one value, run five times or more in one trace, transaction or
    burst of a session with different values, where no parent statement is linked to it.

Why it hurts
    As an N+1 does: each execution is a round trip. The keys come from elsewhere: a form, a cache,
    another service, a query before the burst.

How it decides
    As n-plus-one, without the parent. The values count, or all parameters where the condition is no
    plain equality. Most executions have the same statement before (or behind) them: one place in
    the application runs them. .15, + .1 each for tight gaps, one transaction or trace, a unit of
    work that is known to be one request, a lookup by a key (or ten and more at a time) and
    different values, − .3 when each has a transaction of its own; never above .55.
    Reported from .45, so that requests that merely follow each other on a connection stay out.
    Where each unit of work looks up the very same few values (less than ten), and by no key, they are
    written in the program, as when a page asks for five settings by their names: that is no loop.

When it is wrong
    Requests that follow each other without a gap look like one; jobs that must work row by row.

What to do
    Collect the keys and ask once with `= ANY($1)`.
"""

from analyzer.detectors._base import answer
from analyzer.detectors._links import lookups
from analyzer.detectors._loops import GroupFigures, LoopFinder
from analyzer.detectors._names import is_key, reference
from analyzer.detectors._scores import loop_severity, tight_gap
from analyzer.model.evidence import RepeatedLookupEvidence
from analyzer.model.finding import Finding, Impact, Outcome
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash

_REPORTED_FROM = 0.45
_CAP = 0.55
_MANY = 10  # lookups at a time that are a loop whatever the column


class RepeatedLookup:
    """Detector `repeated-lookup`: one finding per statement (shape)."""

    id = "repeated-lookup"

    def __init__(self, loops: LoopFinder) -> None:
        self._loops = loops

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        made = [_finding(workload, found) for found in self._loops.find().lookups]
        findings = tuple(one for one in made if one.confidence >= _REPORTED_FROM)
        return answer(findings, workload)


def _confidence(found: GroupFigures, columns: tuple[str, ...], per_occurrence: float) -> float:
    """The sum described in the module's docstring, over all units of work of one statement."""
    rows = found.rows
    score = 0.15 + 0.1  # different values, or it would not be here
    by_key = any(is_key(column) or reference(column) for column in columns)
    if columns and not by_key and per_occurrence < _MANY and found.always_the_same:
        return 0.0
    score += 0.1 if by_key or per_occurrence >= _MANY else 0.0
    # A crowd has no gaps of its own: other requests' statements stand between.
    score += 0.1 if found.crowds or tight_gap(rows) else 0.0
    score += 0.1 if 2 * rows.whole >= rows.executions else 0.0
    if rows.all_traced or (rows.all_inside and rows.transactions <= rows.requests):
        score += 0.1
    elif rows.all_inside and rows.transactions == rows.executions:
        score -= 0.3
    return round(min(score, _CAP), 2)  # rounded: sums of tenths must compare as tenths


def _finding(workload: Workload, found: GroupFigures) -> Finding:
    statement, rows = workload.statements[found.statement], found.rows
    per_occurrence = found.sizes.spread()
    columns = tuple(predicate.column for predicate in lookups(statement.facts))
    evidence = RepeatedLookupEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        child_table=statement.facts.main_table,
        lookup_columns=columns,
        scope=rows.scope,
        occurrences=found.sizes.count,
        executions=rows.executions,
        per_occurrence=per_occurrence,
        distinct_parameters=found.distinct,
        median_ms=rows.median_ms,
        examples=found.examples,
    )
    trips = rows.executions - found.sizes.count
    return Finding(
        key=f"repeated-lookup-{short_hash(statement.lineage, 12)}",
        detector=RepeatedLookup.id,
        severity=loop_severity(per_occurrence.median),
        confidence=_confidence(found, columns, per_occurrence.median),
        title=_title(per_occurrence.median, statement.facts.main_table or "no table", columns),
        evidence=evidence,
        impact=Impact(trips, rows.total_ms, None, found.sizes.count),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
        routes=rows.routes,
    )


def _title(executions: float, table: str, columns: tuple[str, ...]) -> str:
    if columns:
        return f"{executions:g} lookups of {table} by {', '.join(columns)} in one go"
    return f"{executions:g} runs of one query on {table} with other parameters in one go"
