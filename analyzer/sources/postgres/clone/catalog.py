"""What a clone's own catalog says: its relations with their files, and its tables as pg95 has them."""

from dataclasses import dataclass, replace
from typing import Any

from analyzer.model.catalog import Catalog
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import Connection

_RELATIONS = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, pg_relation_filepath(c.oid)
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
# An index with those of all partitions; `tables` are theirs, with how many rows each has.
_LEAVES = """
WITH RECURSIVE below AS (
    SELECT %s::oid AS id
    UNION ALL
    SELECT i.inhrelid FROM below AS b JOIN pg_inherits AS i ON i.inhparent = b.id
)
SELECT x.oid::bigint, x.relname::text, pg_relation_filepath(x.oid), t.oid::bigint, greatest(t.reltuples, 0),
    pg_relation_filepath(t.oid), m.nspname::text
FROM below AS b
JOIN pg_class AS x ON x.oid = b.id
JOIN pg_index AS i ON i.indexrelid = x.oid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS m ON m.oid = x.relnamespace
"""
_TABLES = """
WITH RECURSIVE below AS (
    SELECT to_regclass(%s)::oid AS id
    UNION ALL
    SELECT i.inhrelid FROM below AS b JOIN pg_inherits AS i ON i.inhparent = b.id
)
SELECT t.oid::bigint, pg_relation_filepath(t.oid)
FROM below AS b JOIN pg_class AS t ON t.oid = b.id
WHERE t.relkind IN ('r', 'm')
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or index with a file: `path` as pg_relation_filepath() has it, None for a parent."""

    id: int
    schema: str
    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class Leaf:
    """An index of one table: of a partitioned table's index the partitions' own, and the parent."""

    id: int
    schema: str
    name: str
    path: str | None
    rows: float


def relations(connection: Connection) -> list[Relation]:
    """All tables and indexes that have files."""
    return [Relation(*row) for row in _rows(connection, _RELATIONS)]


def leaves(connection: Connection, index: int) -> list[Leaf]:
    """An index, and those of the partitions below it."""
    return [
        Leaf(id=row[0], name=row[1], path=row[2], rows=float(row[4]), schema=row[6])
        for row in _rows(connection, _LEAVES, [index])
    ]


def table_files(connection: Connection, table: str) -> dict[int, str]:
    """The files of a table (as SQL) and of its partitions, by their relations."""
    return {row[0]: row[1] for row in _rows(connection, _TABLES, [table])}


def clone_catalog(connection: Connection, origin: str) -> Catalog:
    """The catalog as pg95 has it; how tables and indexes are used a clone does not know."""
    found = read_catalog(connection).catalog
    tables = {
        name: replace(
            table,
            reads=None,
            writes=None,
            hot_ratio=None,
            indexes=tuple(replace(index, scans=None) for index in table.indexes),
        )
        for name, table in found.tables.items()
    }
    return Catalog(tables, origin, found.server_version)


def _rows(connection: Connection, text: str, given: list[Any] | None = None) -> list[Any]:
    return connection.execute(text.encode(), given).fetchall()
