"""One value picked from an execution's parameters is the one that reading all of them gives."""

import json

import pytest

from analyzer.sql.keys import LITERAL_SEPARATOR
from analyzer.sql.parameters import bound_values, pick, values_in

TEXTS = [
    LITERAL_SEPARATOR.join(["'a'", "20", "", "x"]),
    "20",
    "",
    "$1 = '5', $2 = NULL, $3 = 'it''s'",
    '["a", 7]',
    f"$1 = '5', $2 = NULL{LITERAL_SEPARATOR}'a'{LITERAL_SEPARATOR}20",
    f'["a", 7]{LITERAL_SEPARATOR}20',
    "[not json",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("parameter", [-6, -4, -3, -2, -1, 1, 2, 3, 4])
def test_it_is_the_same_value(text: str, parameter: int) -> None:
    assert pick(text, parameter) == values_in(text).at(parameter)


BOUND = ("$1 = '5', $2 = 'it''s, $3 = ''x'''", json.dumps(["5", "it's, $3 = 'x'"]))


@pytest.mark.parametrize("bound", BOUND)
def test_literals_stand_behind_what_was_bound(bound: str) -> None:
    both = LITERAL_SEPARATOR.join([bound, "'a'", "20"])
    values = values_in(both)
    assert values.items[:2] == values_in(bound).items
    assert [values.at(code) for code in (-1, -2, -3, 3)] == ["'a'", "20", None, None]
    assert bound_values(both, 2) == ("5", "it's, $3 = 'x'")


def test_a_value_may_hold_what_separates_literals() -> None:
    held = f"$1 = 'a{LITERAL_SEPARATOR}b', $2 = '2'"
    assert values_in(held).bound == 2
    items = values_in(f"{held}{LITERAL_SEPARATOR}7").items
    assert items == (f"'a{LITERAL_SEPARATOR}b'", "'2'", "7")
