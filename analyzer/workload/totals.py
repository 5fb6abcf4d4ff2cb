"""Amounts by number, and durations by group: sums that grow by slices and merge in any order.

What has been summed is handed on as arrays by name (`arrays`), and added to another's (`absorb`).
"""

from collections.abc import Collection

import numpy as np

from analyzer.model.columns import Column, Floats, Rows, counted, starts_of_runs
from analyzer.model.sampling import Sampling
from analyzer.workload import samples
from analyzer.workload.kept import KeptDurations
from analyzer.workload.quantiles import (
    Quantile,
    buckets_of,
    exactly,
    from_histogram,
    nearest_rank,
    octaves,
)

EXACT = 2_000_000  # durations that are kept as they are, in all; beyond, histograms alone
# Amounts that wait before they are merged. There are a few totals for each loop, and a day fills all of them, so counts
# wait in small numbers; how floats are put together decides their last bits, and only two totals have them.
_PENDING = 1 << 12
_PENDING_FLOATS = 1 << 16

_BUCKETS = 1 << 12  # a bucket's number, moved up by half of these, has its place in a key
_MIDDLE = _BUCKETS // 2

Arrays = dict[str, Column]


class Totals:
    """A sum for each key (int64): counts, or amounts of type `kind`."""

    def __init__(self, kind: str = "i8") -> None:
        self._keys = np.zeros(0, dtype=np.int64)
        self._sums = np.zeros(0, dtype=kind)
        self._waiting: list[tuple[Rows, Column]] = []
        self._size = 0
        self._most = _PENDING_FLOATS if self._sums.dtype.kind == "f" else _PENDING

    def count(self, keys: Rows) -> None:
        """Add one for each key."""
        if len(keys) == 0:
            return
        self._wait(*counted(keys))

    def add(self, keys: Rows, amounts: Column) -> None:
        """Add an amount for each key."""
        if len(keys):
            self._wait(*_summed(keys, amounts))

    def items(self) -> tuple[Rows, Column]:
        """All keys, ascending, and their sums."""
        if self._waiting:
            keys = np.concatenate([self._keys, *(keys for keys, _ in self._waiting)])
            sums = np.concatenate([self._sums, *(sums for _, sums in self._waiting)])
            self._waiting, self._size = [], 0
            self._keys, self._sums = _summed(keys, sums.astype(self._sums.dtype))
        return self._keys, self._sums

    def _wait(self, keys: Rows, sums: Column) -> None:
        self._waiting.append((keys, sums))
        self._size += len(keys)
        if self._size > max(self._most, len(self._keys)):
            self.items()

    def arrays(self) -> Arrays:
        """All that there is, as arrays."""
        keys, sums = self.items()
        return {"keys": keys, "sums": sums}

    def absorb(self, arrays: Arrays) -> None:
        """Add what another gave as arrays."""
        self._wait(arrays["keys"], arrays["sums"])


def _summed(keys: Rows, amounts: Column) -> tuple[Rows, Column]:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(starts_of_runs(ordered))
    return ordered[starts], np.add.reduceat(amounts[order], starts)


