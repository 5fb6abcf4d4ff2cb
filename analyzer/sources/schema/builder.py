"""A schema while it is being read: definitions are applied in their order, then it is a Catalog.

It does what PostgreSQL does on the side: names for what has none, keys for partitions, the
target's primary key for a foreign key that names no columns.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import field, replace

from analyzer.model.catalog import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Table,
    table_name,
    unique_keys,
)
from analyzer.records import changing
from analyzer.sources.schema.enums import change_enums
from analyzer.sources.schema.names import (
    changed_indexes,
    identify_rows,
    index_labels,
    object_name,
    rename_index,
)
from analyzer.sources.schema.views import change_views
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


@changing
class _Draft:
    """A table under construction; `partitions` are the names of tables that follow its keys."""

    name: Name
    columns: dict[str, Column] = field(default_factory=dict)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    partitions: list["_Draft"] = field(default_factory=list)
    parent: "_Draft | None" = None
    kind: str = "table"

    @property
    def primary_key(self) -> tuple[str, ...]:
        return next((index.columns for index in self.indexes if index.primary), ())


class SchemaBuilder:
    """Applies definitions; what refers to something unknown is passed over."""

    def __init__(self) -> None:
        self._tables: dict[str, _Draft] = {}
        self._enums: dict[str, tuple[str, ...]] = {}
        self._views: dict[str, str] = {}
        self._schema = "public"
        self._index_names: set[tuple[str | None, str | None]] = set()

    def apply(self, definition: Definition) -> None:
        """Apply one definition to what is there so far."""
        match definition:
            case SearchPath(schema):
                self._schema = schema
            case CreateTable():
                self._create_table(definition)
            case CreateIndex(table, index, only):
                self._each(table, lambda draft: self._add(draft, index, table), only=only)
            case AlterTable(table, change, only):
                self._alter(table, change, only=only)
            case DropTable(name):
                self._drop_table(name)
            case DropIndex(name):
                self._change_indexes(name, lambda _index: None)
            case RenameIndex(old, new):
                self._change_indexes(old, lambda index: replace(index, name=new))
            case CreateEnum() | AlterEnum() | DropEnum():
                change_enums(self._enums, definition, self._schema)
            case CreateView() | RenameView() | DropView():
                change_views(self._views, definition, self._schema)

    def catalog(self, origin: str) -> Catalog:
        """The tables as they are now."""
        tables = {key: self._table(draft) for key, draft in self._tables.items()}
        return Catalog(tables, origin, enums=dict(self._enums), views=dict(self._views))

    def _key(self, name: Name) -> str:
        return table_name(name.schema or self._schema, name.name)

    def _draft(self, name: Name) -> _Draft | None:
        found = self._tables.get(self._key(name))
        # A search path usually ends in public.
        return found or (None if name.schema else self._tables.get(name.name))

    def _each(self, table: Name, action: Callable[[_Draft], None], *, only: bool) -> None:
        """Run `action` on a table and, unless `only`, on its partitions and theirs."""
        draft = self._draft(table)
        pending = [draft] if draft else []
        seen: set[int] = set()
        while pending:
            current = pending.pop()
            if id(current) not in seen:
                seen.add(id(current))
                action(current)
                pending += [] if only else current.partitions

    def _create_table(self, definition: CreateTable) -> None:
        key = self._key(definition.name)
        if key in self._tables:  # IF NOT EXISTS, or a script that was run twice
            return
        name = Name(definition.name.schema or self._schema, definition.name.name)
        draft = self._tables[key] = _Draft(name)
        draft.kind = "materialized view" if definition.materialized_view else "table"
        for parent_name in definition.parents:
            parent = self._draft(parent_name)
            if parent and parent is not draft:
                draft.columns |= parent.columns
                if definition.partition:
                    self._attach(parent, draft)
        done = 0
        for like, before, indexes in definition.likes:
            draft.columns |= {column.name: column for column in definition.columns[done:before]}
            done = before
            self._copy(like, draft, indexes=indexes)
        draft.columns |= {column.name: column for column in definition.columns[done:]}
        for constraint in definition.constraints:
            self._add_constraint(draft, constraint)

    def _copy(self, like: Name, draft: _Draft, *, indexes: bool) -> None:
        source = self._draft(like)
        if source:
            draft.columns |= source.columns
            for index in source.indexes if indexes else ():
                self._inherit_index(draft, index)

    def _attach(self, parent: _Draft, draft: _Draft) -> None:
        parent.partitions.append(draft)
        draft.parent = parent
        draft.kind = "partition"
        for index in parent.indexes:
            self._inherit_index(draft, index)
        own = {key.columns: key for key in draft.foreign_keys}
        draft.foreign_keys += [key for key in parent.foreign_keys if key.columns not in own]

    def _inherit_index(self, draft: _Draft, index: Index) -> None:
        """Give a table an index like another's, unless it has one."""
        if all(replace(own, name=index.name) != index for own in draft.indexes):
            constraint = index.unique and (index.name or "").endswith("_key")
            label = "pkey" if index.primary else "key" if constraint else "idx"
            columns = () if index.primary else index_labels(index, draft.columns)
            self._append(draft, replace(index, name=self._free_name(draft, columns, label)))
            self._require(draft, index.columns if index.primary else ())

    def _add_constraint(self, draft: _Draft, constraint: Constraint) -> None:
        match constraint:
            case KeyDefinition():
                self._add_key(draft, constraint)
            case IndexDefinition():
                self._add_index(draft, constraint)
            case ReferenceDefinition(columns, target, target_columns, name):
                name = name or object_name(draft.name.name, "_".join(columns), "fkey")
                found = self._draft(target)
                key = table_name(*found.name) if found else self._key(target)
                actions = (constraint.on_delete, constraint.on_update)
                draft.foreign_keys.append(ForeignKey(columns, key, target_columns, name, *actions))

    def _add_key(self, draft: _Draft, key: KeyDefinition) -> None:
        columns = key.columns
        include = key.include
        for position, index in enumerate(draft.indexes):
            if key.using_index and index.name == key.using_index:
                columns, include = index.columns, index.include
                del draft.indexes[position]
                break
        label = "pkey" if key.primary else "key"
        name = key.name or key.using_index
        name = name or self._free_name(draft, () if key.primary else columns, label)
        index = Index(
            name,
            columns,
            unique=True,
            primary=key.primary,
            include=include,
            nulls_distinct=key.nulls_distinct,
            constraint=None if key.primary else "unique",
        )
        self._append(draft, index)
        self._require(draft, columns if key.primary else ())

    def _require(self, draft: _Draft, columns: Iterable[str]) -> None:
        for column in columns:
            if column in draft.columns:
                draft.columns[column] = replace(draft.columns[column], nullable=False)

    def _add_index(self, draft: _Draft, index: IndexDefinition) -> None:
        if index.name and any(own.name == index.name for own in draft.indexes):
            return  # IF NOT EXISTS
        label = "excl" if index.exclusion else "idx"
        self._append(
            draft,
            Index(
                name=index.name or self._free_name(draft, index.labels, label),
                columns=index.columns,
                unique=index.unique,
                method=index.method,
                include=index.include,
                predicate=index.predicate,
                descending=index.descending,
                operator_classes=index.operator_classes,
                nulls_first=index.nulls_first,
                collations=index.collations,
                nulls_distinct=index.nulls_distinct,
                constraint="exclusion" if index.exclusion else None,
            ),
        )

    def _append(self, draft: _Draft, index: Index) -> None:
        draft.indexes.append(index)
        self._index_names.add((draft.name.schema, index.name))

    def _free_name(self, draft: _Draft, columns: Iterable[str], label: str) -> str:
        names = "_".join(columns)
        name, number = object_name(draft.name.name, names, label), 0
        while (draft.name.schema, name) in self._index_names:
            number += 1
            name = object_name(draft.name.name, names, f"{label}{number}")
        return name

    def _alter(self, table: Name, change: Change, *, only: bool) -> None:
        match change:
            case RenameTable(schema, name):
                self._rename_table(table, schema, name)
            case AttachPartition(partition):
                parent, child = self._draft(table), self._draft(partition)
                if parent and child and parent is not child:
                    self._attach(parent, child)
            case ReplicaIdentity(name):
                self._each(table, lambda draft: identify_rows(draft.indexes, name), only=True)
            case AddConstraint(constraint):
                self._each(table, lambda draft: self._add(draft, constraint, table), only=only)
            case _:
                self._each(table, lambda draft: self._alter_columns(draft, change), only=only)

    def _add(self, draft: _Draft, constraint: Constraint, table: Name) -> None:
        """Add to a table or its partition; the latter has its own name for what has an index."""
        inherited = draft is not self._draft(table)
        if inherited and not isinstance(constraint, ReferenceDefinition):
            constraint = replace(constraint, name=None)
        self._add_constraint(draft, constraint)

    def _drop_table(self, name: Name) -> None:
        draft = self._tables.pop(self._key(name), None)
        for index in draft.indexes if draft else ():
            self._index_names.discard((draft.name.schema if draft else None, index.name))

    def _rename_table(self, table: Name, schema: str | None, name: str | None) -> None:
        draft = self._draft(table)
        if draft is None:
            return
        old = table_name(*draft.name)
        draft.name = Name(schema or draft.name.schema, name or draft.name.name)
        new = table_name(*draft.name)
        renamed = {new if key == old else key: found for key, found in self._tables.items()}
        self._tables = renamed
        for other in renamed.values():
            other.foreign_keys = [
                replace(key, target=new) if key.target == old else key for key in other.foreign_keys
            ]

    def _alter_columns(self, draft: _Draft, change: Change) -> None:
        match change:
            case AddColumn(column, constraints):
                draft.columns.setdefault(column.name, column)
                for constraint in constraints:
                    self._add_constraint(draft, constraint)
            case DropColumn(name):
                self._drop_column(draft, name)
            case DropConstraint(name):
                draft.indexes = [index for index in draft.indexes if index.name != name]
                draft.foreign_keys = [key for key in draft.foreign_keys if key.name != name]
            case SetType(name, type_text) if name in draft.columns:
                draft.columns[name] = replace(draft.columns[name], type=type_text)
            case SetNullable(name, nullable) if name in draft.columns:
                draft.columns[name] = replace(draft.columns[name], nullable=nullable)
            case SetDefault(name, default) if name in draft.columns:
                draft.columns[name] = replace(draft.columns[name], default=default)
            case RenameColumn(old, new):
                self._rename_column(draft, old, new)
            case RenameConstraint(old, new):
                rename_index(draft.indexes, old, new)
                draft.foreign_keys = [
                    replace(key, name=new) if key.name == old else key for key in draft.foreign_keys
                ]
            case _:
                pass  # about a column that is not known

    def _drop_column(self, draft: _Draft, name: str) -> None:
        draft.columns.pop(name, None)
        draft.indexes = [
            index for index in draft.indexes if name not in index.columns + index.include
        ]
        draft.foreign_keys = [key for key in draft.foreign_keys if name not in key.columns]

    def _rename_column(self, draft: _Draft, old: str, new: str) -> None:
        def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(new if name == old else name for name in names)

        draft.columns = {
            new if name == old else name: replace(column, name=new if name == old else name)
            for name, column in draft.columns.items()
        }
        draft.indexes = [
            replace(index, columns=renamed(index.columns), include=renamed(index.include))
            for index in draft.indexes
        ]
        draft.foreign_keys = [
            replace(key, columns=renamed(key.columns)) for key in draft.foreign_keys
        ]
        own = table_name(*draft.name)
        for other in self._tables.values():
            other.foreign_keys = [
                replace(key, target_columns=renamed(key.target_columns))
                if key.target == own
                else key
                for key in other.foreign_keys
            ]

    def _change_indexes(self, name: Name, change: Callable[[Index], Index | None]) -> None:
        schema = name.schema or self._schema
        self._index_names.discard((schema, name.name))
        for draft in self._tables.values():
            if draft.name.schema in (schema, None if name.schema else "public"):
                draft.indexes = list(changed_indexes(draft.indexes, name.name, change))

    def _table(self, draft: _Draft) -> Table:
        columns = tuple(draft.columns.values())
        partitioned = bool(draft.partitions)
        indexes = tuple(replace(index, partitioned=partitioned) for index in draft.indexes)
        return Table(
            name=table_name(*draft.name),
            columns=columns,
            primary_key=draft.primary_key,
            unique_keys=unique_keys(columns, indexes),
            foreign_keys=tuple(self._resolved(draft.foreign_keys)),
            indexes=indexes,
            partition_of=table_name(*draft.parent.name) if draft.parent else None,
            kind=draft.kind,
        )

    def _resolved(self, keys: Iterable[ForeignKey]) -> Iterator[ForeignKey]:
        for key in keys:
            target = self._tables.get(key.target)
            columns = key.target_columns or (target.primary_key if target else ())
            yield replace(key, target_columns=columns)
