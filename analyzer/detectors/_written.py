"""Lookups that are followed by a write to the table they read: read-before-write, and no loop of reads."""

import numpy as np

from analyzer.detectors._places import NONE
from analyzer.detectors._rows import ExecutionRows
from analyzer.detectors._shapes import Shapes
from analyzer.model.columns import Rows

_MOST = 0.6  # share of lookups followed by a write to the same table


class Written:
    """Where a slice's tables are changed."""

    def __init__(self, rows: ExecutionRows, shapes: Shapes) -> None:
        self._rows = rows
        self._shapes = shapes
        self._known: dict[str | None, tuple[Rows, Rows]] = {}

    def after(self, number: int, some: Rows) -> bool:
        """Whether most of a statement's rows (by unit of work and time) are followed, before the next, by such a write."""
        places, units = self._of_table(self._shapes.facts(number).main_table)
        if len(places) == 0 or len(some) == 0:
            return False
        mine = self._rows.place[some]
        following = np.minimum(np.searchsorted(places, mine), len(places) - 1)
        after = places[following] > mine
        after &= units[following] == self._rows.request[some]
        after[:-1] &= places[following[:-1]] < mine[1:]
        return bool(np.count_nonzero(after) / len(some) >= _MOST)

    def _of_table(self, table: str | None) -> tuple[Rows, Rows]:
        """The places and the units of work of the writes to a table, by place."""
        if table not in self._known:
            writers = self._shapes.writers(table)
            found = [self._rows.places_of_statement(one) for one in writers]
            places = np.concatenate([NONE, *(one[0] for one in found)])
            units = np.concatenate([NONE, *(one[1] for one in found)])
            order = np.argsort(places)
            self._known[table] = places[order], units[order]
        return self._known[table]
