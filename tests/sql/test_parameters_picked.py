"""One value picked from an execution's parameters is the one that reading all of them gives."""

import pytest

from analyzer.sql.keys import LITERAL_SEPARATOR
from analyzer.sql.parameters import pick, values_in

TEXTS = [
    LITERAL_SEPARATOR.join(["'a'", "20", "", "x"]),
    "20",
    "",
    "$1 = '5', $2 = NULL, $3 = 'it''s'",
    '["a", 7]',
    "[not json",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("parameter", [-6, -4, -3, -2, -1, 1, 2, 3, 4])
def test_it_is_the_same_value(text: str, parameter: int) -> None:
    assert pick(text, parameter) == values_in(text).at(parameter)
