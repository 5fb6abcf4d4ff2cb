"""The native twins of what a loop's rows would spare give what the NumPy gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.workload.savings import by_request, gap_means, grouped
from tests.twins import assert_same

LOOPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # group
        st.integers(0, 2),  # session
        st.integers(0, 5_000_000),  # µs
        st.floats(0, 1e6),  # ms
        st.integers(0, 9),  # request
    ),
    min_size=1,
    max_size=40,
)
Loop = tuple[int, int, int, float, int]


@given(st.data(), LOOPS, st.booleans())
def test_loops_spare_alike(data: st.DataObject, loops: list[Loop], ordered: bool) -> None:  # noqa: FBT001 - drawn
    loops = sorted(loops) if ordered else loops
    group, session, end_us, ms, request = (np.array(one) for one in zip(*loops, strict=True))
    ms = ms.astype(float)
    rows = np.array(data.draw(st.permutations(range(len(loops)))))
    if ordered:
        rows.sort()
    anchor = rows[::-1]
    rows, group, _, anchors, duration = assert_same(grouped, rows, group[rows], anchor, ms)
    assert_same(gap_means, rows, group, session.astype("i4"), end_us, ms)
    assert_same(by_request, request, rows, duration, anchors)


def test_rows_beyond_the_slice_are_refused() -> None:
    one, ms = np.zeros(1, dtype=np.int64), np.ones(1)
    for beyond in (one + 1, one - 1):
        with pytest.raises(ValueError, match="rows"):
            grouped(beyond, one, one, ms)
        with pytest.raises(ValueError, match="rows"):
            gap_means(beyond, one, one, one, ms)
        with pytest.raises(ValueError, match="rows"):
            by_request(one, one, ms, beyond)
