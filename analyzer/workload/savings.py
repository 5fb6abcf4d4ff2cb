"""What fixes would spare, summed up slice by slice in bounded memory.

A loop's executions become one statement. Its time is estimated: with N executions of Σd together, the
fastest of m, it is Σd − (1 − MARGINAL)·(N − 1)·m, that is, each key after the first still costs
MARGINAL of the fastest execution (measured: docs/advice.md). Of the same execution run again and again
the slowest stays.
"""

import numpy as np

from analyzer.model.columns import (
    Floats,
    Rows,
    run_starts,
    sorted_rows,
    stable_order,
    starts_of_runs,
)
from analyzer.model.saving import LoopKey
from analyzer.model.work import LoopHits, WorkSlice
from analyzer.native import compiled, twin_in
from analyzer.records import changing
from analyzer.workload.quantiles import buckets_of, from_histogram, octaves
from analyzer.workload.totals import Totals

MARGINAL = 0.6
KEPT = 100_000  # changes of requests that are kept one by one; of more requests, an even share
_WIDE = 1 << 32
_BUCKETS = 1 << 12
_MIDDLE = _BUCKETS // 2
_GAPS = 4  # gaps of which the mean is looked at
_FAST = 0.05  # the quantile of them that is taken for a round trip's cost

_twin = twin_in(compiled("analyzer.workload.native._savings"))


@changing
class Sums:
    """Sums of one loop (LoopKey): its runs, what they would spare, and their statements' durations.

    `spared` and `added` are histograms of durations by bucket: executions that would not run, and
    those that would instead.
    """

    groups: int
    round_trips: int
    server_ms: float
    spared: Totals
    added: Totals


@changing
class Changes:
    """Requests that are hit, each with its change: columns of one row for each (request, loop).

    `place` numbers requests; `before_ms` and `route` are by place.
    """

    place: Rows
    loop: Rows
    ms: Floats
    before_ms: Floats
    route: Rows


class SavingFigures:
    """Takes slices with their loops; what is kept are sums, histograms, and some requests."""

    def __init__(self) -> None:
        self.loops: dict[LoopKey, Sums] = {}
        self.by_route = (Totals("f8"), Totals())  # ms and round trips spared, by route and loop
        self.hit_before = Totals()  # hit requests by route and bucket of their time
        self._numbers: dict[LoopKey, int] = {}
        self._kept: list[Changes] = []
        self._rows = 0
        self._seen = 0  # hit requests so far
        self.step = 1  # each kept request stands for so many
        self._gaps = Totals()

    @property
    def numbers(self) -> dict[LoopKey, int]:
        """The number of each loop in `changes` and `by_route`."""
        return self._numbers

    def add(self, work: WorkSlice, hits: list[LoopHits]) -> None:
        """Add a slice's loops."""
        if not hits:
            return
        parts = [self._change(work, hit) for hit in hits]
        request, loop, ms, trips = (
            np.concatenate([part[column] for part in parts]) for column in range(4)
        )
        code, inverse = np.unique(request.astype(np.int64) << 20 | loop, return_inverse=True)
        spared_ms = np.bincount(inverse, weights=ms).astype(np.float64)
        spared = np.rint(np.bincount(inverse, weights=trips)).astype(np.int64)
        request, loop = code >> 20, code & ((1 << 20) - 1)
        hit, place = np.unique(request, return_inverse=True)
        route = work.routes[hit].astype(np.int64)
        keys = (route[place] + 1) * _WIDE + loop
        self.by_route[0].add(keys, spared_ms)
        self.by_route[1].add(keys, spared)
        before = work.request_ms[hit]
        self.hit_before.count((route + 1) * _BUCKETS + buckets_of(octaves(before)) + _MIDDLE)
        self._keep(Changes(place, loop, spared_ms, before, route))

    def _change(self, work: WorkSlice, hit: LoopHits) -> tuple[Rows, Rows, Floats, Rows]:
        """(request, loop, ms, round trips) that one loop's fix takes away or adds."""
        number = self._numbers.setdefault(hit.key, len(self._numbers))
        sums = self.loops.setdefault(hit.key, Sums(0, 0, 0.0, Totals(), Totals()))
        rows, group, starts, anchors, duration = grouped(
            hit.rows, hit.group, hit.anchor, work.duration_ms
        )
        sizes = np.diff(starts, append=len(rows))
        total = np.add.reduceat(duration, starts)
        if hit.keep_first:
            after = np.maximum.reduceat(duration, starts)
        else:
            fastest = np.minimum.reduceat(duration, starts)
            after = total - (1 - MARGINAL) * (sizes - 1) * fastest
        sums.groups += len(starts)
        sums.round_trips += len(rows) - len(starts)
        sums.server_ms += float(total.sum() - after.sum())
        sums.spared.count(buckets_of(octaves(duration)))
        sums.added.count(buckets_of(octaves(after)))
        gaps = gap_means(rows, group, work.session, work.end_us, work.duration_ms)
        self._gaps.count(buckets_of(octaves(gaps)))
        # Each execution is spared the same share: where children ran on several connections, one
        # unit of work would else get the time of all, and seem to become slower.
        share = np.divide(after, total, out=np.ones(len(total)), where=total > 0)
        spared_ms = duration * (1 - np.repeat(share, sizes))
        request, ms, trips = by_request(work.request, rows, spared_ms, anchors)
        return request - work.first_request, np.full(len(request), number), ms, trips

    def _keep(self, changes: Changes) -> None:
        """Keep every `step`-th hit request, and fewer as they grow many."""
        self._seen, first = self._seen + len(changes.before_ms), self._seen
        self._kept.append(_thinned(changes, self.step, first))
        self._rows += len(self._kept[-1].place)
        while self._rows > KEPT:
            self._kept = [_thinned(_joined(self._kept), 2, 0)]
            self.step *= 2
            self._rows = len(self._kept[0].place)

    def changes(self) -> Changes | None:
        """The requests that were kept, None of none."""
        return _joined(self._kept) if self._kept else None

    def gap_ms(self) -> tuple[float | None, int]:
        """A round trip's cost as the shortest gaps show it, and how many means of gaps there were."""
        buckets, counts = self._gaps.items()
        if len(buckets) == 0:
            return None, 0
        return from_histogram(buckets, counts, _FAST).value_ms, int(counts.sum())

    def routes_hit(self) -> tuple[Rows, Rows, Rows]:
        """(route or -1, bucket, count) of the hit requests' time before."""
        keys, counts = self.hit_before.items()
        return keys // _BUCKETS - 1, keys % _BUCKETS - _MIDDLE, counts


