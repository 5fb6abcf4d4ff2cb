"""The native scanner's safe key beside the Python one, which is the reference.

The native one may decline a text (None, or the text itself as its key), but what it says has to be so.
"""

import json
from pathlib import Path

import statements_strategy as sql
from hypothesis import given, settings
from hypothesis import strategies as st
from logs_strategy import EXAMPLES

from analyzer.sources.logs.native import _scan
from analyzer.sql.keys import safe_key

CASES = Path(__file__).parent.parent / "data" / "keys" / "cases.jsonl"
_seen: dict[bytes, tuple[str, str]] = {}  # by native key: the Python key, and the text


def assert_agrees(text: str) -> bool:
    """The native answer is the Python one or none: False where it is none."""
    found = _scan.safe_key(text.encode("utf-8", "surrogatepass"))
    if found is None:
        return False
    key, literals, comments = (
        None if part is None else part.decode("utf-8", "surrogatepass") for part in found
    )
    assert key is not None
    expected, expected_literals, expected_comments = safe_key(text)
    if (key, literals, comments) != (text, None, None):
        assert (literals, comments) == (expected_literals, expected_comments), text
    known, first = _seen.setdefault(found[0], (expected, text))
    assert known == expected, (first, text)
    return key != text


def assert_same_key(known: str, text: str) -> bool:
    """A text of a known one's shape has its key, and the parts that are told: False where it is of none."""
    found = _scan.same_shape(
        known.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass")
    )
    if found is None:
        return False
    literals, comments = (
        None if part is None else part.decode("utf-8", "surrogatepass") for part in found
    )
    key, *_ = _scan.safe_key(known.encode("utf-8", "surrogatepass")) or (None,)
    native = _scan.safe_key(text.encode("utf-8", "surrogatepass"))
    assert native is not None, (known, text)
    assert (native[0], *native[1:]) == (key, *found), (known, text)
    assert (literals, comments) == safe_key(text)[1:], (known, text)
    assert safe_key(known)[0] == safe_key(text)[0], (known, text)
    return True


def test_the_cases_of_the_reference() -> None:
    cases = [json.loads(line)["text"] for line in CASES.read_text(encoding="utf-8").splitlines()]
    answered = sum(map(assert_agrees, cases))
    assert answered > len(cases) // 4


def test_rows_of_values_that_something_stands_between() -> None:
    """A sign between two rows is no part of either, and does not go when rows collapse."""
    for between in (",", ", ", " ,", " , ", "-, ", ",- ", " -,", "-,"):
        assert_agrees(f"SELECT 1 FROM (VALUES ('a'), ('b'){between}('c'), ('d')) v")


@settings(max_examples=10 * EXAMPLES, deadline=None)
@given(sql.texts())
def test_text_of_fragments(text: str) -> None:
    assert_agrees(text)


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(st.integers(0, 1 << 31), st.integers(0, 9), st.integers(0, 1 << 31))
def test_statements_of_the_grammar_and_near_misses(number: int, variant: int, chance: int) -> None:
    """Other literals of the same classes have one key with both, and little damage is seen by both."""
    statement = sql.Statement(number)
    for text in (statement.text(), statement.text(variant)):
        assert_agrees(text)
        for changed in sql.near_misses(text, chance, 3):
            assert_agrees(changed)


SHAPED = [
    ("SELECT * FROM t WHERE a = 1 AND b = 'x'", "SELECT * FROM t WHERE a = 0x1F AND b = 'it''s'"),
    (
        "SELECT * FROM t WHERE a = 1 AND b = 'x'",
        "SELECT * FROM t WHERE a = 2.5e3 AND b = 'x'\n  'y'",
    ),
    ("SELECT a /* x */ FROM t", "SELECT a /* another */ FROM t"),
    ("SELECT a FROM t", "SELECT a FROM t /* x */ -- y"),
    ("SELECT a FROM t /* x */", "SELECT a FROM t"),
    ("/* x */ SELECT E'\\'' || x'ff' || $$a$$", "/* y */ SELECT E'' || x'' || $b$ $$ $b$"),
    ("SELECT a[1], $1, b FROM t LIMIT 1", "SELECT a[1], $1, b FROM t LIMIT 20"),
]
OTHERS = [
    ("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = '1'"),  # another class
    ("SELECT a FROM t WHERE a = 1", "SELECT a FROM t WHERE a = 1 LIMIT 1"),
    ("SELECT a FROM t WHERE a = 1 LIMIT 1", "SELECT a FROM t WHERE a = 1"),
    ("SELECT a[1] FROM t", "SELECT a[2] FROM t"),  # subscripts are no literals
    ("SELECT a1 FROM t", "SELECT a2 FROM t"),
    ("SELECT $1 FROM t", "SELECT $2 FROM t"),
    ("SELECT $$a$$ FROM t", "SELECT $1a$$ FROM t"),
    ("SELECT 'a' FROM t", "SELECT 'a FROM t"),
    ("SELECT 1 FROM t", "SELECT 1 FROM t /* a /* b */ */"),
    (
        "SELECT 1 FROM t WHERE a = .5",
        "SELECT 1 FROM t WHERE a = .6",
    ),  # a dot belongs to what is before it
]


def test_shapes() -> None:
    assert all(assert_same_key(known, text) for known, text in SHAPED)
    assert not any(assert_same_key(known, text) for known, text in OTHERS)


@settings(max_examples=10 * EXAMPLES, deadline=None)
@given(sql.texts(), st.text("0123456789.'$\"-/*eE_x[]() \n,;&", max_size=3), st.data())
def test_a_text_changed_a_little_has_the_key_that_its_shape_tells(
    text: str, put: str, data: st.DataObject
) -> None:
    """Whatever replaces a piece of it: where the shape fits still, key and parts are as if it were read anew."""
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(at + 4, len(text))))
    assert_same_key(text, text[:at] + put + text[end:])


@settings(max_examples=5 * EXAMPLES, deadline=None)
@given(st.integers(0, 1 << 31), st.integers(1, 9), st.integers(0, 1 << 31))
def test_statements_of_the_grammar_by_their_shapes(number: int, variant: int, chance: int) -> None:
    statement = sql.Statement(number)
    assert_same_key(statement.text(), statement.text(variant))
    for changed in sql.near_misses(statement.text(), chance, 3):
        assert_same_key(statement.text(), changed)
        assert_same_key(changed, statement.text(variant))


def test_most_statements_with_other_literals_have_the_shape() -> None:
    """A condition on the test before: shapes are met at all."""
    pairs = [(sql.Statement(number).text(), sql.Statement(number).text(1)) for number in range(400)]
    assert sum(assert_same_key(*pair) for pair in pairs) > len(pairs) // 8
