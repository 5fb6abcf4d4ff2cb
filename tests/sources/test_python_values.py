"""Values as Python writes them, taken apart again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sources.applications.python_values import end_of_value, items, numbered, parameters

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=5), behind=st.text(max_size=10))
def test_values_that_python_writes_are_taken_apart(values: list[object], behind: str) -> None:
    for written in (repr(values), repr(tuple(values))):
        assert end_of_value(written + behind) == len(written)
        found = items(written)
        assert isinstance(found, list)
        assert len(found) == len(values)
        for text, value in zip(found, values, strict=True):
            assert text == (value if isinstance(value, str) else plain(value))
    named = {f"p_{n}": value for n, value in enumerate(values)}
    assert list(items(repr(named)) or ()) == list(named)


def plain(value: object) -> str:
    """As `items` gives what is no string: as it is written; of bytes what is between the quotes."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return repr(value)


def test_placeholders_become_numbers() -> None:
    assert numbered("a = %s AND b LIKE '5%%' AND c = %s") == (
        "a = $1 AND b LIKE '5%' AND c = $2",
        ["", ""],
    )
    assert numbered("a = %(x)s OR b = %(x)s OR c = %(y)s::INTEGER") == (
        "a = $1 OR b = $1 OR c = $2::INTEGER",
        ["x", "y"],
    )


def test_parameters_stand_in_the_order_of_their_numbers() -> None:
    assert parameters("{'y': 2, 'x': 'one', 'z': 3}", ["x", "y"]) == '["one", "2"]'
    assert parameters("(1, None, datetime.date(2026, 1, 2))", ["", "", ""]) == (
        '["1", "None", "datetime.date(2026, 1, 2)"]'
    )
    several = "[{'x': 1}, {'x': 2}]"
    assert parameters(several, ["x"]) == several
    assert parameters("{}", []) is None


def test_what_is_not_whole_has_no_end() -> None:
    assert end_of_value("('a', [1, 2)") != len("('a', [1, 2)") or items("('a', [1, 2)") is None
    assert end_of_value("('a") == end_of_value("{'x': 1") == -1
    assert items("(1, 2) and more") is None
    assert items("{1, 2}") is None
