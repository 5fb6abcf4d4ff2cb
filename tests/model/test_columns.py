"""Tools for columns that have no native twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.columns import evenly


@given(st.integers(1, 1 << 20), st.integers(1, 100))
def test_numbers_are_spread_as_numpy_spreads_them(count: int, most: int) -> None:
    expected = np.linspace(0, count - 1, min(count, most)).astype(np.int64)
    assert evenly(count, most).tolist() == expected.tolist()


def test_of_nothing_and_at_most_none_there_is_none() -> None:
    assert evenly(0, 5).tolist() == evenly(5, 0).tolist() == []
