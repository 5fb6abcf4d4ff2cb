"""CREATE, ALTER and DROP of tables and indexes, read off PostgreSQL's syntax tree.

`definitions` takes one statement; what is not about tables and indexes, or not PostgreSQL's SQL,
gives nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from analyzer.model.catalog import REFERENTIAL_ACTIONS, SEQUENCE, Column
from analyzer.patterns import regex
from analyzer.sql import tree
from analyzer.sql.column_types import is_serial, type_text
from analyzer.sql.defaults import default_texts
from analyzer.sql.definitions import (
    AddColumn,
    AddConstraint,
    AlterEnum,
    AlterTable,
    AttachPartition,
    Change,
    Constraint,
    CreateEnum,
    CreateIndex,
    CreateTable,
    CreateView,
    Definition,
    DropColumn,
    DropConstraint,
    DropEnum,
    DropIndex,
    DropTable,
    DropView,
    IndexDefinition,
    KeyDefinition,
    Name,
    ReferenceDefinition,
    RenameColumn,
    RenameConstraint,
    RenameIndex,
    RenameTable,
    RenameView,
    ReplicaIdentity,
    SearchPath,
    SetDefault,
    SetNullable,
    SetType,
)
from analyzer.sql.index_texts import index_texts
from analyzer.sql.tree import Node
from analyzer.sql.view_text import view_query

# What is worth parsing: a dump is mostly data and functions.
_RELEVANT = regex(
    r"(?:CREATE\s+(?:(?:OR|REPLACE|GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|UNIQUE|RECURSIVE|MATERIALIZED)\s+)*"
    r"(?:TABLE|INDEX|VIEW|TYPE)|(?:ALTER|DROP)\s+(?:MATERIALIZED\s+VIEW|VIEW|TABLE|INDEX|TYPE)|(?:RE)?SET)\b",
    re.IGNORECASE,
)
_LIKE_INDEXES = 1 << 6  # CREATE_TABLE_LIKE_INDEXES of PostgreSQL's parsenodes.h
_UNKNOWN_TYPE = "unknown"
_NULLS_FIRST: Mapping[str, bool] = {"SORTBY_NULLS_FIRST": True, "SORTBY_NULLS_LAST": False}


def definitions(statement: str) -> list[Definition]:
    """What one statement says about tables and indexes; nothing where it says nothing of them."""
    if not _RELEVANT.match(statement):
        return []
    try:
        nodes = tree.parse(statement)
    except tree.ParseError:
        return []
    found: list[Definition] = []
    for node in nodes:
        kind, fields = tree.kind_of(node)
        reader = _READERS.get(kind)
        if reader:
            found += reader(fields, statement)
    return found


def _create_table(node: Node, statement: str) -> Iterator[Definition]:
    if node["relation"].get("relpersistence") == "t":
        return
    defaults = default_texts(statement)
    columns: list[Column] = []
    constraints: list[Constraint] = []
    required: set[str] = set()
    likes: list[tuple[Name, int, bool]] = []
    for element in node.get("tableElts", []):
        kind, fields = tree.kind_of(element)
        if kind == "ColumnDef":
            added = _column(fields)
            columns.append(added.column)
            constraints += added.constraints
        elif kind == "Constraint":
            constraints += _constraint(fields, ())
            if fields.get("contype") == "CONSTR_NOTNULL":  # apart from the column, since 18
                required.update(_strings(fields.get("keys", [])))
        elif kind == "TableLikeClause":
            indexes = bool(fields.get("options", 0) & _LIKE_INDEXES)
            likes.append((_name(fields["relation"]), len(columns), indexes))
    yield CreateTable(
        name=_name(node["relation"]),
        columns=tuple(
            replace(
                column,
                nullable=column.nullable and column.name not in required,
                default=column.default or defaults.get(column.name),
            )
            for column in columns
        ),
        constraints=tuple(constraints),
        parents=tuple(_name(parent["RangeVar"]) for parent in node.get("inhRelations", [])),
        partition="partbound" in node,
        likes=tuple(likes),
    )


def _create_table_as(node: Node, _statement: str) -> Iterator[Definition]:
    """A table or materialized view from a query: its columns have names but no types."""
    relation = node["into"]["rel"]
    if relation.get("relpersistence") == "t":
        return
    targets = node.get("query", {}).get("SelectStmt", {}).get("targetList", [])
    given = _strings(node["into"].get("colNames", []))
    names = [_target_name(target["ResTarget"]) for target in targets]
    known = [*given, *names[len(given) :]]
    columns = [Column(name, _UNKNOWN_TYPE) for name in dict.fromkeys(known) if name]
    view = node.get("objtype") == "OBJECT_MATVIEW"
    yield CreateTable(_name(relation), tuple(columns), materialized_view=view)


def _create_view(node: Node, statement: str) -> Iterator[Definition]:
    query = None if node["view"].get("relpersistence") == "t" else view_query(statement)
    if query is not None:
        yield CreateView(_name(node["view"]), query)


def _target_name(target: Node) -> str:
    if "name" in target:
        return str(target["name"])
    value = target.get("val", {})
    if "ColumnRef" in value:
        return _last(value["ColumnRef"].get("fields", []))
    return _last(value.get("FuncCall", {}).get("funcname", []))


def _column(node: Node) -> AddColumn:
    """A column with the constraints written beside it."""
    column = (node.get("colname", ""),)
    marks = [entry["Constraint"] for entry in node.get("constraints", [])]
    kinds = {mark["contype"] for mark in marks}
    required = kinds & {"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"}
    type_name = node.get("typeName", {})
    serial = is_serial(type_name) or "CONSTR_IDENTITY" in kinds
    return AddColumn(
        Column(
            name=column[0],
            type=type_text(type_name),
            nullable=not required and not serial and not node.get("is_not_null"),
            default=SEQUENCE if serial else None,
        ),
        tuple(found for mark in marks for found in _constraint(mark, column)),
    )


def _constraint(node: Node, beside: tuple[str, ...]) -> Iterator[Constraint]:
    """A key or foreign key; `beside` is the column that it is written at."""
    kind, name = node.get("contype"), node.get("conname")
    if kind in ("CONSTR_PRIMARY", "CONSTR_UNIQUE"):
        yield KeyDefinition(
            columns=_strings(node.get("keys", [])) or beside,
            primary=kind == "CONSTR_PRIMARY",
            name=name,
            include=_strings(node.get("including", [])),
            using_index=node.get("indexname"),
            nulls_distinct=not node.get("nulls_not_distinct", False),
        )
    elif kind == "CONSTR_FOREIGN":
        yield ReferenceDefinition(
            columns=_strings(node.get("fk_attrs", [])) or beside,
            target=_name(node["pktable"]),
            target_columns=_strings(node.get("pk_attrs", [])),
            name=name,
            on_delete=REFERENTIAL_ACTIONS.get(node.get("fk_del_action", ""), "NO ACTION"),
            on_update=REFERENTIAL_ACTIONS.get(node.get("fk_upd_action", ""), "NO ACTION"),
        )
    elif kind == "CONSTR_EXCLUSION":
        elements = [pair["List"]["items"][0]["IndexElem"] for pair in node.get("exclusions", [])]
        # The text of an expression is not in the tree: its function's name stands for it.
        labels = tuple(_label(element) for element in elements)
        yield IndexDefinition(
            columns=labels,
            labels=labels,
            name=name,
            method=node.get("access_method", "btree"),
            include=_strings(node.get("including", [])),
            exclusion=True,
        )


def _create_index(node: Node, statement: str) -> Iterator[Definition]:
    elements = [entry["IndexElem"] for entry in node.get("indexParams", [])]
    texts, predicate = index_texts(statement, len(elements))
    descending = tuple(element.get("ordering") == "SORTBY_DESC" for element in elements)
    classes = tuple(_last(element.get("opclass", [])) or None for element in elements)
    nulls_first = tuple(
        _NULLS_FIRST.get(element.get("nulls_ordering", ""), down)
        for element, down in zip(elements, descending, strict=True)
    )
    collations = tuple(_last(element.get("collation", [])) or None for element in elements)
    included = [entry["IndexElem"] for entry in node.get("indexIncludingParams", [])]
    index = IndexDefinition(
        columns=tuple(
            element.get("name") or text for element, text in zip(elements, texts, strict=True)
        ),
        labels=tuple(_label(element) for element in (*elements, *included)),
        name=node.get("idxname"),
        unique=node.get("unique", False),
        method=node.get("accessMethod", "btree"),
        include=tuple(element.get("name", "") for element in included),
        predicate=predicate if "whereClause" in node else None,
        descending=descending if any(descending) else (),
        operator_classes=classes if any(classes) else (),
        nulls_first=nulls_first if nulls_first != descending else (),
        collations=collations if any(collations) else (),
        nulls_distinct=not node.get("nulls_not_distinct", False),
    )
    relation = node["relation"]
    yield CreateIndex(_name(relation), index, only=not relation.get("inh", False))


def _label(element: Node) -> str:
    """What an index's own name says of an element: a column, a function, or just `expr`."""
    if "name" in element:
        return str(element["name"])
    return _last(element.get("expr", {}).get("FuncCall", {}).get("funcname", [])) or "expr"