@_twin
def grouped(
    rows: Rows, group: Rows, anchor: Rows, duration_ms: Floats
) -> tuple[Rows, Rows, Rows, Rows, Floats]:
    """Rows in the order of their group, that group, where each begins, its anchor, and the rows' durations."""
    order = stable_order(group)
    rows, group = rows[order], group[order]
    starts = run_starts(group)
    return rows, group, starts, anchor[order][starts], duration_ms[rows]


@_twin
def gap_means(rows: Rows, group: Rows, session: Rows, end_us: Rows, duration_ms: Floats) -> Floats:
    """The mean (ms) of each few gaps in a row between executions of one group on one session, where it is above 0.

    Logs round times to the millisecond, so one gap alone may seem to be nothing.
    """
    order = sorted_rows(group, session[rows], end_us[rows], rows)
    rows, group = rows[order], group[order]
    within = np.cumsum(starts_of_runs(group, session[rows]))
    same = within[_GAPS:] == within[:-_GAPS]
    busy = np.cumsum(duration_ms[rows])
    elapsed = (end_us[rows][_GAPS:] - end_us[rows][:-_GAPS]) / 1000
    gaps: Floats = ((elapsed - (busy[_GAPS:] - busy[:-_GAPS])) / _GAPS)[same]
    return gaps[gaps > 0]


@_twin
def by_request(
    request: Rows, rows: Rows, spared_ms: Floats, anchors: Rows
) -> tuple[Rows, Floats, Rows]:
    """(request, ms, round trips) that are spared in each request that has some of the rows, or an anchor.

    One statement instead of the rows runs in the request of each of the `anchors`. `request` is that of all rows.
    """
    taken, added = request[rows], request[anchors]
    low = min(int(taken.min()), int(added.min()))
    size = max(int(taken.max()), int(added.max())) - low + 1
    trips, instead = (np.bincount(one - low, minlength=size) for one in (taken, added))
    sums = np.bincount(taken - low, weights=spared_ms, minlength=size).astype(np.float64)
    hit = np.flatnonzero(trips + instead)
    return hit + low, sums[hit], (trips - instead)[hit]


def _joined(parts: list[Changes]) -> Changes:
    if len(parts) == 1:
        return parts[0]
    sizes = np.cumsum([0, *(len(part.before_ms) for part in parts[:-1])])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("loop", "ms", "before_ms", "route")
    }
    place = np.concatenate([part.place + at for part, at in zip(parts, sizes, strict=True)])
    return Changes(place=place, **columns)


def _thinned(changes: Changes, step: int, first: int) -> Changes:
    """Every `step`-th request, where `first` were seen before."""
    if step == 1:
        return changes
    kept = (np.arange(len(changes.before_ms)) + first) % step == 0
    rows = kept[changes.place]
    place = np.cumsum(kept) - 1
    return Changes(
        place[changes.place[rows]],
        changes.loop[rows],
        changes.ms[rows],
        changes.before_ms[kept],
        changes.route[kept],
    )
