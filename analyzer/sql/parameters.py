"""Values that an execution was called with, from the three forms in which sources give them."""

import json
import re

from analyzer.records import record
from analyzer.sql.keys import LITERAL_SEPARATOR

_NUMBERED = ("$1 = ", "[")
_DETAIL = re.compile(r"\$(\d+) = (NULL|'[^']*+(?:''[^']*+)*'(?!')(?:\.\.\.)?)(?:, |$)")


def split_parameters(text: str) -> tuple[str, ...]:
    """The values of one execution, in order, as text.

    Reads PostgreSQL's DETAIL (`$1 = '5', $2 = NULL`; quotes inside values are doubled), literals
    joined by U+001F, and Prisma's JSON array. A text that fits none is one value.
    """
    if text.startswith("$1 = "):
        return tuple(value for _, value in _DETAIL.findall(text))
    if text.startswith("[") and text.endswith("]"):
        try:
            values = json.loads(text)
        except ValueError:  # Prisma 6 does not escape quotes: the whole text still identifies it
            return (text,)
        return tuple(
            value if isinstance(value, str) else json.dumps(value, sort_keys=True)
            for value in values
        )
    return tuple(text.split(LITERAL_SEPARATOR))


@record
class Values:
    """What an execution was called with; `numbered` are the values of `$n`, else those of literals."""

    items: tuple[str, ...] = ()
    numbered: bool = False

    def at(self, parameter: int) -> str | None:
        """The value that a parameter's code (see Predicate) speaks of, None where it is not here.

        A text that has both `$n` and literals is logged with the values of one kind.
        """
        if (parameter > 0) is not self.numbered:
            return None
        position = abs(parameter) - 1
        return self.items[position] if 0 <= position < len(self.items) else None


def values_in(text: str) -> Values:
    """The values of one execution; those of `$n` come in DETAIL or Prisma's form."""
    return Values(split_parameters(text), text.startswith(_NUMBERED))


def pick(text: str, parameter: int) -> str | None:
    """The value that a Predicate's `parameter` speaks of, None where it is not among the values.

    Positive: the n of `$n`, in DETAIL or Prisma's form. Negative: the -(k + 1)-th literal.
    """
    if parameter < 0 and not text.startswith(_NUMBERED):  # most frequent: without the other values
        items = text.split(LITERAL_SEPARATOR, -parameter)
        return items[-parameter - 1] if len(items) >= -parameter else None
    return values_in(text).at(parameter)


def bound_values(text: str, count: int) -> tuple[str | None, ...] | None:
    """The values of `$1` to `$count` as text (None: NULL), None unless all are known in full.

    Reads DETAIL and Prisma's form. A value that the log cut off, an array in Prisma's form, or
    another number of values (a list of another length) is not known.
    """
    values: list[str | None] | None = None
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
    except ValueError:
        return None
    if any(isinstance(item, list | dict) for item in items):
        return None
    return [_as_text(item) for item in items]


def _as_text(item: object) -> str | None:
    return item if item is None or isinstance(item, str) else json.dumps(item)
