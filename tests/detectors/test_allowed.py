"""What a column of the rows of an execution can hold, by the values that it was called with."""

import pytest

from analyzer.detectors._allowed import Allowed, Drawn, allowed, held
from analyzer.sql.identity import identify
from analyzer.sql.keys import LITERAL_SEPARATOR
from analyzer.sql.parameters import values_in

UUID = "0b0e7f5c-6a1d-4c55-9d5b-2f6f0f6a7c11"


def can(text: str, values: str, table: str = "a", column: str = "id") -> Allowed | None:
    how = held(identify(text).facts, table, column)
    return allowed(how, values_in(values)) if how else None


def literals(*values: str) -> str:
    return LITERAL_SEPARATOR.join(values)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        # The first text of a key has two items, this execution has three.
        ("SELECT * FROM a WHERE b = 9 AND id IN (1, 2) LIMIT 7", literals("9", "3", "5", "8", "7")),
        ("SELECT * FROM a WHERE id IN ($1, $2) AND b = $3", "$1 = '3', $2 = '5', $3 = '8', $4 = '9'"),
        ("SELECT * FROM a WHERE id = ANY($1)", "$1 = '{3,5,8}'"),
        ("SELECT * FROM a WHERE id = ANY($1)", "[[3, 5, 8]]"),
        ("SELECT * FROM a WHERE id = ANY('{1,2}')", literals("'{3,5,8}'")),
        ("SELECT * FROM b JOIN a ON a.id = b.a_id WHERE b.a_id IN (1, 2)", literals("3", "5", "8")),
    ],
)  # fmt: skip
def test_a_list(text: str, values: str) -> None:
    found = can(text, values)
    assert found == Allowed(frozenset({"3", "5", "8"}), listed=True, low=None, high=None)
    assert [found.drawn(one) for one in ("5", "7", "x", None)] == [
        Drawn.INSIDE,
        Drawn.OUTSIDE,
        Drawn.UNKNOWN,  # compared as another type: nothing is known
        Drawn.UNKNOWN,
    ]


def test_a_single_value_and_bounds() -> None:
    single = can("SELECT * FROM a WHERE id = $1", "$1 = 'x'")
    assert single is not None
    assert (single.drawn("x"), single.drawn("y"), single.listed) == (
        Drawn.INSIDE,
        Drawn.OUTSIDE,
        False,
    )
    page = can("SELECT * FROM a WHERE id > 100 AND id <= 200", literals("100", "200"))
    assert page is not None
    assert [page.drawn(one) for one in ("99", "150", "201")] == [
        Drawn.OUTSIDE,
        Drawn.UNKNOWN,  # many statements' values are within bounds
        Drawn.OUTSIDE,
    ]


def test_uuids_are_alike_in_either_case() -> None:
    found = can("SELECT * FROM a WHERE id = ANY($1)", f"$1 = '{{{UUID.upper()},{UUID}}}'")
    assert found is not None
    assert found.values == {UUID}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SELECT * FROM a WHERE id = ANY($1)", "$1 = '{3,5,8'..."),  # cut off by the log
        ("SELECT * FROM a WHERE id IN ($1, $2)", "$1 = '3', $2 = 'abc'..."),
        ("SELECT * FROM a WHERE id = $1", "$1 = NULL"),
        ("SELECT * FROM a WHERE b IN (1, 2)", literals("1", "2")),
        ("SELECT * FROM a JOIN a AS o ON o.id = a.o_id WHERE o.id IN (1, 2)", literals("1", "2")),
    ],
)
def test_what_tells_nothing(text: str, values: str) -> None:
    assert can(text, values) is None


@pytest.mark.parametrize(
    "values",
    [
        "$1 = '" + "[" * 50_000 + "]'",
        "[" * 50_000 + "]" * 50_000,  # as Prisma logs parameters
        "$1 = '{" + '\\"' * 50_000 + "}'",  # quotes that are never closed
        "$1 = '{\"" + "\\" * 50_001 + "}'",
    ],
)
def test_hostile_values_are_read_in_bounded_time_and_depth(values: str) -> None:
    found = can("SELECT * FROM a WHERE id = ANY($1)", values)
    assert found is None or found.drawn("7") is not Drawn.INSIDE


def test_quotes_within_elements() -> None:
    found = can("SELECT * FROM a WHERE id = ANY($1)", r"""$1 = '{"a\"b","c,d",e}'""")
    assert found is not None
    assert found.values == {'a"b', "c,d", "e"}