def _alter_table(node: Node, statement: str) -> Iterator[Definition]:
    if node.get("objtype") not in ("OBJECT_TABLE", "OBJECT_MATVIEW"):
        return
    relation = node["relation"]
    table, only = _name(relation), not relation.get("inh", False)
    defaults = default_texts(statement)
    for command in node.get("cmds", []):
        for change in _change(command.get("AlterTableCmd", {}), defaults):
            yield AlterTable(table, change, only)


def _change(command: Node, defaults: Mapping[str, str]) -> Iterator[Change]:
    name, detail = command.get("name", ""), command.get("def", {})
    match command.get("subtype"):
        case "AT_AddColumn":
            added = _column(detail["ColumnDef"])
            default = added.column.default or defaults.get(added.column.name)
            yield replace(added, column=replace(added.column, default=default))
        case "AT_AddConstraint":
            for constraint in _constraint(detail["Constraint"], ()):
                yield AddConstraint(constraint)
        case "AT_DropColumn" | "AT_DropConstraint" as subtype:
            yield DropColumn(name) if subtype == "AT_DropColumn" else DropConstraint(name)
        case "AT_AlterColumnType":
            yield SetType(name, type_text(detail["ColumnDef"].get("typeName", {})))
        case "AT_SetNotNull" | "AT_AddIdentity" | "AT_DropNotNull" as subtype:
            yield SetNullable(name, nullable=subtype == "AT_DropNotNull")
            if subtype == "AT_AddIdentity":
                yield SetDefault(name, SEQUENCE)
        case "AT_ColumnDefault":
            yield SetDefault(name, defaults.get(name))
        case "AT_AttachPartition" | "AT_ReplicaIdentity" as subtype:
            identity = subtype == "AT_ReplicaIdentity"
            yield (
                _identity(detail)
                if identity
                else AttachPartition(_name(detail["PartitionCmd"]["name"]))
            )


