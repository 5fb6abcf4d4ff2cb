"""Sums over the executions of each statement, by the clock that measured them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analyzer.model.columns import Column, Floats, Rows, counted, grown, run_starts, starts_of_runs
from analyzer.model.executions import Clock
from analyzer.model.sampling import Sampling
from analyzer.native import compiled, twin_in
from analyzer.records import changing
from analyzer.workload.quantiles import rank_of, shown_histogram
from analyzer.workload.samples import Sample, design_effect
from analyzer.workload.tails import EMPTY, Ranked, ranked_groups
from analyzer.workload.totals import Arrays, Durations, Totals, named, part_of

_CLOCKS = len(Clock)
_WIDE = 1 << 31
_SPREAD = 1_000_003  # tells (query id, statement) apart in one number
_QUERY_IDS = 1_000  # a statement on temporary tables has another one each time

_twin = twin_in(compiled("analyzer.workload.native._figures"))


@changing
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
    ranked: Ranked  # the durations that are known
    histogram: tuple[tuple[float, int], ...]
    requests: int | None
    per_request_p95: float | None
    sources: tuple[int, ...]
    untimed: int = 0
    clustering: float = 1.0  # the design effect, where transactions were drawn


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

    def add(
        self,
        ordered: Mapping[str, Column],
        rows: Rows,
        request: Rows,
        timed: Mapping[str, Column],
        logged: tuple[Mapping[str, Column], Rows],
    ) -> None:
        """Add the `rows` of executions, which are in whole units of work: `request`.

        Columns statement and clock of all; of the rows duration_ms, micros (it in whole microseconds) and untimed (no
        duration is known). What was `logged` has source and query_id, in another order,
        in which all stand where the second says.
        """
        if len(rows) == 0:
            return
        values, untimed = timed["duration_ms"], timed["untimed"]
        group, calls, total_ms, low_ms, high_ms = by_group(
            ordered["statement"], ordered["clock"], rows, values
        )
        self._sum(calls, total_ms, low_ms, high_ms)
        if untimed.any():
            known = np.flatnonzero(~untimed)
            micros = timed["micros"][known]
            self.durations.add(group[known], values[known], micros=micros)
            self._count_untimed(np.bincount(group[untimed]))
        else:
            self.durations.add(group, values, micros=timed["micros"])
        request = request.take(rows)
        statement, calls, units = repeats(group, request - request.min())
        self._per_request.add(statement * _WIDE + calls, units)
        columns, order = logged
        self._count_sources(group, columns["source"], order, rows)
        if columns["query_id"].any():
            self._note_query_ids(group // _CLOCKS, columns["query_id"].take(order.take(rows)))

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

    def _count_sources(self, group: Rows, source: Column, order: Rows, rows: Rows) -> None:
        first = int(source[0])
        if (source == first).all():
            group = np.flatnonzero(np.bincount(group))
            self._sources.count(group * _WIDE + first)
        else:
            self._sources.count(group * _WIDE + source.take(order.take(rows)))

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
        ranked = ranked_groups(self.durations)
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
                ranked.get(group, EMPTY),
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


@_twin
def by_group(
    statement: Rows, clock: Column, rows: Rows, values: Floats
) -> tuple[Rows, Rows, Floats, Floats, Floats]:
    """The group (statement and clock) of each of the `rows`; by group calls, ms together, the least and the most.

    `values` are the durations of these rows.
    """
    group = statement.take(rows) * _CLOCKS + clock.take(rows)
    calls = np.bincount(group)
    low, high = np.full(len(calls), np.inf), np.zeros(len(calls))
    np.minimum.at(low, group, values)
    np.maximum.at(high, group, values)
    return group, calls, np.bincount(group, weights=values).astype(np.float64), low, high


@_twin
def repeats(group: Rows, request: Rows) -> tuple[Rows, Rows, Rows]:
    """(group, calls, units of work): of each group, how many units of work ran it once, how many twice and so on."""
    bits = int(group.max()).bit_length()
    pairs = request << bits | group
    pairs.sort()
    starts = run_starts(pairs)
    calls = np.diff(starts, append=len(pairs))
    keys, units = counted((pairs[starts] & ((1 << bits) - 1)) * _WIDE + calls)
    return keys // _WIDE, keys % _WIDE, units


def _weighted(seen: Seen, sample: Sample, clustering: float) -> Seen:
    """What was seen on the server's clock, as the sample that it is."""
    return replace(
        seen,
        calls=sample.calls,
        total_ms=sample.total_ms(seen.total_ms),
        clustering=clustering,
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
