"""The native twins of the passes over transactions give what the Python gives."""

import importlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors import _turns
from tests.twins import assert_equal

native = importlib.import_module("analyzer.detectors.native._turns")
# transaction (-1 none), trace (0 none), session, statement
ROW = st.tuples(
    st.integers(-1, 2), st.sampled_from([0, 0, 0, 7]), st.integers(0, 2), st.integers(0, 4)
)
TURN = st.tuples(st.integers(0, 12), st.sampled_from([1, 1, 1, 1 << 63]))  # a text and a form


@given(st.lists(ROW, max_size=40))
def test_transactions_are_told_apart_alike(drawn: list[tuple[int, int, int, int]]) -> None:
    columns = np.array(drawn, dtype=np.int64).reshape(-1, 4).T
    transaction, trace, session, statement = map(np.ascontiguousarray, columns)
    arguments = transaction, trace, session.astype(np.int32), statement
    python = getattr(_turns.told_apart, "__wrapped__", _turns.told_apart)
    assert_equal(native.told_apart(*arguments), python(*arguments))


@given(st.lists(st.lists(TURN, min_size=1, max_size=12), max_size=6))
def test_runs_are_told_alike(drawn: list[list[tuple[int, int]]]) -> None:
    turns = [turn for run in drawn for turn in run]
    ends = np.cumsum([len(run) for run in drawn], dtype=np.int64)
    starts = ends - np.array([len(run) for run in drawn], dtype=np.int64)
    texts = np.array([text for text, _ in turns], dtype=np.uint32)
    forms = np.array([form for _, form in turns], dtype=np.uint64)
    arguments = texts, forms, starts, ends, (0.6, 0.8)
    python = getattr(_turns.same_for_others, "__wrapped__", _turns.same_for_others)
    assert_equal(native.same_for_others(*arguments), python(*arguments))
