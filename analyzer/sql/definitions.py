"""What a schema script defines, statement by statement: the words between ddl.py and its readers.

A script is a sequence of changes; whoever reads it applies them in order
(analyzer/sources/schema/builder.py).
"""

from typing import NamedTuple, TypeAlias

from analyzer.model.catalog import Column
from analyzer.records import record


class Name(NamedTuple):
    """A relation's name as written; without schema it is found by the search path."""

    schema: str | None
    name: str


@record
class KeyDefinition:
    """A primary key or unique constraint; `using_index` names the index that it takes over."""

    columns: tuple[str, ...]
    primary: bool
    name: str | None = None
    include: tuple[str, ...] = ()
    using_index: str | None = None
    nulls_distinct: bool = True


@record
class ReferenceDefinition:
    """A foreign key; empty `target_columns` stand for the target's primary key."""

    columns: tuple[str, ...]
    target: Name
    target_columns: tuple[str, ...] = ()
    name: str | None = None
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"


@record
class IndexDefinition:
    """An index, fields as in model.catalog.Index; `labels` are what a name is made of."""

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    name: str | None = None
    unique: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    predicate: str | None = None
    descending: tuple[bool, ...] = ()
    operator_classes: tuple[str | None, ...] = ()
    nulls_first: tuple[bool, ...] = ()
    collations: tuple[str | None, ...] = ()
    nulls_distinct: bool = True
    exclusion: bool = False


Constraint: TypeAlias = KeyDefinition | ReferenceDefinition | IndexDefinition


@record
class CreateTable:
    """A table; `parents` give it columns too, and as a `partition` their keys and indexes.

    `likes` are (table, number of `columns` before it, with its indexes) of LIKE clauses.
    """

    name: Name
    columns: tuple[Column, ...]
    constraints: tuple[Constraint, ...] = ()
    parents: tuple[Name, ...] = ()
    partition: bool = False
    likes: tuple[tuple[Name, int, bool], ...] = ()
    materialized_view: bool = False


@record
class CreateIndex:
    """An index on a table, `only` without its partitions."""

    table: Name
    index: IndexDefinition
    only: bool = False


@record
class AddColumn:
    """A new column, with the constraints written beside it."""

    column: Column
    constraints: tuple[Constraint, ...] = ()


@record
class AddConstraint:
    """A key, foreign key or exclusion."""

    constraint: Constraint


@record
class DropColumn:
    """The column of that name goes."""

    name: str


@record
class DropConstraint:
    """The constraint of that name goes, and its index with it."""

    name: str


@record
class SetType:
    """A column gets another type."""

    column: str
    type: str


@record
class SetNullable:
    """A column may, or may no longer, be null."""

    column: str
    nullable: bool


@record
class SetDefault:
    """A column gets a default (SQL, or model.catalog.SEQUENCE), or None."""

    column: str
    default: str | None


@record
class AttachPartition:
    """Another table becomes a partition of this one."""

    partition: Name


@record
class ReplicaIdentity:
    """An index tells the table's rows apart for logical replication; None: none that is named."""

    index: str | None


@record
class RenameColumn:
    """A column gets another name."""

    old: str
    new: str


@record
class RenameConstraint:
    """A constraint, and its index, get another name."""

    old: str
    new: str


@record
class RenameTable:
    """The table gets another name, another schema, or both; None keeps what it has."""

    schema: str | None = None
    name: str | None = None


Change: TypeAlias = (
    AddColumn
    | AddConstraint
    | DropColumn
    | DropConstraint
    | SetType
    | SetNullable
    | SetDefault
    | AttachPartition
    | RenameColumn
    | RenameConstraint
    | RenameTable
    | ReplicaIdentity
)


@record
class AlterTable:
    """One change of a table, `only` without its partitions."""

    table: Name
    change: Change
    only: bool = False


@record
class DropTable:
    """A table goes."""

    name: Name


@record
class DropIndex:
    """An index goes."""

    name: Name


@record
class RenameIndex:
    """An index gets another name."""

    old: Name
    new: str


@record
class CreateEnum:
    """An enumerated type with its labels in order."""

    name: Name
    labels: tuple[str, ...]


@record
class AlterEnum:
    """A label more, `before` or `after` another or last; with `old`, that one renamed."""

    name: Name
    label: str
    old: str | None = None
    neighbour: str | None = None
    after: bool = False


@record
class DropEnum:
    """A type goes."""

    name: Name


@record
class CreateView:
    """A view, new or in place of another: its query as SQL."""

    name: Name
    query: str


@record
class RenameView:
    """A view gets another name or schema (None: as before)."""

    old: Name
    schema: str | None = None
    name: str | None = None


@record
class DropView:
    """A view goes."""

    name: Name


@record
class SearchPath:
    """Names without schema are from now on in this one."""

    schema: str


Definition: TypeAlias = (
    CreateTable
    | CreateIndex
    | AlterTable
    | DropTable
    | DropIndex
    | RenameIndex
    | CreateEnum
    | AlterEnum
    | DropEnum
    | CreateView
    | RenameView
    | DropView
    | SearchPath
)


@record
class Step:
    """A statement of a script: the 1-based `line` where it begins, and what it defines.

    `concurrently` tells a CREATE or DROP INDEX CONCURRENTLY.
    """

    line: int
    text: str
    definitions: tuple[Definition, ...]
    concurrently: bool = False
