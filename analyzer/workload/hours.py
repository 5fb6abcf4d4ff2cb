"""What a history keeps of a run: figures of each statement by hour, summed up slice by slice.

It is only asked for where a run is stored, and looks at each slice once: one sort, and sums by
group. Rows without a time belong to no hour and are left out.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from analyzer.model.columns import Column, Floats, Rows, starts_of_runs
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.model.histogram import Histogram, buckets_of, edges_of, octaves
from analyzer.model.history import HOUR_US, Figures, HourFigures, StatementName
from analyzer.model.sampling import Sampling
from analyzer.model.statement import Statement
from analyzer.model.work import WorkSlice
from analyzer.records import record
from analyzer.workload.totals import Totals

_STATEMENTS = 1 << 24
_CLOCKS = 2
_BUCKETS = 1 << 12
_MIDDLE = _BUCKETS // 2
_PENDING = 1 << 18  # groups that wait before they are merged
# By group: how each of its amounts is added up.
_SUMS = {
    "calls": np.add,
    "untimed": np.add,
    "total_ms": np.add,
    "squares": np.add,
    "min_ms": np.minimum,
    "max_ms": np.maximum,
}
_Groups = tuple[Rows, dict[str, Column]]


class _Sums(NamedTuple):
    """What a group's executions add up to, named as in `_SUMS`."""

    calls: int
    untimed: int
    total_ms: float
    squares: float
    min_ms: float
    max_ms: float


class HourTable:
    """Executions of the team's statements by statement, hour and clock."""

    def __init__(self) -> None:
        self._buckets = Totals()
        self._waiting: list[_Groups] = []

    def observe(self, work: WorkSlice) -> None:
        """Count a slice."""
        placed = work.start_us >= FIRST_TIME_US
        group = (work.start_us // HOUR_US * _CLOCKS + work.clock) * _STATEMENTS + work.statement
        timed = placed & ~work.untimed
        values = work.duration_ms[timed]
        buckets = buckets_of(octaves(values)) + _MIDDLE
        self._buckets.count(group[timed] * _BUCKETS + buckets)
        untimed = work.untimed[placed]
        duration_ms = work.duration_ms[placed]
        self._wait(
            group[placed],
            {
                "calls": np.ones(len(untimed), dtype=np.int64),
                "untimed": untimed.astype(np.int64),
                "total_ms": duration_ms,
                "squares": duration_ms**2,
                "min_ms": np.where(untimed, np.inf, duration_ms),
                "max_ms": np.where(untimed, -np.inf, duration_ms),
            },
        )

    def _wait(self, group: Rows, amounts: dict[str, Column]) -> None:
        if len(group) == 0:
            return
        self._waiting.append(_summed(group, amounts))
        if sum(len(groups) for groups, _ in self._waiting) > _PENDING and len(self._waiting) > 1:
            self._merge()

    def _merge(self) -> _Groups:
        """All groups that were seen, with their sums."""
        if not self._waiting:
            nothing = np.zeros(0, dtype=np.int64)
            return nothing, dict.fromkeys(_SUMS, nothing)
        groups = np.concatenate([some for some, _ in self._waiting])
        amounts = {
            name: np.concatenate([sums[name] for _, sums in self._waiting]) for name in _SUMS
        }
        self._waiting = [_summed(groups, amounts)]
        return self._waiting[0]

    def finish(
        self,
        statements: Sequence[Statement],
        sampling: Sampling | None = None,
        floor_ms: float | None = None,
    ) -> Iterator[HourFigures]:
        """All figures by statement and hour, and of all statements together by hour.

        `statements` are those that slices spoke of by number; `sampling` says how the server's log
        was sampled, `floor_ms` what it leaves out.
        """
        groups, sums = self._merge()
        keys, counts = self._buckets.items()
        first = np.searchsorted(keys, groups * _BUCKETS).tolist()
        end = np.searchsorted(keys, (groups + 1) * _BUCKETS).tolist()
        buckets = keys % _BUCKETS - _MIDDLE
        rows = zip(*(sums[name].tolist() for name in _SUMS), strict=True)
        weighing = _Weighing(sampling, floor_ms or None)
        names = [_name(one) for one in statements]
        together: dict[tuple[int, int], list[Figures]] = {}
        for group, row, begin, behind in zip(groups.tolist(), rows, first, end, strict=True):
            rest, number = divmod(group, _STATEMENTS)
            hour, clock = divmod(rest, _CLOCKS)
            histogram = Histogram(buckets[begin:behind], counts[begin:behind])
            figures = weighing.figures(_Sums(*row), histogram, client=clock == Clock.CLIENT)
            together.setdefault((hour, clock), []).append(figures)
            yield HourFigures(names[number], hour * HOUR_US, figures)
        for (hour, _), parts in sorted(together.items()):
            merged = Figures.merged(parts)
            if merged is not None:
                yield HourFigures(None, hour * HOUR_US, merged)


@record
class _Weighing:
    """What logged executions stand for; a client's log is whole."""

    sampling: Sampling | None
    floor_ms: float | None

    def figures(self, row: _Sums, histogram: Histogram, *, client: bool) -> Figures:
        samples = row.calls - row.untimed
        calls, total_ms, squares = row.calls, row.total_ms, row.squares
        if self.sampling is not None and not client and samples:
            histogram, factor = _weighted(histogram, self.sampling)
            calls = histogram.total + row.untimed
            total_ms, squares = total_ms * factor, squares * factor
        return Figures(
            calls=calls,
            total_ms=total_ms,
            histogram=histogram,
            samples=samples,
            min_ms=row.min_ms if samples else None,
            max_ms=row.max_ms if samples else None,
            squares=squares,
            untimed=row.untimed,
            floor_ms=None if client else self.floor_ms,
            client=client,
        )


def _weighted(histogram: Histogram, sampling: Sampling) -> tuple[Histogram, float]:
    """What a histogram stands for, and by which factor its time grows."""
    low, middle, high = edges_of(histogram.buckets)
    weights: Floats = sampling.bucket_weights(low, high)
    counts = np.rint(histogram.counts * weights).astype(np.int64)
    seen_ms = float((histogram.counts * middle).sum())
    return Histogram(histogram.buckets, counts), float((counts * middle).sum()) / seen_ms


def _name(statement: Statement) -> StatementName:
    return StatementName(
        statement.shape_id,
        statement.fingerprint,
        statement.lineage,
        statement.sql,
        statement.facts.kind.value,
        tuple(statement.facts.tables),
    )


def _summed(group: Rows, amounts: dict[str, Column]) -> _Groups:
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.flatnonzero(starts_of_runs(ordered))
    sums = {name: adding.reduceat(amounts[name][order], starts) for name, adding in _SUMS.items()}
    return ordered[starts], sums
