"""Where executions stand: by unit of work, by statement, and by pool."""

import numpy as np

from analyzer.model.columns import Column, Flags, Floats, Rows, stable_order, starts_of_runs
from analyzer.model.work import WorkSlice

NONE = np.zeros(0, dtype=np.int64)

# A loop's children are dense (see _fanout.DENSITY): five of them lie within a hundred places of
# their unit of work or pool, more where loops are nested. All else is not looked at.
_FEW = 5
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
        self.place, self._unit_order = self._by_unit()
        self._rows, self._starts = _grouped(work.statement, self._unit_order)
        self._rows_places, self._rows_requests = self.place[self._rows], work.request[self._rows]
        self._pool_order = self._by_pool()
        self.pool_place = np.full(self.count, -1, dtype=np.int64)
        self.pool_place[self._pool_order] = np.arange(len(self._pool_order))
        self._ends: dict[int, tuple[Rows, Rows]] = {}  # by pool: rows in order, and their ends
        self.paused = self._pauses()

    def _by_unit(self) -> tuple[Rows, Rows]:
        work = self.work
        order = np.argsort(work.request, kind="stable")  # nearly in order already
        traced = np.flatnonzero(work.trace[order] != 0)
        if len(traced):
            # A trace runs over several sessions; elsewhere the slice's order is the log's.
            rows = order[traced]
            order[traced] = rows[np.lexsort((work.at_us[rows], work.request[rows]))]
        place = np.empty(self.count, dtype=np.int64)
        place[order] = np.arange(self.count)
        return place, order

    def _by_pool(self) -> Rows:
        """Rows of pools by pool and end."""
        pooled = np.flatnonzero(self.pool >= 0)
        order = pooled[np.argsort(self.end[pooled], kind="stable")]
        return order[stable_order(self.pool[order])]

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
        return self._rows_places[mine], self._rows_requests[mine]

    def units_of_statement(self, number: int) -> Rows:
        """`unit` of each of a statement's rows."""
        return self.places_of_statement(number)[1] - self.work.first_request

    def unit(self, rows: Rows) -> Rows:
        """The unit of work of each row, numbered from the slice's first."""
        found: Rows = self.request[rows] - self.work.first_request
        return found

    def units_of(self, rows: Rows) -> Flags:
        """Marks (by `unit`) the units of work that some rows are of."""
        flags = np.zeros(len(self.work.routes), dtype=bool)
        flags[self.unit(rows)] = True
        return flags

    def beside(self, rows: Rows, step: int) -> Rows:
        """The statement that ran `step` places behind each row in its unit of work, -1 none."""
        place = self.place[rows] + step
        inside = (place >= 0) & (place < self.count)
        other = self._unit_order[np.where(inside, place, 0)]
        inside &= self.request[other] == self.request[rows]
        return np.where(inside, self.statement[other], -1)

    def nearness(self, owners: Rows, crossed: Flags) -> Floats:
        """Larger the nearer a parent row is to a child behind it.

        Least on another connection, but for a parent that has children on its own one as well.
        """
        size = self.count + 1
        found: Floats = self.place[owners] / size + 1.0
        if crossed.any():
            other = self.pool_place[owners] / size
            anchored = np.isin(owners, owners[~crossed])
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
            times = times[statements[self.statement[rows]]]
        counts: Rows = np.searchsorted(times, end, side="right") - np.searchsorted(times, start)
        return counts

    def dense_in_units(self, statements: Flags) -> Rows:
        """The rows of these statements (by number) of which several are near each other in a unit."""
        rows = self._rows[statements[self.statement[self._rows]]]
        near = np.where(self.work.whole[rows], _NEAR_WITHIN, _NEAR)
        return rows[_runs(self.place[rows], near, self.statement[rows], self.request[rows])]

    def dense_in_pools(
        self, statements: Flags, places: int = _NEAR_IN_POOL, within_us: int = _NEAR_IN_POOL_US
    ) -> Rows:
        """The rows of these statements of which several are near each other in a pool."""
        order = self._pool_order
        near = np.flatnonzero(statements[self.statement[order]])
        near = near[stable_order(self.statement[order[near]])]
        rows = order[near]
        found = _runs(near, places, self.statement[rows], self.pool[rows])
        found &= _runs(self.end[rows], within_us, self.statement[rows], self.pool[rows])
        return rows[found]

    def before_in_units(self, rows: Rows, statements: Flags) -> Rows:
        """Which of these statements run in the same units as `rows`, near before or among them.

        `rows` are of one statement, by unit of work and time.
        """
        places = self.place[rows]
        near = _NEAR_WITHIN if self.work.whole[rows].all() else _NEAR
        begins = np.flatnonzero(np.append(True, np.diff(places) > near))
        first = np.maximum(places[begins] - near, 0)
        last = places[np.append(begins, len(places))[1:] - 1]
        return self._statements(self._unit_order, first, last, statements)

    def _statements(self, order: Rows, first: Rows, last: Rows, wanted: Flags) -> Rows:
        """The wanted statements among the rows that stand in any [first, last) of an order.

        These stretches lie one behind the other.
        """
        steps = np.zeros(len(order) + 1, dtype=np.int8)
        steps[first] = 1
        steps[last] -= 1
        inside = np.cumsum(steps[:-1], dtype=np.int8).view(bool)
        among = np.zeros(len(wanted), dtype=bool)
        among[self.statement[order[inside]]] = True
        return np.flatnonzero(among & wanted)


def _runs(places: Column, near: int | Rows, *same: Column) -> Flags:
    """Marks rows that belong to _FEW in a row within `near` (of each row), equal in all of `same`."""
    marked = np.zeros(len(places), dtype=bool)
    span = _FEW - 1
    if len(places) < _FEW:
        return marked
    within = near if isinstance(near, int) else near[span:]
    begins = places[span:] - places[:-span] <= within
    for column in same:
        begins &= column[span:] == column[:-span]
    for shift in range(_FEW):
        marked[shift : len(places) - span + shift] |= begins
    return marked


def _grouped(values: Rows, order: Rows) -> tuple[Rows, Rows]:
    """Row numbers by value, each group in the given order, and where each value's begin."""
    rows = order[stable_order(values[order])]
    counts = np.bincount(values) if len(values) else NONE
    return rows, np.concatenate(([0], np.cumsum(counts)))


def by_statement(rows: Places, some: Rows) -> dict[int, Rows]:
    """Rows that stand together by statement, by statement."""
    if len(some) == 0:
        return {}
    statement = rows.statement[some]
    parts = np.split(some, np.flatnonzero(np.diff(statement)) + 1)
    return {int(rows.statement[part[0]]): part for part in parts}
