"""Some executions of a child, and what the statements before them can have told it."""

import numpy as np

from analyzer.detectors._allowed import Allowed, Drawn
from analyzer.detectors._drawn import DrawnValues
from analyzer.detectors._fanout import MEAN_FAN_OUT
from analyzer.detectors._links import Link
from analyzer.detectors._rows import ExecutionRows
from analyzer.detectors._value_reader import ValueReader
from analyzer.model.columns import Rows, distinct, evenly
from analyzer.model.statement import Predicate

_CHILDREN = 16  # that are looked at in a slice
_BACK = 16  # executions of a parent before a child that may have told its value
_READ = 64  # children that are read to see which of a list's values they look up


class Sampled:
    """A statement's rows (by unit of work and time), of which some are read, each value once."""

    def __init__(self, rows: ExecutionRows, children: Rows, reader: ValueReader) -> None:
        self.number = int(rows.statement[children[0]])
        self._rows, self._children, self._reader = rows, children, reader
        self._some = children[evenly(len(children), _CHILDREN)]
        self._values: dict[Predicate, list[str | None]] = {}
        self._before: dict[int, list[list[int]]] = {}
        self._allowed: dict[tuple[int, str, str], Allowed | None] = {}

    def compare(self, parent: int, made: Link, seen: DrawnValues) -> None:
        """Compare what the executions look up with what those of a parent before them can return."""
        if made.asks is None or made.told is None:
            return
        place = made.parent_table, made.told
        for value, owners in zip(self.values(made.asks), self.before(parent), strict=True):
            found, read, listed = Drawn.OUTSIDE, 0, False
            for row in owners if value is not None else ():
                can = self.allowed(row, *place)
                if can is not None:
                    found, read, listed = max(found, can.drawn(value)), read + 1, can.listed
                if found is Drawn.INSIDE:
                    break
            if read:
                # Where lists were read in more parts than these, any may have told it.
                more = read == _BACK and listed
                seen.looked += 1
                seen.inside += found is Drawn.INSIDE
                seen.outside += found is Drawn.OUTSIDE and not more
                seen.listed += found is Drawn.INSIDE and listed

    def values(self, asks: Predicate) -> list[str | None]:
        """What each execution looks up."""
        if asks not in self._values:
            work = self._rows.work
            self._values[asks] = [
                self._reader.value(work, row, asks) for row in self._some.tolist()
            ]
        return self._values[asks]

    def before(self, parent: int) -> list[list[int]]:
        """For each execution the last ones of a statement before it in its unit, the nearest first."""
        if parent not in self._before:
            every = self._rows.of_statement(parent)
            places, requests = self._rows.places_of_statement(parent)
            ends = np.searchsorted(places, self._rows.place[self._some])
            firsts = np.searchsorted(requests, self._rows.request[self._some])  # they ascend
            firsts = np.maximum(firsts, ends - _BACK)
            self._before[parent] = [
                every[first:end][::-1].tolist() if first < end else []
                for first, end in zip(firsts.tolist(), ends.tolist(), strict=True)
            ]
        return self._before[parent]

    def allowed(self, row: int, table: str, column: str) -> Allowed | None:
        """What an execution's rows can have in a column."""
        asked = row, table, column
        if asked not in self._allowed:
            self._allowed[asked] = self._reader.allowed(self._rows.work, *asked)
        return self._allowed[asked]

    def in_turns(self, parent: int) -> bool:
        """Whether a statement runs nearly as often as the children behind it: in the turns of one loop."""
        places, requests = self._rows.places_of_statement(parent)
        at = np.searchsorted(places, self._rows.place[self._children]) - 1
        at = at[(at >= 0) & (requests[at] == self._rows.request[self._children])]
        return len(at) < MEAN_FAN_OUT * len(distinct(at))

    def listed(self, parent: int, made: Link) -> tuple[set[str], int]:
        """Of the list of one execution of a parent, what the children behind it look up, and its length.

        Of long lists as many values count as children are read.
        """
        owners = [rows[0] for rows in self.before(parent) if rows]
        if not owners or made.asks is None or made.told is None:
            return set(), 0
        owner = max(set(owners), key=owners.count)
        can = self.allowed(owner, made.parent_table, made.told)
        if can is None or not can.values:
            return set(), 0
        rows, behind = self._rows, self._children
        behind = behind[(rows.place[behind] > rows.place[owner])]
        behind = behind[rows.request[behind] == rows.request[owner]][:_READ]
        values = {self._reader.value(rows.work, row, made.asks) for row in behind.tolist()}
        return {one for one in values if one in can.values}, min(len(can.values), _READ)
