"""Which statements of a schema may be run on a scratch server, and what is taken out of them.

A schema comes from a file, which is untrusted. By its syntax tree a statement has to be one that makes
tables, types, views, indexes or keys; whatever runs a function, reads data, or acts on the server is
passed over or refused. Out of what is kept go defaults, identity columns, tablespaces and owners: they
mean nothing to a planner. What is run is printed from the tree, and parsed again to see that it is it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.stream import RawStream

from analyzer.sql.batch_tree import Tree, inside, is_a, words
from analyzer.sql.quoting import quote_identifier

_TYPES = enums.ConstrType
_DROPPED = (_TYPES.CONSTR_DEFAULT, _TYPES.CONSTR_IDENTITY)
_CHECKS = (_TYPES.CONSTR_CHECK, _TYPES.CONSTR_GENERATED)
_ALTERATIONS = (
    enums.AlterTableType.AT_AddConstraint,
    enums.AlterTableType.AT_AttachPartition,
    enums.AlterTableType.AT_SetNotNull,
    enums.AlterTableType.AT_DropNotNull,
    enums.AlterTableType.AT_AddColumn,
    enums.AlterTableType.AT_DropColumn,
    enums.AlterTableType.AT_DropConstraint,
    enums.AlterTableType.AT_SetStatistics,
)
_RANGE_PARTS = frozenset({"subtype", "subtype_opclass", "collation", "multirange_type_name"})

# What a schema also holds, and no plan depends on, or that is not ours to run.
_BESIDE = words("""
    VariableSetStmt SelectStmt CommentStmt GrantStmt GrantRoleStmt AlterOwnerStmt AlterFunctionStmt
    AlterDefaultPrivilegesStmt CreateSeqStmt AlterSeqStmt CreateTrigStmt CreatePolicyStmt CreateStatsStmt
    CreatePublicationStmt CreateSubscriptionStmt SecLabelStmt TransactionStmt CopyStmt InsertStmt
    CreateEventTrigStmt AlterEventTrigStmt CreateFunctionStmt CreatePLangStmt CreateFdwStmt
    CreateForeignServerStmt CreateUserMappingStmt UpdateStmt DeleteStmt DoStmt VacuumStmt RefreshMatViewStmt
    AlterPublicationStmt CreateRoleStmt AlterRoleStmt ClusterStmt ReindexStmt AlterExtensionContentsStmt
""")


class NotRestorableError(ValueError):
    """A statement is not run on a scratch server; the message says why."""


@dataclass(frozen=True, slots=True)
class Leniency:
    """What a second attempt leaves out, where the server refused the first.

    `without_checks`: CHECK constraints and generated columns, which may name functions that a scratch
    server does not have. Columns of `plain_types` (as `Restorable.types` has them) become text.
    """

    without_checks: bool = False
    plain_types: frozenset[str] = frozenset()


STRICT = Leniency()


@dataclass(frozen=True, slots=True)
class Restorable:
    """A statement that may be run: its text, what it makes (for messages), the types of its columns.

    `extension` is the name for CREATE EXTENSION, `schema` where it goes.
    """

    sql: str
    subject: str
    types: frozenset[str] = frozenset()
    extension: str | None = None
    schema: str | None = None


def restorable(statement: str, leniency: Leniency = STRICT) -> Restorable | None:
    """The statement as it may be run; None for one that no plan depends on.

    Raises:
        NotRestorableError: no SQL of PostgreSQL, or something that is not run here.
    """
    try:
        parsed = parse_sql(statement)
    except (ParseError, RecursionError, UnicodeError) as error:
        raise NotRestorableError(f"no SQL that pg95 can read ({_first_line(error)})") from None
    if len(parsed) != 1:
        raise NotRestorableError("several statements in one")
    node: Tree = parsed[0].stmt
    kind = type(node).__name__
    if kind in _BESIDE:
        return None
    maker = _MAKERS.get(kind)
    if maker is None:
        raise NotRestorableError(f"it is none that a clone needs ({kind.removesuffix('Stmt')})")
    subject = maker(node, leniency)
    if subject is None:
        return None
    types = frozenset(type_name(one) for one in _column_types(node))
    extension = node.extname if kind == "CreateExtensionStmt" else None
    schema = _option(node.options, "schema") if extension else None
    return Restorable(printed(node), subject, types, extension, schema)


def type_name(node: Tree) -> str:
    """A type's name as SQL, without length and brackets."""
    return ".".join(quote_identifier(part.sval) for part in node.names)


def printed(node: Tree) -> str:
    """A tree as text that parses to the same tree.

    Raises:
        NotRestorableError: it cannot be printed so.
    """
    try:
        text = str(RawStream()(node))
        again = parse_sql(text)
    except (ParseError, NotImplementedError, RecursionError) as error:
        raise NotRestorableError(f"it cannot be written again ({_first_line(error)})") from None
    if len(again) != 1 or again[0].stmt != node:
        raise NotRestorableError("it cannot be written again as it is")
    return text


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:120] or type(error).__name__


def _relation(node: Tree) -> str:
    return f"{node.schemaname}.{node.relname}" if node.schemaname else str(node.relname)


def _dotted(names: Iterable[Tree]) -> str:
    return ".".join(str(part.sval) for part in names)


def _option(options: Iterable[Tree] | None, name: str) -> str | None:
    return next((str(one.arg.sval) for one in options or () if one.defname == name), None)


