"""Columns in order, numbered, and the few looked for among the more: as the plain ways give it."""

import numpy as np
import pytest

from analyzer.model.columns import median, numbered_by_sight, numbered_rows, sorted_rows, stretches
from analyzer.model.executions import ByteTexts, JoinedTexts


@pytest.mark.parametrize("span", [2, 1000])
def test_rows_are_sorted_by_several_columns(span: int) -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, span, 500), rng.integers(0, span, 500)
    expected = np.lexsort((second, first))
    assert sorted_rows(first, second).tolist() == expected.tolist()
    assert sorted_rows(first[expected], second[expected]).tolist() == list(range(500))
    assert sorted_rows(first[:0], second[:0]).tolist() == []


@pytest.mark.parametrize("values", [[], [5], [7, 7, 2, 2, 7, 9, 2], [10**12, 3, 3, 10**12]])
def test_values_are_numbered_by_sight(values: list[int]) -> None:
    numbers, firsts = numbered_by_sight(np.array(values, dtype=np.int64))
    seen = list(dict.fromkeys(values))
    assert numbers.tolist() == [seen.index(value) for value in values]
    assert firsts.tolist() == [values.index(value) for value in seen]


@pytest.mark.parametrize("span", [1, 2, 1000])
def test_rows_are_numbered_by_several_columns(span: int) -> None:
    rng = np.random.default_rng(2)
    first, second = np.repeat(rng.integers(-1, span, (2, 100)), 5, axis=1)
    rows = list(zip(first.tolist(), second.tolist(), strict=True))
    some, numbers = numbered_rows(first, second)
    expected = sorted(set(rows))
    assert [rows[one] for one in some.tolist()] == expected
    assert numbers.tolist() == [expected.index(row) for row in rows]
    assert [part.tolist() for part in numbered_rows(first[:0], second[:0])] == [[], []]


@pytest.mark.parametrize("values", [[5], [7, 2], [3.5, 1.0, 2.0], [9, 1, 4, 4]])
def test_the_middle_value(values: list[float]) -> None:
    assert median(np.array(values)) == np.median(values)


def test_stretches_stand_one_behind_the_other() -> None:
    found = stretches(np.array([5, 0, 7, 2]), np.array([3, 0, 1, 2]))
    assert found.tolist() == [5, 6, 7, 7, 2, 3]
    nothing = np.zeros(0, dtype=np.int64)
    assert stretches(nothing, nothing).tolist() == []


def test_some_texts_stand_alone() -> None:
    texts = JoinedTexts([["a", "\udcffé"], ByteTexts.of(["", "two"]), ["z"]])
    some = ByteTexts.some_of(texts, [4, 1, 3, 2])
    assert [some[number] for number in range(len(some))] == ["z", "\udcffé", "two", ""]
    assert [ByteTexts.some_of(["x", "y"], [1])[0]] == ["y"]
