"""Rows that are written one by one, in a loop, instead of together.

What it finds
    An INSERT of one row, or an UPDATE or DELETE found by a key, that runs five times or more in a
    row in one trace, transaction or session, each time for another row.

Why it hurts
    Each row is a round trip; without a transaction around the loop each is also a commit that waits
    for the disk.

How it decides
    Same shape, one trace or session, at least five different parameter texts (for UPDATE and DELETE
    five different keys). In one transaction or trace up to ten other statements may stand between
    two rows. Elsewhere only statements of the same table may (read, then write) and children of an
    N+1, and no pause of more than 100 ms, no health check and no setting: a pool that hands a
    connection to the next request leaves those. Where other sessions are busy with the same
    statement meanwhile, it is the traffic of many requests. Eight rows and more in one millisecond
    were sent together (a pipeline, `executemany`) and are left out. Severity counts the round trips
    of a run, its elapsed time and the share of database time. Confidence is .9 in a transaction or
    trace, else .75, .6 where the gaps are wide.

When it is wrong
    Requests that write one row each and follow each other on one connection without a gap. A row
    that needs what the database made of the row before. Where values are not logged, retries.

What to do
    Write all rows with one statement: several rows in VALUES, `unnest`, COPY for thousands; `UPDATE
    … FROM`, `= ANY` for changes. At the least put the loop into one transaction.
"""

from analyzer.detectors._base import answer
from analyzer.detectors._loops import LoopFinder
from analyzer.detectors._scores import tight_gap
from analyzer.detectors._weights import share_of_time, weighed
from analyzer.detectors._writes import WriteFigures, keys_of
from analyzer.model.evidence import WriteLoopEvidence
from analyzer.model.finding import Finding, Impact, Outcome
from analyzer.model.workload import Workload
from analyzer.patterns import regex
from analyzer.sql.identity import short_hash

_SENT_TOGETHER = 8  # rows in one millisecond: no client waits for each of them
_PARAMETER = regex(r"\$(\d{1,5})")
_VERBS = {"insert": "inserted into", "update": "updated in", "delete": "deleted from"}


class WriteLoop:
    """Detector `write-loop`: one finding per statement (shape)."""

    id = "write-loop"

    def __init__(self, loops: LoopFinder) -> None:
        self._writes = loops.neighbours.writes

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        self._writes.settle()
        made = [
            _finding(workload, found)
            for found in self._writes.found.values()
            if found.rows.executions < _SENT_TOGETHER * found.moments
        ]
        return answer(made, workload)


def _finding(workload: Workload, found: WriteFigures) -> Finding:
    statement, rows = workload.statements[found.statement], found.rows
    facts = statement.facts
    per_occurrence = found.sizes.spread()
    evidence = WriteLoopEvidence(
        shape_id=statement.shape_id,
        sql=statement.sql,
        kind=facts.kind.value,
        table=facts.main_table,
        key_columns=tuple(one.column for one in keys_of(facts)),
        scope=rows.scope,
        occurrences=found.sizes.count,
        executions=rows.executions,
        per_occurrence=per_occurrence,
        distinct_parameters=rows.distinct_parameters,
        median_ms=rows.median_ms,
        wall_ms=found.wall_ms.median,
        own_commits=not found.together,
        varying=_varying(found, statement.sql),
        examples=found.examples,
    )
    return Finding(
        key=f"write-loop-{short_hash(statement.lineage, 12)}",
        detector=WriteLoop.id,
        severity=weighed(
            trips=per_occurrence.median,
            elapsed_ms=evidence.wall_ms,
            share=share_of_time(workload, rows.total_ms),
            total_ms=rows.total_ms,
        ),
        confidence=_confidence(found),
        title=f"{per_occurrence.median:g} rows {_VERBS[evidence.kind]} {facts.main_table} one by one",
        evidence=evidence,
        impact=Impact(rows.executions - found.sizes.count, rows.total_ms, None, rows.requests),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=facts.tables,
        routes=rows.routes,
    )


def _varying(found: WriteFigures, sql: str) -> tuple[int, ...]:
    """The `$n` of the statement that differ; none where its values are not all known."""
    numbers = {int(one) for one in _PARAMETER.findall(sql)}
    if len(numbers) != found.values:
        return ()
    return tuple(sorted(place + 1 for place in found.varying))


def _confidence(found: WriteFigures) -> float:
    if found.together:
        return 0.9
    return 0.75 if tight_gap(found.rows) else 0.6
