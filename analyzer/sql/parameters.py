"""Values that an execution was called with, from the three forms in which sources give them.

A text that has literals beside `$n` gives both: what was bound, U+001F, the literals.
"""

import json

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql.keys import LITERAL_SEPARATOR

_NUMBERED = ("$1 = ", "[")
_VALUE = r"(NULL|'[^']*+(?:''[^']*+)*'(?!')(?:\.\.\.)?)"
_DETAIL = regex(rf"\$(\d+) = {_VALUE}(?:, |$)")
# Up to where the literals begin, if any.
_DETAIL_PART = regex(rf"(?:\$\d+ = {_VALUE}(?:, |$|(?=\x1f)))*+")


def split_parameters(text: str) -> tuple[str, ...]:
    """The values of one execution as text: those of `$n` in their order, then literals in theirs.

    Reads PostgreSQL's DETAIL (`$1 = '5', $2 = NULL`; quotes inside values are doubled), literals
    joined by U+001F, and Prisma's JSON array. A text that fits none is one value.
    """
    return values_in(text).items


@record
class Values:
    """What an execution was called with; the first `bound` of the items are the values of `$n`."""

    items: tuple[str, ...] = ()
    bound: int = 0

    def at(self, parameter: int) -> str | None:
        """The value that a parameter's code (see Predicate) speaks of, None where it is not here."""
        if parameter > 0:
            return self.items[parameter - 1] if parameter <= self.bound else None
        place = self.bound - parameter - 1
        return self.items[place] if self.bound <= place < len(self.items) else None


def values_in(text: str) -> Values:
    """The values of one execution; those of `$n` come in DETAIL or Prisma's form."""
    if not text.startswith(_NUMBERED):
        return Values(tuple(text.split(LITERAL_SEPARATOR)))
    bound, literals = parted(text)
    values = _bound(bound)
    if literals is None:
        return Values(values, len(values))
    return Values((*values, *literals.split(LITERAL_SEPARATOR)), len(values))


def parted(text: str) -> tuple[str, str | None]:
    """What was bound, in its form, and the literals (joined by U+001F), None where there are none."""
    if LITERAL_SEPARATOR not in text:
        return text, None
    if text.startswith("$1 = "):  # a value may hold the separator itself
        part = _DETAIL_PART.match(text)
        end = part.end() if part else 0
        return (
            (text[:end], text[end + 1 :])
            if text[end : end + 1] == LITERAL_SEPARATOR
            else (text, None)
        )
    bound, _, literals = text.partition(LITERAL_SEPARATOR)  # JSON has control characters escaped
    return bound, literals


def _bound(text: str) -> tuple[str, ...]:
    if text.startswith("$1 = "):
        return tuple([value for _, value in _DETAIL.findall(text)])
    if text.endswith("]"):
        try:
            values = json.loads(text)
        except (
            ValueError,
            RecursionError,
        ):  # Prisma 6 does not escape quotes: the whole text still identifies it
            return (text,)
        return tuple(
            [
                value if isinstance(value, str) else json.dumps(value, sort_keys=True)
                for value in values
            ]
        )
    return (text,)


def pick(text: str, parameter: int) -> str | None:
    """The value that a Predicate's `parameter` speaks of, None where it is not among the values.

    Positive: the n of `$n`, in DETAIL or Prisma's form. Negative: the -(k + 1)-th literal.
    """
    if parameter < 0 and not text.startswith(_NUMBERED):  # most frequent: without the other values
        items = text.split(LITERAL_SEPARATOR, -parameter)
        return items[-parameter - 1] if len(items) >= -parameter else None
    if parameter > 0 and text.startswith("$1 = ") and LITERAL_SEPARATOR not in text:
        values = _DETAIL.findall(text)
        return str(values[parameter - 1][1]) if len(values) >= parameter else None
    return values_in(text).at(parameter)


def bound_values(text: str, count: int) -> tuple[str | None, ...] | None:
    """The values of `$1` to `$count` as text (None: NULL), None unless all are known in full.

    Reads DETAIL and Prisma's form. A value that the log cut off, an array in Prisma's form, or
    another number of values (a list of another length) is not known.
    """
    values: list[str | None] | None = None
    text, _ = parted(text)
    if text.startswith("$1 = "):
        values = _values_of_detail(text)
    elif text.startswith("["):
        values = _values_of_array(text)
    return tuple(values) if values is not None and len(values) == count else None


def _values_of_detail(text: str) -> list[str | None] | None:
    found = _DETAIL.findall(text)
    read = ", ".join(f"${number} = {value}" for number, value in found)
    if read != text or any(value.endswith("...") for _, value in found):
        return None
    return [None if value == "NULL" else value[1:-1].replace("''", "'") for _, value in found]


def _values_of_array(text: str) -> list[str | None] | None:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if any(isinstance(item, list | dict) for item in items):
        return None
    return [_as_text(item) for item in items]


def _as_text(item: object) -> str | None:
    return item if item is None or isinstance(item, str) else json.dumps(item)
