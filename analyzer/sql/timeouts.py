"""What a statement does to its session's statement_timeout."""

import re
from typing import Literal

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sql import tree

Kind = Literal["set", "local", "default", "back", "unclear"]

_NAME = "statement_timeout"
_HINTS = regex(
    r"statement_timeout|set_config|\bRESET\s+ALL\b|\bDISCARD\s+ALL\b|\bROLLBACK\b.{0,40}\bTO\b",
    re.IGNORECASE | re.DOTALL,
)
_AMOUNT = regex(r"\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(us|ms|s|min|h|d)?\s*", re.ASCII)
_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7}


@record
class TimeoutChange:
    """`set` for the session, `local` to the transaction, `default`: what the session began with.

    `ms` is the new value (0: none). `back`: to what it was at a savepoint. `unclear`: it may be anything
    from here on.
    """

    kind: Kind
    ms: float = 0.0


UNCLEAR = TimeoutChange("unclear")


def timeout_change(text: str) -> TimeoutChange | None:
    """What a statement's text makes of statement_timeout; None if it has nothing to do with it.

    A text of several statements, a call of set_config, and a block of code that
    names the setting are unclear. What a function does inside is not seen.
    """
    if not _HINTS.search(text):
        return None
    try:
        nodes = tree.parse(text)
    except (tree.ParseError, RecursionError):
        return UNCLEAR
    return _of_node(nodes[0]) if len(nodes) == 1 else UNCLEAR


def _of_node(node: tree.Node) -> TimeoutChange | None:
    kind, fields = tree.kind_of(node)
    if kind == "DiscardStmt":
        return TimeoutChange("default")
    if kind == "TransactionStmt":
        back = fields.get("kind") == "TRANS_STMT_ROLLBACK_TO"
        return TimeoutChange("back") if back else None
    return _of_set(fields) if kind == "VariableSetStmt" else UNCLEAR


def _of_set(fields: tree.Node) -> TimeoutChange | None:
    if fields["kind"] == "VAR_RESET_ALL":
        return TimeoutChange("default")
    if fields.get("name") != _NAME:
        return None
    local = bool(fields.get("is_local"))
    if fields["kind"] in ("VAR_RESET", "VAR_SET_DEFAULT"):
        return UNCLEAR if local else TimeoutChange("default")
    ms = _value(fields.get("args") or [])
    return UNCLEAR if ms is None else TimeoutChange("local" if local else "set", ms)


def _value(arguments: list[tree.Node]) -> float | None:
    if len(arguments) != 1:
        return None
    constant = arguments[0].get("A_Const", {})
    if "ival" in constant:
        return float(constant["ival"].get("ival", 0))
    for kind, field in (("sval", "sval"), ("fval", "fval")):
        if kind in constant:
            return timeout_ms(str(constant[kind].get(field, "")))
    return None


def timeout_ms(text: str) -> float | None:
    """A setting's text as milliseconds ("5s", "250", "1min"); None if it is none."""
    found = _AMOUNT.fullmatch(text)
    return None if found is None else float(found[1]) * _UNITS_MS[found[2] or "ms"]
