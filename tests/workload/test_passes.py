"""Whole columns at once give what a walk from row to row gives: transactions, traces, what hangs together."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.columns import numbered_by_sight, spread
from analyzer.workload.comment_numbers import CommentNumbers
from analyzer.workload.kept import whole_micros
from analyzer.workload.requests import Work, _carried_on, close_over
from analyzer.workload.tails import Ranked
from analyzer.workload.transactions import opened_by

ROWS = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, -1]), st.booleans(), st.integers(0, 2), st.booleans()),
    max_size=40,
)


def columns(rows: list[tuple[int, bool, int, bool]]) -> list[Any]:
    """Boundaries, beginnings (the first row is one), traces, untagged."""
    kinds = (np.int8, np.bool_, np.int64, np.bool_)
    made = [np.array([row[place] for row in rows], dtype=kind) for place, kind in enumerate(kinds)]
    made[1][:1] = True
    return made


@given(ROWS)
def test_a_transaction_is_opened_once_and_ended_in_its_session(
    rows: list[tuple[int, bool, int, bool]],
) -> None:
    boundaries, new_session, _, _ = columns(rows)
    expected, opener = [], -1
    for row, (boundary, new) in enumerate(zip(boundaries, new_session, strict=True)):
        opener = row if boundary == 1 else -1 if new else opener
        expected.append(opener)
        opener = -1 if boundary == -1 else opener
    assert opened_by(boundaries, new_session).tolist() == expected


@given(ROWS)
def test_a_trace_is_carried_on_within_its_request(rows: list[tuple[int, bool, int, bool]]) -> None:
    _, begins, traces, untagged = columns(rows)
    starts = np.flatnonzero(begins)
    expected, carried = [], 0
    for trace, begin, plain in zip(traces.tolist(), begins, untagged, strict=True):
        carried = trace or (0 if begin else carried)
        expected.append(carried if trace or plain else 0)
    assert _carried_on(traces, spread(starts, starts, len(rows)), untagged).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5), st.integers(0, 5), st.booleans())))
def test_all_that_hangs_together_is_marked(rows: list[tuple[int, int, int, bool]]) -> None:
    table = np.array([row[:3] for row in rows], dtype=np.int64).reshape(len(rows), 3)
    burst, request = numbered_by_sight(table[:, 0])[0], numbered_by_sight(table[:, 2])[0]
    transaction = table[:, 1]
    marked = np.array([row[3] for row in rows], dtype=bool)
    expected = marked.copy()
    for _ in rows:
        for numbers in (burst, transaction, request):
            some = {number for number in numbers[expected].tolist() if number >= 0}
            expected |= np.isin(numbers, list(some))
    nothing = np.zeros(len(rows), dtype=np.int64)
    # A row outside transactions stands for itself: no row of another transaction has its number.
    numbers, firsts = numbered_by_sight(transaction)
    opened = np.where(transaction >= 0, firsts[numbers], -1)
    close_over(marked, Work(burst, opened, nothing, nothing, request, nothing > 0, len(rows)))
    assert marked.tolist() == expected.tolist()


def test_values_are_spread_up_to_the_next() -> None:
    assert spread(np.array([7, 8, 9]), np.array([0, 1, 3]), 5).tolist() == [7, 8, 8, 9, 9]
    nothing = np.zeros(0, dtype=np.int64)
    assert spread(nothing, nothing, 0).tolist() == []


def test_durations_in_whole_microseconds() -> None:
    values = np.array([0.0, 0.001, 1234.567, 0.0005, 86_400_000.001])
    assert whole_micros(values).tolist() == [0, 1, 1_234_567, -1, 86_400_000_001]


def test_comments_are_read_once_however_many_come() -> None:
    texts = [str(number) for number in range(1_000)]
    read: list[str] = []

    def tells(comment: str) -> int:
        read.append(comment)
        return int(comment) * 7

    numbers = CommentNumbers(texts, tells)
    assert numbers.of(np.array([-1, -1])).tolist() == [-1, -1]
    for least in range(0, 1_000, 30):
        comments = np.arange(max(least - 5, 0), min(least + 30, 1_000), dtype="i4")
        numbers.learn(comments.astype(np.int64))
        found = numbers.of(np.append(comments, np.array([-1], dtype="i4")))
        assert found.tolist() == [*(comments * 7).tolist(), -1]
    assert read == texts


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9), max_size=5), st.integers(0, 40))
def test_a_place_is_found_among_those_around_it(
    durations: list[int], bounds: list[int], place: int
) -> None:
    values, more = np.sort(np.array(durations, dtype=float)), np.array(bounds, dtype=float)
    every = Ranked(values, values, values)
    part, beyond = every.around(place, len(more))
    found = part.with_bounds(more).from_top(place - beyond)
    assert found == every.with_bounds(more).from_top(place)
    assert len(part.middle_ms) <= len(more) + 1 or not beyond
