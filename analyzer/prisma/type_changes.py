"""What a change of a column's type costs: nothing, a rewrite of the table, or a failure.

PostgreSQL rewrites a table unless the old values are valid as they are: see ALTER TABLE's notes, and
`ATColumnChangeRequiresRewrite` in src/backend/commands/tablecmds.c.
"""

import re
from dataclasses import dataclass

_SIZED = re.compile(
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


@dataclass(frozen=True, slots=True)
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
