"""Values that an execution was called with, from the three forms in which sources give them."""

import json
import re
from collections.abc import Sequence

from analyzer.sql.keys import LITERAL_SEPARATOR

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


def pick(text: str, parameter: int) -> str | None:
    """The value that a Predicate's `parameter` speaks of, None where it is not among the values.

    Positive: the n of `$n`, in DETAIL or Prisma's form. Negative: the -(k + 1)-th literal.
    """
    return values_at(text, (parameter,))[0]


def values_at(text: str, parameters: Sequence[int]) -> tuple[str | None, ...]:
    """What `pick` gives, for several parameters.

    A statement may have both `$n` and literals, of which a log tells the values of one kind.
    """
    values = split_parameters(text)
    bound = text.startswith(("$1 = ", "["))
    return tuple(
        # a list: it is made quicker than a generator is asked
        [pick_from(values, number) if (number > 0) == bound else None for number in parameters]
    )


def pick_from(values: Sequence[str], parameter: int) -> str | None:
    """The value that a Predicate's `parameter` speaks of, among values that were split already."""
    position = parameter - 1 if parameter > 0 else -parameter - 1
    return values[position] if 0 <= position < len(values) else None
