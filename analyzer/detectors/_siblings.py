"""Lookups that belong to a loop because another of its children does.

What drives a loop is not always linked to all that it runs: ids come from a cache, from a generic
relation, from a computation over the row. But a statement that runs exactly once between any two
executions of a child that is linked runs in the same turns of the same loop.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np

from analyzer.detectors._orders import run_sizes
from analyzer.detectors._places import NONE
from analyzer.detectors._rows import ExecutionRows
from analyzer.model.columns import Flags, Rows, run_starts
from analyzer.records import record

_IN_TURN = 0.8  # share of executions that stand alone between two of the linked child's
_TRIED = 3  # linked children that are looked at for each lookup


class Owned(Protocol):
    """Children of a loop, by unit of work and time, and the parent execution of each (row numbers)."""

    parent: int
    children: Rows
    parents: Rows


@record
class Sibling:
    """For which of some rows the child of `pairs[pair]` runs in the same turns, and whose they are."""

    pair: int
    rows: Flags
    parents: Rows


class Turns:
    """Children that are linked, in the order of units of work and time."""

    def __init__(self, rows: ExecutionRows, pairs: Sequence[Owned]) -> None:
        self._rows = rows
        self._pairs = pairs
        self._every = np.concatenate([NONE, *(pair.children for pair in pairs)])
        self._units = rows.units_of(self._every)

    @cached_property
    def _ordered(self) -> tuple[Rows, Rows]:
        """All children in their order, and the pair of each."""
        numbers = np.repeat(np.arange(len(self._pairs)), [len(one.children) for one in self._pairs])
        order = np.argsort(self._rows.place[self._every], kind="stable")
        return self._every[order], numbers[order]

    def near(self, some: Rows) -> bool:
        """Whether any of some rows is of a unit of work with children that are linked."""
        return bool(self._units[self._rows.unit(some)].any())

    def sibling(self, number: int, some: Rows) -> Sibling | None:
        """The linked child that runs in turn with rows of a statement (by unit and time), if any."""
        if len(self._every) == 0 or len(some) == 0:
            return None
        places = self._rows.place[some]
        children, numbers = self._ordered
        before = np.searchsorted(self._rows.place[children], places) - 1
        near = children[np.maximum(before, 0)]
        inside = (before >= 0) & (self._rows.request[near] == self._rows.request[some])
        counts = np.bincount(numbers[before[inside]], minlength=len(self._pairs))
        for pair in np.argsort(-counts, kind="stable")[:_TRIED].tolist():
            if counts[pair] and self._pairs[pair].parent != number:
                found = self._in_turn(pair, some, places)
                if found is not None:
                    return found
        return None

    def _in_turn(self, number: int, some: Rows, places: Rows) -> Sibling | None:
        pair, request = self._pairs[number], self._rows.request
        turns = self._rows.place[pair.children]
        behind = np.searchsorted(turns, places)
        starts = run_starts(request[some])
        sizes = run_sizes(starts, len(some))
        alone = np.diff(behind, prepend=-1) == 1
        alone[starts] = False
        good = np.add.reduceat(alone, starts, dtype=np.int64) >= _IN_TURN * (sizes - 1)
        good &= sizes > 1
        chosen = np.clip(behind - 1, 0, len(turns) - 1)
        other = np.clip(behind, 0, len(turns) - 1)
        mine = request[pair.children[chosen]] == request[some]
        chosen = np.where(mine, chosen, other)
        rows = np.repeat(good, sizes) & (request[pair.children[chosen]] == request[some])
        if not rows.any():
            return None
        return Sibling(number, rows, pair.parents[chosen])
