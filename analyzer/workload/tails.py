"""Quantiles counted from the top: of a log's slow executions, among all that ran (docs/p95.md).

Which execution is the quantile depends on how many were slower, and on how many there were in all. So
where a log holds every execution from some time on and the number of all is known, the quantile is as
exact as from a whole log, or known to be faster than that time. Executions that were cancelled took at
least as long as is known of them: they stand both there and at the very top, and the true quantile
lies between.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.model.columns import Floats, Rows
from analyzer.model.sampling import Sampling
from analyzer.records import record
from analyzer.workload.quantiles import buckets_of, edges_of, octaves, rank_of
from analyzer.workload.samples import Sample
from analyzer.workload.totals import Durations

NONE = np.zeros(0)


@record
class Ranked:
    """Durations (ms) in ascending order: each, or each bucket, with its edges and middle.

    `counts` is how many are in each bucket, None where every duration stands for itself.
    """

    low_ms: Floats
    middle_ms: Floats
    high_ms: Floats
    counts: Rows | None = None

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.middle_ms) if self.counts is None else int(self.counts.sum())

    @property
    def each(self) -> Rows:
        """How many are in each bucket; one where every duration stands for itself."""
        if self.counts is None:
            return np.ones(len(self.middle_ms), dtype=np.int64)
        return self.counts

    @property
    def method(self) -> str:
        """How a quantile of all of them is known."""
        return "exact" if self.counts is None else "histogram"

    def from_ms(self, floor_ms: float) -> "Ranked":
        """Those that took so long or longer; a bucket that the time cuts is kept whole."""
        first = int(np.searchsorted(self.high_ms, floor_ms))
        if not first:
            return self
        counts = None if self.counts is None else self.counts[first:]
        return Ranked(self.low_ms[first:], self.middle_ms[first:], self.high_ms[first:], counts)

    def from_top(self, place: int) -> tuple[float, float, float] | None:
        """(low, middle, high) of the one that `place` others are above; None where there are fewer."""
        if self.counts is None:
            row = len(self.middle_ms) - 1 - place
        else:
            above = np.cumsum(self.counts[::-1])
            row = len(above) - 1 - int(np.searchsorted(above, place, side="right"))
        if row < 0:
            return None
        return float(self.low_ms[row]), float(self.middle_ms[row]), float(self.high_ms[row])

    def around(self, place: int, more: int) -> tuple["Ranked", int]:
        """Those among which is the one that `place` are above when `more` come, and how many are above them all."""
        end = len(self.middle_ms) - place + more
        if self.counts is not None or end >= len(self.middle_ms):
            return self, 0
        some = self.middle_ms[max(end - more - 1, 0) : max(end, 0)]
        return Ranked(some, some, some), len(self.middle_ms) - max(end, 0)

    def with_bounds(self, bounds_ms: Floats) -> "Ranked":
        """These, and some that took at least `bounds_ms`, as if they had taken just that."""
        if len(bounds_ms) == 0:
            return self
        return together([self, Ranked(bounds_ms, bounds_ms, bounds_ms)])

    def sample(self, sampling: Sampling) -> Sample:
        """What these are a sample of."""
        weights = (
            sampling.weights(self.middle_ms)
            if self.counts is None
            else sampling.bucket_weights(self.low_ms, self.high_ms)
        )
        buckets = buckets_of(octaves(self.middle_ms))
        return Sample(
            sampling, self.low_ms, self.middle_ms, self.high_ms, self.each, weights, buckets
        )


EMPTY = Ranked(NONE, NONE, NONE)


@record
class Calls:
    """How many executions there were: at least `least`, at most `most` (None: nothing tells)."""

    least: int
    most: int | None


@record
class Interval:
    """Where a quantile lies (ms; `high_ms` None: no upper end); `value_ms` where that is one place."""

    value_ms: float | None
    low_ms: float
    high_ms: float | None


def ranked_groups(durations: Durations) -> Mapping[int, Ranked]:
    """The durations of every group, in order."""
    if durations.exact:
        return {
            group: Ranked(values, values, values) for group, values in durations.values().items()
        }
    return {
        group: Ranked(*edges_of(buckets), counts)
        for group, (buckets, counts) in durations.histograms().items()
    }


def together(parts: Sequence[Ranked]) -> Ranked:
    """Several as one."""
    if len(parts) <= 1:
        return parts[0] if parts else EMPTY
    if all(part.counts is None for part in parts):
        values = np.sort(np.concatenate([part.middle_ms for part in parts]))
        return Ranked(values, values, values)
    low, middle, high = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("low_ms", "middle_ms", "high_ms")
    )
    order = np.argsort(middle, kind="stable")
    counts = np.concatenate([part.each for part in parts])
    return Ranked(low[order], middle[order], high[order], counts[order])


def interval(
    ranked: Ranked, floor_ms: float, calls: Calls, cancelled_ms: Floats, quantile: float
) -> Interval:
    """Where a quantile lies, of `calls` executions and those that were cancelled beside them.

    `ranked` are all that took `floor_ms` or longer, `cancelled_ms` what those cancelled took at least.
    """
    tail = ranked.from_ms(floor_ms)
    cancelled = len(cancelled_ms)
    least = max(calls.least, tail.total) + cancelled
    high = _placed(tail, _above(quantile, least) - cancelled, floor_ms)
    if calls.most is None:
        return Interval(None, 0.0, high[2])
    most = max(calls.most, tail.total) + cancelled
    if least == most and not cancelled:
        return Interval(high[1], high[0], high[2])
    bounds_ms = np.sort(cancelled_ms[cancelled_ms >= floor_ms])
    place = _above(quantile, most)
    part, beyond = tail.around(place, len(bounds_ms))
    low = _placed(part.with_bounds(bounds_ms), place - beyond, floor_ms)
    value = high[1] if least == most or low[0] == high[2] else None
    return Interval(value, low[0], high[2])


def interval_within(ranked: Ranked, cancelled_ms: Floats, quantile: float) -> Interval:
    """Where a quantile lies of requests, each cancelled statement having been in another one of them.

    It adds to the time of one that is `ranked`, or there was nothing else in its request. Either all are of
    the former or all of the latter, or it lies between.
    """
    count, cancelled = ranked.total, len(cancelled_ms)
    beside = interval(ranked, 0.0, Calls(count, count), cancelled_ms, quantile)
    if not cancelled or not count:
        return beside
    above = _above(quantile, count)
    high_ms = _placed(ranked, above - cancelled, 0.0)[2]
    low_ms = min(beside.low_ms, _raised(ranked, cancelled_ms, above))
    if high_ms is None or beside.high_ms is None:
        return Interval(None, low_ms, None)
    high_ms = max(high_ms, beside.high_ms)
    return Interval(high_ms if low_ms == high_ms else None, low_ms, high_ms)


def _raised(ranked: Ranked, bounds_ms: Floats, place: int) -> float:
    """What the one that `place` are above took at least, if the longest took at least `bounds_ms` as well.

    Had it been others, it would be more.
    """
    own = ranked.from_top(place)
    if own is None:
        return 0.0
    bounds_ms = np.sort(bounds_ms)[::-1]
    return max(own[0], float(bounds_ms[place])) if place < len(bounds_ms) else own[0]


def _above(quantile: float, count: int) -> int:
    """How many of `count` executions are above the quantile, by nearest rank."""
    return count - 1 - rank_of(quantile, count) if count else 0


def _placed(tail: Ranked, place: int, floor_ms: float) -> tuple[float, float | None, float | None]:
    """(low, value, high) of the one that `place` of the tail are above; below 0 nothing is known."""
    if place < 0:
        return (float(tail.high_ms[-1]) if len(tail.high_ms) else floor_ms), None, None
    found = tail.from_top(place)
    return (0.0, None, floor_ms) if found is None else found


def shifted(quantile: float, calls: float, more: int) -> tuple[float, float]:
    """The quantiles of `calls` executions between which that of all lies, if `more` took any time."""
    if not more or calls <= 0 or not math.isfinite(calls):
        return quantile, quantile
    place = quantile * (calls + more)
    return max(place - more, 0.0) / calls, min(place / calls, 1.0)