def _identity(detail: Node) -> ReplicaIdentity:
    return ReplicaIdentity(detail["ReplicaIdentityStmt"].get("name"))


def _rename(node: Node, _statement: str) -> Iterator[Definition]:
    if "relation" not in node:
        return
    relation, new = _name(node["relation"]), node.get("newname", "")
    match node.get("renameType"):
        case "OBJECT_COLUMN":
            yield AlterTable(relation, RenameColumn(node.get("subname", ""), new))
        case "OBJECT_TABCONSTRAINT":
            yield AlterTable(relation, RenameConstraint(node.get("subname", ""), new))
        case "OBJECT_TABLE" | "OBJECT_MATVIEW":
            yield AlterTable(relation, RenameTable(name=new))
        case "OBJECT_VIEW":
            yield RenameView(relation, name=new)
        case "OBJECT_INDEX":
            yield RenameIndex(relation, new)


def _set_schema(node: Node, _statement: str) -> Iterator[Definition]:
    if node.get("objectType") in ("OBJECT_TABLE", "OBJECT_MATVIEW") and "relation" in node:
        yield AlterTable(_name(node["relation"]), RenameTable(schema=node.get("newschema")))
    elif node.get("objectType") == "OBJECT_VIEW" and "relation" in node:
        yield RenameView(_name(node["relation"]), schema=node.get("newschema"))


def _drop(node: Node, _statement: str) -> Iterator[Definition]:
    kind = node.get("removeType")
    for entry in node.get("objects", []):
        listed = entry.get("List", {}).get("items", []) or entry.get("TypeName", {}).get(
            "names", []
        )
        parts = _strings(listed)
        if not parts:
            continue
        name = Name(parts[-2] if len(parts) > 1 else None, parts[-1])
        if kind in ("OBJECT_TABLE", "OBJECT_MATVIEW"):
            yield DropTable(name)
        elif kind == "OBJECT_VIEW":
            yield DropView(name)
        elif kind == "OBJECT_INDEX":
            yield DropIndex(name)
        elif kind == "OBJECT_TYPE":
            yield DropEnum(name)


def _create_enum(node: Node, _statement: str) -> Iterator[Definition]:
    yield CreateEnum(_type_name(node), _strings(node.get("vals", [])))


def _alter_enum(node: Node, _statement: str) -> Iterator[Definition]:
    yield AlterEnum(
        _type_name(node),
        label=node.get("newVal", ""),
        old=node.get("oldVal"),
        neighbour=node.get("newValNeighbor"),
        after=node.get("newValIsAfter", False),
    )


def _type_name(node: Node) -> Name:
    parts = _strings(node.get("typeName", []))
    return Name(parts[-2] if len(parts) > 1 else None, parts[-1] if parts else "")


def _set(node: Node, _statement: str) -> Iterator[Definition]:
    if node.get("name") == "search_path":
        values = (argument.get("A_Const", {}).get("sval", {}) for argument in node.get("args", []))
        schemas = [value.get("sval", "") for value in values]
        own = [schema for schema in schemas if schema and schema not in ("pg_catalog", "$user")]
        yield SearchPath(own[0].strip() if own else "public")


def _name(relation: Node) -> Name:
    return Name(relation.get("schemaname"), relation.get("relname", ""))


def _strings(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(node.get("String", {}).get("sval", "") for node in nodes)


def _last(nodes: Iterable[Node]) -> str:
    texts = _strings(nodes)
    return texts[-1] if texts else ""


_READERS: Mapping[str, Callable[[Node, str], Iterator[Definition]]] = {
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_table_as,
    "ViewStmt": _create_view,
    "IndexStmt": _create_index,
    "AlterTableStmt": _alter_table,
    "RenameStmt": _rename,
    "AlterObjectSchemaStmt": _set_schema,
    "CreateEnumStmt": _create_enum,
    "AlterEnumStmt": _alter_enum,
    "DropStmt": _drop,
    "VariableSetStmt": _set,
}
