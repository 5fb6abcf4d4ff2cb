"""The native twins of what is summed up of executions give what the NumPy gives, to the last bit."""

import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.columns import Column
from analyzer.workload.figures import by_group, repeats
from analyzer.workload.kept import codes, duration_columns, taken_apart
from analyzer.workload.quantiles import octaves
from analyzer.workload.traffic import by_request, hours_of, shown_steps
from tests.twins import assert_equal, assert_same

DURATIONS = st.floats(0, 1e12) | st.integers(0, 10**9).map(lambda us: us / 1000) | st.just(math.nan)
ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),  # statement
        st.integers(0, 1),  # clock
        st.integers(0, 9),  # request
        st.integers(-1, 2),  # route
        st.integers(-(2**40), 2**60),  # µs
        DURATIONS,
    ),
    min_size=1,
    max_size=50,
)
Row = tuple[int, int, int, int, int, float]


def sliced(rows: list[Row]) -> tuple[list[Column], dict[str, Column]]:
    *numbers, durations = zip(*rows, strict=True)
    kinds = ("i8", "i1", "i8", "i8", "i8")
    found = [np.array(one, dtype=kind) for one, kind in zip(numbers, kinds, strict=True)]
    return found, duration_columns(np.array(durations, dtype=float))


@given(st.data(), ROWS)
def test_executions_are_summed_alike(data: st.DataObject, rows: list[Row]) -> None:
    (statement, clock, request, route, start_us), timed = sliced(rows)
    chosen = np.flatnonzero(
        data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    )
    if len(chosen):
        assert_same(by_group, statement, clock, chosen, timed["duration_ms"][chosen])
    assert_same(repeats, statement, np.resize(request, len(rows)))
    assert_same(repeats, statement << 15, request << 20)
    assert_same(
        by_request, request, clock, route, timed["duration_ms"], timed["untimed"], route > 0
    )
    assert_same(hours_of, start_us, clock)
    assert_same(shown_steps, octaves(timed["duration_ms"]), clock, -6.6, 30.0, 3.01, 1 << 10)


def test_units_of_work_that_ran_a_statement_often() -> None:
    group = np.repeat(np.array([3, 0, 3, 7]), [200, 63, 64, 1])
    statement, calls, units = assert_same(
        repeats, group, np.repeat(np.array([0, 1, 2]), [200, 127, 1])
    )
    assert sorted(zip(statement.tolist(), calls.tolist(), units.tolist(), strict=True)) == [
        *((0, 63, 1), (3, 64, 1), (3, 200, 1), (7, 1, 1))
    ]


@given(st.lists(st.tuples(st.integers(-1, 1 << 23), st.integers(-1, 1 << 40)), max_size=30))
def test_codes_are_alike(pairs: list[tuple[int, int]]) -> None:
    groups, micros = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    found = assert_same(codes, groups, micros)
    assert (found is None) == any(
        group < 0 or micro < 0 or group >> 23 or micro >> 40 for group, micro in pairs
    )
    found = codes(abs(groups) % 5, abs(micros) % (1 << 40))
    assert found is not None
    ordered, twin = np.sort(found), cast("Any", taken_apart)  # which writes where the codes are
    assert_equal(twin(ordered.copy()), twin.__wrapped__(ordered))


def test_numbers_without_a_place_are_refused() -> None:
    one, ms = np.ones(1, dtype=np.int64), np.ones(1)
    small = one.astype("i1")
    for refused in (
        lambda: by_group(one, small, one, ms),
        lambda: by_group(-one, small, one - 1, ms),
        lambda: by_group(one, 2 * small, one - 1, ms),
        lambda: repeats(-one, one),
        lambda: by_request(-one, small, one, ms, ms > 1, ms > 1),
        lambda: shown_steps(ms, small, -1e9, 1e9, 1.0, 1 << 10),
    ):
        with pytest.raises(ValueError, match=r"no place|negative"):
            refused()
