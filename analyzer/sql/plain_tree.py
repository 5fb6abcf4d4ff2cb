"""Single statements as trees, for rewrites that keep most of them: paging, counting, writing."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

from analyzer.sql.batch_tree import Tree, is_a

_LONGEST = 16_384  # characters; what is longer is not for copying, and deep nesting costs stack


_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")


def none_if_unwritable(
    rewrite: Callable[_Arguments, _Made | None],
) -> Callable[_Arguments, _Made | None]:
    """Let a rewriting give None for a text of another dialect, and for what cannot be printed.

    That is syntax that pglast does not know to write, and what is nested too deeply.
    """

    @wraps(rewrite)
    def guarded(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Made | None:
        try:
            return rewrite(*args, **kwargs)
        except (ParseError, RecursionError, NotImplementedError):
            return None

    return guarded


def statement_of(sql: str) -> Tree:
    """The tree of a single statement, None where there are more; ParseError for no SQL."""
    statements = parse_sql(sql)
    return statements[0].stmt if len(statements) == 1 else None


def only_statement(sql: str) -> Tree:
    """The tree of a single statement of an application; None also for what is too long to rewrite."""
    return statement_of(sql) if len(sql) <= _LONGEST else None


def plain_select(sql: str) -> Tree:
    """The tree of a single SELECT of tables' rows, no UNION or the like; None for anything else."""
    select = only_statement(sql)
    plain = is_a(select, ast.SelectStmt) and select.op == enums.SetOperation.SETOP_NONE
    return select if plain else None


class ParameterVisitor(Visitor):
    """Collects the parameters of a tree."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Tree] = []

    def visit_ParamRef(self, _ancestors: object, node: Tree) -> None:  # noqa: N802 - pglast's name
        """Keep a parameter."""
        self.found.append(node)


def renumber(select: Tree, keep: int) -> dict[int, int]:
    """Close the gaps that dropped conditions left: PostgreSQL refuses unused parameter numbers."""
    visitor = ParameterVisitor()
    visitor(select)
    used = sorted({node.number for node in visitor.found} | {keep})
    numbers = {old: new for new, old in enumerate(used, 1)}
    for node in visitor.found:
        node.number = numbers[node.number]
    return numbers
