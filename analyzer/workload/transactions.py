"""Explicit transactions as units of work: a transaction is of one request, whatever stands around it.

Where an application does nearly all its work in transactions, as those of SQLAlchemy, Hibernate and
other ORMs with sessions do, most requests are one transaction. Some run several: a loop may commit
in each turn. That shows by what meets at their border: between requests anything follows anything,
within one the same statement follows the same.
"""

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, spread, starts_of_runs

_TRANSACTIONAL = 0.9  # share of a burst's executions inside transactions
_MEANINGFUL = 2.0  # executions per transaction from which one is a unit of work
_SPANNING = 2.0  # openers for each transaction that has any, from which it spans several requests
# Two transactions are of one request if their border (its last statement, its first one) comes at
# least that often, this many times as often as by chance, and is the usual one of both statements.
_LEAST_BORDERS = 3
_BEYOND_CHANCE = 2.0
_USUAL = 0.5


def opened_by(boundaries: Column, new_session: Flags) -> Rows:
    """The row that opened each row's explicit transaction; -1 outside. BEGIN and COMMIT are inside."""
    count = len(boundaries)
    # The last boundary at or before each row decides; a session's start closes what was open.
    turns = np.flatnonzero(new_session | (boundaries != 0))
    boundary = boundaries[turns]
    opener = np.where(boundary == 1, turns, -1)
    found: Rows = spread(opener, turns, count)
    # An end without an open one before it (the log begins inside) belongs to no transaction.
    ends = np.flatnonzero((boundary == -1) & ~new_session[turns])
    found[turns[ends]] = opener[ends - 1]
    return found


def in_units(
    transaction: Rows, boundaries: Column, burst: Rows, starts: Rows, begins: Flags
) -> Flags:
    """Marks rows in transactions that are units of work, of bursts that begin at `starts`.

    Unless what begins requests (`begins`) comes again and again in one transaction: some
    applications never end theirs.
    """
    inside: Flags = transaction >= 0
    if not inside.any():
        return inside
    several = np.flatnonzero(begins & inside)
    if len(several) and len(several) >= _SPANNING * np.count_nonzero(
        starts_of_runs(transaction[several])
    ):
        return np.zeros(len(inside), dtype=bool)
    return _transactional(boundaries, inside, starts)[burst] & inside


def _transactional(boundaries: Column, inside: Flags, starts: Rows) -> Flags:
    """By burst: whether nearly all its work is in transactions that hold several executions."""
    working = boundaries == 0
    works = np.add.reduceat(working, starts, dtype=np.int64)
    within = np.add.reduceat(working & inside, starts, dtype=np.int64)
    opens = np.add.reduceat(boundaries == 1, starts, dtype=np.int64)
    flags: Flags = (within >= _TRANSACTIONAL * works) & (
        within >= _MEANINGFUL * np.maximum(opens, 1)
    )
    return flags


def first_of_request(transaction: Rows, statement: Rows, burst: Rows, works: Flags) -> Rows:
    """For each row the first transaction of its request, as the row that opened it; -1 outside.

    `works` marks the rows that are no transaction control. Only transactions that follow each other
    in one burst, with nothing between them, are of one request.
    """
    working = np.flatnonzero(works)
    mine = transaction[working]
    first = np.flatnonzero(starts_of_runs(mine) & (mine >= 0))
    before = np.maximum(first - 1, 0)
    borders = (first > 0) & (mine[before] >= 0) & (burst[working[before]] == burst[working[first]])
    ends, starts = statement[working[before]], statement[working[first]]
    joined = borders.copy()
    joined[borders] = within_request(ends[borders], starts[borders])
    opened = mine[first]
    root = transaction.copy()
    if joined.any():
        heads = np.maximum.accumulate(np.where(joined, 0, np.arange(len(opened))))
        size = int(opened.max()) + 1
        head_of = np.arange(size)
        head_of[opened] = opened[heads]
        known = (transaction >= 0) & (transaction < size)
        root[known] = head_of[transaction[known]]
    return root


def within_request(ends: Rows, starts: Rows) -> Flags:
    """Marks the borders, each a statement that ends one transaction and one that starts the next, are usual."""
    if len(ends) == 0:
        return np.zeros(0, dtype=bool)
    _, border, times = np.unique(ends << 32 | starts, return_inverse=True, return_counts=True)
    both = times[border.reshape(-1)]
    ended, started = np.bincount(ends)[ends], np.bincount(starts)[starts]
    flags: Flags = (both >= _LEAST_BORDERS) & (both >= _USUAL * np.maximum(ended, started))
    flags &= both * len(ends) >= _BEYOND_CHANCE * ended * started
    return flags
