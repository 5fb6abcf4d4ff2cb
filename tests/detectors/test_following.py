"""Who follows whom, worked out for all parents at once, against one child and one parent at a time."""

from dataclasses import fields

import numpy as np
import pytest

from analyzer.detectors._across import PARALLEL_WINDOW_US
from analyzer.detectors._following import Standing, across_pools, behind
from analyzer.detectors._places import NONE
from analyzer.detectors._rows import ExecutionRows, Lookups
from analyzer.model.columns import Rows
from analyzer.model.work import Asides, WorkSlice

ROWS, STATEMENTS, UNITS = 300, 6, 12
CHILD, PARENTS = 0, [3, 1, 4, STATEMENTS + 3]  # the last runs nowhere


def drawn(seed: int) -> WorkSlice:
    """A slice of any traffic: some units of work in pools, some known to be whole."""
    rng = np.random.default_rng(seed)
    session = np.sort(rng.integers(0, 5, ROWS))
    request = np.sort(rng.integers(0, UNITS, ROWS)) + 40
    mixed = rng.random(ROWS) < 0.2
    request[mixed] = rng.integers(0, UNITS, int(mixed.sum())) + 40
    whole = np.isin(request % 4, [0])
    # Times are few, so that some are equal, and wide apart, so that runs break.
    end_us = rng.integers(0, 60, ROWS) * (PARALLEL_WINDOW_US // 3)
    nothing = np.full(ROWS, -1, dtype=np.int64)
    return WorkSlice(
        statement=rng.integers(0, STATEMENTS, ROWS), key=np.zeros(ROWS, dtype=np.int32),
        request=request, transaction=nothing, trace=np.zeros(ROWS, dtype=np.int64), whole=whole,
        pool=np.where(whole, -1, rng.integers(0, 2, ROWS)), session=session, at_us=end_us,
        logged=np.arange(ROWS), start_us=end_us, end_us=end_us, duration_ms=np.zeros(ROWS), clock=np.zeros(ROWS),
        untimed=np.zeros(ROWS, dtype=bool), parameters=nothing,
        parameters_hash=np.zeros(ROWS, dtype=np.uint32), routes=np.full(UNITS, -1),
        request_ms=np.zeros(UNITS), first_request=40, texts=[], statements=(), key_facts=(),
        sessions=(), route_names=(), asides=Asides(*[NONE for _ in fields(Asides)]),
    )  # fmt: skip


def in_unit(rows: ExecutionRows, child: int, parent: int) -> int | None:
    """The last execution of the parent before a child in its unit of work."""
    same = [
        int(row)
        for row in rows.of_statement(parent)
        if rows.request[row] == rows.request[child] and rows.place[row] < rows.place[child]
    ]
    return max(same, key=lambda row: int(rows.place[row]), default=None)


def in_pool(rows: ExecutionRows, child: int, parent: int, children: Rows) -> int | None:
    """The parent that a child without one in its unit follows on another connection."""
    pool, end = rows.pool[child], rows.end
    before = [r for r in rows.of_statement(parent) if rows.pool[r] == pool and end[r] <= end[child]]
    if pool < 0 or not before:
        return None
    found = int(max(before, key=lambda row: (int(end[row]), int(rows.pool_place[row]))))
    mine = [row for row in children if rows.pool[row] == pool]
    run = sorted(int(end[row]) for row in mine if end[found] <= end[row] <= end[child])
    if (np.diff([int(end[found]), *run]) > PARALLEL_WINDOW_US).any():
        return None
    alone = [row for row in mine if in_unit(rows, row, parent) is None]
    quiet = not any(0 < end[found] - end[row] <= PARALLEL_WINDOW_US for row in alone)
    return found if quiet else None


@pytest.mark.parametrize("seed", range(25))
def test_the_same_follow_as_one_by_one(seed: int) -> None:
    rows = ExecutionRows(drawn(seed), Lookups())
    standing = Standing(rows, rows.of_statement(CHILD))
    inside = behind(rows, standing, PARENTS, rows.units_of(standing.rows))
    found = inside.followers().and_(across_pools(rows, standing, PARENTS, inside))
    made = {
        (int(standing.rows[place]), PARENTS[number]): (owner, crossed)
        for place, owner, number, crossed in zip(
            found.place, found.owner, found.number, found.crossed, strict=True
        )
    }
    assert len(made) == len(found)
    wanted = {}
    for child in standing.rows.tolist():
        for parent in PARENTS:
            own = in_unit(rows, child, parent)
            other = in_pool(rows, child, parent, standing.rows) if own is None else None
            if own is not None or other is not None:
                wanted[child, parent] = (other if own is None else own, own is None)
    assert made == wanted
    assert any(crossed for _, crossed in made.values())


@pytest.mark.parametrize("seed", range(5))
def test_the_first_of_a_unit_owns_all_behind_it(seed: int) -> None:
    rows = ExecutionRows(drawn(seed), Lookups())
    standing = Standing(rows, rows.of_statement(CHILD))
    units = rows.units_of(standing.rows)
    units[::3] = False
    found = behind(rows, standing, PARENTS, units, firsts=True).followers()
    made = set(zip(standing.rows[found.place].tolist(), found.owner.tolist(), strict=True))
    wanted = set()
    for parent in PARENTS:
        for child in standing.rows.tolist():
            same = rows.of_statement(parent)
            same = same[rows.request[same] == rows.request[child]]
            first = same[np.argmin(rows.place[same])] if len(same) else child
            if rows.place[first] < rows.place[child] and units[rows.request[child] - 40]:
                wanted.add((child, int(first)))
    assert made == wanted


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_statements_come_by_unit_and_by_pool(seed: int) -> None:
    rows = ExecutionRows(drawn(seed), Lookups())
    some, numbers = rows.of_statements(PARENTS)
    pooled, of_pooled = rows.in_pools(PARENTS)
    for number, parent in enumerate(PARENTS):
        mine = np.flatnonzero(rows.statement == parent)
        assert some[numbers == number].tolist() == sorted(mine, key=lambda row: rows.place[row])
        inside = mine[rows.pool[mine] >= 0]
        by_pool = sorted(inside, key=lambda row: (rows.pool[row], rows.end[row], row))
        assert pooled[of_pooled == number].tolist() == by_pool
        following = rows.next_of_statement(some[numbers == number]).tolist()
        assert following == [*some[numbers == number][1:], *some[numbers == number][-1:]]
