"""The native twins of what is learnt of requests give what the NumPy gives."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.columns import Column
from analyzer.workload.openers import tallied
from analyzer.workload.spread import neighbours
from tests.twins import assert_same

FEW, MANY = st.integers(0, 3), st.integers(0, 3_000)
GAPS = st.sampled_from([0, 0, 1, 900, 250_001]) | st.integers(0, 2**45)


def drawn(data: st.DataObject, numbers: st.SearchStrategy[int], rows: int, kind: str) -> Column:
    return np.array(data.draw(st.lists(numbers, min_size=rows, max_size=rows)), dtype=kind)


def test_they_are_in_place() -> None:
    for twin in (neighbours, tallied):
        assert twin.__wrapped__  # type: ignore[attr-defined]


@given(st.data(), st.integers(0, 40), st.booleans())
def test_gaps_and_pairs_are_counted_alike(data: st.DataObject, rows: int, few: bool) -> None:  # noqa: FBT001 - drawn
    statement = drawn(data, FEW if few else MANY, rows, "i8")
    gap_us, first = drawn(data, GAPS, rows, "i8"), drawn(data, st.booleans(), rows, "?")
    assert_same(tallied, statement, gap_us, first)


@given(st.data(), st.integers(0, 40), st.integers(1, 100))
def test_neighbours_are_counted_alike(data: st.DataObject, rows: int, times: int) -> None:
    """Rows are repeated: some are of several windows."""
    start_us = drawn(data, GAPS, rows, "i8")
    start_us = (start_us + np.arange(times)[:, None] * 7).ravel()
    session, statement = (
        np.tile(drawn(data, MANY, rows, kind), times) % (3 + start_us % 40) for kind in ("i4", "i8")
    )
    counted = np.tile(drawn(data, st.booleans() | st.just(True), rows, "?"), times)  # noqa: FBT003 - drawn
    columns = session.astype("i4"), start_us, statement, counted
    assert neighbours(*columns) == neighbours.__wrapped__(*columns)  # type: ignore[attr-defined]
