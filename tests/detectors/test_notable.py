"""Transactions that are worth a look: native code and Python tell the same, and none of those that matter is left out."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors import _notable
from analyzer.detectors._notable import DEFINES, LOCKS, PLAIN, ROLLS_BACK
from tests.twins import assert_equal

EFFECTS = np.array([PLAIN, LOCKS, DEFINES, ROLLS_BACK], dtype=np.int64)  # statement 1 locks …
# session, whether an aside, boundary, statement, the rest before it, the time that it takes
ROW = st.tuples(
    st.integers(0, 3), st.booleans(), st.sampled_from([-1, 0, 0, 1]), st.integers(0, 3),
    st.sampled_from([-5, 0, 1, 60]), st.integers(0, 20),
)  # fmt: skip
LEAST = 2, 30, 50
Drawn = tuple[int, bool, int, int, int, int]


class Columns(SimpleNamespace):
    def __len__(self) -> int:
        return len(self.session)


def slice_of(drawn: list[Drawn]) -> Columns:
    """A slice of the columns that are looked at."""
    rows, time = [], 0
    for session, aside, boundary, statement, rest, took in sorted(drawn, key=lambda one: one[0]):
        start, time = time + rest, time + rest + took
        rows.append((session, aside, boundary if aside else 0, statement, start, time))
    kinds = []
    for kind in (False, True):
        mine = [one for one in rows if one[1] == kind]
        kinds.append(
            Columns(
                session=np.array([one[0] for one in mine], dtype=np.int32),
                boundary=np.array([one[2] for one in mine], dtype=np.int8),
                statement=np.array([one[3] for one in mine], dtype=np.int64),
                start_us=np.array([one[4] for one in mine], dtype=np.int64),
                end_us=np.array([one[5] for one in mine], dtype=np.int64),
            )
        )
    work, asides = kinds
    places = [sum(not one[1] for one in rows[:at]) for at, one in enumerate(rows) if one[1]]
    asides.place = np.array(places, dtype=np.int64)
    work.asides = asides
    return work


@given(st.lists(ROW, max_size=40), st.sets(st.integers(0, 3), max_size=2))
def test_native_and_python_tell_the_same(drawn: list[Drawn], going_on: set[int]) -> None:
    native = importlib.import_module("analyzer.detectors.native._notable")
    python = getattr(_notable.notable, "__wrapped__", _notable.notable)
    arguments = slice_of(drawn), EFFECTS, np.array(sorted(going_on), dtype=np.int64), LEAST
    assert_equal(native.notable(*arguments), python(*arguments))


BEGIN, COMMIT = (0, True, 1, 0, 0, 1), (0, True, -1, 0, 0, 1)
LOCK, READ, SLOW, LATE = (
    (0, False, 0, 1, 0, 1), (0, False, 0, 0, 0, 1), (0, False, 0, 0, 0, 40), (0, False, 0, 0, 60, 1),
)  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ([LOCK, READ], False),
        ([LOCK, SLOW, READ], True),  # long behind its lock
        ([SLOW, READ, LOCK], False),  # before it
        ([LOCK, LATE], True),  # it rests
        ([READ, READ, LATE], False),  # without a lock
    ],
)
def test_which_are_worth_a_look(inside: list[Drawn], *, told: bool) -> None:
    work = slice_of([BEGIN, *inside, COMMIT])
    starts, sizes, others = _notable.notable(
        work,  # type: ignore[arg-type] - the columns it looks at
        EFFECTS,
        np.zeros(0, dtype=np.int64),
        LEAST,
    )
    assert starts.tolist() == ([0] if told else [])
    assert sizes.tolist() == ([len(inside) + 2] if told else [])
    assert others.tolist() == ([] if told else [1 if LOCK in inside else -1])
