"""What begins a request is learnt from what stands before it."""

import random

import numpy as np
import pytest

from analyzer.model.columns import Flags, Rows
from analyzer.workload.openers import CHECK, MAY, Openers

SESSION, USER = 0, 1
REQUESTS = 200


def requests(chance: random.Random, *, opened: bool = True, endings: int = 25) -> list[list[int]]:
    """Requests of many kinds: what each begins with, its own statements, a loop in some."""
    made = []
    for _ in range(REQUESTS):
        kind = chance.randrange(endings)
        body = [10 + 3 * kind, 11 + 3 * kind]
        if kind % 5 == 0:
            body += [200 + kind] * chance.randint(5, 20)
        made.append([*([SESSION, USER] if opened else []), *body, 12 + 3 * kind])
    return made


def told(
    runs: list[list[int]],
    openers: Openers,
    *,
    gap_us: int = 500,
    pause_us: int = 500,
    check: int = -1,
) -> tuple[Rows, Flags]:
    """The statements of requests on one connection, and which rows are said to begin one."""
    statement = np.array([one for run in runs for one in run], dtype=np.int64)
    gaps = np.full(len(statement), gap_us)
    starts = np.cumsum([0, *(len(run) for run in runs[:-1])])
    gaps[starts] = pause_us
    first = gaps > 250_000
    first[0] = True
    end_us = np.cumsum(gaps + 100)
    opens = np.where(statement == check, CHECK, MAY)
    return statement, openers.begins(statement, gaps, first, opens, end_us, 1)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)  # noqa: S311 - the same requests in every run


def test_back_to_back_requests_begin_with_what_follows_anything(chance: random.Random) -> None:
    statement, begins = told(requests(chance), Openers())
    assert (begins == (statement == SESSION)).all()


def test_a_loops_child_begins_nothing(chance: random.Random) -> None:
    statement, begins = told(requests(chance), Openers())
    assert not begins[statement >= 200].any()


def test_nothing_common_is_no_opener(chance: random.Random) -> None:
    _, begins = told(requests(chance, opened=False), Openers())
    assert not begins.any()


def test_too_few_requests_teach_nothing(chance: random.Random) -> None:
    _, begins = told(requests(chance)[:15], Openers())
    assert not begins.any()


def test_pauses_tell_enough_where_requests_have_them(chance: random.Random) -> None:
    openers = Openers()
    statement, begins = told(requests(chance), openers, pause_us=400_000)
    assert openers.paced
    assert (begins == (statement == SESSION)).all()
    assert not openers.bridges


def test_what_was_learnt_serves_a_slice_without_learning(chance: random.Random) -> None:
    openers = Openers()
    told(requests(chance), openers)
    openers.learning = False
    statement, begins = told(requests(chance)[:3], openers)
    assert (begins == (statement == SESSION)).all()


def interleaved(runs: list[list[int]], chance: random.Random) -> list[int]:
    """Eight requests at once on one connection: their statements come in any order."""
    waiting = [iter(run) for run in runs]
    running = [waiting.pop() for _ in range(8)]
    mixed = []
    while running:
        one = chance.choice(running)
        statement = next(one, None)
        if statement is not None:
            mixed.append(statement)
        else:
            running.remove(one)
            running += [waiting.pop()] if waiting else []
    return mixed


def test_connections_that_requests_share_have_a_marker_and_no_opener(
    chance: random.Random,
) -> None:
    mixed = interleaved(requests(chance) * 4, chance)
    openers = Openers()
    _, begins = told([mixed], openers)
    assert openers.marker in (SESSION, USER)
    assert not begins.any()
    alone = Openers()
    told(requests(chance) * 4, alone)
    assert alone.marker == -1


def test_checks_of_shared_connections_are_the_marker(chance: random.Random) -> None:
    """Though something else, which each request runs once or twice, is more frequent."""
    check, spread = 5, 6
    runs = [[check, *run, *[spread, *run] * chance.choice([1, 2])] for run in requests(chance)]
    mixed = interleaved(runs * 3, chance)
    guessing, told_so = Openers(), Openers()
    told([mixed], guessing)
    assert guessing.marker not in (check, -1)
    told([mixed], told_so, check=check)
    assert told_so.marker == check


def test_requests_begin_where_a_pool_checks_the_connection(chance: random.Random) -> None:
    """Though they end alike, and something in the middle follows ever other statements."""
    check, usual, ending = 0, 1, [5, 6, 7, 8, 9]
    runs = [[check, *run, usual, chance.choice(ending)] for run in requests(chance, opened=False)]
    statement, begins = told(runs, Openers())
    assert not begins[statement == check].any()
    statement, begins = told(runs, Openers(), check=check)
    assert (begins == (statement == check)).all()


@pytest.mark.parametrize("length", [2, 300])
def test_checks_of_each_statement_or_now_and_then_begin_nothing(
    chance: random.Random, length: int
) -> None:
    runs = [
        [0, *(chance.randrange(10, 60) for _ in range(length - 1))] for _ in range(9000 // length)
    ]
    statement, begins = told(runs, Openers(), check=0)
    assert not (begins & (statement == 0)).all()
    assert (begins == told(runs, Openers())[1]).all()
