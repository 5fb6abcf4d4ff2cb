"""What a clone's own catalog says: its relations with their files, and its tables as pg95 has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analyzer.model.catalog import Catalog
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import Connection

_RELATIONS = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, pg_relation_filepath(c.oid), m.amname = 'btree' AND c.relkind = 'i'
FROM pg_class AS c
LEFT JOIN pg_am AS m ON m.oid = c.relam
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'i') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
"""
# Indexes by name, each with those of all partitions; `rows` are those of the table that it is on.
_LEAVES = """
WITH RECURSIVE below AS (
    SELECT c.oid AS id, c.relname AS root FROM pg_class AS c WHERE c.relname = ANY(%s) AND c.relkind IN ('i', 'I')
    UNION ALL
    SELECT i.inhrelid, b.root FROM below AS b JOIN pg_inherits AS i ON i.inhparent = b.id
)
SELECT b.root::text, x.oid::bigint, n.nspname::text, x.relname::text, pg_relation_filepath(x.oid),
    greatest(t.reltuples, 0)::double precision, t.oid::bigint
FROM below AS b
JOIN pg_class AS x ON x.oid = b.id
JOIN pg_namespace AS n ON n.oid = x.relnamespace
JOIN pg_index AS i ON i.indexrelid = x.oid
JOIN pg_class AS t ON t.oid = i.indrelid
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
_FILES = """
UPDATE pg_class AS c
SET relfilenode = f.number::oid
FROM unnest(%s::bigint[], %s::bigint[]) AS f (id, number)
WHERE c.oid = f.id::oid
"""
# Of an expression the statistics are the index's own.
_KEYS = """
SELECT i.indexrelid::bigint, sum(
    CASE WHEN a.attlen > 0 THEN a.attlen ELSE coalesce(s.stawidth, 16) END
)
FROM pg_index AS i
CROSS JOIN generate_series(1, i.indnkeyatts) AS k
JOIN pg_attribute AS a ON a.attrelid = i.indexrelid AND a.attnum = k
LEFT JOIN LATERAL (
    SELECT max(t.stawidth) AS stawidth
    FROM pg_statistic AS t
    WHERE (t.starelid = i.indrelid AND t.staattnum = i.indkey[k - 1] AND i.indkey[k - 1] > 0)
       OR (t.starelid = i.indexrelid AND t.staattnum = k)
) AS s ON true
WHERE i.indexrelid = ANY(%s::oid[])
GROUP BY i.indexrelid
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or index with a file: `path` as pg_relation_filepath() has it."""

    id: int
    schema: str
    name: str
    path: str
    btree: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """An index of one table: of a partitioned table's index the partitions' own, and the parent.

    `path` is None for the parent, `rows` are the table's.
    """

    id: int
    schema: str
    name: str
    path: str | None
    rows: float
    table: int


def relations(connection: Connection) -> list[Relation]:
    """All tables and indexes that have files."""
    return [Relation(*row) for row in _rows(connection, _RELATIONS)]


def leaves(connection: Connection, names: Sequence[str]) -> dict[str, list[Leaf]]:
    """Indexes by name, each with those of the partitions below it."""
    found: dict[str, list[Leaf]] = {name: [] for name in names}
    for name, *row in _rows(connection, _LEAVES, [list(names)]):
        found[name].append(Leaf(*row))
    return found


def key_bytes(connection: Connection, indexes: Sequence[int]) -> dict[int, float]:
    """The mean size of the keys of indexes, by their relations: by type, else by statistics."""
    return {row[0]: float(row[1]) for row in _rows(connection, _KEYS, [list(indexes)])}


def give_files(admin: Connection, numbers: Mapping[int, int]) -> None:
    """Let indexes have other files, by their relations: the number of each."""
    admin.execute(_FILES.encode(), [list(numbers), list(numbers.values())])


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
