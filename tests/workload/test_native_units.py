"""The native twins of how rows become units of work give what the NumPy gives."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.columns import Column, starts_of_runs
from analyzer.workload.requests import (
    Work,
    close_over,
    open_rows,
    parted,
    session_order,
    steps,
    units,
)
from tests.twins import assert_same

ROWS = st.lists(
    st.tuples(
        st.integers(0, 3),  # session
        st.sampled_from([0, 1, 300_000, 3_000_000]),  # µs since the row before
        st.integers(0, 400_000),  # µs that it took
        st.sampled_from([0, 0, 0, 1, -1]),  # transaction control
        st.sampled_from([0, 0, 0, 7, 2**62]),  # trace
        st.integers(-1, 1),  # comment
        st.integers(0, 4),  # statement
        st.sampled_from([0, 0, 0, 0, 1]),  # client's clock
    ),
    max_size=60,
)
FLAGS = st.lists(st.booleans(), min_size=60, max_size=60)
NAMES = ("session", "start_us", "end_us", "boundary", "trace", "comment", "statement", "clock")
KINDS = ("i4", "i8", "i8", "i1", "i8", "i4", "i8", "i1")
Row = tuple[int, ...]


def sliced(rows: list[Row], *, ordered: bool = True) -> dict[str, Column]:
    table = np.array(rows, dtype=np.int64).reshape(-1, len(NAMES)).T
    if ordered:
        table = table[:, np.argsort(table[0], kind="stable")]
    columns = dict(zip(NAMES, table, strict=True))
    columns["end_us"] = np.cumsum(columns["start_us"]) + 10**15
    columns["start_us"] = columns["end_us"] - table[2]
    return {name: columns[name].astype(kind) for name, kind in zip(NAMES, KINDS, strict=True)}


def pair(twin: Any, *arguments: object) -> tuple[Any, Any]:  # noqa: ANN401 - any of them
    return twin(*arguments), twin.__wrapped__(*arguments)


@given(ROWS, st.booleans())
def test_rows_are_ordered_by_session_alike(rows: list[Row], late: bool) -> None:  # noqa: FBT001 - drawn
    columns = sliced(rows, ordered=False)
    at_us = columns["start_us" if late else "end_us"]
    order = (columns["session"] * 9, at_us, columns["statement"].astype(np.int64))
    mine, its = pair(session_order, *order)
    assert mine.tolist() == its.tolist()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_rows_are_parted_alike(rows: list[tuple[bool, bool]]) -> None:
    assert_same(parted, *np.array(rows, dtype=bool).reshape(-1, 2).T)


@given(ROWS, FLAGS, st.booleans(), st.booleans(), st.integers(1, 3))
def test_units_are_alike(
    rows: list[Row],
    begins: list[bool],
    marked: bool,  # noqa: FBT001 - drawn
    paced: bool,  # noqa: FBT001
    times: int,
) -> None:
    """Rows are repeated: borders between transactions become usual ones."""
    columns = sliced(rows * times)
    some = ("session", "start_us", "end_us", "clock", "boundary")
    new_session, transaction, idle_us = assert_same(steps, *(columns[name] for name in some))
    bursts = new_session | (idle_us > 250_000)
    some = np.resize(np.array(begins), len(bursts))
    found = assert_same(
        units,
        columns,
        columns["statement"],
        columns["boundary"],
        transaction,
        bursts,
        some,
        marked,
        paced,
    )
    burst, trace, unit, request, whole = found
    work = Work(burst, transaction, trace, unit, request, whole, len(burst))
    if not len(burst):
        return
    until_us = int(columns["end_us"].max())
    times_us = (until_us - 1_500_000, until_us - 2_000_000)
    mine, its = pair(open_rows, columns, work, columns["boundary"], *times_us)
    assert mine.tolist() == its.tolist()
    close_over(mine, work)
    close_over.__wrapped__(its, work)  # type: ignore[attr-defined]
    assert mine.tolist() == its.tolist()


@given(ROWS)
def test_transactions_that_follow_each_other_are_joined_alike(rows: list[Row]) -> None:
    """All in transactions of two statements, again and again, in one burst."""
    inside = [(0, 1, 0, control, 0, -1, row[6], 0) for row in rows for control in (1, 0, 0, -1)]
    columns = sliced(inside * 4)
    bursts = starts_of_runs(columns["session"])
    some = ("session", "start_us", "end_us", "clock", "boundary")
    _, transaction, _ = steps(*(columns[name] for name in some))
    shapes = (columns["statement"], columns["boundary"], transaction)
    assert_same(units, columns, *shapes, bursts, np.zeros_like(bursts), False, False)  # noqa: FBT003 - as it is called
