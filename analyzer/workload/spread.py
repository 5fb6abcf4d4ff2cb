"""Whether requests run statements on several connections at once, so that none shows one whole.

Resolvers of GraphQL, `Promise.all` and the like send the statements of a loop to whatever connections
of a pool are free. What follows on another connection is then the same statement far more often than
where each connection serves a request of its own: there it is so by chance.
"""

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, stable_order
from analyzer.model.executions import Clock
from analyzer.native import compiled, twin_in

_WINDOW = 1000  # executions among which chance is reckoned: what is busy changes with time
_MOST_OF_WINDOW = (
    0.1  # of a window's executions: where most are of one statement, chance says nothing
)
_LEAST_SAME = 20
_BEYOND_CHANCE = 3.0  # times as often as by chance
_LEAST_SHARE = 0.05  # of all changes of the connection
_LEAST_OF_ROWS = 0.03

_twin = twin_in(compiled("analyzer.workload.native._learning"))


class Spread:
    """Learns it from slice to slice; statements are numbers."""

    def __init__(self) -> None:
        self._changes = 0  # neighbours in time, on different connections
        self._same = 0  # of these, with one statement
        self._by_chance = 0.0
        self._rows = 0

    @property
    def found(self) -> bool:
        """Whether requests are spread over connections."""
        least = max(_LEAST_SAME, _LEAST_SHARE * self._changes, _LEAST_OF_ROWS * self._rows)
        return self._same >= max(least, _BEYOND_CHANCE * self._by_chance)

    def learn(self, columns: dict[str, Column], statement: Rows, counted: Flags) -> None:
        """Learn from rows of servers without a trace, of which those `counted` do work."""
        counted = counted & (columns["trace"] == 0) & (columns["clock"] == Clock.SERVER)
        rows, changes, same, by_chance = neighbours(
            columns["session"], columns["start_us"], statement, counted
        )
        self._rows += rows
        self._changes += changes
        self._same += same
        self._by_chance += by_chance


@_twin
def neighbours(
    session: Rows, start_us: Rows, statement: Rows, counted: Flags
) -> tuple[int, int, int, float]:
    """What neighbours in time show, of the rows that are `counted`.

    How many rows tell something; before how many of these the connection changes; with how many of these changes the
    statement stays the same; and with how many it would by chance.
    """
    rows = np.flatnonzero(counted)
    session, statement = session[rows], statement[rows]
    if len(rows) == 0 or (session == session[0]).all():
        return len(rows), 0, 0, 0.0
    order = stable_order(start_us[rows])
    session, statement = session[order], statement[order]
    window = np.arange(len(statement)) // _WINDOW
    _, number, count = np.unique(window << 32 | statement, return_inverse=True, return_counts=True)
    times = count[number]
    rare = times / np.bincount(window)[window] <= _MOST_OF_WINDOW
    changes = (session[1:] != session[:-1]) & rare[1:]
    same = changes & (statement[1:] == statement[:-1])
    # Whole numbers are summed up: in any order they are the same.
    full = len(rows) - len(rows) % _WINDOW
    chances = np.where(changes, times[1:], 0)
    chance = float(chances[: max(full - 1, 0)].sum()) / _WINDOW
    chance += float(chances[max(full - 1, 0) :].sum()) / max(len(rows) % _WINDOW, 1)
    return int(np.count_nonzero(rare)), int(changes.sum()), int(same.sum()), chance
