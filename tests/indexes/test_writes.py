"""What writers pay: HOT updates lost, entries and write-ahead log, held against what a real server counts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from analyzer.indexes.making import Maker
from analyzer.indexes.writes import TableWrites, WritePrice, price
from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import Constant, IndexCandidate, IndexKey
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from tests.conftest import Server

UPDATED = 1500
SCHEMA = """
CREATE TABLE orders (id int PRIMARY KEY, state text, note text, made int) WITH (fillfactor = 50);
INSERT INTO orders SELECT n, 'done', 'note ' || n, n FROM generate_series(1, 3000) AS n;
ANALYZE orders;
"""
UPDATE = f"UPDATE orders SET state = state || 'x' WHERE id <= {UPDATED}"

COUNTED = """
SELECT n_tup_hot_upd, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8
FROM pg_stat_xact_user_tables WHERE relname = 'orders'
"""


@pytest.fixture
def database(postgres15: Server, request: pytest.FixtureRequest) -> Iterator[tuple[Any, Catalog]]:
    dsn = postgres15.create_database(f"writes_{abs(hash(request.node.name))}")
    postgres15.psql(SCHEMA, dsn)
    with connect(dsn) as connection:
        catalog = read_catalog(connection).catalog
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection, catalog


def candidate(catalog: Catalog, column: str, predicate: str | None = None) -> IndexCandidate:
    table = catalog.table("orders")
    assert table is not None
    constant = Constant("state") if predicate else None
    return Maker(table, catalog).make(
        [IndexKey(column, "equality")], predicate=predicate, constant=constant
    )


def priced(catalog: Catalog, one: IndexCandidate, writes: TableWrites) -> WritePrice:
    table = catalog.table("orders")
    assert table is not None
    return price(one, table, writes, one.bytes or 80_000, 1.0)


def written(connection: Any, index: IndexCandidate | None) -> tuple[int, int]:  # noqa: ANN401
    """HOT updates and bytes of write-ahead log of the update, with an index or without."""
    if index is not None:
        connection.execute(index.sql)
    with connection.transaction():
        before, wal_before = connection.execute(COUNTED).fetchone()
        connection.execute(UPDATE)
        hot, wal = connection.execute(COUNTED).fetchone()
    if index is not None:
        connection.execute(f"DROP INDEX {index.name}")
    connection.execute("VACUUM (FULL, FREEZE) orders")
    return hot - before, wal - wal_before


def test_an_index_of_what_updates_set_loses_hot_and_one_of_another_column_does_not(
    database: tuple[Any, Catalog],
) -> None:
    connection, catalog = database
    writes = TableWrites(updated={("state",): float(UPDATED)})
    of_state, of_note = candidate(catalog, "state"), candidate(catalog, "note")
    connection.execute("VACUUM (FULL, FREEZE) orders")
    connection.execute("CHECKPOINT")
    bare = written(connection, None)
    lost = written(connection, of_state)
    kept = written(connection, of_note)
    assert lost[0] == 0
    assert min(bare[0], kept[0]) > 0.8 * UPDATED
    dear, cheap = priced(catalog, of_state, writes), priced(catalog, of_note, writes)
    assert dear.hot_lost > 0
    assert cheap.hot_lost == 0
    assert dear.cost > 2 * cheap.cost
    # An entry in each index of the table, the old one included: that is in its log, too.
    assert dear.entries > UPDATED
    assert lost[1] - bare[1] > 2 * max(1, kept[1] - bare[1])


def test_a_partial_index_has_entries_of_the_rows_that_it_holds(
    database: tuple[Any, Catalog],
) -> None:
    connection, catalog = database
    whole = candidate(catalog, "made")
    rare = replace(candidate(catalog, "made", "state = 'open'"), share=0.01)
    inserted = TableWrites(inserted=1000.0)
    assert priced(catalog, whole, inserted).entries == 1000
    assert priced(catalog, rare, inserted).entries == pytest.approx(10)
    # Where statements set the state, a row may pass through the index: it has one entry in its life.
    passing = TableWrites(inserted=1000.0, updated={("state",): 1000.0})
    assert priced(catalog, rare, passing).entries >= 1000
    connection.execute(rare.sql)
    connection.execute(
        "INSERT INTO orders SELECT n, 'done', '', n FROM generate_series(4000, 5000) n"
    )
    (size,) = connection.execute(f"SELECT pg_relation_size('{rare.name}')").fetchone()
    assert size == 8192  # the meta page: nothing was written to it
