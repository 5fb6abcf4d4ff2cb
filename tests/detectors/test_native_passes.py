"""The native twins of the search's passes give what the Python gives: values, types and order."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors import _across, _figures, _following, _orders, _writes
from analyzer.model.columns import Column, Flags, Rows
from tests.twins import assert_equal

TWINS = {
    "_following": ("follow", "before_pauses", "tight", "take", "drop_few"),
    "_orders": ("run_sizes", "crowded", "most_beside", "distinct_in_groups", "grouped", "dense", "steady", "standing", "among", "ordered"),
    "_figures": ("gaps_ms", "held_by", "occurrences"),
    "_pools": ("runs_behind",),
}  # fmt: skip
WRITES = ("rank", "busy")  # of _writes.py, in the native _orders
STATEMENTS, FIRST_REQUEST = 4, 70

Slice = dict[str, Any]


def both(
    module: ModuleType, name: str, native: str | None = None
) -> tuple[Callable[..., Any], ...]:
    """The native function and the Python, whichever is in place."""
    folder = "analyzer.detectors.native"
    made = importlib.import_module(f"{folder}.{native or module.__name__.rpartition('.')[2]}")
    python = getattr(module, name)
    return getattr(made, name), getattr(python, "__wrapped__", python)


def assert_same(twins: tuple[Callable[..., Any], ...], *arguments: object) -> None:
    native, python = twins
    assert_equal(native(*arguments), python(*arguments))


@st.composite
def slices(draw: st.DrawFn) -> Slice:
    """Columns of a slice: by session and time, units of work that mostly stand together, few statements."""
    count, rng = draw(st.integers(0, 60)), np.random.default_rng(draw(st.integers(0, 1 << 32)))

    def column(low: int, high: int) -> Rows:
        return rng.integers(low, high, count, endpoint=True)

    request = np.sort(column(0, 5)) + FIRST_REQUEST
    if rng.random() < 0.5:
        request = column(0, 5) + FIRST_REQUEST
    order = np.argsort(request, kind="stable")
    place = np.empty(count, dtype=np.int64)
    place[order] = np.arange(count)
    start = np.cumsum(column(0, 90))
    statement = column(0, STATEMENTS - 1)
    rows, starts, _ = both(_orders, "grouped")[1](statement, order)
    return {
        "statement": statement, "request": request, "order": order, "place": place, "start": start,
        "end": start + column(0, 60), "session": np.sort(column(0, 2)), "whole": column(0, 1) > 0,
        "texts": column(0, 3).astype(np.uint32), "paused": column(0, 1) > 0, "table": (rows, starts),
        "of": np.flatnonzero(column(0, 1)), "near": column(1, 30),
    }  # fmt: skip


def of_child(made: Slice, number: int) -> Rows:
    """A statement's rows, by unit of work and time."""
    rows, starts = made["table"]
    return rows[starts[number] : starts[number + 1]] if number < len(starts) - 1 else rows[:0]


def standing(made: Slice, rows: Rows) -> tuple[Rows, Rows, Rows, Flags]:
    columns = made["place"], made["request"], FIRST_REQUEST
    found: tuple[Rows, Rows, Rows, Flags] = both(_orders, "standing")[1](
        rows, columns, made["paused"]
    )
    return found


def test_they_are_compiled() -> None:
    for name, functions in TWINS.items():
        module = importlib.import_module(f"analyzer.detectors.native.{name}")
        assert all(hasattr(module, function) for function in functions)
    assert all(both(_writes, name, "_orders") for name in WRITES)


@given(st.data(), slices(), st.integers(1, 5))
def test_parents_are_followed_alike(data: st.DataObject, made: Slice, least: int) -> None:
    parents = data.draw(st.lists(st.integers(0, STATEMENTS + 2), max_size=6))
    firsts = data.draw(st.booleans())
    places, units, ends, _ = standing(made, of_child(made, 0))
    rows, starts = made["table"]
    table = rows, starts, made["place"][rows], made["request"][rows] - FIRST_REQUEST
    some = np.array([True, True, False, True, True, True])
    mine = places, units, ends
    assert_same(both(_following, "follow"), table, parents, some, mine, least, firsts)


