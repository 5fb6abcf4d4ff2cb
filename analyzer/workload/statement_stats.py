"""The figures of each statement: from its executions where a log shows them, else from counters."""

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from analyzer.model.recording import PhaseTotals
from analyzer.model.statement import Role, Statement, StatementCounters, StatementStats
from analyzer.model.target import PatternTarget, Target
from analyzer.records import changing, record
from analyzer.workload.cancelled import Stopped, times, told
from analyzer.workload.figures import Seen
from analyzer.workload.judging import Evidence, View, judged
from analyzer.workload.promises import target_of

_SHOWN = (0.5, 0.95, 0.99)


@changing
class Sums:
    """What belongs to one statement beside its executions."""

    phases: PhaseTotals = field(default_factory=PhaseTotals)
    counters: list[StatementCounters] = field(default_factory=list)
    query_ids: set[str] = field(default_factory=set)
    rows: int | None = None  # what an application's log tells of
    cancelled: list[Stopped] = field(default_factory=list)


@record
class Context:
    """What the figures of all statements depend on: targets, log and counters as a whole.

    `paths` are those of the inputs by their numbers.
    """

    paths: Sequence[str]
    target: Target
    targets: Sequence[PatternTarget]
    view: View


def statement_stats(
    seen: Mapping[int, Seen],
    sums: Mapping[int, Sums],
    statements: Sequence[Statement],
    context: Context,
) -> list[StatementStats]:
    """StatementStats of all statements; `seen` and `sums` are by their places."""
    stats = []
    for number, statement in enumerate(statements):
        extra = sums.get(number, Sums())
        known = seen.get(number)
        target = target_of(statement, context.targets) or context.target
        made = (
            _from_counters(extra, target, context)
            if known is None
            else _from_executions(known, extra, target, context)
        )
        if statement.facts.role is not Role.WORKLOAD:
            made = replace(made, verdict=None, target_ms=None)
        stats.append(_completed(made, extra, context))
    return stats


def evidence_of(seen: Seen, extra: Sums) -> Evidence:
    """What is known of a statement's durations."""
    return Evidence(
        seen.ranked,
        extra.counters,
        cancelled_ms=times(extra.cancelled),
        cancelled_told=told(extra.cancelled),
        clustering=seen.clustering,
    )


def _from_executions(seen: Seen, extra: Sums, target: Target, context: Context) -> StatementStats:
    if seen.untimed:
        return _untimed(seen, target, context)
    # What the server leaves out of its log says nothing about a client's.
    view = View(method=context.view.method) if seen.client else context.view
    evidence = Evidence(seen.ranked) if seen.client else evidence_of(seen, extra)
    p50, p95, p99 = (judged(evidence, Target(target.ms, one), view) for one in _SHOWN)
    found = p95 if target.quantile == _SHOWN[1] else judged(evidence, target, view)
    return StatementStats(
        calls=round(seen.calls),
        total_ms=seen.total_ms,
        mean_ms=seen.total_ms / seen.calls,
        min_ms=seen.low_ms,
        max_ms=seen.high_ms,
        p50_ms=p50.value_ms,
        p95_ms=p95.value_ms,
        p99_ms=p99.value_ms,
        p95_low_ms=p95.low_ms,
        p95_high_ms=p95.high_ms,
        method=p95.method,
        requests=seen.requests,
        calls_per_request_p95=seen.per_request_p95,
        samples=seen.samples,
        client=seen.client,
        sources=tuple(context.paths[source] for source in seen.sources),
        histogram=seen.histogram,
        verdict=found.verdict,
        target_ms=target.ms,
    )


def _untimed(seen: Seen, target: Target, context: Context) -> StatementStats:
    """A statement of whose calls some, or all, have no duration: those that are known are summed up."""
    timed = seen.samples - seen.untimed
    return StatementStats(
        calls=round(seen.calls),
        total_ms=seen.total_ms,
        mean_ms=seen.total_ms / timed if timed else 0.0,
        min_ms=None,
        max_ms=None,
        p50_ms=None,
        p95_ms=None,
        p99_ms=None,
        p95_low_ms=None,
        p95_high_ms=None,
        method="none",
        requests=seen.requests,
        calls_per_request_p95=seen.per_request_p95,
        samples=seen.samples,
        client=seen.client,
        sources=tuple(context.paths[source] for source in seen.sources),
        verdict="unknown",
        target_ms=target.ms,
    )


def _from_counters(extra: Sums, target: Target, context: Context) -> StatementStats:
    """A statement known from pg_stat_statements alone: sums, and bounds on its P95."""
    counters = extra.counters
    calls = sum(row.calls for row in counters)
    total = sum(row.total_ms for row in counters)
    minima = [row.min_ms for row in counters if row.min_ms is not None]
    maxima = [row.max_ms for row in counters if row.max_ms is not None]
    evidence = Evidence(
        counters=counters,
        cancelled_ms=times(extra.cancelled),
        cancelled_told=told(extra.cancelled),
    )
    p95 = judged(evidence, Target(target.ms, _SHOWN[1]), context.view)
    found = p95 if target.quantile == _SHOWN[1] else judged(evidence, target, context.view)
    return StatementStats(
        calls=calls,
        total_ms=total,
        mean_ms=total / calls if calls else 0.0,
        min_ms=min(minima, default=None),
        max_ms=max(maxima, default=None),
        p50_ms=None,
        p95_ms=p95.value_ms,
        p99_ms=None,
        p95_low_ms=p95.low_ms,
        p95_high_ms=p95.high_ms,
        method=p95.method,
        sources=tuple(sorted({context.paths[row.source] for row in counters if row.source >= 0})),
        verdict=found.verdict,
        target_ms=target.ms,
    )


def _completed(stats: StatementStats, extra: Sums, context: Context) -> StatementStats:
    """What counters and phases add to a statement's figures: rows, query ids, true calls."""
    with_rows = [row for row in extra.counters if row.rows is not None]
    rows = sum(row.rows or 0 for row in with_rows) if with_rows else extra.rows
    counted = sum(row.calls for row in extra.counters)
    if stats.samples and context.view.floor_ms and counted > stats.calls:
        total = sum(row.total_ms for row in extra.counters)
        stats = replace(stats, calls=counted, total_ms=total, mean_ms=total / counted)
    paths = {context.paths[row.source] for row in extra.counters if row.source >= 0}
    return replace(
        stats,
        parse_ms=extra.phases.parse_ms,
        bind_ms=extra.phases.bind_ms,
        rows=rows,
        # A log's calls are others than those that counters counted, unless it tells the rows, too.
        rows_calls=sum(row.calls for row in with_rows) if with_rows else stats.calls,
        query_ids=tuple(sorted(extra.query_ids)),
        sources=tuple(dict.fromkeys([*stats.sources, *sorted(paths)])),
    )
