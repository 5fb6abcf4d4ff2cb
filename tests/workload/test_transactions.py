"""Which transactions are units of work, and which of them are of one request."""

import numpy as np

from analyzer.model.columns import Rows
from analyzer.workload.transactions import first_of_request, in_units, opened_by

BEGIN, COMMIT = -1, -2


def run(*transactions: list[int]) -> tuple[Rows, Rows, Rows]:
    """A session's transactions: which opened each row, the statements, the boundaries."""
    statement = np.array([n for one in transactions for n in (BEGIN, *one, COMMIT)])
    boundaries = np.select([statement == BEGIN, statement == COMMIT], [1, -1], 0)
    new_session = np.arange(len(statement)) == 0
    return opened_by(boundaries, new_session), statement, boundaries


def requests(*transactions: list[int], pause_before: int = 0) -> list[int]:
    """The number of the first transaction of each transaction's request."""
    opened, statement, boundaries = run(*transactions)
    opens = np.flatnonzero(boundaries == 1)
    burst = (np.arange(len(statement)) >= opens[pause_before]).astype(np.int64)
    root = first_of_request(opened, statement, burst, boundaries == 0)
    return np.searchsorted(opens, root[opens]).tolist()


# Requests that begin alike and do all kinds of things.
OTHERS = [[1, 10 + n, 30 + n] for n in range(12)]
TURN = [5, 6, 7]


def test_a_loop_that_commits_in_each_turn_is_one_request() -> None:
    found = requests(*OTHERS[:6], *[TURN] * 5, *OTHERS[6:])
    assert found == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 11, 12, 13, 14, 15, 16]


def test_what_follows_by_chance_is_not() -> None:
    assert requests(*OTHERS) == list(range(12))
    # The turn twice in a row is too little, and so is one kind of request all the time.
    assert requests(*OTHERS, TURN, TURN) == list(range(14))
    assert requests(*[TURN] * 20) == list(range(20))


def test_a_pause_ends_a_request() -> None:
    found = requests(*OTHERS, *[TURN] * 8, pause_before=16)
    assert found == [*range(12), 12, 12, 12, 12, 16, 16, 16, 16]


def test_a_transaction_that_requests_begin_in_again_and_again_is_no_unit() -> None:
    several = [text for one in OTHERS for text in one]
    for transactions, expected in (((*OTHERS,), True), ((several, several), False)):
        opened, statement, boundaries = run(*transactions)
        burst, starts = np.zeros(len(statement), dtype=np.int64), np.zeros(1, dtype=np.int64)
        units = in_units(opened, boundaries, burst, starts, statement == 1)
        assert units.all() if expected else not units.any()
