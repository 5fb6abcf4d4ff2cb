"""Defaults of columns: read off a script's statement, and two of them compared.

A server prints `'ACTIVE'::"Status"`, `CURRENT_TIMESTAMP` and `'-1'::integer` where a script may say
`'ACTIVE'`, `now()` and `-1`: these are the same default.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

from analyzer.model.catalog import SEQUENCE
from analyzer.patterns import regex
from analyzer.sql import tree
from analyzer.sql.batch_tree import Tree, is_a
from analyzer.sql.tree import Node

_MENTIONED = regex(r"\bDEFAULT\b", re.IGNORECASE)
_PLACES = frozenset({"location", "list_start", "list_end"})
_NOW = frozenset({"now", "transaction_timestamp", "current_timestamp", "localtimestamp"})


def default_texts(statement: str) -> dict[str, str]:
    """The defaults that a CREATE TABLE or ALTER TABLE gives, as SQL by column."""
    if not _MENTIONED.search(statement):
        return {}
    try:
        found = parse_sql(statement)
        return {
            column: _text(expression)
            for entry in found
            for column, expression in _expressions(entry.stmt)
        }
    except (ParseError, NotImplementedError, RecursionError):
        return {}  # ddl.py reads the same statement, and says nothing of it either


def _expressions(statement: Tree) -> Iterator[tuple[str, Tree]]:
    if is_a(statement, ast.CreateStmt):
        for element in statement.tableElts or ():
            if is_a(element, ast.ColumnDef):
                yield from _of_column(element)
    elif is_a(statement, ast.AlterTableStmt):
        for command in statement.cmds:
            if is_a(command.def_, ast.ColumnDef):
                yield from _of_column(command.def_)
            elif command.subtype == enums.AlterTableType.AT_ColumnDefault and command.def_:
                yield command.name, command.def_


def _of_column(column: Tree) -> Iterator[tuple[str, Tree]]:
    for mark in column.constraints or ():
        if mark.contype == enums.ConstrType.CONSTR_DEFAULT:
            yield column.colname, mark.raw_expr


def _text(expression: Tree) -> str:
    called = expression.funcname[-1].sval if is_a(expression, ast.FuncCall) else ""
    return SEQUENCE if called == "nextval" else str(RawStream()(expression))


def same_default(one: str | None, other: str | None) -> bool:
    """Whether two defaults give the same value, as far as their texts tell."""
    if one == other:
        return True
    if one is None or other is None:
        return False
    first, second = _parsed(one), _parsed(other)
    return first is not None and first == second


def _parsed(expression: str) -> object:
    """An expression in the form that equal ones share; None for no expression."""
    try:
        statements = tree.parse(f"SELECT ({expression})")
    except tree.ParseError:
        return None
    targets = statements[0].get("SelectStmt", {}).get("targetList", []) if statements else []
    return _plain(targets[0].get("ResTarget", {}).get("val")) if len(targets) == 1 else None


def _plain(node: object) -> object:
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    kind, fields = tree.kind_of(node) if node else ("", {})
    reader = _READERS.get(kind)
    if reader:
        return reader(fields)
    return {name: _plain(value) for name, value in node.items() if name not in _PLACES}


def _operation(fields: Node) -> object:
    """An operator with its sides; a minus sign before a number is part of the number."""
    name, right = tree.strings(fields.get("name")), _plain(fields.get("rexpr"))
    if name == ["-"] and "lexpr" not in fields and isinstance(right, str):
        return f"-{right}"
    return [name, _plain(fields.get("lexpr")), right]


def _value_function(fields: Node) -> str:
    name = str(fields.get("op", "")).removeprefix("SVFOP_").removesuffix("_N").lower()
    return "now()" if name in _NOW else name


def _call(fields: Node) -> object:
    name = tree.strings(fields.get("funcname"))[-1]
    return "now()" if name in _NOW else [name, _plain(fields.get("args", []))]


def _constant(fields: Node) -> str:
    """A constant's value as text: a server quotes numbers that a script does not."""
    for name in ("sval", "ival", "fval", "boolval", "bsval"):
        if name in fields:
            value = fields[name].get(name, {"ival": 0, "boolval": False}.get(name, ""))
            return str(value).lower() if name == "boolval" else str(value)
    return "null"


_READERS: Mapping[str, Callable[[Node], object]] = {
    "TypeCast": lambda fields: _plain(fields.get("arg")),
    "A_Const": _constant,
    "A_Expr": _operation,
    "SQLValueFunction": _value_function,
    "FuncCall": _call,
}
