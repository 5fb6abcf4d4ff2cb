"""The same statement with the same parameters, again and again in one unit of work.

What it finds
    A SELECT that one trace, transaction or burst of a session runs five times or more with
    identical parameters.

Why it hurts
    All but the first are round trips for an answer that the application already had.

How it decides
    Same shape, same parameter text, five times in one unit of work. A statement without
    parameters counts when it has no lookup whose values the log might have left out. Polling
    (at a steady period or one that varies, also by a pool), retries and what runs once for each tenant are left out
    (n-plus-one's `ruled_out`).

When it is wrong
    Polling for less than five seconds at changing intervals or among a connection's other statements, and reads that must see another session's writes between them. Requests that follow
    each other on one connection without a gap look like one unit of work; then a cache across
    requests is the fix rather than a variable.

What to do
    Keep the answer for the length of the request (memoise), or cache it.
"""

from analyzer.detectors._base import answer
from analyzer.detectors._loops import GroupFigures, LoopFinder
from analyzer.detectors._scores import loop_severity, tight_gap
from analyzer.model.evidence import RepeatedQueryEvidence
from analyzer.model.finding import Finding, Impact, Outcome
from analyzer.model.workload import Workload
from analyzer.sql.identity import short_hash


class RepeatedQuery:
    """Detector `repeated-query`: one finding per statement (shape)."""

    id = "repeated-query"

    def __init__(self, loops: LoopFinder) -> None:
        self._loops = loops

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings = tuple(_finding(workload, found) for found in self._loops.find().repeated)
        return answer(findings, workload)


def _finding(workload: Workload, found: GroupFigures) -> Finding:
    statement, rows = workload.statements[found.statement], found.rows
    per_occurrence = found.sizes.spread()
    evidence = RepeatedQueryEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        scope=rows.scope,
        occurrences=found.sizes.count,
        executions=rows.executions,
        per_occurrence=per_occurrence,
        distinct_parameters=found.distinct,
        median_ms=rows.median_ms,
        examples=found.examples,
    )
    spare = rows.executions - found.needed
    saving_ms = round(rows.total_ms * spare / rows.executions, 3)
    return Finding(
        key=f"repeated-query-{short_hash(statement.lineage, 12)}",
        detector=RepeatedQuery.id,
        severity=loop_severity(per_occurrence.median),
        confidence=0.9 if tight_gap(rows) else 0.6,
        title=f"The same {statement.facts.kind} of {statement.facts.main_table or 'no table'} {per_occurrence.median:g} times in one go",
        evidence=evidence,
        impact=Impact(spare, rows.total_ms, saving_ms, found.sizes.count),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
        routes=rows.routes,
    )
