"""Transactions are told alike whether a slice's rows and asides are merged one by one or not."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors._merged import Merged
from analyzer.model.columns import stretches

ROW = st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([-1, 0, 0, 1]))


def merged_one_by_one(rows: list[tuple[int, bool, int]], going_on: set[int]) -> list[int]:
    """Which of all rows (session, whether an aside, boundary) stand in a transaction."""
    found, inside, before, ended = [], False, None, False
    for number, (session, _, boundary) in enumerate(rows):
        if session != before:
            inside = session in going_on
        elif ended:
            inside = False
        inside = inside or boundary == 1
        if inside:
            found.append(number)
        before, ended = session, boundary == -1
    return found


@given(st.lists(ROW, max_size=30), st.sets(st.integers(0, 3)))
def test_transactions_are_those_of_all_rows(
    drawn: list[tuple[int, bool, int]], going_on: set[int]
) -> None:
    rows = [(one[0], one[1], one[2] if one[1] else 0) for one in sorted(drawn, key=lambda x: x[0])]
    team = [one for one in rows if not one[1]]
    asides = [one for one in rows if one[1]]
    places = [sum(not one[1] for one in rows[:at]) for at, one in enumerate(rows) if one[1]]

    class Work(SimpleNamespace):
        def __len__(self) -> int:
            return len(team)

    class Asides(SimpleNamespace):
        def __len__(self) -> int:
            return len(asides)

    work = Work(
        session=np.array([one[0] for one in team], dtype=np.int32),
        asides=Asides(
            place=np.array(places, dtype=np.int64),
            session=np.array([one[0] for one in asides], dtype=np.int32),
            boundary=np.array([one[2] for one in asides], dtype=np.int8),
        ),
    )
    opened = np.array(sorted(going_on), dtype=np.int64)
    found = Merged.of(work).transactions(opened)  # type: ignore[arg-type] - the columns it looks at
    assert stretches(*found).tolist() == merged_one_by_one(rows, going_on)
