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
