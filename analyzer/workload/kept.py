"""Durations by group as they are, in little memory: what exact quantiles are taken of.

Logs tell durations in whole microseconds. Group and duration then fit into one number, and sorting
these numbers puts the durations of each group in order. What does not fit is kept as it is.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.model.columns import Floats, Rows, starts_of_runs

_BITS = 40  # for microseconds: 12 days
_GROUPS = 1 << 23
_MICROSECONDS = 1000.0  # in a millisecond


@dataclass(slots=True)
class Ordered:
    """Durations by group, ascending: those of `groups[n]` begin at `starts[n]` in `values`."""

    groups: Rows
    starts: Rows
    values: Floats

    @property
    def sizes(self) -> Rows:
        """How many durations each group has."""
        return np.diff(self.starts, append=len(self.values))

    def by_group(self) -> dict[int, Floats]:
        """The durations of each group, ascending."""
        places = zip(self.starts.tolist(), (self.starts + self.sizes).tolist(), strict=True)
        return {
            group: self.values[start:end]
            for group, (start, end) in zip(self.groups.tolist(), places, strict=True)
        }

    def counted(self) -> tuple[Rows, Floats, Rows]:
        """(group, duration, how often) of all that differ, ascending."""
        new = starts_of_runs(self.values)
        new[self.starts] = True
        first = np.flatnonzero(new)
        group = np.repeat(self.groups, np.add.reduceat(new, self.starts, dtype=np.int64))
        return group, self.values[first], np.diff(first, append=len(self.values))


class KeptDurations:
    """Durations (ms) with the number (≥ 0) of their group."""

    def __init__(self) -> None:
        self._codes: list[Rows] = []  # group << _BITS | microseconds
        self._others: list[tuple[Rows, Floats]] = []
        self._ordered: Ordered | None = None

    def add(self, groups: Rows, values: Floats) -> None:
        """Keep some more."""
        if self._ordered is not None:
            known, self._ordered = self._ordered, None
            self._others.append((np.repeat(known.groups, known.sizes), known.values))
        codes = _codes(groups, values)
        if codes is None:
            self._others.append((groups, values))
        else:
            self._codes.append(codes)

    def ordered(self) -> Ordered:
        """All of them by group, ascending."""
        if self._ordered is None:
            groups, values = self._sorted()
            self._codes, self._others = [], []
            starts = np.flatnonzero(starts_of_runs(groups))
            self._ordered = Ordered(groups[starts], starts, values)
        return self._ordered

    def _sorted(self) -> tuple[Rows, Floats]:
        codes = np.concatenate([*self._codes, np.zeros(0, dtype=np.int64)])
        codes.sort()
        groups, values = codes >> _BITS, (codes & ((1 << _BITS) - 1)) / _MICROSECONDS
        if not self._others:
            return groups, values
        groups = np.concatenate([groups, *(groups for groups, _ in self._others)])
        values = np.concatenate([values, *(values for _, values in self._others)])
        order = np.lexsort((values, groups))
        return groups[order], values[order]


def _codes(groups: Rows, values: Floats) -> Rows | None:
    """Groups and durations in one number each; None where they do not all fit, to the last bit."""
    micros = np.rint(values * _MICROSECONDS).astype(np.int64)
    if int(micros.min()) < 0 or int(micros.max()) >> _BITS or int(groups.max()) >= _GROUPS:
        return None
    if not np.array_equal(micros / _MICROSECONDS, values):
        return None
    micros |= groups << _BITS
    return micros
