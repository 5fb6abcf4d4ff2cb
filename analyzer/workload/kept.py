"""Durations by group as they are, in little memory: what exact quantiles are taken of.

Logs tell durations in whole microseconds. Group and duration then fit into one number, and sorting
these numbers puts the durations of each group in order. What does not fit is kept as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.model.columns import Floats, Rows, starts_of_runs

_BITS = 40  # for microseconds: 12 days
_MASK = (1 << _BITS) - 1
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

    def pieces(self) -> Iterator[tuple[Rows, Floats]]:
        """All of them in pieces, in no order; that takes no memory beside them."""
        if self._ordered is not None:
            yield np.repeat(self._ordered.groups, self._ordered.sizes), self._ordered.values
        for codes in self._codes:
            yield codes >> _BITS, (codes & _MASK) / _MICROSECONDS
        yield from self._others

    def ordered(self) -> Ordered:
        """All of them by group, ascending."""
        if self._ordered is None:
            self._ordered = self._with_others() if self._others else self._of_codes()
        return self._ordered

    def _of_codes(self) -> Ordered:
        codes = np.concatenate([*self._codes, np.zeros(0, dtype=np.int64)])
        self._codes = []
        codes.sort()
        groups = codes >> _BITS
        starts = np.flatnonzero(starts_of_runs(groups))
        groups = groups[starts]
        codes &= _MASK
        return Ordered(groups, starts, codes / _MICROSECONDS)

    def _with_others(self) -> Ordered:
        every = list(self.pieces())
        self._codes, self._others = [], []
        groups = np.concatenate([groups for groups, _ in every])
        values = np.concatenate([values for _, values in every])
        order = np.lexsort((values, groups))
        groups = groups[order]
        starts = np.flatnonzero(starts_of_runs(groups))
        return Ordered(groups[starts], starts, values[order])


def _codes(groups: Rows, values: Floats) -> Rows | None:
    """Groups and durations in one number each; None where they do not all fit, to the last bit."""
    micros = np.rint(values * _MICROSECONDS).astype(np.int64)
    if int(micros.min()) < 0 or int(micros.max()) >> _BITS or int(groups.max()) >= _GROUPS:
        return None
    if not np.array_equal(micros / _MICROSECONDS, values):
        return None
    micros |= groups << _BITS
    return micros