def _table(node: Tree, leniency: Leniency) -> str:
    if node.relation.relpersistence == "t":
        raise NotRestorableError("a temporary table")
    node.tablespacename = None
    node.accessMethod = None
    kept = []
    for element in node.tableElts or ():
        if is_a(element, ast.ColumnDef):
            _column(element, leniency)
        elif is_a(element, ast.Constraint):
            if leniency.without_checks and element.contype in _CHECKS:
                continue
            element.indexspace = None
        kept.append(element)
    node.tableElts = tuple(kept) if node.tableElts is not None else None
    if node.partbound is not None:
        _bound(node.partbound)
    return f"table {_relation(node.relation)}"


def _column(node: Tree, leniency: Leniency) -> None:
    dropped = (*_DROPPED, *_CHECKS) if leniency.without_checks else _DROPPED
    kept = tuple(one for one in node.constraints or () if one.contype not in dropped)
    for constraint in kept:
        constraint.indexspace = None
    node.constraints = kept or None
    if node.typeName is not None and type_name(node.typeName) in leniency.plain_types:
        node.typeName.names = (ast.String("text"),)
        node.typeName.typmods = None
        node.collClause = None


def _unchecked(node: Tree) -> None:
    """A foreign key is not held against the rows: that would be a query."""
    if node.contype == _TYPES.CONSTR_FOREIGN:
        node.skip_validation = True
        node.initially_valid = False


def _bound(node: Tree) -> None:
    """Bounds of partitions are computed when the table is made: they have to be constants."""
    if any(is_a(one, ast.FuncCall, ast.SubLink, ast.A_Expr) for one in inside(node)):
        raise NotRestorableError("a partition whose bounds are computed")


def _alter(node: Tree, leniency: Leniency) -> str | None:
    if node.objtype not in (enums.ObjectType.OBJECT_TABLE, enums.ObjectType.OBJECT_INDEX):
        return None
    kept = []
    for command in node.cmds:
        if command.subtype not in _ALTERATIONS:
            continue
        definition = command.def_
        if is_a(definition, ast.Constraint):
            if leniency.without_checks and definition.contype in _CHECKS:
                continue
            definition.indexspace = None
            _unchecked(definition)
        elif is_a(definition, ast.ColumnDef):
            _column(definition, leniency)
        elif is_a(definition, ast.PartitionCmd) and definition.bound is not None:
            _bound(definition.bound)
        kept.append(command)
    node.cmds = tuple(kept)
    named = next((one.def_.conname for one in kept if is_a(one.def_, ast.Constraint)), None)
    what = f"constraint {named} of " if named else ""
    return f"{what}table {_relation(node.relation)}" if kept else None


def _index(node: Tree, _leniency: Leniency) -> str:
    node.concurrent = False
    node.tableSpace = None
    return f"index {node.idxname or ''} on {_relation(node.relation)}"


def _view(node: Tree, _leniency: Leniency) -> str:
    if node.view.relpersistence == "t":
        raise NotRestorableError("a temporary view")
    return f"view {_relation(node.view)}"


def _query_table(node: Tree, _leniency: Leniency) -> str:
    """A materialized view without data is only a definition; with data its query would be run."""
    if node.objtype != enums.ObjectType.OBJECT_MATVIEW or not node.into.skipData:
        raise NotRestorableError("a table that is made of a query's rows")
    node.into.tableSpaceName = None
    node.into.accessMethod = None
    return f"materialized view {_relation(node.into.rel)}"


def _schema(node: Tree, _leniency: Leniency) -> str:
    if node.schemaElts:
        raise NotRestorableError("a schema with other statements inside")
    node.authrole = None
    return f"schema {node.schemaname}"


def _extension(node: Tree, _leniency: Leniency) -> str:
    return f"extension {node.extname}"


def _domain(node: Tree, _leniency: Leniency) -> str:
    kept = (one for one in node.constraints or () if one.contype == _TYPES.CONSTR_NOTNULL)
    node.constraints = tuple(kept) or None
    return f"domain {_dotted(node.domainname)}"


def _range(node: Tree, _leniency: Leniency) -> str:
    node.params = tuple(one for one in node.params if one.defname in _RANGE_PARTS)
    return f"type {_dotted(node.typeName)}"


def _named_type(node: Tree, _leniency: Leniency) -> str:
    names = getattr(node, "typeName", None)
    return f"type {_dotted(names)}" if names is not None else f"type {_relation(node.typevar)}"


def _defined(node: Tree, _leniency: Leniency) -> str | None:
    if node.kind != enums.ObjectType.OBJECT_COLLATION:
        return None  # aggregates, operators, types that are written in C
    return f"collation {_dotted(node.defnames)}"


def _column_types(node: Tree) -> list[Tree]:
    return [one.typeName for one in inside(node) if is_a(one, ast.ColumnDef) and one.typeName]


_MAKERS: Mapping[str, Callable[[Tree, Leniency], str | None]] = {
    "CreateStmt": _table,
    "AlterTableStmt": _alter,
    "IndexStmt": _index,
    "ViewStmt": _view,
    "CreateTableAsStmt": _query_table,
    "CreateSchemaStmt": _schema,
    "CreateExtensionStmt": _extension,
    "CreateDomainStmt": _domain,
    "CreateRangeStmt": _range,
    "CreateEnumStmt": _named_type,
    "CompositeTypeStmt": _named_type,
    "DefineStmt": _defined,
}
