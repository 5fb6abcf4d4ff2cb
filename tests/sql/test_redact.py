"""No value gets through redaction."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.sql.parameters import pick, split_parameters
from analyzer.sql.redact import normalise, redact_text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 'SECRET'",
        "SELECT E'SEC\\'RET SECRET'",
        "SELECT $$SECRET$$, $t$ $$ SECRET $t$",
        "SELECT 1 -- SECRET",
        "SELECT 1 /* SECRET */",
        "SELECT U&'SECRET'",
        "SELECT /* a /* b */ SECRET */ 1",
        "SELECT 'SECRET cut off",
        "SELECT a FROM t WHERE b = N'SECRET' AND c = date'SECRET'",
        "INSERT INTO t VALUES ('SECRET'), ('SECRET')",
        "(email = 'SECRET'::text) AND (a = ANY ('{SECRET}'::text[]))",
        "SET password = 'SECRET'",
    ],
)
def test_values_are_gone(text: str) -> None:
    assert "SECRET" not in normalise(text)
    assert "SECRET" not in redact_text(text)


def test_normalised_text_numbers_parameters_after_its_own() -> None:
    assert (
        normalise(
            "SELECT  a,\n'x' FROM t WHERE b = $2 AND c IN (1, 2, 3) AND d = date'2020-01-01';"
        )
        == "SELECT a, $3 FROM t WHERE b = $2 AND c IN ($4 /*, ... */) AND d = date $7"
    )
    assert (
        normalise("INSERT INTO t VALUES (1,2),(3,4)") == "INSERT INTO t VALUES ($1,$2) /*, ... */"
    )
    assert normalise("SELECT '' ' a  b'") == normalise("SELECT  '' ' a b'")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_a_quoted_value_never_survives(value: str) -> None:
    marked = f"<<{value.replace(chr(39), chr(39) * 2)}>>"
    assert "<<" not in normalise(f"SELECT a FROM t WHERE b = '{marked}'")


def test_parameters_in_their_three_forms() -> None:
    assert split_parameters("$1 = '5', $2 = NULL, $3 = 'it''s, $9 = ''x'''") == (
        "'5'",
        "NULL",
        "'it''s, $9 = ''x'''",
    )
    assert split_parameters("'a'\x1f5") == ("'a'", "5")
    assert split_parameters('[5,"20",null,[1]]') == ("5", "20", "null", "[1]")
    assert split_parameters('[5,"bro"ken"]') == ('[5,"bro"ken"]',)
    assert pick("$1 = '5', $2 = '6'", 2) == "'6'"
    assert pick("'a'\x1f5", -2) == "5"
    assert pick("'a'", 3) is None
    # SELECT … WHERE 1 = 1 LIMIT $1, of which the log has the literals, or what was bound, alone
    assert pick("1\x1f1", 1) is None
    assert pick("[10]", -1) is None
