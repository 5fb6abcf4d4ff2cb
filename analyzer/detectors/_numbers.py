"""Whole numbers among what executions were called with: LIMITs and OFFSETs, of many executions at once."""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Rows
from analyzer.model.executions import ByteTexts, JoinedTexts, Texts
from analyzer.native import compiled, twin_in
from analyzer.sql.parameters import pick

NO_NUMBER = -1
_DIGITS = 17  # that an int64 holds whatever they are
_UNREAD = -2

_twin = twin_in(compiled("analyzer.detectors.native._numbers"))


def numbers_at(texts: Texts, wanted: Rows, parameters: Rows) -> Rows:
    """The number that each of some texts (by number, -1 none) has for a parameter's code (see Predicate), one for each.

    NO_NUMBER where there is no text, or no such value, or one that is not made of few digits (in quotes or not).
    """
    tables = texts.tables if isinstance(texts, JoinedTexts) else [texts]
    known = [table for table in tables if isinstance(table, ByteTexts)]
    wanted = wanted.astype(np.int64, copy=False)
    found = np.full(len(wanted), _UNREAD, dtype=np.int64)
    if len(known) == len(tables):
        found = read_numbers([(bytes(one.data), one.ends) for one in known], wanted, parameters)
    found[wanted < 0] = NO_NUMBER
    for place in np.flatnonzero(found == _UNREAD).tolist():
        found[place] = _number(texts[int(wanted[place])], int(parameters[place]))
    return found


def _number(text: str, parameter: int) -> int:
    digits = (pick(text, parameter) or "").strip("'")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS
    return int(digits) if plain else NO_NUMBER


@_twin
def read_numbers(tables: Sequence[tuple[bytes, Rows]], wanted: Rows, parameters: Rows) -> Rows:
    """The same of texts in tables (all of a table's, and where each ends), as far as they are easily read; else -2.

    Python reads one as well as the other, so it leaves all to `numbers_at`.
    """
    del tables, parameters
    return np.full(len(wanted), _UNREAD, dtype=np.int64)
