"""The live catalog: tables, keys, indexes and figures as PostgreSQL has them."""

import threading
from typing import Protocol

import psycopg
import pytest

from analyzer.model.catalog import Catalog, Index
from analyzer.sources.postgres.catalog import CatalogReading, read_catalog
from analyzer.sources.postgres.connection import connect

SCRIPT = """
CREATE SCHEMA sales;
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE TABLE users (
    id serial PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, "Nick" text, mood mood, extra jsonb
);
CREATE TABLE sales.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id int NOT NULL REFERENCES users,
    at timestamptz(3) NOT NULL,
    state text
) WITH (fillfactor = 50, autovacuum_enabled = off);
CREATE INDEX recent ON sales.orders (user_id, at DESC) INCLUDE (state) WHERE state <> 'done';
CREATE INDEX by_nick ON users USING btree (lower("Nick") text_pattern_ops, (id + 1));
CREATE INDEX by_extra ON users USING gin (extra jsonb_path_ops);
CREATE TABLE parts (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
CREATE TABLE part_notes (part int, at date, FOREIGN KEY (part, at) REFERENCES parts);
CREATE TABLE empty (id int);
INSERT INTO users (email, "Nick", mood)
    SELECT i || '@example.org', CASE WHEN i % 4 > 0 THEN 'n' || i % 10 END, 'ok' FROM generate_series(1, 400) i;
INSERT INTO sales.orders (user_id, at, state)
    SELECT 1 + i % 400, now(), 'new' FROM generate_series(1, 2000) i;
INSERT INTO parts SELECT i, '2020-06-01' FROM generate_series(1, 300) i;
INSERT INTO parts SELECT i, '2021-06-01' FROM generate_series(1, 700) i;
CREATE MATERIALIZED VIEW totals AS SELECT user_id, count(*) AS n FROM sales.orders GROUP BY 1;
CREATE UNIQUE INDEX totals_user ON totals (user_id);
ANALYZE;
"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def reading(dsn: str) -> CatalogReading:
    with connect(dsn) as connection:
        return read_catalog(connection)


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("catalog_shop")
    postgres15.psql(SCRIPT, dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET enable_seqscan = off")
        for number in range(1, 11):
            connection.execute("SELECT * FROM users WHERE id = %s", [number])
            connection.execute("SELECT * FROM parts WHERE id = %s AND at = '2021-06-01'", [number])
        connection.execute("UPDATE sales.orders SET state = 'seen' WHERE id <= 10")
        connection.execute("UPDATE users SET \"Nick\" = 'x' WHERE id = 1")
        connection.execute("SELECT pg_stat_force_next_flush()")
    return dsn


@pytest.fixture(scope="module")
def catalog(shop: str) -> Catalog:
    found = reading(shop)
    assert found.warnings == []
    return found.catalog


def index(catalog: Catalog, table: str, name: str) -> Index:
    return next(index for index in catalog.tables[table].indexes if index.name == name)


def test_tables_are_named_by_schema_outside_public(catalog: Catalog) -> None:
    assert set(catalog.tables) == {
        *("users", "sales.orders", "parts", "parts_a", "parts_b", "part_notes", "empty", "totals"),
    }
    assert catalog.server_version is not None
    assert catalog.server_version // 10000 == 15
    assert catalog.origin.startswith("postgresql://postgres@127.0.0.1:")
    assert catalog.origin.endswith("/catalog_shop")


def test_columns_have_type_nullability_and_statistics(catalog: Catalog) -> None:
    columns = {column.name: column for column in catalog.tables["users"].columns}
    assert list(columns) == ["id", "email", "Nick", "mood", "extra"]
    assert [column.type for column in columns.values()] == [
        *("integer", "character varying(80)", "text", "mood", "jsonb"),
    ]
    assert [column.nullable for column in columns.values()] == [False, False, True, True, True]
    assert columns["id"].distinct == -1
    assert columns["Nick"].null_fraction == pytest.approx(0.25)
    assert columns["Nick"].distinct == 10
    assert columns["extra"].null_fraction == 1
    at = catalog.tables["sales.orders"].column("at")
    assert at is not None
    assert at.type == "timestamp(3) with time zone"


def test_keys(catalog: Catalog) -> None:
    users, orders = catalog.tables["users"], catalog.tables["sales.orders"]
    assert users.primary_key == ("id",)
    assert users.unique_keys == (("email",),)
    (key,) = orders.foreign_keys
    assert (key.columns, key.target, key.target_columns) == (("user_id",), "users", ("id",))
    (key,) = catalog.tables["part_notes"].foreign_keys  # not one more for each partition
    assert (key.columns, key.target, key.target_columns) == (("part", "at"), "parts", ("id", "at"))
    assert catalog.tables["totals"].unique_keys == (("user_id",),)


def test_indexes(catalog: Catalog) -> None:
    recent = index(catalog, "sales.orders", "recent")
    assert recent.columns == ("user_id", "at")
    assert recent.descending == (False, True)
    assert recent.include == ("state",)
    assert recent.predicate == "state <> 'done'::text"
    assert (recent.unique, recent.primary, recent.valid) == (False, False, True)
    by_nick = index(catalog, "users", "by_nick")
    assert by_nick.columns == ('lower("Nick")', "id + 1")
    assert by_nick.operator_classes == ("text_pattern_ops", None)
    by_extra = index(catalog, "users", "by_extra")
    assert (by_extra.method, by_extra.columns) == ("gin", ("extra",))
    assert by_extra.operator_classes == ("jsonb_path_ops",)
    primary = index(catalog, "users", "users_pkey")
    assert (primary.primary, primary.unique, primary.columns) == (True, True, ("id",))
    assert primary.scans is not None
    assert primary.scans >= 10


def test_an_index_that_failed_to_build_is_invalid(postgres15: Server, shop: str) -> None:
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute("CREATE TABLE twice AS SELECT 1 AS id FROM generate_series(1, 2)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY twice_id ON twice (id)")
    broken = reading(shop).catalog.tables["twice"]
    assert [entry.valid for entry in broken.indexes] == [False]
    assert broken.unique_keys == ()
    postgres15.psql("DROP TABLE twice", shop)


def test_figures(postgres15: Server, shop: str, catalog: Catalog) -> None:
    orders, users = catalog.tables["sales.orders"], catalog.tables["users"]
    assert (users.rows, orders.rows) == (400, 2000)
    size = postgres15.psql("SELECT pg_total_relation_size('sales.orders')", shop)
    assert orders.bytes == int(size)
    size = postgres15.psql("SELECT pg_relation_size('sales.recent')", shop)
    assert index(catalog, "sales.orders", "recent").bytes == int(size)
    assert orders.writes == 2010
    assert users.reads is not None
    assert users.reads >= 10
    # `recent` depends on state, so no update of it is heap-only; nothing else is updated.
    assert orders.hot_ratio == 0.0
    assert catalog.tables["empty"].hot_ratio is None
    assert catalog.tables["empty"].rows == 0


def test_a_partitioned_table_is_the_sum_of_its_partitions(catalog: Catalog) -> None:
    whole, parts = (
        catalog.tables["parts"],
        [catalog.tables["parts_a"], catalog.tables["parts_b"]],
    )
    assert whole.rows == 1000
    assert [part.rows for part in parts] == [300, 700]
    assert whole.bytes == sum(part.bytes or 0 for part in parts)
    assert whole.writes == 1000
    assert whole.primary_key == ("id", "at")
    assert index(catalog, "parts", "parts_pkey").scans == 10
    assert index(catalog, "parts_b", "parts_b_pkey").scans == 10
    assert index(catalog, "parts_a", "parts_a_pkey").scans == 0
    expected = index(catalog, "parts_a", "parts_a_pkey"), index(catalog, "parts_b", "parts_b_pkey")
    assert index(catalog, "parts", "parts_pkey").bytes == sum(part.bytes or 0 for part in expected)


def test_rows_are_unknown_before_anything_counted_them(postgres15: Server) -> None:
    dsn = postgres15.create_database("catalog_fresh")
    postgres15.psql(
        "CREATE TABLE fresh (id int) WITH (autovacuum_enabled = off);"
        "INSERT INTO fresh SELECT generate_series(1, 50);"
        "SELECT pg_stat_force_next_flush()",
        dsn,
    )
    assert reading(dsn).catalog.tables["fresh"].rows == 50  # by the statistics of its inserts
    postgres15.psql("SELECT pg_stat_reset()", dsn)
    fresh = reading(dsn).catalog.tables["fresh"]
    assert (fresh.rows, fresh.reads, fresh.writes) == (None, 0, 0)


@pytest.mark.usefixtures("shop")
def test_statistics_that_a_role_may_not_see_are_unknown(postgres15: Server) -> None:
    postgres15.psql("CREATE ROLE onlooker LOGIN")
    found = reading(f"postgresql://onlooker@{postgres15.host}:{postgres15.port}/catalog_shop")
    assert found.warnings == []
    users = found.catalog.tables["users"]
    assert users.primary_key == ("id",)
    assert users.rows == 400
    assert [column.distinct for column in users.columns] == [None] * 5


def test_a_locked_table_costs_only_what_waits_for_it(postgres15: Server, shop: str) -> None:
    with psycopg.connect(shop) as holder:
        holder.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
        results: list[CatalogReading] = []
        thread = threading.Thread(target=lambda: results.append(reading(shop)))
        thread.start()
        thread.join(timeout=20)
        assert not thread.is_alive()
    (found,) = results
    defaults, definitions, texts, sizes = sorted(
        found.warnings, key=lambda text: text.split(" for ")[1]
    )
    assert "defaults" in defaults
    assert "sizes" in sizes
    assert "index expressions" in texts
    assert "index definitions" in definitions
    assert all("lock" in warning for warning in found.warnings)
    assert index(found.catalog, "users", "by_nick").columns == ("?", "?")
    assert index(found.catalog, "sales.orders", "recent").predicate == "?"
    users = found.catalog.tables["users"]
    assert users.primary_key == ("id",)
    assert users.bytes is not None
    pages = postgres15.psql("SELECT relpages FROM pg_class WHERE relname = 'users'", shop)
    assert users.bytes == int(pages) * 8192


def test_names_that_need_quotes_are_plain_here(postgres15: Server) -> None:
    dsn = postgres15.create_database("catalog_names")
    postgres15.psql(
        'CREATE SCHEMA "My Schema"; CREATE TABLE "My Schema"."My Table" ("my "" id" int PRIMARY KEY);'
        'CREATE TYPE "My Schema"."My Type" AS ENUM (\'a\');'
        'ALTER TABLE "My Schema"."My Table" ADD t "My Schema"."My Type"',
        dsn,
    )
    table = reading(dsn).catalog.tables["My Schema.My Table"]
    assert table.primary_key == ('my " id',)
    assert [column.type for column in table.columns] == ["integer", '"My Schema"."My Type"']


def test_a_wide_catalog_is_read_whole(postgres15: Server) -> None:
    dsn = postgres15.create_database("catalog_wide")
    tables = 300
    with psycopg.connect(dsn) as connection:
        for number in range(tables):
            connection.execute(
                f"CREATE TABLE t{number} (id int PRIMARY KEY, up int REFERENCES t{max(number - 1, 0)})".encode()
            )
    catalog = reading(dsn).catalog
    assert len(catalog.tables) == tables
    assert {table.foreign_keys[0].target for table in catalog} == {
        f"t{number}" for number in range(tables - 1)
    }
