"""What repeats in units of work and has no parent: lookups with changing values, and identical executions."""

import numpy as np

from analyzer.detectors._fanout import DENSITY, DENSITY_WITHIN
from analyzer.detectors._found import Groups, Loops
from analyzer.detectors._links import lookups
from analyzer.detectors._orders import crowded, run_sizes
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.detectors._shapes import Shapes
from analyzer.model.columns import Flags, Rows, run_starts, starts_of_runs
from analyzer.model.statement import Predicate

_REGULAR = 0.5  # share of a loop's executions with the same statement before or behind them


class Leftovers:
    """Looks at rows of a statement (by unit of work and time) that no parent explains.

    `varying` are the lookups whose value changes.
    """

    def __init__(self, rows: ExecutionRows, shapes: Shapes) -> None:
        self.rows = rows
        self.shapes = shapes
        self._looping: dict[int, tuple[Rows, Flags]] = {}  # by statement, what was asked last

    def find(self, number: int, varying: tuple[Predicate, ...], rows: Rows, loops: Loops) -> None:
        """Repetitions without a parent: identical ones, and lookups with changing values."""
        rows = rows[self.dense(rows)]
        if len(rows) == 0:
            return
        looping = self.looping(number, varying, rows)
        if looping.any():
            self._lookups(number, rows[looping], loops)
        self._identical(number, rows[~looping], loops)

    def looping(self, number: int, varying: tuple[Predicate, ...], rows: Rows) -> Flags:
        """Which rows are of a unit of work that does at least MINIMUM different lookups."""
        known = self._looping.get(number)
        if known is None or not np.array_equal(known[0], rows):
            known = self._looping[number] = rows, self._look(number, varying, rows)
        return known[1]

    def _look(self, number: int, varying: tuple[Predicate, ...], rows: Rows) -> Flags:
        if len(rows) == 0 or not self.shapes.may_loop(number, self.rows, rows):
            return np.zeros(len(rows), dtype=bool)
        starts = run_starts(self.rows.request[rows])
        count, sizes = len(starts), run_sizes(starts, len(rows))
        unit = np.repeat(np.arange(count), sizes)
        if self.shapes.by_text(number) or not varying:
            # Any statement comes again with other parameters where requests follow each other.
            found: Flags = self.rows.texts_counted(rows, unit, count) >= MINIMUM
            found &= self.rows.work.whole[rows[starts]]
        else:
            found = self.rows.different_lookups(rows, unit, count)
            if self.shapes.counts_texts(number, self.rows, rows):
                found |= self.rows.texts_counted(rows, unit, count) >= MINIMUM
        # Most rows are followed, or most are preceded, by one and the same statement: what one place in the
        # application runs again and again is; what several places run is not.
        found &= self.rows.most_beside(rows, starts) >= _REGULAR * sizes
        flags: Flags = found[unit]
        return flags

    def _identical(self, number: int, rows: Rows, loops: Loops) -> None:
        """Executions that a unit of work repeats with the very same parameters."""
        if len(rows) == 0:
            return
        request, texts = self.rows.request[rows], self.rows.work.parameters_hash[rows]
        unit = np.cumsum(starts_of_runs(request)) - 1
        code = unit << 32 | texts
        order = np.argsort(code)
        new = starts_of_runs(code[order])
        same = np.empty(len(rows), dtype=np.int64)
        same[order] = np.cumsum(new) - 1
        # Without logged parameters a lookup's executions cannot be called identical.
        looks_up = bool(lookups(self.shapes.facts(number)))
        often = np.bincount(same) >= MINIMUM
        identical = often[same] & ((texts != 0) | (not looks_up))
        if identical.any():
            needed = np.bincount(unit[order][new & identical[order]])
            loops.repeated.append(
                self._groups(number, rows[identical], int(needed.max()), int(needed.sum()))
            )

    def dense(self, rows: Rows) -> Flags:
        """Marks those rows of a statement that run often and close together in their unit of work."""
        columns = self.rows.place, self.rows.request, self.rows.work.whole
        return crowded(rows, columns, MINIMUM, (DENSITY, DENSITY_WITHIN))

    def _lookups(self, number: int, rows: Rows, loops: Loops) -> None:
        """Add lookups without a parent."""
        unit = np.cumsum(starts_of_runs(self.rows.request[rows])) - 1
        most = self.rows.most_lookups(rows, unit, int(unit[-1]) + 1)
        groups = self._groups(number, rows, most, 0)
        groups.values = self.rows.values_of_units(rows)
        loops.lookups.append(groups)

    def _groups(self, number: int, rows: Rows, distinct: int, needed: int) -> Groups:
        request = self.rows.request[rows]
        starts = run_starts(request)
        sizes = run_sizes(starts, len(rows))
        return Groups(number, request[starts], rows, sizes, distinct, needed)
