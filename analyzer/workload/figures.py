"""Figures of each statement: from its executions where a log shows them, else from counters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.model.columns import Column, Floats, Rows, grown, starts_of_runs
from analyzer.model.executions import Clock
from analyzer.model.recording import PhaseTotals
from analyzer.model.sampling import Sampling
from analyzer.model.statement import StatementCounters, StatementStats
from analyzer.model.target import Target
from analyzer.workload.quantiles import Quantile, rank_of, shown_histogram
from analyzer.workload.samples import Sample, design_effect
from analyzer.workload.totals import Arrays, Durations, Totals, named, part_of
from analyzer.workload.verdicts import from_counters

_CLOCKS = len(Clock)
_WIDE = 1 << 31
_SPREAD = 1_000_003  # tells (query id, statement) apart in one number
_OFTEN = 64  # calls in one unit of work
_QUERY_IDS = 1_000  # a statement on temporary tables has another one each time


@dataclass(slots=True)
class Sums:
    """What belongs to one statement beside its executions."""

    phases: PhaseTotals = field(default_factory=PhaseTotals)
    counters: list[StatementCounters] = field(default_factory=list)
    query_ids: set[str] = field(default_factory=set)
    rows: int | None = None  # what an application's log tells of


@dataclass(frozen=True, slots=True)
class LogContext:
    """`censored_ms`: executions faster than this are not logged (None: all are).

    `sampling`: which share of the others is (None: all).
    """

    paths: Sequence[str]
    censored_ms: float | None
    sampling: Sampling | None = None


@dataclass(slots=True)
class Seen:
    """A statement's executions on the clock that saw more of them, summed up.

    `samples` were seen; `calls`, `total_ms` and all after them are about what they stand for.
    `requests` and `per_request_p95` are None where a sample shows no whole units of work. Where
    `untimed` of them have no duration there are no quantiles.
    """

    samples: int
    calls: float
    total_ms: float
    low_ms: float
    high_ms: float
    client: bool
    quantiles: Sequence[Quantile]  # P50, P95 and P99
    histogram: tuple[tuple[float, int], ...]
    requests: int | None
    per_request_p95: float | None
    sources: tuple[int, ...]
    untimed: int = 0


class StatementFigures:
    """Sums over executions by statement and clock; merges in any order."""

    def __init__(self) -> None:
        self._calls = np.zeros(0, dtype=np.int64)
        self._total_ms = np.zeros(0)
        self._low_ms = np.zeros(0)
        self._high_ms = np.zeros(0)
        self._untimed = np.zeros(0, dtype=np.int64)
        self._per_request = Totals()
        self._sources = Totals()
        self._query_ids: dict[int, set[int]] = {}
        self._last_id = np.zeros(0, dtype=np.int64)  # by statement
        self.durations = Durations()

    def add(self, statement: Rows, request: Rows, columns: Mapping[str, Column]) -> None:
        """Executions in whole units of work.

        Columns duration_ms, octaves (its binary logarithm), untimed (no duration is known), clock,
        source and query_id.
        """
        if len(statement) == 0:
            return
        group = statement * _CLOCKS + columns["clock"]
        values = columns["duration_ms"]
        calls = np.bincount(group)
        low, high = np.full(len(calls), np.inf), np.zeros(len(calls))
        np.minimum.at(low, group, values)
        np.maximum.at(high, group, values)
        self._sum(calls, np.bincount(group, weights=values).astype(np.float64), low, high)
        if columns["untimed"].any():
            timed = np.flatnonzero(~columns["untimed"])
            self.durations.add(group[timed], values[timed], columns["octaves"][timed])
            self._count_untimed(np.bincount(group[columns["untimed"]]))
        else:
            self.durations.add(group, values, columns["octaves"])
        self._count_requests(group, request - request.min())
        self._count_sources(group, columns["source"])
        self._note_query_ids(statement, columns["query_id"])

    def _sum(self, calls: Rows, total_ms: Floats, low_ms: Floats, high_ms: Floats) -> None:
        size = len(calls)
        self._calls = grown(self._calls, size)
        self._total_ms = grown(self._total_ms, size)
        self._low_ms = grown(self._low_ms, size, np.inf)
        self._high_ms = grown(self._high_ms, size)
        self._calls[:size] += calls
        self._total_ms[:size] += total_ms
        self._low_ms[:size] = np.minimum(self._low_ms[:size], low_ms)
        self._high_ms[:size] = np.maximum(self._high_ms[:size], high_ms)

    def _count_untimed(self, calls: Rows) -> None:
        self._untimed = grown(self._untimed, len(calls))
        self._untimed[: len(calls)] += calls

    def _count_requests(self, group: Rows, request: Rows) -> None:
        """Of each (statement, clock): how many units of work ran it once, how many twice and so on."""
        bits = int(group.max()).bit_length()
        pairs = request << bits | group
        if int(request.max()) >> (32 - bits) == 0:
            pairs = pairs.astype(np.uint32)  # half as long, twice as quickly sorted
        pairs.sort()
        starts = np.flatnonzero(starts_of_runs(pairs))
        calls = np.diff(starts, append=len(pairs))
        group = (pairs[starts] & ((1 << bits) - 1)).astype(np.int64)
        often = calls >= _OFTEN
        self._per_request.count(group[often] * _WIDE + calls[often])
        # Nearly all are few: they are counted by place, without sorting.
        counts = np.bincount(group[~often] * _OFTEN + calls[~often])
        place = np.flatnonzero(counts)
        self._per_request.add(place // _OFTEN * _WIDE + place % _OFTEN, counts[place])

    def _count_sources(self, group: Rows, source: Column) -> None:
        first = int(source[0])
        if (source == first).all():
            group = np.flatnonzero(np.bincount(group))
            self._sources.count(group * _WIDE + first)
        else:
            self._sources.count(group * _WIDE + source)

    def _note_query_ids(self, statement: Rows, query_id: Rows) -> None:
        self._last_id = grown(self._last_id, int(statement.max()) + 1)
        # Nearly always a statement has the id that it had before.
        other = np.flatnonzero((query_id != 0) & (query_id != self._last_id[statement]))
        if len(other) == 0:
            return
        statement, query_id = statement[other], query_id[other]
        first = np.unique(query_id * _SPREAD + statement, return_index=True)[1]
        for row in first.tolist():
            found = self._query_ids.setdefault(int(statement[row]), set())
            if len(found) < _QUERY_IDS:
                found.add(int(query_id[row]))
        self._last_id[statement] = query_id

    def query_ids(self) -> Mapping[int, set[int]]:
        """PostgreSQL's query ids by statement."""
        return self._query_ids

    def seen(self, sampling: Sampling | None = None) -> dict[int, Seen]:
        """By statement, the figures on the clock that saw more of it; a tie is the server's.

        `sampling` is how the server's log was sampled.
        """
        quantiles = self.durations.quantiles((0.5, 0.95, 0.99))
        histograms = self.durations.histograms()
        requests = _requests(self._per_request)
        sources: dict[int, list[int]] = {}
        for key in self._sources.items()[0].tolist():
            sources.setdefault(key // _WIDE, []).append(key % _WIDE)
        calls = grown(self._calls, -(-len(self._calls) // _CLOCKS) * _CLOCKS)
        untimed = grown(self._untimed, len(calls))
        samples = {} if sampling is None else self.durations.samples(sampling)
        found = {}
        for number in np.flatnonzero(calls[Clock.SERVER :: 2] + calls[Clock.CLIENT :: 2]).tolist():
            server, client = number * _CLOCKS + Clock.SERVER, number * _CLOCKS + Clock.CLIENT
            group = client if calls[client] > calls[server] else server
            found[number] = Seen(
                int(calls[group]),
                float(calls[group]),
                float(self._total_ms[group]),
                float(self._low_ms[group]),
                float(self._high_ms[group]),
                group == client,
                quantiles.get(group, ()),
                shown_histogram(*histograms[group]) if group in histograms else (),
                *requests[group],
                tuple(sources[group]),
                int(untimed[group]),
            )
            if group == server and group in samples:
                clustering = self._clustering(group, sampling)
                found[number] = _weighted(found[number], samples[group], clustering)
        return found

    def _clustering(self, group: int, sampling: Sampling | None) -> float:
        """The design effect of a statement's executions that were drawn by transaction."""
        if sampling is None or not sampling.whole_transactions:
            return 1.0
        keys, counts = self._per_request.items()
        first, end = np.searchsorted(keys, (group * _WIDE, (group + 1) * _WIDE))
        return design_effect(keys[first:end] % _WIDE, counts[first:end])

    def arrays(self) -> Arrays:
        """All that there is, as arrays."""
        made = {
            "calls": self._calls,
            "total_ms": self._total_ms,
            "low_ms": self._low_ms,
            "high_ms": self._high_ms,
            "untimed": self._untimed,
            "query_ids": np.array(
                [(number, one) for number, ids in self._query_ids.items() for one in sorted(ids)],
                dtype=np.int64,
            ).reshape(-1, 2),
        }
        for name, part in self._parts().items():
            made |= named(name, part.arrays())
        return made

    def absorb(self, arrays: Arrays) -> None:
        """Add what another gave as arrays, of the same statements."""
        self._sum(arrays["calls"], arrays["total_ms"], arrays["low_ms"], arrays["high_ms"])
        self._count_untimed(arrays["untimed"])
        for number, one in arrays["query_ids"].tolist():
            self._query_ids.setdefault(number, set()).add(one)
        for name, part in self._parts().items():
            part.absorb(part_of(arrays, name))

    def _parts(self) -> dict[str, Totals | Durations]:
        return {
            "per_request": self._per_request,
            "sources": self._sources,
            "durations": self.durations,
        }


def _weighted(seen: Seen, sample: Sample, clustering: float) -> Seen:
    """What was seen on the server's clock, as the sample that it is."""
    return replace(
        seen,
        calls=sample.calls,
        total_ms=sample.total_ms(seen.total_ms),
        quantiles=[sample.quantile(quantile, clustering) for quantile in (0.5, 0.95, 0.99)],
        histogram=sample.histogram(),
        requests=None,
        per_request_p95=None,
    )


def _requests(per_request: Totals) -> dict[int, tuple[int, float]]:
    """By (statement, clock): the number of requests that ran it, and the P95 of its calls in one."""
    keys, counts = per_request.items()
    groups, calls = keys // _WIDE, keys % _WIDE
    starts = np.flatnonzero(starts_of_runs(groups))
    found = {}
    for start, end in zip(starts, np.append(starts, len(groups))[1:], strict=True):
        total = np.cumsum(counts[start:end])
        place = np.searchsorted(total, rank_of(0.95, int(total[-1])), side="right")
        found[int(groups[start])] = (int(total[-1]), float(calls[start + place]))
    return found


def statement_stats(
    figures: StatementFigures, sums: Mapping[int, Sums], count: int, target: Target, log: LogContext
) -> list[StatementStats]:
    """StatementStats of statements 0..count-1."""
    seen = figures.seen(log.sampling)
    stats = []
    for number in range(count):
        extra = sums.get(number, Sums())
        known = seen.get(number)
        made = (
            _from_counters(extra.counters, target, log.paths)
            if known is None
            else _from_executions(known, log)
        )
        stats.append(_completed(made, extra, log))
    return stats


def _from_executions(seen: Seen, log: LogContext) -> StatementStats:
    if seen.untimed:
        return _untimed(seen, log)
    p50, p95, p99 = seen.quantiles
    censored = bool(log.censored_ms)
    return StatementStats(
        calls=round(seen.calls),
        total_ms=seen.total_ms,
        mean_ms=seen.total_ms / seen.calls,
        min_ms=seen.low_ms,
        max_ms=seen.high_ms,
        p50_ms=None if censored else p50.value_ms,
        p95_ms=None if censored else p95.value_ms,
        p99_ms=None if censored else p99.value_ms,
        p95_low_ms=0.0 if censored else p95.low_ms,
        p95_high_ms=p95.high_ms,
        method="bound" if censored else p95.method,
        requests=seen.requests,
        calls_per_request_p95=seen.per_request_p95,
        samples=seen.samples,
        client=seen.client,
        sources=tuple(log.paths[source] for source in seen.sources),
        histogram=seen.histogram,
    )


def _untimed(seen: Seen, log: LogContext) -> StatementStats:
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
        sources=tuple(log.paths[source] for source in seen.sources),
    )


def _from_counters(
    counters: Sequence[StatementCounters], target: Target, paths: Sequence[str]
) -> StatementStats:
    """A statement known from pg_stat_statements alone: sums, and bounds on its P95."""
    calls = sum(row.calls for row in counters)
    total = sum(row.total_ms for row in counters)
    minima = [row.min_ms for row in counters if row.min_ms is not None]
    maxima = [row.max_ms for row in counters if row.max_ms is not None]
    verdict = from_counters(counters, target)
    return StatementStats(
        calls=calls,
        total_ms=total,
        mean_ms=total / calls if calls else 0.0,
        min_ms=min(minima, default=None),
        max_ms=max(maxima, default=None),
        p50_ms=None,
        p95_ms=verdict.value_ms,
        p99_ms=None,
        p95_low_ms=verdict.low_ms,
        p95_high_ms=verdict.high_ms,
        method=verdict.method,
        sources=tuple(sorted({paths[row.source] for row in counters if row.source >= 0})),
    )


def _completed(stats: StatementStats, extra: Sums, log: LogContext) -> StatementStats:
    """What counters and phases add to a statement's figures: rows, query ids, true calls."""
    told = [row for row in extra.counters if row.rows is not None]
    rows = sum(row.rows or 0 for row in told) if told else extra.rows
    counted = sum(row.calls for row in extra.counters)
    if stats.samples and log.censored_ms and counted > stats.calls:
        total = sum(row.total_ms for row in extra.counters)
        stats = replace(stats, calls=counted, total_ms=total, mean_ms=total / counted)
    paths = {log.paths[row.source] for row in extra.counters if row.source >= 0}
    return replace(
        stats,
        parse_ms=extra.phases.parse_ms,
        bind_ms=extra.phases.bind_ms,
        rows=rows,
        # A log's calls are others than those that counters counted, unless it tells the rows, too.
        rows_calls=sum(row.calls for row in told) if told else stats.calls,
        query_ids=tuple(sorted(extra.query_ids)),
        sources=tuple(dict.fromkeys([*stats.sources, *sorted(paths)])),
    )
