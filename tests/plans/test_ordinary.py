"""The shortcut for TEXT ends where reading line by line does, and most plans of real servers take it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_texts import DRESSES, MATRIX
from test_damaged_texts import EDITS, damaged

from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.text_format import line_by_line
from analyzer.plans.text_ordinary import ordinary

PLANS = [path.read_text() for path in sorted(MATRIX.glob("pg*.txt"))]
LOGGED = "Query Text: select 'it''s',\n  1 -- (cost=1.00\n\n;\nQuery Parameters: $1 = 'x'\n"
ENDS = ["", "\n", "\n\n \n", "\n    ", "\n(7 rows)\n", "\nTime: 1.2 ms", "\n        ->"]


def long_way(text: str) -> list[Found]:
    """Without those that it takes for cut off: they are no ordinary ones."""
    try:
        return list(line_by_line(text))
    except PlanProblemError:
        return []


def assert_same(text: str) -> None:
    found = ordinary(text)
    if found is not None:
        assert long_way(text) == [found]


def test_most_plans_take_it() -> None:
    assert len(PLANS) == 168
    taken = [text for text in PLANS if ordinary(text) is not None]
    assert len(taken) > 0.9 * sum("(" in text.partition("\n")[0] for text in PLANS)


@pytest.mark.parametrize("before", ["", LOGGED, "duration: 12.5 ms  plan:\n" + LOGGED])
@pytest.mark.parametrize("end", ENDS)
def test_the_answer_is_that_of_the_long_way(before: str, end: str) -> None:
    for text in PLANS:
        assert_same(before + text.rstrip("\n") + end)


def test_what_auto_explain_logs_takes_it() -> None:
    text = next(text for text in PLANS if "Settings" not in text and ordinary(text))
    found = ordinary("duration: 12.5 ms  plan:\nQuery Text: select 1\n  from t;\n" + text)
    assert found is not None
    assert found.document["Query Text"] == "select 1\n  from t;"
    assert found.duration_ms == 12.5


@pytest.mark.parametrize("dress", DRESSES)
def test_dressed_texts_are_left_to_the_long_way(dress: str) -> None:
    for text in PLANS[::5]:
        assert_same(DRESSES[dress](text))


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLANS), EDITS)
def test_so_is_it_for_damaged_texts(text: str, edits: list[tuple[float, int, str]]) -> None:
    assert_same(damaged(text, edits[:3]))
