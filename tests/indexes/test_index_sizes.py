"""Estimated sizes of indexes against real ones, built on a scratch server from data of many kinds."""

from collections.abc import Iterator
from typing import Protocol

import psycopg
import pytest

from analyzer.indexes.sizes import index_bytes
from analyzer.model.catalog import Catalog, Column, Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect

ROWS = 60_000
DATA = f"""
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
SELECT setseed(0.5);
CREATE TABLE orders AS
SELECT n AS id, (random() ^ 3 * 5000)::integer AS customer_id,
    (ARRAY['new', 'paid', 'sent'])[1 + n % 3]::state AS state,
    CASE WHEN random() < 0.9 THEN NULL ELSE now() END AS deleted_at,
    timestamptz '2025-01-01' + n * interval '1 minute' AS created_at,
    'user' || (random() * 20000)::integer || '@example.com' AS email,
    md5(n::text)::uuid AS token, (random() * 100)::numeric(10, 2) AS amount,
    (SELECT array_agg((random() * 500)::integer) FROM generate_series(1, 1 + n % 8)) AS tags,
    int4range(n, n + 50) AS span
FROM generate_series(1, {ROWS}) AS n;
VACUUM ANALYZE orders;
"""


class Server(Protocol):
    def create_database(self, name: str) -> str: ...
    def psql(self, sql: str, dsn: str | None = None) -> str: ...


def candidate(
    method: str, *columns: str, include: tuple[str, ...] = (), operator_class: str | None = None
) -> IndexCandidate:
    keys = tuple(IndexKey(name, "equality", None, operator_class) for name in columns)
    return IndexCandidate("orders", keys, method, "i", "", "", "", include=include)


@pytest.fixture(scope="module")
def orders(postgres15: Server) -> Iterator[tuple[psycopg.Connection, Catalog]]:
    dsn = postgres15.create_database("index_sizes")
    postgres15.psql(DATA, dsn)
    with connect(dsn) as reading:
        catalog = read_catalog(reading).catalog
    with psycopg.connect(dsn, autocommit=True) as own:
        yield own, catalog


@pytest.mark.parametrize(
    ("wanted", "least", "most"),
    [
        (candidate("btree", "id"), 0.95, 1.05),
        (candidate("btree", "customer_id"), 0.9, 1.1),
        (candidate("btree", "state"), 0.9, 1.1),
        (candidate("btree", "deleted_at"), 0.9, 1.1),
        (candidate("btree", "email"), 0.85, 1.15),
        (candidate("btree", "token"), 0.95, 1.05),
        (candidate("btree", "amount"), 0.85, 1.15),
        (candidate("btree", "customer_id", "created_at"), 0.95, 1.05),
        (candidate("btree", "state", "customer_id"), 0.85, 1.15),
        (candidate("btree", "customer_id", include=("amount", "created_at")), 0.9, 1.1),
        (candidate("hash", "token"), 0.75, 1.25),
        (candidate("brin", "created_at"), 0.9, 1.1),
        (candidate("gin", "tags"), 0.6, 1.6),
        (candidate("gist", "span"), 0.6, 1.6),
    ],
    ids=lambda value: (
        f"{value.method}-{'-'.join(value.columns)}-{len(value.include)}"
        if isinstance(value, IndexCandidate)
        else ""
    ),
)
def test_the_estimate_is_near_the_true_size(
    orders: tuple[psycopg.Connection, Catalog], wanted: IndexCandidate, least: float, most: float
) -> None:
    own, catalog = orders
    table = catalog.table("orders")
    carried = f" INCLUDE ({', '.join(wanted.include)})" if wanted.include else ""
    columns = ", ".join(wanted.columns)
    with own.transaction(force_rollback=True):
        own.execute(f"CREATE INDEX i ON orders USING {wanted.method} ({columns}){carried}")
        true = own.execute("SELECT pg_relation_size('i')").fetchone()[0]
    assert least < index_bytes(table, wanted, ROWS) / true < most


def test_a_unique_key_is_not_merged() -> None:
    column = Column("a", "integer", distinct=10.0)
    plain = Table("orders", (column,))
    unique = Table("orders", (column,), unique_keys=(("a",),))
    one = candidate("btree", "a")
    assert index_bytes(unique, one, 100_000) > 2 * index_bytes(plain, one, 100_000)


def test_vectors_take_what_their_pages_hold() -> None:
    """1,536 dimensions leave one to a page, and its neighbours go to pages of their own."""
    table = Table("orders", (Column("v", "vector(1536)"), Column("small", "vector(3)")))
    one = index_bytes(table, candidate("hnsw", "v"), 1000)
    assert 1000 * 8192 <= one < 1100 * 8192
    assert index_bytes(table, candidate("hnsw", "small"), 1000) < one / 10
    assert 1000 * 6152 < index_bytes(table, candidate("ivfflat", "v"), 1000) < 1500 * 8192


def test_a_method_without_a_formula_has_no_size() -> None:
    assert index_bytes(None, candidate("spgist", "a"), 1000) is None
    assert index_bytes(None, candidate("brin", "a"), 1000) is None  # the table's size decides
