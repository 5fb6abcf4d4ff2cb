"""The database's tables as far as they are known, from a live server, a dump or schema.prisma.

Names: a table is "authors" or, outside the schema public, "sales.orders"; identifiers are
unquoted and case-sensitive, as PostgreSQL stores them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import TypeVar

from analyzer.records import record

# What catalog and syntax tree write for the actions of a foreign key (FKCONSTR_ACTION_… of parsenodes.h).
REFERENTIAL_ACTIONS: Mapping[str, str] = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
_Entry = TypeVar("_Entry")
SEQUENCE = "nextval"  # the default of a serial or identity column


@record
class Column:
    """A column: `type` as PostgreSQL prints it, `distinct`/`null_fraction` from statistics.

    `distinct` is pg_stats.n_distinct: a number of values, or, negative, minus their number as a
    share of the rows (-1 = all different). `field` is the ORM's name for the column, where a
    schema.prisma tells. Also of pg_stats, None or empty where not known: `width_bytes` (avg_width:
    as stored, with a text's length byte), `common_frequencies` (most_common_freqs: the share of the
    rows that each of the most common values has, the values themselves are left alone),
    `correlation` with the order on disk, and `elements` (of an array or tsvector, the mean number
    of distinct elements: the last of elem_count_histogram). `default` is SQL, SEQUENCE where a
    sequence gives the value.
    """

    name: str
    type: str
    nullable: bool = True
    field: str | None = None
    distinct: float | None = None
    null_fraction: float | None = None
    width_bytes: float | None = None
    common_frequencies: tuple[float, ...] = ()
    correlation: float | None = None
    elements: float | None = None
    default: str | None = None


@record
class ForeignKey:
    """`columns` of the owning table refer to `target_columns` of the table `target`.

    `on_delete` and `on_update` are SQL's words for the actions.
    """

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    name: str | None = None
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@record
class Index:
    """An index. `columns` are key columns in order; an expression is written as its SQL text.

    `scans` is pg_stat_user_indexes.idx_scan; `predicate` is the WHERE of a partial index.
    `descending`, `nulls_first`, `operator_classes` and `collations` go with `columns`; empty where all
    are as usual (ascending, NULLs last or, where descending, first, the type's default class and the
    column's own collation, for which None stands). `definition` is pg_get_indexdef's text.

    What may hang on it: `constraint` is the kind of the constraint that it backs beside a primary key
    ("unique", "exclusion"), `referenced_by` the foreign keys whose target's uniqueness it is (None: not known), a
    `replica_identity` tells rows apart for logical replication. A `partitioned` one consists of those of the
    partitions, each of which is `part_of` it (its name as that of a table). One that is `building` is not valid yet.
    """

    name: str | None
    columns: tuple[str, ...]
    unique: bool = False
    primary: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    predicate: str | None = None
    bytes: int | None = None
    scans: int | None = None
    valid: bool = True
    descending: tuple[bool, ...] = ()
    operator_classes: tuple[str | None, ...] = ()
    nulls_first: tuple[bool, ...] = ()
    collations: tuple[str | None, ...] = ()
    nulls_distinct: bool = True
    constraint: str | None = None
    referenced_by: tuple[str, ...] | None = None
    replica_identity: bool = False
    partitioned: bool = False
    part_of: str | None = None
    building: bool = False
    definition: str | None = None


@record
class Relation:
    """A Prisma relation field: `name` on this model leads to `target` (a table name).

    `columns` are this side's foreign key columns (empty on the other side), `many` tells a list.
    `target_columns` are the columns of `target` that hold or match the key.
    """

    name: str
    target: str
    many: bool
    columns: tuple[str, ...] = ()
    target_columns: tuple[str, ...] = ()


@record
class Table:
    """A table with its keys. `rows` is the planner's estimate, `bytes` the total size, if known.

    `model` is the Prisma model's name and `relations` its relation fields.
    `reads`/`writes` are rows fetched and rows inserted + updated + deleted since the last reset.
    `partition_of` is the partitioned table that it is a direct part of.
    `kind` is table, partition, view or materialized view.
    """

    name: str
    columns: tuple[Column, ...] = ()
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    rows: int | None = None
    bytes: int | None = None
    reads: int | None = None
    writes: int | None = None
    hot_ratio: float | None = None
    model: str | None = None
    relations: tuple[Relation, ...] = ()
    partition_of: str | None = None
    kind: str = "table"

    def column(self, name: str) -> Column | None:
        """The column of that name, if there is one."""
        return next((column for column in self.columns if column.name == name), None)

    def is_unique(self, columns: frozenset[str]) -> bool:
        """Whether equality on `columns` finds at most one row."""
        keys = [self.primary_key, *self.unique_keys]
        keys += [index.columns for index in self.indexes if index.unique and not index.predicate]
        return any(key and columns.issuperset(key) for key in keys)


@record
class Catalog:
    """All known tables by name. `origin` says where it comes from, for evidence and coverage.

    `enums` are enumerated types by name, with their labels in order; `enum_names` are the ORM's names
    for them, where a schema.prisma tells. `views` are the queries of views, as SQL, by name. `previews` are the
    preview features of Prisma that a schema.prisma turns on, None where there is none to tell.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    origin: str = ""
    server_version: int | None = None
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enum_names: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    previews: frozenset[str] | None = None

    def table(self, name: str | None) -> Table | None:
        """The table of that name; a name without schema also finds its only match in others."""
        if name is None:
            return None
        return _named(self.tables, name)

    def view(self, name: str) -> str | None:
        """The query of the view of that name, found as tables are."""
        return _named(self.views, name)

    def __iter__(self) -> Iterator[Table]:
        return iter(self.tables.values())

    def completed_by(self, other: "Catalog | None") -> "Catalog":
        """This catalog with what only `other` knows: ORM names and relations, missing tables."""
        if other is None:
            return self
        tables = dict(self.tables)
        for name, table in other.tables.items():
            mine = tables.get(name)
            tables[name] = table if mine is None else _completed(mine, table)
        origin = " and ".join(dict.fromkeys(part for part in (self.origin, other.origin) if part))
        version = self.server_version or other.server_version
        enums = {**other.enums, **self.enums}
        names = {**other.enum_names, **self.enum_names}
        views = {**other.views, **self.views}
        previews = self.previews if self.previews is not None else other.previews
        return Catalog(tables, origin, version, enums, names, views, previews)


def _named(entries: Mapping[str, _Entry], name: str) -> _Entry | None:
    found = entries.get(name)
    if found is None and "." not in name:
        matches = [one for key, one in entries.items() if key.rpartition(".")[2] == name]
        found = matches[0] if len(matches) == 1 else None
    return found


def table_name(schema: str | None, name: str) -> str:
    """A table's name as everything in pg95 writes it: the schema public is left out."""
    return f"{schema}.{name}" if schema and schema != "public" else name


def unique_keys(columns: Iterable[Column], indexes: Iterable[Index]) -> tuple[tuple[str, ...], ...]:
    """The sets of plain columns that unique indexes (constraints have one) keep unique.

    The primary key is not among them; partial, invalid and expression indexes do not count.
    """
    names = {column.name for column in columns}
    keys = (
        index.columns
        for index in indexes
        if index.unique and not index.primary and index.valid and not index.predicate
    )
    return tuple(dict.fromkeys(key for key in keys if names.issuperset(key)))


def _completed(table: Table, other: Table) -> Table:
    fields = {column.name: column.field for column in other.columns}
    return replace(
        table,
        columns=tuple(
            replace(column, field=column.field or fields.get(column.name))
            for column in table.columns
        ),
        primary_key=table.primary_key or other.primary_key,
        foreign_keys=table.foreign_keys or other.foreign_keys,
        model=table.model or other.model,
        relations=table.relations or other.relations,
    )