class Durations:
    """Durations (ms) by group: as they are while there are few of them, then as histograms."""

    def __init__(self, budget: int = EXACT) -> None:
        self._budget = budget
        self._count = 0
        self._kept: KeptDurations | None = KeptDurations()
        self._buckets = Totals()

    @property
    def exact(self) -> bool:
        """Whether every duration is still known as it was."""
        return self._kept is not None

    def add(
        self,
        groups: Rows,
        values: Floats,
        logarithms: Floats | None = None,
        micros: Rows | None = None,
    ) -> None:
        """Add durations, each with its group's number (0 to 2^50).

        `logarithms` (binary) and `micros` (kept.whole_micros) are those of the durations, if they are
        known already.
        """
        if len(values) == 0:
            return
        groups = groups.astype(np.int64, copy=False)
        self._make_room(len(values))
        if self._kept is not None:
            self._kept.add(groups, values, micros)
        else:
            known = octaves(values) if logarithms is None else logarithms
            self._buckets.count(_bucket_keys(groups, known))

    def _make_room(self, count: int) -> None:
        """So many more come: where they become too many, histograms take the place of all."""
        self._count += count
        if self._count > self._budget:
            self._forget()

    def _forget(self) -> None:
        if self._kept is not None:
            for groups, values in self._kept.pieces():
                self._buckets.count(_bucket_keys(groups, octaves(values)))
            self._kept = None

    def histograms(self) -> dict[int, tuple[Rows, Rows]]:
        """(buckets, counts) by group."""
        keys, counts = self._counts()
        groups, buckets = keys // _BUCKETS, keys % _BUCKETS - _MIDDLE
        return _split(groups, buckets, counts)

    def _counts(self) -> tuple[Rows, Rows]:
        return self._buckets.items() if self._kept is None else _counted(self._kept)

    def quantiles(self, wanted: tuple[float, ...]) -> dict[int, list[Quantile]]:
        """The wanted quantiles of every group."""
        if self._kept is None:
            return {
                group: [from_histogram(buckets, counts, quantile) for quantile in wanted]
                for group, (buckets, counts) in self.histograms().items()
            }
        return {
            group: [exactly(values, quantile) for quantile in wanted]
            for group, values in self.values().items()
        }

    def values(self) -> dict[int, Floats]:
        """Every duration by group, ascending; nothing where they are no longer known."""
        return self._kept.ordered().by_group() if self._kept is not None else {}

    def samples(self, sampling: Sampling) -> dict[int, samples.Sample]:
        """What every group is a sample of."""
        if self._kept is None:
            return {
                group: samples.of_histogram(buckets, counts, sampling)
                for group, (buckets, counts) in self.histograms().items()
            }
        return {
            group: samples.of_values(values, buckets_of(octaves(values)), sampling)
            for group, values in self.values().items()
        }

    def overall(self, groups: Collection[int], quantile: float) -> tuple[Quantile | None, int]:
        """The quantile over several groups together (None of nothing), and how many durations."""
        if self._kept is not None:
            values = self.values()
            some = [values[group] for group in groups if group in values]
            together = np.concatenate([*some, np.zeros(0)])
            value = nearest_rank(together, quantile)
            found = None if value is None else Quantile(value, value, value, "exact")
            return found, len(together)
        histograms = self.histograms()
        totals = Totals()
        for group in groups:
            if group in histograms:
                totals.add(*histograms[group])
        buckets, counts = totals.items()
        if len(buckets) == 0:
            return None, 0
        return from_histogram(buckets, counts, quantile), int(counts.sum())

    def arrays(self) -> Arrays:
        """All that there is, as arrays: durations, or where they are not known, histograms."""
        made = {"count": np.array([self._count])}
        if self._kept is None:
            return made | named("buckets", self._buckets.arrays())
        ordered = self._kept.ordered()
        made["groups"] = np.repeat(ordered.groups, ordered.sizes)
        made["values"] = ordered.values
        return made

    def absorb(self, arrays: Arrays, numbers: Rows | None = None) -> None:
        """Add what another gave as arrays; its group g is `numbers[g]` here, g where there are none."""
        if "values" in arrays:
            groups = arrays["groups"]
            self.add(groups if numbers is None else numbers[groups], arrays["values"])
            return
        self._count += int(arrays["count"][0])
        self._forget()
        buckets = part_of(arrays, "buckets")
        if numbers is not None:
            keys = buckets["keys"]
            buckets["keys"] = numbers[keys // _BUCKETS] * _BUCKETS + keys % _BUCKETS
        self._buckets.absorb(buckets)


def _bucket_keys(groups: Column, logarithms: Floats) -> Rows:
    return groups.astype(np.int64, copy=False) * _BUCKETS + (buckets_of(logarithms) + _MIDDLE)


def _counted(kept: KeptDurations) -> tuple[Rows, Rows]:
    """The keys of the buckets that durations fall into, ascending, and how many there are in each."""
    groups, values, counts = kept.ordered().counted()
    keys = _bucket_keys(groups, octaves(values))
    starts = np.flatnonzero(starts_of_runs(keys))
    return keys[starts], np.add.reduceat(counts, starts) if len(keys) else counts


def named(name: str, arrays: Arrays) -> Arrays:
    """The arrays of a part, with `name.` before their names."""
    return {f"{name}.{key}": array for key, array in arrays.items()}


def part_of(arrays: Arrays, name: str) -> Arrays:
    """The arrays that `named` gave such names, by their own."""
    head = f"{name}."
    return {key.removeprefix(head): array for key, array in arrays.items() if key.startswith(head)}


def _split(groups: Rows, buckets: Rows, counts: Rows) -> dict[int, tuple[Rows, Rows]]:
    starts = np.flatnonzero(starts_of_runs(groups))
    return {
        int(groups[start]): (buckets[start:end], counts[start:end])
        for start, end in zip(starts, np.append(starts, len(groups))[1:], strict=True)
    }
