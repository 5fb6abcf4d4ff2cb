"""The native twins of the tools for columns give what the Python gives: values, types and order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model import columns
from analyzer.model.columns import Column
from analyzer.model.executions import cut_out
from analyzer.native import compiled
from tests.twins import assert_same

KINDS = ("i1", "i4", "i8", "u4")
TWINS = (
    "counted",
    "stable_order",
    "numbered_by_sight",
    "distinct",
    "run_starts",
    "spread",
    "stretches",
)


@st.composite
def numbers(
    draw: st.DrawFn, kinds: tuple[str, ...] = (*KINDS, "?"), least: int | None = None
) -> Column:
    """A column: near and far numbers, runs of the same, in order or not, of any type, also scattered."""
    kind = np.dtype(draw(st.sampled_from(kinds)))
    if kind.kind == "b":
        values = st.booleans()
    else:
        limits = np.iinfo(kind)
        low = int(limits.min) if least is None else least
        values = st.integers(low, limits.max) | st.integers(max(low, -3), 5)
    runs = draw(st.lists(st.tuples(values, st.integers(1, 4)), max_size=60))
    column = np.array([value for value, times in runs for _ in range(times)], dtype=kind)
    if draw(st.booleans()):
        column.sort()
    if draw(st.booleans()):
        column = np.repeat(column, 2)[::2]
    column.setflags(write=False)
    return column


def test_they_are_in_place() -> None:
    assert compiled("analyzer.model.native._columns") is not None
    for name in TWINS:
        assert getattr(columns, name).__wrapped__.__module__ == "analyzer.model.columns"


@given(numbers())
def test_rows_are_ordered_alike(values: Column) -> None:
    assert_same(columns.stable_order, values)


@given(numbers())
def test_values_are_numbered_alike(values: Column) -> None:
    assert_same(columns.numbered_by_sight, values)


@given(numbers(KINDS))
def test_the_same_are_counted_alike(values: Column) -> None:
    assert_same(columns.counted, values)


@given(numbers(KINDS, least=0))
def test_the_distinct_are_alike(values: Column) -> None:
    assert_same(columns.distinct, values)


@given(st.data(), numbers())
def test_runs_begin_alike(data: st.DataObject, values: Column) -> None:
    others = [
        np.resize(data.draw(numbers()), len(values)) for _ in range(data.draw(st.integers(0, 2)))
    ]
    assert_same(columns.run_starts, values, *others)


def test_runs_of_floats_begin_alike() -> None:
    assert_same(columns.run_starts, np.array([0.0, -0.0, 1.5, 1.5, np.nan, np.nan]))


@given(st.data(), numbers())
def test_values_are_spread_alike(data: st.DataObject, values: Column) -> None:
    steps = data.draw(st.lists(st.integers(0, 5), min_size=len(values), max_size=len(values)))
    ends = np.cumsum(np.array(steps, dtype=np.int64))
    starts = np.concatenate([[0], ends[:-1]])[: len(values)]
    assert_same(columns.spread, values, starts, int(ends[-1]) if len(ends) else 0)


@given(st.lists(st.tuples(st.integers(-(2**40), 2**40), st.integers(0, 9)), max_size=40))
def test_stretches_are_alike(pairs: list[tuple[int, int]]) -> None:
    first, sizes = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert_same(columns.stretches, first, sizes)


@given(st.data(), st.lists(st.binary(max_size=6), min_size=1, max_size=4))
def test_texts_are_cut_out_alike(data: st.DataObject, texts: list[bytes]) -> None:
    pieces = []
    for _ in range(data.draw(st.integers(0, 6))):
        which = data.draw(st.integers(0, len(texts) - 1))
        places = st.integers(0, len(texts[which]))
        pieces.append((which, *sorted(data.draw(st.tuples(places, places)))))
    places = np.array(pieces, dtype=np.int64).reshape(-1, 3).T
    assert cut_out(texts, *places) == cut_out.__wrapped__(texts, *places)  # type: ignore[attr-defined]


@pytest.mark.parametrize("piece", [(1, 0, 0), (-1, 0, 0), (0, -1, 1), (0, 0, 3), (0, 2, 1)])
def test_pieces_beyond_their_text_are_refused(piece: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"no text|not in its text"):
        cut_out([b"ab"], *np.array([piece], dtype=np.int64).T)


@pytest.mark.parametrize(
    ("values", "starts", "count"),
    [([1], [0, 1], 3), ([1, 2], [0, 5], 3), ([1, 2], [2, 1], 3), ([1], [-1], 3), ([], [], 3)],
)
def test_starts_out_of_order_are_refused(values: list[int], starts: list[int], count: int) -> None:
    with pytest.raises(ValueError, match="starts"):
        columns.spread(np.array(values), np.array(starts, dtype=np.int64), count)
