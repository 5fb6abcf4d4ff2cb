"""PostgreSQL's syntax tree as plain dictionaries, and small helpers to walk it.

libpg_query's JSON is used rather than pglast's node classes: it is parsed in C, and every walk
here is generic over node types.
"""

import json
from collections.abc import Collection, Iterator
from typing import Any

from pglast import parser

Node = dict[str, Any]


class ParseError(ValueError):
    """PostgreSQL's grammar refuses the text."""


def parse(text: str) -> list[Node]:
    """The statements of a text, each as {"NodeType": {...}}.

    Raises ParseError for what is no SQL, and for nesting too deep to walk.
    """
    try:
        tree = json.loads(parser.parse_sql_json(text))
    except (parser.ParseError, RecursionError, UnicodeError) as error:
        raise ParseError(str(error)) from error
    return [entry["stmt"] for entry in tree.get("stmts", []) if entry.get("stmt")]


def fingerprint(text: str) -> str | None:
    """libpg_query's fingerprint (16 hex digits), None for what its grammar refuses."""
    try:
        return str(parser.fingerprint(text))
    except (parser.ParseError, UnicodeError):
        return None


def kind_of(node: Node) -> tuple[str, Node]:
    """The type and the fields of a {"NodeType": {...}} dictionary."""
    return next(iter(node.items()))


def walk(node: object) -> Iterator[tuple[str, Node]]:
    """Every (type, fields) below and including `node`, in the order of the text's grammar."""
    stack: list[object] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, list):
            stack.extend(reversed(current))
        elif isinstance(current, dict):
            below: list[object] = []
            for name, value in current.items():
                if isinstance(value, dict):
                    if name[:1].isupper():
                        yield name, value
                    below.append(value)
                elif isinstance(value, list):
                    below.append(value)
            below.reverse()
            stack += below


# Types with nothing below them but names and values.
_LEAVES = frozenset({"A_Const", "A_Star", "ColumnRef", "ParamRef", "String"})


def collect(node: Node, kinds: Collection[str]) -> list[tuple[str, Node]]:
    """What `walk` gives of some types, found much faster. `kinds` names none of _LEAVES.

    Each distinct statement of a log is walked, so this loop is one of the fixed costs of a run.
    """
    found = []
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if type(current) is not dict:
            if type(current) is list:
                stack += current[::-1]
            continue
        below = []
        for name, value in current.items():
            kind = type(value)
            if kind is dict:
                if name in _LEAVES:
                    continue
                if name in kinds:
                    found.append((name, value))
                below.append(value)
            elif kind is list:
                below.append(value)
        if len(below) > 1:
            below.reverse()
        stack += below
    return found


def strings(nodes: list[Node] | None) -> list[str]:
    """The texts of a list of String nodes ("*" for a star)."""
    return [
        node["String"].get("sval", "") if "String" in node else "*"
        for node in nodes or []
        if "String" in node or "A_Star" in node
    ]


def without_casts(node: Node) -> tuple[Node, list[str]]:
    """The node inside its casts, and the names of the types it is cast to, outermost first."""
    casts = []
    while "TypeCast" in node:
        cast = node["TypeCast"]
        casts.append(strings(cast["typeName"].get("names"))[-1:] or ["?"])
        node = cast.get("arg", {})
        if not node:
            break
    return node, [name for names in casts for name in names]


def table_name(range_var: Node) -> str:
    """A RangeVar's name as model/catalog.py spells it: schema public is left out."""
    schema = range_var.get("schemaname")
    name = str(range_var.get("relname", ""))
    return name if schema in (None, "", "public") else f"{schema}.{name}"
