"""Single statements as trees, for rewrites that keep most of them: paging, counting, writing."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError

from analyzer.sql.batch_tree import Tree, is_a

LONGEST = 16_384  # characters; what is longer is not for copying, and deep nesting costs stack

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
    """As statement_of, for a text that is read: None also for what is too long to rewrite."""
    return statement_of(sql) if len(sql) <= LONGEST else None


def plain_select(sql: str) -> Tree:
    """The tree of a single SELECT of tables' rows, no UNION or the like; None for another."""
    select = only_statement(sql)
    plain = is_a(select, ast.SelectStmt) and select.op == enums.SetOperation.SETOP_NONE
    return select if plain else None
