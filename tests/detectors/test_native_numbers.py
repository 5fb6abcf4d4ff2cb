"""LIMITs and OFFSETs are read out of any parameter texts as one at a time is, natively or not."""

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.detectors._numbers import NO_NUMBER, numbers_at, read_numbers
from analyzer.model.executions import ByteTexts, JoinedTexts
from analyzer.sql.parameters import pick

SEPARATOR = "\x1f"
VALUE = st.sampled_from(
    ["'7'", "'0012'", "''", "'it''s'", "'a, $2 = b'", "NULL", "'12345678901234567'", "'123456789012345678'",
     "'9", "9'", "'5'...", "'\u0661'", "'x\x1f3'", "3", "'-4'"]
)  # fmt: skip
LITERAL = st.sampled_from(
    ["5", "'6'", "", "a", "\u0662", "''7''", "1e3", "$1 = '3'", "99999999999999999"]
)
DETAIL = st.lists(VALUE, max_size=4).map(
    lambda values: ", ".join(f"${place} = {value}" for place, value in enumerate(values, 1))
)
LITERALS = st.lists(LITERAL, max_size=4).map(SEPARATOR.join)
TEXT = st.one_of(
    DETAIL, LITERALS, st.tuples(DETAIL, LITERALS).map(SEPARATOR.join),
    st.sampled_from(['["7", 8]', "[", "$1", "$1 = ", "$2 = '4'", "$1 = '4'\n", "$1 = '4',", "$x = '4'"]),
    st.text("$123 =',\x1f[]NULL.\u00e9", max_size=20),
)  # fmt: skip
PARAMETERS = (-3, -2, -1, 1, 2, 3)


def expected(text: str, parameter: int) -> int:
    """As the figures have always read it, but for what has more digits than are read at once."""
    digits = (pick(text, parameter) or "").strip("'")
    plain = digits.isascii() and digits.isdecimal() and len(digits) < 18
    return int(digits) if plain else NO_NUMBER


@given(st.data(), st.lists(st.lists(TEXT, max_size=5), max_size=3))
def test_numbers_are_read_as_one_by_one(data: st.DataObject, tables: list[list[str]]) -> None:
    texts = [text for table in tables for text in table]
    joined = JoinedTexts([ByteTexts.of(table) for table in tables])
    wanted = np.array([*range(len(texts) - 1, -1, -1), -1, *range(len(texts))], dtype=np.int32)
    codes = st.lists(st.sampled_from(PARAMETERS), min_size=len(wanted), max_size=len(wanted))
    parameters = np.array(data.draw(codes), dtype=np.int64)
    told = [
        expected(texts[one], parameter) if one >= 0 else NO_NUMBER
        for one, parameter in zip(wanted.tolist(), parameters.tolist(), strict=True)
    ]
    assert numbers_at(joined, wanted, parameters).tolist() == told
    assert numbers_at([*texts], wanted, parameters).tolist() == told


def test_the_ordinary_forms_are_read_natively() -> None:
    texts = [
        "$1 = '5', $2 = '20'",
        "5\x1f20",
        "$1 = 'it''s', $2 = '20'\x1f7",
        "$1 = NULL, $2 = '20'",
    ]
    table = ByteTexts.of(texts)
    native = importlib.import_module("analyzer.detectors.native._numbers").read_numbers
    wanted = np.repeat(np.arange(4), 2)
    codes = np.tile([2, -1], 4)
    found = native([(table.data, table.ends)], wanted, codes)
    assert found.tolist() == [20, -2, -2, 5, 20, 7, -2, -2]


def test_numbers_beyond_the_tables_are_not_read() -> None:
    table = ByteTexts.of(["$1 = '5'"])
    native = importlib.import_module("analyzer.detectors.native._numbers").read_numbers
    wrong = np.array([-1, 1, 1 << 40])
    assert native([(table.data, table.ends)], wrong, np.ones(3, dtype=np.int64)).tolist() == [
        -2,
        -2,
        -2,
    ]
    broken, first, one = np.array([900]), np.array([0]), np.array([1])  # it ends behind the data
    assert native([(table.data, broken)], first, one).tolist() == [-2]
    with pytest.raises(TypeError):
        native([("text", broken)], first, one)
    with pytest.raises(IndexError):
        native([(table.data, table.ends)], first, one[:0])
    assert getattr(read_numbers, "__wrapped__", read_numbers)([], first, one).tolist() == [-2]
