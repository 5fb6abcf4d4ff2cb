"""The query of a CREATE VIEW as SQL of its own."""

from pglast import ast, parse_sql
from pglast.parser import ParseError

from analyzer.sql.batch_tree import Tree, is_a
from analyzer.sql.quoting import quote_identifier
from analyzer.sql.restorable import NotRestorableError, printed


def view_query(statement: str) -> str | None:
    """The query whose columns are the view's, None where it cannot be written again.

    Names that the view gives its columns are put around it: `SELECT * FROM (…) AS v (a, b)`.
    """
    try:
        trees = [raw.stmt for raw in parse_sql(statement)]
    except (ParseError, RecursionError, UnicodeError):
        return None
    view: Tree = next((tree for tree in trees if is_a(tree, ast.ViewStmt)), None)
    if view is None:
        return None
    try:
        query = printed(view.query)
    except NotRestorableError:
        return None
    names = ", ".join(quote_identifier(str(one.sval)) for one in view.aliases or ())
    alias = quote_identifier(view.view.relname)
    return f"SELECT * FROM ({query}) AS {alias} ({names})" if names else query  # noqa: S608 - read, never run
