"""Durations by group as they are, in little memory: what exact quantiles are taken of.

Logs tell durations in whole microseconds. Group and duration then fit into one number, and sorting
these numbers puts the durations of each group in order. What does not fit is kept as it is.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.model.columns import Column, Floats, Rows, run_starts, stable_order, starts_of_runs
from analyzer.native import compiled, twin_in
from analyzer.records import changing

_BITS = 40  # for microseconds: 12 days
_MASK = (1 << _BITS) - 1
_GROUPS = 1 << 23
_NARROW = 1 << 31
_MICROSECONDS = 1000.0  # in a millisecond

_twin = twin_in(compiled("analyzer.workload.native._figures"))


@changing
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
        self._others: list[tuple[Column, Floats]] = []
        self._ordered: Ordered | None = None

    def add(self, groups: Rows, values: Floats, micros: Rows | None = None) -> None:
        """Keep some more; `micros` are whole_micros(values) where they are known already."""
        if self._ordered is not None:
            known, self._ordered = self._ordered, None
            self._others.append((narrow(np.repeat(known.groups, known.sizes)), known.values))
        found = codes(groups, whole_micros(values) if micros is None else micros)
        if found is None:
            self._others.append((narrow(groups), values))
        else:
            self._codes.append(found)

    def pieces(self) -> Iterator[tuple[Column, Floats]]:
        """All of them in pieces, in no order; that takes no memory beside them."""
        if self._ordered is not None:
            yield np.repeat(self._ordered.groups, self._ordered.sizes), self._ordered.values
        for some in self._codes:
            yield some >> _BITS, (some & _MASK) / _MICROSECONDS
        yield from self._others

    def ordered(self) -> Ordered:
        """All of them by group, ascending."""
        if self._ordered is None:
            self._ordered = self._with_others() if self._others else self._of_codes()
        return self._ordered

    def _of_codes(self) -> Ordered:
        every = np.concatenate([*self._codes, np.zeros(0, dtype=np.int64)])
        self._codes = []
        every.sort()
        return Ordered(*taken_apart(every))

    def _with_others(self) -> Ordered:
        every = list(self.pieces())
        self._codes, self._others = [], []
        groups = np.concatenate([groups for groups, _ in every])
        values = np.concatenate([values for _, values in every])
        every.clear()
        order = stable_order(groups)
        groups, values = groups[order], values[order]
        del order
        starts = run_starts(groups)
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(values)], strict=True):
            # Several times quicker than places by them, and in no memory beside them.
            values[start:end].sort()
        return Ordered(groups[starts].astype(np.int64), starts, values)


def narrow(groups: Rows) -> Column:
    """Numbers of groups in half the memory, where they fit."""
    return groups.astype(np.int32) if groups.max(initial=0) < _NARROW else groups


def duration_columns(values: Column) -> dict[str, Column]:
    """Durations, 0 where they are not known, which `untimed` marks; and in whole `micros` (-1 where they are none)."""
    untimed = np.isnan(values)
    known = np.where(untimed, 0.0, values) if untimed.any() else values
    return {"duration_ms": known, "untimed": untimed, "micros": whole_micros(known)}


def whole_micros(values: Floats) -> Rows:
    """Durations (ms) in whole microseconds; -1 for one that they do not tell to the last bit."""
    micros = np.rint(values * _MICROSECONDS).astype(np.int64)
    whole = micros / _MICROSECONDS == values
    if not whole.all():
        micros[~whole] = -1
    return micros


@_twin
def taken_apart(ordered: Rows) -> tuple[Rows, Rows, Floats]:
    """(groups, where each begins, all durations in ms) of codes, ascending; the durations take the codes' memory."""
    groups = ordered >> _BITS
    starts = run_starts(groups)
    values = ordered.view(np.float64)
    np.divide(ordered & _MASK, _MICROSECONDS, out=values)
    return groups[starts], starts, values


@_twin
def codes(groups: Rows, micros: Rows) -> Rows | None:
    """Groups and durations in one number each; None where they do not all fit."""
    if len(groups) == 0:
        return groups
    if (
        int(groups.min()) < 0
        or int(micros.min()) < 0
        or int(micros.max()) >> _BITS
        or int(groups.max()) >= _GROUPS
    ):
        return None
    return groups << _BITS | micros