@given(st.data(), st.lists(st.booleans(), max_size=30))
def test_stretches_end_at_pauses_alike(data: st.DataObject, paused: list[bool]) -> None:
    places = st.integers(0, len(paused))
    pairs = data.draw(st.lists(st.tuples(places, places, st.booleans()), max_size=12))
    first = np.array([min(one[:2]) for one in pairs], dtype=np.int64)
    until = np.array([max(one[:2]) for one in pairs], dtype=np.int64)
    held = np.array([one[2] for one in pairs], dtype=bool)
    pauses = np.array(paused, dtype=bool)
    assert_same(both(_following, "before_pauses"), first, until, pauses, held)


OFFER = st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 9), st.integers(0, 99), st.booleans())  # fmt: skip


@given(st.lists(OFFER, max_size=30, unique_by=lambda one: (one[0], one[2])))
def test_the_best_is_taken_alike(offers: list[tuple[int, int, int, int, bool]]) -> None:
    columns = [np.array([one[place] for one in offers], dtype=np.int64) for place in range(4)]
    places, scores, numbers, owners = columns
    offered = places, scores / 2, numbers, owners, np.array([one[4] for one in offers], dtype=bool)
    results = []
    for take in both(_following, "take"):
        none = np.full(6, -1, dtype=np.int64)
        has = none.copy(), np.array([-1.0, 0, 0.5, 1, 1.5, 2]), none.copy(), none > 0
        changed = take(offered, has)
        results.append((changed, [column.tolist() for column in has]))
    assert results[0] == results[1]


@given(st.lists(st.integers(-1, 9), max_size=30), st.integers(1, 4), st.integers(0, 1 << 10))
def test_remains_are_dropped_alike(parents: list[int], least: int, nested: int) -> None:
    marked = np.array([nested >> row & 1 for row in range(10)], dtype=bool)
    results = []
    for drop_few in both(_following, "drop_few"):
        best = np.array(parents, dtype=np.int64)
        chosen = best + 1
        drop_few(best, chosen, marked, least)
        results.append((best.tolist(), chosen.tolist()))
    assert results[0] == results[1]


@given(slices(), st.lists(st.integers(0, STATEMENTS + 1), max_size=5), st.integers(1, 3))
def test_runs_in_pools_are_alike(made: Slice, parents: list[int], least: int) -> None:
    pool = made["session"] - 1  # the first session is in none
    pooled = np.flatnonzero(pool >= 0)
    columns = pool, made["end"], made["place"]
    order = both(_orders, "ordered")[1](pooled, *columns)
    rows, starts, places = both(_orders, "grouped")[1](made["statement"], order)
    table = starts, pool[rows], made["end"][rows], places, made["request"][rows] - FIRST_REQUEST
    shares, bounds = np.array([0.5, 0.1] * 3)[: len(parents)], (least, 60, 6)
    for child in range(STATEMENTS + 1):
        assert_same(both(_across, "runs_behind", "_pools"), table, parents, child, shares, bounds)


@given(slices())
def test_rows_are_grouped_alike(made: Slice) -> None:
    assert_same(both(_orders, "grouped"), made["statement"], made["order"])
    assert_same(both(_orders, "grouped"), made["statement"], made["of"])


@given(slices(), st.lists(st.booleans(), min_size=STATEMENTS, max_size=STATEMENTS))
def test_dense_rows_are_alike(made: Slice, wanted: list[bool]) -> None:
    rows = made["table"][0]
    measures = [(made["place"][rows], made["near"])]
    some, same = np.array(wanted), made["request"][rows]
    assert_same(both(_orders, "dense"), made["table"], some, same, measures)
    measures.append((made["end"][rows], made["near"] * 9))
    assert_same(both(_orders, "dense"), made["table"], some, same, measures)


@given(slices(), st.integers(2, 5), st.sampled_from([0.0, 0.5, 1.0]))
def test_steady_runs_are_alike(made: Slice, least: int, share: float) -> None:
    columns = made["session"], made["texts"] // 2, made["start"]
    wanted = np.array([True, True, False, True])
    assert_same(both(_orders, "steady"), made["table"], wanted, columns, (20, 0.5), least, share)


