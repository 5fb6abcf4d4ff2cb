"""The same statement with the same parameters, again and again in one unit of work.

What it finds
    A SELECT that one trace, transaction or burst of a session runs five times or more with
    identical parameters.

Why it hurts
    All but the first are round trips for an answer that the application already had.

How it decides
    Same shape, same parameter text, five times in one unit of work. A statement without
    parameters counts when it has no lookup whose values the log might have left out.

When it is wrong
    Polling, and reads that must see another session's writes between them. Requests that follow
    each other on one connection without a gap look like one unit of work; then a cache across
    requests is the fix rather than a variable.

What to do
    Keep the answer for the length of the request (memoise), or cache it.
"""

import pandas as pd

from analyzer.detectors._base import answer, examples_of, routes_of
from analyzer.detectors._loops import Group, LoopFinder
from analyzer.detectors._scores import loop_severity, scope_of, spread, tight_gap
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
        groups: dict[int, list[Group]] = {}
        for group in self._loops.find(workload).repeated:
            groups.setdefault(group.statement, []).append(group)
        findings = tuple(_finding(workload, number, found) for number, found in groups.items())
        return answer(findings, workload)


def _finding(workload: Workload, number: int, groups: list[Group]) -> Finding:
    statement = workload.statements[number]
    largest = max(groups, key=lambda group: len(group.rows))
    rows = workload.executions.iloc[[int(row) for group in groups for row in group.rows]]
    counts = pd.Series([len(group.rows) for group in groups])
    evidence = RepeatedQueryEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        scope=scope_of(rows),
        occurrences=len(groups),
        executions=len(rows),
        per_occurrence=spread(counts),
        distinct_parameters=max(group.distinct for group in groups),
        median_ms=float(rows["duration_ms"].median()),
        examples=examples_of(workload, [int(row) for row in largest.rows[:3]]),
    )
    needed = sum(group.distinct for group in groups)
    spare = len(rows) - needed
    total = float(rows["duration_ms"].sum())
    return Finding(
        key=f"repeated-query-{short_hash(statement.lineage, 12)}",
        detector=RepeatedQuery.id,
        severity=loop_severity(float(counts.median())),
        confidence=0.9 if tight_gap(rows) else 0.6,
        title=f"The same {statement.facts.kind} of {statement.facts.main_table or 'no table'} {counts.median():g} times in one go",
        evidence=evidence,
        impact=Impact(spare, total, round(total * spare / len(rows), 3), len(groups)),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
        routes=routes_of(workload, [group.request for group in groups]),
    )
