"""A candidate's CREATE INDEX, as it is tried on a scratch server, and what asks for its rows."""

from pglast import ast, parse_sql
from pglast.parser import ParseError

from analyzer.sql.batch_tree import Tree, is_a
from analyzer.sql.restorable import NotRestorableError, printed


def trial_statement(statement: str, name: str) -> str:
    """The CREATE INDEX under another name, and not CONCURRENTLY.

    Raises:
        NotRestorableError: it is no single CREATE INDEX.
    """
    node = _index(statement)
    node.concurrent = False
    node.if_not_exists = False
    node.tableSpace = None
    node.idxname = name
    return printed(node)


def rows_statement(statement: str) -> str | None:
    """A SELECT of the rows that a partial index holds; None for an index of all rows.

    Raises:
        NotRestorableError: it is no single CREATE INDEX.
    """
    node = _index(statement)
    if node.whereClause is None:
        return None
    select: Tree = parse_sql("SELECT 1 FROM rows WHERE true")[0].stmt
    select.fromClause = (node.relation,)
    select.whereClause = node.whereClause
    return printed(select)


def _index(statement: str) -> Tree:
    try:
        parsed = parse_sql(statement)
    except (ParseError, RecursionError, UnicodeError):
        raise NotRestorableError("its CREATE INDEX is no SQL that pg95 can read") from None
    if len(parsed) != 1 or not is_a(parsed[0].stmt, ast.IndexStmt):
        raise NotRestorableError("it is no single CREATE INDEX")
    return parsed[0].stmt
