"""IN lists of hundreds of items, and of ever other lengths.

What it finds
    A statement that takes time and has IN lists of 500 items or more, or typically 200: what ORMs
    write to load rows for many keys at once (Prisma's and Django's prefetching, Rails' `preload`).

Why it hurts
    Every item is sent, parsed and planned as an expression of its own, each time: planning can take
    longer than execution. Each other length is another statement for prepared statements and, up to
    PostgreSQL 17, for pg_stat_statements, where they push others out.

How it decides
    The length of a list is no part of a statement's identity, so the values of up to 64 executions
    are looked at, and their number is kept. Silent below 5 calls, 1 % of all time or 5 % of the
    target. Severity is low: loading many rows takes time in any spelling. It is medium where the
    log shows that parsing and planning (the parse and bind phases of the extended protocol) take a
    fifth of the statement's time or more.

When it is wrong
    The time goes into reading the rows, and the list is the honest way to name them. The driver
    has no arrays. Lists that are rare exceptions may be among the executions looked at, or not.

What to do
    Pass one array: `= ANY ($1)`. It is one parameter of one statement, whatever its length. For
    thousands of keys, join `unnest($1)`. If the keys were read from the database just before, join
    instead of sending them back.
"""

from analyzer.detectors._heavy import (
    Weighed,
    answer_of,
    finding_of,
    heavy_statements,
    pace,
)
from analyzer.detectors._values import ValueSamples, ValuesSeen, has_list
from analyzer.model.evidence_parts import Spread
from analyzer.model.finding import Finding, Outcome, Severity
from analyzer.model.text_evidence import LargeInListEvidence
from analyzer.model.workload import Workload

MANY_ITEMS = 500
TYPICAL_ITEMS = 200
_PHASES_SHARE = 0.2
_CONFIDENCE = 0.8
_UNSEEN = "statements with IN lists take time and the input does not show how long the lists are: give a log with parameters, or the application's query log"


class LargeInList:
    """Detector `large-in-list`: one finding per statement."""

    id = "large-in-list"

    def __init__(self, values: ValueSamples) -> None:
        self._values = values

    def detect(self, workload: Workload) -> Outcome:
        """Judge the workload."""
        findings: list[Finding] = []
        unseen = False
        for weighed in heavy_statements(workload):
            if has_list(weighed.statement):
                seen = self._values.of(weighed.number)
                unseen |= not seen.items
                findings += [_finding(weighed, seen)] if _is_large(seen) else []
        return answer_of(findings, workload, _UNSEEN if unseen else None)


def _is_large(seen: ValuesSeen) -> bool:
    return bool(seen.items) and (
        max(seen.items) >= MANY_ITEMS or _median(seen.items) >= TYPICAL_ITEMS
    )


def _median(items: list[int]) -> int:
    return sorted(items)[len(items) // 2]


def _finding(weighed: Weighed, seen: ValuesSeen) -> Finding:
    stats, items = weighed.stats, seen.items
    spread = Spread(min(items), _median(items), max(items))
    phases_ms = stats.parse_ms + stats.bind_ms
    # A log's durations of the extended protocol do not contain the phases before execution.
    planned = phases_ms >= _PHASES_SHARE * (stats.total_ms + phases_ms) and phases_ms > 0
    lengths = len(set(items))
    reasons = [f"{len(items)} executions looked at: {lengths} lengths, up to {max(items):,} items"]
    if phases_ms:
        reasons.append(
            f"parsing and planning took {phases_ms:,.0f} ms beside {stats.total_ms:,.0f} ms of execution"
        )
    return finding_of(
        LargeInList.id,
        weighed,
        lambda common: LargeInListEvidence(
            **common,
            reasons=tuple(reasons),
            items=spread,
            lengths=lengths,
            looked_at=len(items),
            parse_ms=round(stats.parse_ms, 3),
            bind_ms=round(stats.bind_ms, 3),
        ),
        title=f"IN lists of up to {max(items):,} items on {weighed.statement.facts.main_table or 'a subquery'}: {pace(weighed)}",
        severity=Severity.MEDIUM if planned else Severity.LOW,
        confidence=_CONFIDENCE,
    )
