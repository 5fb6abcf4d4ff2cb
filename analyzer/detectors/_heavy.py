"""Which statements are worth a word: those that take time, by their figures alone.

The detectors that read statements' texts ask here first. A habit in a statement that is quick, rare
or a speck of the whole is no finding, however bad the text looks.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypedDict

from analyzer.detectors._weights import share_of_time
from analyzer.model.finding import Finding, Impact, Outcome, Severity, Status
from analyzer.model.statement import Role, Statement, StatementStats
from analyzer.model.text_evidence import StatementEvidence
from analyzer.model.workload import Workload
from analyzer.records import record
from analyzer.sql.identity import short_hash

MIN_CALLS = 5
MIN_TIME_SHARE = 0.01  # of all the team's statements
MIN_TARGET_SHARE = 0.05  # the middle execution: 5 ms of 100
_MISSES = 1.0  # targets
_NEAR = 0.5
_LARGE_SHARE = 0.05
_LARGER_SHARE = 0.20
_NO_STATEMENTS = "no statements with their times in the input: give a log or pg_stat_statements"


@record
class Weighed:
    """A statement that takes time: `number` is its position in Workload.statements.

    `typical_ms` is its P95, or its mean where no P95 is known; `share` its part of all time.
    """

    number: int
    statement: Statement
    stats: StatementStats
    typical_ms: float
    share: float


class CommonFigures(TypedDict):
    """The fields of StatementEvidence but its reasons."""

    shape_id: str
    sql: str
    calls: int
    total_ms: float
    typical_ms: float
    time_share: float


def heavy_statements(workload: Workload) -> Iterator[Weighed]:
    """The team's parsed statements that are above the floor of calls, share and duration."""
    least_ms = MIN_TARGET_SHARE * workload.target.ms
    for number, statement, stats in _own(workload):
        share = share_of_time(workload, stats.total_ms)
        typical_ms = stats.mean_ms if stats.p95_ms is None else stats.p95_ms
        # One slow start among quick executions is no habit: the middle one has to be slow, too.
        middle_ms = stats.mean_ms if stats.p50_ms is None else stats.p50_ms
        enough = stats.calls >= MIN_CALLS and share >= MIN_TIME_SHARE
        if enough and min(middle_ms, typical_ms) >= least_ms and statement.parsed:
            yield Weighed(number, statement, stats, typical_ms, share)


def _own(workload: Workload) -> Iterator[tuple[int, Statement, StatementStats]]:
    for number, (statement, stats) in enumerate(
        zip(workload.statements, workload.stats, strict=True)
    ):
        if statement.facts.role is Role.WORKLOAD:
            yield number, statement, stats


def severity_of(weighed: Weighed, target_ms: float) -> Severity:
    """By how long it takes against the target, and by its share of all time; never by count."""
    targets = weighed.typical_ms / target_ms
    if targets >= _MISSES and weighed.share >= _LARGE_SHARE:
        return Severity.HIGH
    if targets >= _NEAR or weighed.share >= _LARGER_SHARE:
        return Severity.MEDIUM
    return Severity.LOW


def common_figures(weighed: Weighed) -> CommonFigures:
    """What every evidence about a statement says of it."""
    return CommonFigures(
        shape_id=weighed.statement.shape_id,
        sql=weighed.statement.sql,
        calls=weighed.stats.calls,
        total_ms=round(weighed.stats.total_ms, 3),
        typical_ms=round(weighed.typical_ms, 3),
        time_share=round(weighed.share, 4),
    )


def finding_of(
    detector: str,
    weighed: Weighed,
    evidence: Callable[[CommonFigures], StatementEvidence],
    *,
    title: str,
    severity: Severity,
    confidence: float,
    about: Sequence[str] = (),
) -> Finding:
    """A finding about one statement; `about` tells apart several of one detector in it.

    What a change would save is not known before it is tried, and so not said.
    """
    statement = weighed.statement
    made = evidence(common_figures(weighed))
    identity = "\x1f".join([statement.lineage, *about])
    return Finding(
        key=f"{detector}-{short_hash(identity, 12)}",
        detector=detector,
        severity=severity,
        confidence=confidence,
        title=title,
        evidence=made,  # type: ignore[arg-type] # a child of StatementEvidence, which Evidence lists
        impact=Impact(total_ms=made.total_ms, requests=weighed.stats.requests),
        shape_ids=(statement.shape_id,),
        fingerprints=(statement.fingerprint,),
        tables=statement.facts.tables,
    )


def merged(found: Iterable[tuple[Hashable, Finding]]) -> list[Finding]:
    """Findings (each with what would settle it) as one where one change settles several.

    A search and the count beside it need one index. The finding of the statement that takes most
    time stands for all; shapes, time and severity are those of all. A statement counts once.
    """
    groups: dict[Hashable, dict[tuple[str, ...], Finding]] = {}
    for change, finding in found:
        groups.setdefault(change, {}).setdefault(finding.shape_ids, finding)
    return [_as_one(list(group.values())) for group in groups.values()]


def _as_one(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    group = sorted(group, key=lambda finding: (-(finding.impact.total_ms or 0.0), finding.key))
    worst, others = group[0], len(group) - 1
    evidence = worst.evidence
    if isinstance(evidence, StatementEvidence):
        more = f"{others} more statement{'s do' if others > 1 else ' does'} the same"
        evidence = replace(evidence, reasons=(*evidence.reasons, more))
    requests = [one.impact.requests for one in group if one.impact.requests is not None]
    return replace(
        worst,
        severity=max((finding.severity for finding in group), key=lambda severity: severity.rank),
        evidence=evidence,
        impact=Impact(
            total_ms=round(sum(one.impact.total_ms or 0.0 for one in group), 3),
            requests=max(requests, default=None),  # one request may run them all
        ),
        shape_ids=tuple(dict.fromkeys(shape for one in group for shape in one.shape_ids)),
        fingerprints=tuple(dict.fromkeys(print_ for one in group for print_ in one.fingerprints)),
        tables=tuple(dict.fromkeys(table for one in group for table in one.tables)),
    )


def answer_of(
    findings: Sequence[Finding], workload: Workload, not_seen: str | None = None
) -> Outcome:
    """Found, clean, or not-applicable: without statements, or for the reason `not_seen`.

    Statements of one lineage (an ORM's new column makes another shape) are one finding.
    """
    if findings:
        return Outcome(Status.FOUND, tuple(merged((one.key, one) for one in findings)))
    if not workload.stats:
        return Outcome(Status.NOT_APPLICABLE, reason=_NO_STATEMENTS)
    if not_seen:
        return Outcome(Status.NOT_APPLICABLE, reason=not_seen)
    return Outcome(Status.CLEAN)


def pace(weighed: Weighed) -> str:
    """How long an execution takes, in a phrase."""
    method = "P95" if weighed.stats.p95_ms is not None else "on average"
    shown = f"{weighed.typical_ms:,.0f} ms"
    return f"{method} {shown}" if method == "P95" else f"{shown} {method}"
