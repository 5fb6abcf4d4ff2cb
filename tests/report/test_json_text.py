"""JSON text is byte for byte what the standard library writes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.report.json_text import indented

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_same_bytes_as_json(value: object) -> None:
    assert indented(value) == json.dumps(value, ensure_ascii=False, indent=1)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_json_has_not_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        indented({"a": [value]})
    with pytest.raises(TypeError, match="object is not JSON"):
        indented([object()])
