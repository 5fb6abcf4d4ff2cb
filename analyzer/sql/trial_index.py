"""A CREATE INDEX that was advised, as it is tried: under another name, and inside a transaction.

Its expressions and its condition come from statements that somebody else wrote. The probe is a SELECT of
them, so that the proof for statements (read_only.py, and the server's half of it) holds for them as well.
"""

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

from analyzer.records import record
from analyzer.sql.batch_tree import Tree, is_a
from analyzer.sql.quoting import quote_identifier

# Extensions whose operator classes are advised; others are not made, not even for a while.
_EXTENSIONS = frozenset({"pg_trgm", "btree_gin", "btree_gist", "vector"})


class NotTriableError(ValueError):
    """The text is not one CREATE INDEX, with the extensions it needs; the message says what it is."""


@record
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

    def beside(self, name: str) -> str:
        """An index's name in the schema of the table, if that is named, as SQL has it."""
        schema, dot, _ = self.table.rpartition(".")
        return f"{schema}{dot}{name}"


def trial_index(sql: str, name: str) -> TrialIndex:
    """The trial of an advised index.

    Args:
        sql: its statements, as advised: extensions, and one CREATE INDEX.
        name: what it is called while it is tried.

    Raises:
        NotTriableError: there is something else in it, or it cannot be parsed or written.
    """
    try:
        trees = _whole([raw.stmt for raw in parse_sql(sql)])
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


def _whole(trees: list[Tree]) -> list[Tree]:
    """The statements; of those that build a partitioned table's index part by part one for all parts."""
    for place, tree in enumerate(trees):
        if is_a(tree, ast.IndexStmt) and not tree.relation.inh:
            if not all(_of_a_part(other) for other in trees[place + 1 :]):
                raise NotTriableError("it is no CREATE INDEX of a partitioned table")
            tree.relation.inh = True
            return trees[: place + 1]
    return trees


def _of_a_part(tree: Tree) -> bool:
    """Whether a statement builds a partition's index, or attaches it."""
    if is_a(tree, ast.IndexStmt):
        return True
    commands = tree.cmds if is_a(tree, ast.AlterTableStmt) else ()
    return bool(commands) and all(
        command.subtype == enums.AlterTableType.AT_AttachPartition for command in commands
    )


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


@record
class TrialDrop:
    """A drop as it is tried, inside a transaction: `name` is the index's, as SQL has it."""

    drop: str
    name: str


def trial_drop(sql: str) -> TrialDrop:
    """The trial of an advised drop.

    Args:
        sql: its statement, as advised: one DROP INDEX of one index.

    Raises:
        NotTriableError: it is something else, or it cannot be parsed or written.
    """
    try:
        trees = [raw.stmt for raw in parse_sql(sql)]
        tree: Tree = trees[0] if len(trees) == 1 else None
        if (
            not is_a(tree, ast.DropStmt)
            or tree.removeType != enums.ObjectType.OBJECT_INDEX
            or tree.behavior != enums.DropBehavior.DROP_RESTRICT
            or len(tree.objects) != 1
        ):
            raise NotTriableError("it is not one DROP INDEX")
        tree.concurrent, tree.missing_ok = False, False
        parts = [quote_identifier(part.sval) for part in tree.objects[0]]
        return TrialDrop(str(RawStream()(tree)), ".".join(parts))
    except (ParseError, RecursionError, NotImplementedError) as error:
        raise NotTriableError("it cannot be parsed or written") from error