@given(slices(), st.integers(1, 5))
def test_what_stands_where_is_alike(made: Slice, least: int) -> None:
    rows = of_child(made, 1)
    columns = made["place"], made["request"], FIRST_REQUEST
    assert_same(both(_orders, "standing"), rows, columns, made["paused"])
    units = made["place"], made["request"], made["whole"]
    assert_same(both(_orders, "crowded"), rows, units, least, (0.5, 0.1))
    starts = np.flatnonzero(np.diff(made["request"][rows], prepend=-1))
    assert_same(both(_orders, "run_sizes"), starts, len(rows))
    group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(rows)))
    texts = made["texts"][rows]
    assert_same(both(_orders, "distinct_in_groups"), texts, group, len(starts) + 1)
    some = rows[starts], starts, starts + 1
    shares = made["place"], made["whole"]
    assert_same(both(_following, "tight"), some, made["place"][rows], shares, (0.5, 0.1))
    beside = made["statement"], made["request"], made["place"], made["order"]
    assert_same(both(_orders, "most_beside"), rows, starts, beside, STATEMENTS)


@given(slices(), st.integers(1, 40))
def test_what_runs_near_is_alike(made: Slice, near: int) -> None:
    at = np.sort(made["place"][made["of"]])
    placed = at, made["statement"][made["order"]][at]
    places = made["place"][of_child(made, 2)]
    assert_same(both(_orders, "among"), places, near, placed, STATEMENTS)


@given(slices())
def test_rows_are_ranked_alike(made: Slice) -> None:
    tables = np.array([1, 0, 1, 2])
    assert_same(both(_writes, "rank", "_orders"), made["statement"], tables)


@given(slices(), st.data(), st.sampled_from(["i4", "i8"]), st.sampled_from([2, 1 << 17]))
def test_busy_places_are_told_alike(
    made: Slice, data: st.DataObject, kind: str, hashes: int
) -> None:
    count = len(made["statement"])
    traces = data.draw(st.lists(st.sampled_from([0, 0, 9]), min_size=count, max_size=count))
    columns = made["statement"], np.array(traces, dtype=np.int64), made["request"]
    wanted, session = np.array([True, False, True, True]), made["session"].astype(kind)
    hashing = hashes, 0x9E3779B1
    arguments = wanted, session, columns, FIRST_REQUEST, 3, hashing
    assert_same(both(_writes, "busy", "_orders"), *arguments)


@given(slices(), st.sampled_from(["i4", "i8"]), st.sampled_from(["order", "of"]))
def test_gaps_are_alike(made: Slice, kind: str, which: str) -> None:
    rows = made[which]
    session: Column = made["session"].astype(kind)
    within = made["request"][rows]
    assert_same(both(_figures, "gaps_ms"), rows, within, session, made["start"], made["end"])


@given(slices(), st.sampled_from(["order", "of"]), st.integers(0, 2))
def test_what_holds_rows_together_is_told_alike(made: Slice, which: str, least: int) -> None:
    rows, transaction, trace = made[which], made["request"] - FIRST_REQUEST - least, made["session"]
    native, python = both(_figures, "held_by")
    assert native(rows, transaction, made["whole"], trace) == python(
        rows, transaction, made["whole"], trace
    )
    held = rows[transaction[rows] >= 0]
    assert native(held, transaction, made["whole"], trace + 1)[2:] == (True, True)


@given(slices(), st.sampled_from(["order", "of"]), st.sampled_from(["place", "request", "start"]))
def test_rows_are_put_to_their_owners_alike(made: Slice, which: str, by: str) -> None:
    rows, end = made[which], made["end"]
    native, python = both(_figures, "occurrences")
    for transaction in (made["session"], made["request"], made["session"] * 0):
        found = native(made[by][rows] // 2, rows, end, transaction)
        expected = python(made[by][rows] // 2, rows, end, transaction)
        assert_equal(found[:3], expected[:3])
        assert found[3] is expected[3]


@given(slices())
def test_packed_rows_are_ordered_as_one_column_after_the_other(made: Slice) -> None:
    some = made["of"]
    for far in (0, 50, 62):
        columns = made["request"], made["start"] % 7 << far, made["place"]
        lists = [column[some] for column in columns]
        for ordered in both(_orders, "ordered"):
            assert ordered(some, *columns).tolist() == some[np.lexsort(lists[::-1])].tolist()
