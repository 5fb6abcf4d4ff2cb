"""JSON text says what the value says, whatever it holds, and has no power over a terminal."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.json_text import json_text

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300)
@given(value=VALUES, on_one_line=st.booleans())
def test_it_reads_as_the_same_value(value: object, *, on_one_line: bool) -> None:
    text = json_text(value, on_one_line=on_one_line)
    assert json.loads(text) == value
    assert ("\n" in text) <= (not on_one_line)


@pytest.mark.parametrize("odd", [0, "\udce9", 1 << 70], ids=["plain", "surrogate", "large"])
def test_what_goes_another_way_looks_the_same(odd: Any) -> None:  # noqa: ANN401 - JSON values
    value = {"a": [1.5, {"b": []}], "c": {}, "d": odd}
    assert json_text(value) == json.dumps(value, ensure_ascii=False, indent=2)


def test_values_may_lie_hundreds_deep_in_each_other() -> None:
    value: list[Any] = []
    for _ in range(400):
        value = [value]
    assert json.loads(json_text(value)) == value


def test_what_has_power_over_a_terminal_is_escaped() -> None:
    text = json_text(["\x1b[2J", "\x9b2J", "\u202e"])
    assert text.isascii()
    assert json.loads(text) == ["\x1b[2J", "\x9b2J", "\u202e"]


def test_what_json_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json_text([object()])
