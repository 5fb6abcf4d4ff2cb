"""How far the size estimates of indexes are off: real ones are built on a scratch server and compared.

    python benchmarks/index_sizes.py DSN [--rows 200000] [--tpch]

Needs the right to create tables in that database (schema pg95_sizes, dropped at the end); with pg_trgm
and pgvector where they can be had. `--tpch` also builds indexes on TPC-H's tables of that database, and
drops them. Prints a row an index and the distribution of the ratio estimate / true size.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import psycopg

from analyzer.indexes.sizes import index_bytes
from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

TABLES = """
DROP SCHEMA IF EXISTS pg95_sizes CASCADE;
CREATE SCHEMA pg95_sizes;
CREATE TYPE pg95_sizes.state AS ENUM ('new', 'paid', 'sent', 'back');
SELECT setseed(0.5);
CREATE TABLE pg95_sizes.orders AS
SELECT n::bigint AS id,
    (random() ^ 3 * {rows} / 20)::integer AS customer_id,
    (ARRAY['new', 'paid', 'sent', 'back'])[1 + (random() ^ 4 * 4)::integer % 4]::pg95_sizes.state AS state,
    CASE WHEN random() < 0.9 THEN NULL ELSE now() - random() * interval '1 year' END AS deleted_at,
    timestamptz '2025-01-01' + n * interval '30 seconds' AS created_at,
    'user' || (random() * {rows} / 4)::integer || '@example.' || (ARRAY['com', 'org', 'net'])[1 + n % 3] AS email,
    md5(n::text)::uuid AS token,
    (random() * 10000)::numeric(10, 2) AS amount,
    random() < 0.03 AS flagged,
    (random() * 300)::smallint AS shop,
    repeat(md5((n % 5000)::text), 3) AS long_text,
    date '2024-01-01' + (random() * 700)::integer AS day,
    (SELECT array_agg((random() ^ 2 * 800)::integer) FROM generate_series(1, 1 + n % 8)) AS tags,
    jsonb_build_object('kind', n % 12, 'user', (random() * 20000)::integer, 'ok', n % 2 = 0,
        'place', md5((n % 300)::text)) AS data,
    to_tsvector('simple', (SELECT string_agg('w' || (random() ^ 3 * 20000)::integer, ' ')
        FROM generate_series(1, 12 + n % 5))) AS words,
    tstzrange(timestamptz '2025-01-01' + n * interval '1 minute',
        timestamptz '2025-01-01' + (n + 50) * interval '1 minute') AS during,
    point(random() * 1000, random() * 1000) AS place
