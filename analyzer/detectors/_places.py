"""Where executions stand: by unit of work, by statement, and by pool."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from analyzer.detectors._orders import (
    Table,
    among,
    dense,
    grouped,
    most_beside,
    ordered,
    standing,
    steady,
)
from analyzer.model.columns import (
    Flags,
    Floats,
    Rows,
    stable_order,
    starts_of_runs,
    stretches,
)
from analyzer.model.work import WorkSlice

NONE = np.zeros(0, dtype=np.int64)

# A loop's children are dense (see _fanout.DENSITY): the few that are looked for lie within a hundred places of
# their unit of work or pool, more where loops are nested. All else is not looked at.
_NEAR = 320
_NEAR_WITHIN = 5000  # in what is known to be one request: there is no other traffic in it
_NEAR_IN_POOL = 120
_NEAR_IN_POOL_US = 1_000_000
# A connection idle for longer than this, and this many times what a quarter of all are, has paused.
# (Between these bounds: a log may hold little but pauses.)
_PAUSE_US = (20_000, 60_000)
_PAUSE_TIMES = 8


class Places:
    """A slice's rows by statement, and their place by unit of work and by pool.

    `place` orders rows by unit of work, then time; `pool_place` by pool, then end (-1 without one).
    """

    def __init__(self, work: WorkSlice) -> None:
        self.work = work
        self.count = len(work)
        self.statement = work.statement
        self.request = work.request
        self.end = work.end_us
        self.pool = work.pool
        self.session = work.session.astype(np.int64, copy=False)
        self.place, self._unit_order = self._by_unit()
        table = grouped(work.statement, self._unit_order)
        self._rows, self._starts, self._rows_places = table
        self._rows_units = work.request[self._rows] - work.first_request
        self._pool_order = self._by_pool()
        self.pool_place = np.full(self.count, -1, dtype=np.int64)
        self.pool_place[self._pool_order] = np.arange(len(self._pool_order))
        # By pool: rows in order, and their ends; by pool and statements: the ends of theirs.
        self._ends: dict[int, tuple[Rows, Rows]] = {}
        self._ends_of: dict[tuple[int, int], tuple[Flags, Rows]] = {}
        self.paused = self._pauses()
        self._asked: Flags | None = None  # statements that were placed last
        self._answer = NONE, NONE

    def _by_unit(self) -> tuple[Rows, Rows]:
        work = self.work
        order = stable_order(work.request)
        traces = work.trace != 0
        if traces.any():
            traced = np.flatnonzero(traces[order])
            # A trace runs over several sessions; elsewhere the slice's order is the log's.
            # Many end within one millisecond, which is all that most logs say.
            order[traced] = ordered(order[traced], work.request, work.at_us, work.logged)
        place = np.empty(self.count, dtype=np.int64)
        place[order] = np.arange(self.count)
        return place, order

    def _by_pool(self) -> Rows:
        """Rows of pools by pool, end and as they were logged."""
        pooled = np.flatnonzero(self.pool >= 0)
        return ordered(pooled, self.pool, self.end, self.work.logged)

    def _pauses(self) -> Flags:
        """Marks rows before which their connection was idle for unusually long.

        None of a trace, request or job that statements name: no other request can have run there, and a
        job waits between its statements for whatever else it works with.
        """
        work = self.work
        idle = np.zeros(self.count, dtype=np.int64)
        idle[1:] = work.start_us[1:] - work.end_us[:-1]
        idle[starts_of_runs(work.session)] = 0
        at = self.count // 4
        short = float(np.partition(idle, at)[at]) if self.count else 0.0
        self.pause_us = min(max(_PAUSE_US[0], _PAUSE_TIMES * short), _PAUSE_US[1])
        flags: Flags = (idle > self.pause_us) & (work.trace == 0)
        return flags

    def of_statement(self, number: int) -> Rows:
        """All rows of a statement, by unit of work and time."""
        if number >= len(self._starts) - 1:
            return NONE
        return self._rows[self._starts[number] : self._starts[number + 1]]

    def places_of_statement(self, number: int) -> tuple[Rows, Rows]:
        """The place and the unit of work of each of a statement's rows, as `of_statement` has them."""
        if number >= len(self._starts) - 1:
            return NONE, NONE
        mine = slice(self._starts[number], self._starts[number + 1])
        return self._rows_places[mine], self._rows_units[mine] + self.work.first_request

    def of_statements(self, numbers: Sequence[int]) -> tuple[Rows, Rows]:
        """All rows of some statements, one after the other, and which of `numbers` each is of.

        Each statement's by unit of work and time.
        """
        at, which = of_groups(self._starts, numbers)
        return self._rows[at], which

    def table(self) -> tuple[Rows, Rows, Rows, Rows]:
        """All rows by statement, unit of work and time, where each statement's begin, their places and units."""
        return self._rows, self._starts, self._rows_places, self._rows_units

    def in_pools(self, numbers: Sequence[int]) -> tuple[Rows, Rows]:
        """As `of_statements`, of the rows in pools alone: each statement's by pool and end."""
        at, which = of_groups(self._pooled[1], numbers)
        return self._pooled[0][at], which

    @cached_property
    def pooled(self) -> tuple[Rows, Rows, Rows, Rows, Rows]:
        """Of the rows in pools by statement, pool and end: where each statement's begin; pools, ends, places, units."""
        rows, starts, places = self._pooled
        return starts, self.pool[rows], self.end[rows], places, self.unit(rows)

    @cached_property
    def _pooled(self) -> tuple[Rows, Rows, Rows]:
        """Rows of pools by statement, pool and end, where each statement's begin, and their places in pools."""
        return grouped(self.statement, self._pool_order)

    def next_of_statement(self, rows: Rows) -> Rows:
        """The row of the same statement behind each, by unit of work and time; itself for the last."""
        at = self._at[rows]
        following = self._rows[np.minimum(at + 1, self.count - 1)]
        same = self.statement[following] == self.statement[rows]
        return np.where(same, following, rows)

    @cached_property
    def _at(self) -> Rows:
        """Where each row stands in `_rows`."""
        found = np.empty(self.count, dtype=np.int64)
        found[self._rows] = np.arange(self.count)
        return found

    def unit(self, rows: Rows) -> Rows:
        """The unit of work of each row, numbered from the slice's first."""
        found: Rows = self.request[rows] - self.work.first_request
        return found

    def marked(self, rows: Rows) -> Flags:
        """Marks these of all rows."""
        flags = np.zeros(self.count, dtype=bool)
        flags[rows] = True
        return flags

    def units_of(self, rows: Rows) -> Flags:
        """Marks (by `unit`) the units of work that some rows are of."""
        flags = np.zeros(len(self.work.routes), dtype=bool)
        flags[self.unit(rows)] = True
        return flags

    def most_beside(self, rows: Rows, starts: Rows) -> Rows:
        """Of how many rows of each group one statement stands before or behind all (see _orders.most_beside)."""
        columns = self.statement, self.request, self.place, self._unit_order
        return most_beside(rows, starts, columns, len(self._starts))

    def nearness(self, owners: Rows, crossed: Flags | None = None) -> Floats:
        """Larger the nearer a parent row is to a child behind it.

        Least on another connection, but for a parent that has children on its own one as well.
        """
        size = self.count + 1
        found: Floats = self.place[owners] / size + 1.0
        if crossed is not None and crossed.any():
            other = self.pool_place[owners] / size
            anchored = self.marked(owners[~crossed])[owners]
            found = np.where(crossed, np.where(anchored, other, other - 1.0), found)
        return found

    def run_between(
        self, pool: int, start: Rows, end: Rows, statements: Flags | None = None
    ) -> Rows:
        """How many executions of a pool (of these statements) ended within each [start, end] (µs)."""
        if pool not in self._ends:
            mine = self._pool_order[self.pool[self._pool_order] == pool]
            self._ends[pool] = mine, self.end[mine]
        rows, times = self._ends[pool]
        if statements is not None:
            asked = pool, id(statements)
            if asked not in self._ends_of:
                # They are kept with it, so that no others get their place, and their id.
                self._ends_of[asked] = statements, times[statements[self.statement[rows]]]
            times = self._ends_of[asked][1]
        counts: Rows = np.searchsorted(times, end, side="right") - np.searchsorted(times, start)
        return counts

    def steady(
        self, statements: Flags, period: tuple[int, float], least: int, share: float
    ) -> list[Rows]:
        """Rows of these statements that a session repeats at a steady period (see _orders.steady)."""
        columns = self.session, self.work.parameters_hash, self.work.start_us
        runs = steady((self._rows, self._starts), statements, columns, period, least, share)
        return [
            self._rows[at : at + size]
            for at, size in zip(*map(np.ndarray.tolist, runs), strict=True)
        ]

    def dense_in_units(self, statements: Flags) -> Table:
        """The rows of these statements (by number) of which several are near each other in a unit: a table of them."""
        measure = self._rows_places, self._near
        return dense((self._rows, self._starts), statements, self._rows_units, [measure])

    @cached_property
    def _near(self) -> Rows:
        """How far apart several rows may be that end at each place."""
        return np.where(self.work.whole[self._rows], _NEAR_WITHIN, _NEAR)

    def dense_in_pools(
        self, statements: Flags, places: int = _NEAR_IN_POOL, within_us: int = _NEAR_IN_POOL_US
    ) -> Table:
        """The rows of these statements of which several are near each other in a pool: a table of them."""
        _, pools, ends, place, _ = self.pooled
        by_place = place, np.full(len(place), places)
        by_time = ends, np.full(len(ends), within_us)
        return dense(self._pooled[:2], statements, pools, [by_place, by_time])

    def before_in_units(self, rows: Rows, statements: Flags) -> Rows:
        """Which of these statements run in the same units as `rows`, near before or among them.

        `rows` are of one statement, by unit of work and time.
        """
        whole = self.work.whole
        near = _NEAR_WITHIN if whole[rows[0]] and whole[rows].all() else _NEAR
        placed = self._placed(statements)
        return np.flatnonzero(among(self.place[rows], near, placed, len(statements)))

    def standing(self, rows: Rows) -> tuple[Rows, Rows, Rows, Flags]:
        """Places and units of rows (by unit of work and time), where each one's unit ends, and its pauses."""
        return standing(rows, (self.place, self.request, self.work.first_request), self.paused)

    def _placed(self, statements: Flags) -> tuple[Rows, Rows]:
        """The places in units of work where these statements run, and which runs there."""
        if self._asked is not statements:
            numbers = self.statement[self._unit_order]
            at = np.flatnonzero(statements[numbers])
            self._asked, self._answer = statements, (at, numbers[at])
        return self._answer


def of_groups(starts: Rows, numbers: Sequence[int]) -> tuple[Rows, Rows]:
    """The places in some groups that begin at `starts`, and which of `numbers` each is of."""
    wanted = np.minimum(np.array(numbers, dtype=np.int64), len(starts) - 1)
    first = starts[wanted]
    sizes = starts[np.minimum(wanted + 1, len(starts) - 1)] - first
    return stretches(first, sizes), np.repeat(np.arange(len(wanted)), sizes)


def by_statement(table: Table) -> dict[int, Rows]:
    """The rows of a table by statement."""
    rows, starts = table
    return {
        number: rows[starts[number] : starts[number + 1]]
        for number in np.flatnonzero(starts[1:] > starts[:-1]).tolist()
    }
