"""Requests that run their statements on several connections at once are told by what follows there."""

import random

import numpy as np
import pytest

from analyzer.model.executions import Clock
from analyzer.workload.spread import Spread

LOOP = 12


def learnt(rows: list[tuple[int, int]], *, traced: bool = False) -> Spread:
    """What executions (connection, statement) tell, begun one after the other."""
    session, statement = np.array(rows, dtype=np.int64).T
    count = len(rows)
    order = np.argsort(session, kind="stable")  # as rows come: by session, then time
    columns = {
        "session": session[order],
        "start_us": np.arange(count)[order] * 1000,
        "trace": np.full(count, int(traced)),
        "clock": np.full(count, Clock.SERVER),
    }
    spread = Spread()
    spread.learn(columns, statement[order], np.ones(count, dtype=bool))
    return spread


def bodies(chance: random.Random, count: int) -> list[list[int]]:
    """Requests of many kinds, some of which run one statement again and again."""
    made = []
    for _ in range(count):
        kind = chance.randrange(20)
        loop = [100 + kind] * LOOP if kind % 3 == 0 else []
        made.append([0, 3 * kind + 1, *loop, 3 * kind + 2, 3 * kind + 3])
    return made


@pytest.fixture
def chance() -> random.Random:
    return random.Random(11)  # noqa: S311 - the same requests in every run


def test_loops_that_run_on_any_free_connection_are_spread(chance: random.Random) -> None:
    rows = [(chance.randrange(8), one) for body in bodies(chance, 200) for one in body]
    assert learnt(rows).found


def workers(chance: random.Random, requests: list[list[int]], count: int) -> list[tuple[int, int]]:
    """Requests on connections of their own, a few at a time: their statements come in any order."""
    waiting = [iter(body) for body in requests]
    running = {number: waiting.pop() for number in range(count)}
    rows = []
    while running:
        number = chance.choice(list(running))
        one = next(running[number], None)
        if one is not None:
            rows.append((number, one))
        elif waiting:
            running[number] = waiting.pop()
        else:
            del running[number]
    return rows


def test_workers_with_a_connection_each_are_not(chance: random.Random) -> None:
    assert not learnt(workers(chance, bodies(chance, 300), 6)).found


def test_nor_where_all_of_them_are_busy_with_the_same(chance: random.Random) -> None:
    """As when a load test calls one page after the other: chance is reckoned for each while."""
    rows = []
    for kind in range(12):
        page = [[0, *[50 + kind] * LOOP, 100 + kind]] * 60
        rows += workers(chance, page, 6)
    assert not learnt(rows).found


def test_nor_one_connection_a_short_log_or_a_trace(chance: random.Random) -> None:
    rows = [(chance.randrange(8), one) for body in bodies(chance, 200) for one in body]
    assert not learnt([(0, one) for _, one in rows]).found
    assert not learnt(rows[:60]).found
    assert not learnt(rows, traced=True).found
