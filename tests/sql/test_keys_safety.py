"""No key has two fingerprints: statements of a grammar, with other literals, and nearly right.

Fingerprints are libpg_query's, so what is held here does not rest on our own idea of SQL.
"""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import statements_strategy as sql
from pglast.parser import ParseError, fingerprint

from analyzer.sql.keys import safe_key

STATEMENTS = 2500
VARIANTS = 3
NEAR_MISSES = 4


class Keyed(NamedTuple):
    """A text that PostgreSQL's grammar takes; `drawn`: from the grammar, not a near miss."""

    text: str
    key: str
    fingerprint: str
    drawn: bool


def _fingerprint(text: str) -> str | None:
    try:
        return str(fingerprint(text))
    except ParseError:
        return None


def _texts() -> Iterator[tuple[str, bool]]:
    for number in range(STATEMENTS):
        statement = sql.Statement(number)
        for variant in range(VARIANTS):
            yield statement.text(variant), True
        for text in sql.near_misses(statement.text(), number, NEAR_MISSES):
            yield text, False


@pytest.fixture(scope="module")
def corpus() -> list[Keyed]:
    """What parses of the corpus."""
    found = []
    for text, drawn in _texts():
        expected = _fingerprint(text)
        if expected is not None:
            found.append(Keyed(text, safe_key(text)[0], expected, drawn))
    return found


def test_the_corpus_is_large(corpus: list[Keyed]) -> None:
    drawn = [keyed for keyed in corpus if keyed.drawn]
    assert len(drawn) > 0.8 * STATEMENTS * VARIANTS
    assert len(corpus) - len(drawn) > 0.2 * STATEMENTS * NEAR_MISSES
    assert len({keyed.fingerprint for keyed in drawn}) > 0.5 * STATEMENTS
    assert len({keyed.key for keyed in drawn}) < 0.6 * len(drawn)


def test_no_key_has_two_fingerprints(corpus: list[Keyed]) -> None:
    first: dict[str, Keyed] = {}
    for keyed in corpus:
        other = first.setdefault(keyed.key, keyed)
        assert other.fingerprint == keyed.fingerprint, (other.text, keyed.text)


def test_a_key_is_sql_of_the_same_shape(corpus: list[Keyed]) -> None:
    for keyed in corpus:
        # Only a string that goes on behind a comment leaves a key that is no SQL.
        if keyed.key != keyed.text and "'' ''" not in keyed.key:
            assert _fingerprint(keyed.key) == keyed.fingerprint, keyed.text


def test_other_literals_leave_the_key() -> None:
    for number in range(STATEMENTS):
        statement = sql.Statement(number)
        if statement.stripped:
            texts = [statement.text(variant) for variant in range(VARIANTS)]
            assert len({safe_key(text)[0] for text in texts}) == 1, texts


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT a -- c\r, b\nFROM t", "SELECT a -- c , b\nFROM t"),
        ("SELECT * FROM t\u00a0x", "SELECT * FROM t x"),
        ("SELECT * FROM t\u2003", "SELECT * FROM t"),
        ('SELECT "x in (0, 0, 0)" FROM t', 'SELECT "x in (0, 0)" FROM t'),
        ('SELECT "values (a), (a), (a)" FROM t', 'SELECT "values (a), (a)" FROM t'),
        ("SELECT E'a'\n'\\', x -- ', 2\nFROM t", "SELECT E'a'\n'b', x -- c\nFROM t"),
        ("SELECT CAST(a AS float/*c*/(3))", "SELECT CAST(a AS float/*c*/(30))"),
        ("SELECT CAST(a AS float(  3))", "SELECT CAST(a AS float(  30))"),
        ("SELECT a::int array[3]", "SELECT a::int array[4]"),
        ("SELECT a::myarray[3]", "SELECT a::myarray[4]"),
        ("SELECT a::int[   3]", "SELECT a::int[   4]"),
        ("SELECT a FROM t LIMIT.5", "SELECT a FROM t LIMIT0"),
        ("SELECT u&$$a$$", "SELECT U&''"),
        ("SELECT a -1", "SELECT a - 1, 1"),
        ("SELECT -'1'", "SELECT -1"),
    ],
)
def test_near_collisions(one: str, other: str) -> None:
    assert _fingerprint(one) != _fingerprint(other)
    assert safe_key(one)[0] != safe_key(other)[0]
