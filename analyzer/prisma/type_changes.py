"""What a change of a column's type costs: nothing, a rewrite of the table, or a failure.

PostgreSQL rewrites a table unless the old values are valid as they are: see ALTER TABLE's notes, and
`ATColumnChangeRequiresRewrite` in src/backend/commands/tablecmds.c.
"""

import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal, InvalidOperation

from analyzer.patterns import regex
from analyzer.records import record

_SIZED = regex(
    r"(character varying|bit varying|numeric|timestamp|time|character)\((\d+)(?:,(\d+))?\)(.*)"
)
_TEXTS = ("text", "character varying")
_WIDER = {
    ("smallint", "integer"),
    ("smallint", "bigint"),
    ("integer", "bigint"),
    ("real", "double precision"),
    ("integer", "numeric"),
    ("bigint", "numeric"),
    ("integer", "double precision"),
}
_REWRITES = "every row is written again, and all indexes, while nobody can read or write the table"
_FAILS = "it fails where a value does not fit, and where it works it rewrites the table under an exclusive lock"


@record
class TypeChange:
    """What to say of a change: whether a value may refuse it, and why it hurts."""

    may_fail: bool
    why: str


def type_change(old: str | None, new: str) -> TypeChange | None:
    """What a change from one type to another costs; None where it costs nothing.

    Args:
        old: the type as format_type prints it, None where it is not known.
        new: the type that it becomes.
    """
    if old is None:
        return TypeChange(may_fail=False, why=f"most changes of a type mean that {_REWRITES}")
    if old == new or _only_wider(old, new):
        return None
    if (old, new.partition("(")[0]) in _WIDER or new == "text":
        return TypeChange(may_fail=False, why=_REWRITES)
    return TypeChange(may_fail=True, why=_FAILS)


def _only_wider(old: str, new: str) -> bool:
    """Whether the new type holds the same bytes: a longer or unlimited text, a finer number."""
    before, after = _SIZED.fullmatch(old), _SIZED.fullmatch(new)
    base = before[1] if before else old
    if base in _TEXTS and new in _TEXTS:
        return True
    if before and after and (before[1], before[4]) == (after[1], after[4]):
        # A numeric keeps its bytes as long as its scale stays.
        same_scale = before[1] != "numeric" or (before[3] or "0") == (after[3] or "0")
        return before[1] != "character" and same_scale and int(after[2]) >= int(before[2])
    return bool(before) and new == base and base in ("numeric", "bit varying")


def unfit(values: Sequence[str], new: str, labels: Collection[str] = ()) -> int | None:
    """How many of some values (as text) the new type refuses; None where that is not known of the type.

    `labels` are those of the new type, if it is an enum.
    """
    if labels:
        return sum(value not in labels for value in values)
    fits = _fitting(new)
    return None if fits is None else sum(not fits(value) for value in values)


_RANGES = {"smallint": 15, "integer": 31, "bigint": 63}
_WRITTEN = {
    "uuid": regex(r"\{?[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE),
    "boolean": regex(r"t|f|true|false|y|n|yes|no|on|off|1|0", re.IGNORECASE),
}


def _fitting(new: str) -> Callable[[str], bool] | None:
    """Whether a value fits a type, as far as that is plain."""
    sized = _SIZED.fullmatch(new)
    if new in _RANGES:
        bits = _RANGES[new]
        return lambda value: (
            (number := _number(value)) is not None and -(2**bits) <= round(number) < 2**bits
        )
    if new in ("numeric", "double precision", "real"):
        return lambda value: _number(value) is not None
    if sized and sized[1] == "numeric":
        most = 10 ** (int(sized[2]) - int(sized[3] or 0))
        return lambda value: (number := _number(value)) is not None and abs(number) < most
    if sized and sized[1] in ("character varying", "character"):
        length = int(sized[2])
        return lambda value: len(value.rstrip(" ")) <= length
    pattern = _WRITTEN.get(new)
    if pattern is not None:
        return lambda value: pattern.fullmatch(value.strip()) is not None
    return None


def _number(value: str) -> Decimal | None:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
