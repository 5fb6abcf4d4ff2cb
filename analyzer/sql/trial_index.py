"""A CREATE INDEX that was advised, as it is tried: under another name, and inside a transaction.

Its expressions and its condition come from statements that somebody else wrote. The probe is a SELECT of
them, so that the proof for statements (read_only.py, and the server's half of it) holds for them as well.
"""

from dataclasses import dataclass

from pglast import ast, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

from analyzer.sql.batch_tree import Tree, is_a

# Extensions whose operator classes are advised; others are not made, not even for a while.
_EXTENSIONS = frozenset({"pg_trgm", "btree_gin", "btree_gist", "vector"})


class NotTriableError(ValueError):
    """The text is not one CREATE INDEX, with the extensions it needs; the message says what it is."""


@dataclass(frozen=True, slots=True)
class TrialIndex:
    """`create` makes the index under the name it is tried by, `extensions` what has to be there before.

    `name` is the one that it was advised by. `probe` is a SELECT of all that it computes, `table` names
    its table for ANALYZE, which an index on expressions needs (`computes`).
    """

    name: str
    create: str
    extensions: tuple[str, ...]
    probe: str
    table: str
    computes: bool


def trial_index(sql: str, name: str) -> TrialIndex:
    """The trial of an advised index.

    Args:
        sql: its statements, as advised: extensions, and one CREATE INDEX.
        name: what it is called while it is tried.

    Raises:
        NotTriableError: there is something else in it, or it cannot be parsed or written.
    """
    try:
        trees = [raw.stmt for raw in parse_sql(sql)]
        extensions = tuple(_extension(tree) for tree in trees[:-1])
        index: Tree = trees[-1] if trees else None
        if not is_a(index, ast.IndexStmt) or not index.idxname:
            raise NotTriableError("it is no CREATE INDEX")
        advised = str(index.idxname)
        computed = [part.expr for part in index.indexParams if part.expr is not None]
        probe = RawStream()(_probe(index, computed))
        index.concurrent, index.if_not_exists, index.idxname = False, False, name
        return TrialIndex(
            name=advised,
            create=str(RawStream()(index)),
            extensions=extensions,
            probe=str(probe),
            table=str(RawStream()(index.relation)),
            computes=bool(computed),
        )
    except (ParseError, RecursionError, NotImplementedError) as error:
        raise NotTriableError("it cannot be parsed or written") from error


def _extension(tree: Tree) -> str:
    if not is_a(tree, ast.CreateExtensionStmt) or tree.options or tree.extname not in _EXTENSIONS:
        raise NotTriableError("it needs more than an index")
    return f"CREATE EXTENSION IF NOT EXISTS {tree.extname}"


def _probe(index: Tree, computed: list[Tree]) -> Tree:
    """SELECT all expressions FROM the table WHERE the condition."""
    star = ast.ColumnRef(fields=(ast.A_Star(),))
    return ast.SelectStmt(
        targetList=tuple(ast.ResTarget(val=expression) for expression in computed or [star]),
        fromClause=(index.relation,),
        whereClause=index.whereClause,
    )