FROM generate_series(1, {rows}) AS n;
"""
VECTORS = """
CREATE TABLE pg95_sizes.documents AS
SELECT n AS id, (SELECT array_agg(random()) FROM generate_series(1, 256) AS s WHERE s > n - n)::vector(256) AS embedding
FROM generate_series(1, 10000) AS n;
ALTER TABLE pg95_sizes.documents ALTER COLUMN embedding TYPE vector(256);
"""
_ORDERS = (
    ("btree", ("id",)), ("btree", ("customer_id",)), ("btree", ("state",)), ("btree", ("deleted_at",)),
    ("btree", ("created_at",)), ("btree", ("email",)), ("btree", ("token",)), ("btree", ("amount",)),
    ("btree", ("flagged",)), ("btree", ("shop",)), ("btree", ("long_text",)), ("btree", ("day",)),
    ("btree", ("customer_id", "created_at")), ("btree", ("state", "day")), ("btree", ("shop", "state", "day")),
    ("btree", ("customer_id", "state")), ("btree", ("deleted_at", "customer_id")), ("btree", ("email", "state")),
    ("btree", ("shop", "customer_id", "amount")), ("btree", ("customer_id",), ("amount", "created_at")),
    ("btree", ("email",), ("id",)),
    ("hash", ("token",)), ("hash", ("customer_id",)), ("hash", ("email",)), ("hash", ("shop",)),
    ("brin", ("created_at",)), ("brin", ("id", "created_at")),
    ("gin", ("tags",)), ("gin", ("words",)), ("gin", ("data",)), ("gin", ("data",), (), "jsonb_path_ops"),
    ("gist", ("during",)), ("gist", ("place",)), ("gin", ("email",), (), "gin_trgm_ops"),
)  # fmt: skip
_DOCUMENTS = (
    ("hnsw", ("embedding",), (), "vector_l2_ops"),
    ("ivfflat", ("embedding",), (), "vector_l2_ops"),
)
_TPCH = (
    ("lineitem", ("l_partkey",)), ("lineitem", ("l_suppkey",)), ("lineitem", ("l_shipdate",)),
    ("lineitem", ("l_orderkey",)), ("lineitem", ("l_partkey", "l_suppkey")), ("lineitem", ("l_shipmode",)),
    ("lineitem", ("l_receiptdate", "l_shipmode")), ("lineitem", ("l_quantity",)), ("lineitem", ("l_returnflag", "l_linestatus")),
    ("orders", ("o_custkey",)), ("orders", ("o_orderdate",)), ("orders", ("o_orderpriority", "o_orderdate")),
    ("orders", ("o_clerk",)), ("orders", ("o_comment",)), ("customer", ("c_nationkey",)), ("customer", ("c_mktsegment",)),
    ("customer", ("c_phone",)), ("partsupp", ("ps_suppkey",)), ("part", ("p_brand", "p_container", "p_size")), ("part", ("p_type",)),
    ("lineitem", ("l_partkey",), ("l_quantity", "l_extendedprice", "l_discount")), ("orders", ("o_custkey",), ("o_orderdate",)),
)  # fmt: skip


def _candidate(table: str, method: str, columns: Sequence[str], *rest: Any) -> IndexCandidate:  # noqa: ANN401
    """An index from a row of the tables above: method, columns, INCLUDE, operator class."""
    include, operator_class = (*rest, (), None)[0:2] if len(rest) != 1 else (rest[0], None)
    keys = tuple(IndexKey(column, "equality", None, operator_class) for column in columns)
    listed = ", ".join(f"{column} {operator_class or ''}".strip() for column in columns)
    carried = f" INCLUDE ({', '.join(include)})" if include else ""
    sql = f"CREATE INDEX pg95_size ON {table} USING {method} ({listed}){carried}"
    return IndexCandidate(table, keys, method, "pg95_size", sql, "", "", include=include)


def _candidates(own: Connection, *, tpch: bool) -> Iterator[IndexCandidate]:
    have = {row[0] for row in own.execute("SELECT extname FROM pg_extension")}
    for method, *rest in _ORDERS:
        if "gin_trgm_ops" not in rest or "pg_trgm" in have:
            yield _candidate("pg95_sizes.orders", method, *rest)
    if "vector" in have:
        for method, *rest in _DOCUMENTS:
            yield _candidate("pg95_sizes.documents", method, *rest)
    if tpch:
        for table, *rest in _TPCH:
            yield _candidate(table, "btree", *rest)


def _prepared(own: Connection, dsn: str, rows: int) -> Catalog:
    """Make the tables; gives their catalog."""
    for extension in ("pg_trgm", "vector"):
        try:
            own.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
        except psycopg.Error as error:
            print(f"without {extension}: {error.diag.message_primary}")
    own.execute(TABLES.format(rows=rows))
    if own.execute("SELECT 1 FROM pg_extension WHERE extname = 'vector'").fetchone():
        own.execute(VECTORS)
    own.execute("VACUUM ANALYZE")
    with connect(dsn) as reading:
        return read_catalog(reading).catalog


def _true_bytes(own: Connection, candidate: IndexCandidate) -> int:
    schema = "pg95_sizes." if "." in candidate.table else ""
    own.execute(candidate.sql)
    row: Any = own.execute(f"SELECT pg_relation_size('{schema}pg95_size')").fetchone()
    own.execute(f"DROP INDEX {schema}pg95_size")
    return int(row[0])


def main() -> None:
    """Build them, compare, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dsn")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--tpch", action="store_true")
    given = parser.parse_args()
    ratios: dict[str, list[float]] = {}
    with psycopg.connect(given.dsn, autocommit=True) as own:
        catalog = _prepared(own, given.dsn, given.rows)
        for candidate in _candidates(own, tpch=given.tpch):
            table = catalog.tables[candidate.table]
            estimate = index_bytes(table, candidate, table.rows or 0) or 0
            true = _true_bytes(own, candidate)
            ratios.setdefault(candidate.method, []).append(estimate / true)
            shown = candidate.sql.partition(" ON ")[2]
            sizes = f"{true / 2**20:9.2f} MB true, {estimate / 2**20:9.2f} estimated"
            print(f"{shown:75s} {sizes}: {estimate / true:.2f}")
        own.execute("DROP SCHEMA pg95_sizes CASCADE")
    for method, found in ratios.items():
        ordered = sorted(found)
        middle = statistics.median(ordered)
        print(f"{method}: {len(found)}, {ordered[0]:.2f} to {ordered[-1]:.2f}, median {middle:.2f}")


if __name__ == "__main__":
    main()
