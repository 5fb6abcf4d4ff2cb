"""The database's tables as far as they are known, from a live server, a dump or schema.prisma.

Names: a table is "authors" or, outside the schema public, "sales.orders"; identifiers are
unquoted and case-sensitive, as PostgreSQL stores them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace

from analyzer.records import record


@record
class Column:
    """A column: `type` as PostgreSQL prints it, `distinct`/`null_fraction` from statistics.

    `distinct` is pg_stats.n_distinct: a number of values, or, negative, minus their number as a
    share of the rows (-1 = all different). `field` is the ORM's name for the column, where a
    schema.prisma tells.
    """

    name: str
    type: str
    nullable: bool = True
    field: str | None = None
    distinct: float | None = None
    null_fraction: float | None = None


@record
class ForeignKey:
    """`columns` of the owning table refer to `target_columns` of the table `target`."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    name: str | None = None


@record
class Index:
    """An index. `columns` are key columns in order; an expression is written as its SQL text.

    `scans` is pg_stat_user_indexes.idx_scan; `predicate` is the WHERE of a partial index.
    `descending` and `operator_classes` go with `columns`; empty where all are ascending, or of
    the type's default class (None = the default).
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
    """All known tables by name. `origin` says where it comes from, for evidence and coverage."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    origin: str = ""
    server_version: int | None = None

    def table(self, name: str | None) -> Table | None:
        """The table of that name; a name without schema also finds its only match in others."""
        if name is None:
            return None
        found = self.tables.get(name)
        if found is None and "." not in name:
            matches = [t for key, t in self.tables.items() if key.rpartition(".")[2] == name]
            found = matches[0] if len(matches) == 1 else None
        return found

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
        return Catalog(tables, origin, self.server_version or other.server_version)


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
