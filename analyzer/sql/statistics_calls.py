"""Calls of pg_restore_relation_stats and pg_restore_attribute_stats, read off pg_dump's SQL.

`pg_dump --statistics-only` (PostgreSQL 18's) writes one SELECT for each. They are never run as they stand:
names and constants are taken out of the syntax tree.
"""

from dataclasses import dataclass

from pglast import ast, parse_sql
from pglast.parser import ParseError

from analyzer.sql.batch_tree import Tree, is_a

RELATION = "pg_restore_relation_stats"
ATTRIBUTE = "pg_restore_attribute_stats"


class NotStatisticsError(ValueError):
    """A call's arguments are not pairs of a name and a constant; the message says where."""


@dataclass(frozen=True, slots=True)
class StatisticsCall:
    """One call: which function, and the text of each argument by its name."""

    function: str
    arguments: dict[str, str]


def statistics_calls(statement: str) -> list[StatisticsCall]:
    """The calls in one statement; none where it is about something else, or no SQL.

    Raises:
        NotStatisticsError: a call is not as pg_dump writes it.
    """
    if RELATION not in statement and ATTRIBUTE not in statement:
        return []
    try:
        parsed = parse_sql(statement)
    except (ParseError, RecursionError, UnicodeError):
        return []
    select: Tree = parsed[0].stmt if len(parsed) == 1 else None
    if not is_a(select, ast.SelectStmt):
        return []
    called = [target.val for target in select.targetList or ()]
    for source in select.fromClause or ():
        if is_a(source, ast.RangeFunction):
            called += [function[0] for function in source.functions]
    return [
        StatisticsCall(call.funcname[-1].sval, _arguments(call))
        for call in called
        if is_a(call, ast.FuncCall) and call.funcname[-1].sval in (RELATION, ATTRIBUTE)
    ]


def _arguments(call: Tree) -> dict[str, str]:
    given = [_text(one) for one in call.args or ()]
    if len(given) % 2:
        raise NotStatisticsError("an odd number of arguments")
    return {
        name: value
        for name, value in zip(given[::2], given[1::2], strict=True)
        if name is not None and value is not None
    }


def _text(node: Tree) -> str | None:
    """A constant's text, None for NULL."""
    while is_a(node, ast.TypeCast):
        node = node.arg
    if not is_a(node, ast.A_Const):
        raise NotStatisticsError("an argument that is no constant")
    if node.isnull:
        return None
    value = node.val
    for name in ("sval", "fval", "ival", "boolval"):
        if name in value:
            return (
                str(getattr(value, name)).lower()
                if name == "boolval"
                else str(getattr(value, name))
            )
    raise NotStatisticsError("a constant of another kind")
