"""A snapshot of a live server, of 15 and of 18: what is in it, and what is said of the rest."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from analyzer.model.snapshot import Snapshot
from analyzer.sources.postgres.connection import attempt, connect
from analyzer.sources.postgres.snapshot import take_snapshot
from analyzer.sources.postgres.use import chosen
from analyzer.workload.counter_window import window


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


@pytest.fixture(scope="module", params=["postgres15", "postgres18"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    found: Server = request.getfixturevalue(request.param)
    yield found
    for name in ("snap_shop", "snap_other", "snap_bare"):
        found.psql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def shop(server: Server) -> str:
    """A database with the extension in an odd schema, a used table, and another database."""
    dsn = server.create_database("snap_shop")
    server.psql(
        'CREATE SCHEMA "Odd %s"; CREATE EXTENSION pg_stat_statements SCHEMA "Odd %s";'
        "CREATE SCHEMA sales; CREATE TABLE sales.orders (id int PRIMARY KEY, note text);"
        "INSERT INTO sales.orders SELECT i, repeat('x', 50) FROM generate_series(1, 1000) i;"
        "ANALYZE sales.orders",
        dsn,
    )
    other = server.create_database("snap_other")
    server.psql("CREATE TABLE things (id int); SELECT count(*) FROM things", other)
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        for number in range(5):
            connection.execute(f"SELECT note FROM sales.orders WHERE id = {number}".encode())
    return dsn


def row_of(snapshot: Snapshot, text: str) -> int:
    (row,) = [row for row in snapshot.counters if row.query == text]
    return row.calls


def test_what_a_snapshot_holds(server: Server, shop: str) -> None:
    taken = take_snapshot(shop, databases=["snap_other"])
    assert taken.server.address == shop
    shown = server.psql(
        "SELECT system_identifier, extract(epoch FROM pg_postmaster_start_time()) * 1000000,"
        "current_setting('server_version_num') FROM pg_control_system()"
    ).split("|")
    assert taken.server.system_identifier == shown[0]
    assert taken.server.started_us == round(float(shown[1]))
    assert taken.server.version == int(shown[2])
    assert not taken.server.in_recovery
    assert abs(taken.taken_us - float(server.psql("SELECT extract(epoch FROM now()) * 1e6"))) < 6e7
    assert taken.evictions == 0
    assert taken.reset_us is not None
    (row,) = [r for r in taken.counters if r.query == "SELECT note FROM sales.orders WHERE id = $1"]
    assert (row.calls, row.rows, row.database, row.user) == (5, 4, "snap_shop", "postgres")
    assert str(row.database_id) == server.psql(
        "SELECT oid FROM pg_database WHERE datname = 'snap_shop'"
    )
    elsewhere = {row.database for row in taken.counters}
    assert {"snap_shop", "snap_other", "postgres"} <= elsewhere
    if taken.server.version >= 170000:
        assert row.since_us is not None
        assert row.minmax_since_us == row.since_us < taken.taken_us
    else:
        assert (row.since_us, row.minmax_since_us) == (None, None)


def test_tables_and_indexes_of_several_databases(shop: str) -> None:
    taken = take_snapshot(shop, databases=["snap_other"])
    tables = {(one.database, one.name): one for one in taken.tables}
    assert set(tables) == {("snap_shop", "sales.orders"), ("snap_other", "things")}
    orders = tables["snap_shop", "sales.orders"]
    assert (orders.rows, orders.inserted) == (1000, 1000)
    assert orders.analyzed_us is not None
    assert orders.vacuumed_us is None
    (index,) = taken.indexes
    assert (index.database, index.table, index.name) == ("snap_shop", "sales.orders", "orders_pkey")
    assert orders.bytes is not None
    assert index.bytes is not None
    assert orders.bytes > index.bytes > 0
    assert tables["snap_other", "things"].rows is None  # never analysed, and not zero
    # All that may be connected to are looked at where none are named.
    everything = {one.database for one in take_snapshot(shop).tables}
    assert everything >= {"snap_shop", "snap_other"}


def test_databases_settings_and_io(server: Server, shop: str) -> None:
    taken = take_snapshot(shop, databases=[])
    (database,) = [one for one in taken.databases if one.name == "snap_shop"]
    assert database.commits > 0
    assert database.hit_ratio is not None
    assert 0 < database.hit_ratio <= 1
    assert database.bytes is not None
    assert {one.name for one in taken.databases} >= {"postgres", "snap_other"}
    assert not any(one.name.startswith("template") for one in taken.databases)
    assert taken.settings["log_min_duration_statement"] == "0 ms"
    assert taken.setting("log_min_duration_statement") == 0
    assert taken.settings["pg_stat_statements.max"] == "20000"
    assert taken.settings["log_line_prefix"] == "%m [%p] %q%u@%d/%a %c %l "
    assert taken.setting("log_line_prefix") is None
    assert taken.io["buffers_allocated"] > 0
    if server.psql("SHOW server_version_num") >= "160000":
        assert taken.io["reads"] > 0
        assert taken.io["hits"] > taken.io["reads"]
    assert taken.warnings == []


def test_texts_that_are_known_are_not_read_again(server: Server, shop: str) -> None:
    first = take_snapshot(shop, databases=[])
    assert first.own  # the extension counted the visits before
    assert not any(re.search(r"/\* pg95 \*/|\"pg95\"", row.query) for row in first.counters)
    again = take_snapshot(shop, databases=[], known=first.texts())
    take_snapshot(shop, databases=[], known=again.texts())
    server.psql("SELECT 'a new one' AS something_else", shop)
    server.flush_logs()
    before = count_of_text_reads(server)
    known = again.texts()
    last = take_snapshot(shop, databases=[], known=known)
    server.flush_logs()
    assert count_of_text_reads(server) == before + 1  # for what is new
    assert row_of(last, "SELECT note FROM sales.orders WHERE id = $1") == 5
    assert row_of(last, "SELECT $1 AS something_else") == 1
    # What the caller knows is believed, so the text is seen to come from there.
    renamed = {key: text and f"known: {text}" for key, text in last.texts().items()}
    final = take_snapshot(shop, databases=[], known=renamed)
    server.flush_logs()
    assert row_of(final, "known: SELECT note FROM sales.orders WHERE id = $1") == 5


def count_of_text_reads(server: Server) -> int:
    lines = server.log_path("jsonlog").read_text(encoding="utf-8").splitlines()
    messages = [json.loads(line)["message"] for line in lines]
    return sum("pg_stat_statements(true)" in one and " execute " in one for one in messages)


def test_a_window_of_a_real_server(server: Server, shop: str) -> None:
    first = take_snapshot(shop, databases=[])
    with psycopg.connect(shop, autocommit=True, prepare_threshold=None) as connection:
        for number in range(1, 21):
            connection.execute(f"SELECT note FROM sales.orders WHERE id = {number}".encode())
        connection.execute("SELECT count(*) AS in_the_window FROM sales.orders")
    second = take_snapshot(shop, databases=[], known=first.texts())
    found = window(first, second)
    assert (found.complete, found.caveats) == (True, ())
    rows = {row.query: row for row in found.counters}
    assert rows["SELECT note FROM sales.orders WHERE id = $1"].calls == 20
    assert rows["SELECT note FROM sales.orders WHERE id = $1"].rows == 20
    assert rows["SELECT count(*) AS in_the_window FROM sales.orders"].max_ms is not None
    server.psql(
        'SELECT "Odd %s".pg_stat_statements_reset(0, 0, queryid) FROM "Odd %s".pg_stat_statements '
        "WHERE query LIKE '%in_the_window%' AND query NOT LIKE '%queryid%'",
        shop,
    )
    third = window(second, take_snapshot(shop, databases=[], known=second.texts()))
    assert not third.complete
    assert "1 of" in third.caveats[0]
    assert "rows are gone (reset one by one" in third.caveats[0]


def test_the_extension_may_be_installed_in_another_database_alone(
    server: Server, shop: str
) -> None:
    bare = server.create_database("snap_bare")
    alone = take_snapshot(bare, databases=[])
    (warning,) = alone.warnings
    assert "CREATE EXTENSION pg_stat_statements;" in warning
    assert alone.counters == []
    assert alone.tables == []
    found = take_snapshot(bare, databases=["snap_shop"])
    assert found.warnings == []
    assert row_of(found, "SELECT note FROM sales.orders WHERE id = $1") >= 5
    assert {one.database for one in found.tables} == {"snap_shop"}
    assert shop.endswith("snap_shop")


def test_what_cannot_be_looked_at_is_a_warning(server: Server, shop: str) -> None:
    server.psql("DROP ROLE IF EXISTS snap_weak; CREATE ROLE snap_weak LOGIN")
    server.psql('GRANT USAGE ON SCHEMA "Odd %s" TO snap_weak', shop)
    server.psql("REVOKE CONNECT ON DATABASE snap_other FROM public")
    dsn = f"postgresql://snap_weak@{server.host}:{server.port}/snap_shop"
    taken = take_snapshot(dsn, databases=["snap_other", "no_such"])
    text = "\n".join(taken.warnings)
    assert 'GRANT pg_read_all_stats TO "snap_weak"' in text
    assert "database snap_other are not looked at" in text
    assert "database no_such are not looked at" in text
    assert taken.hidden > 0
    assert taken.tables  # those of the connected one
    # Unless it is named, a database that may not be connected to is passed over.
    assert "snap_other" not in "\n".join(take_snapshot(dsn).warnings)
    server.psql("GRANT CONNECT ON DATABASE snap_other TO public")
    server.psql("DROP OWNED BY snap_weak; DROP ROLE snap_weak", shop)


def test_a_locked_table_costs_sizes_alone(server: Server, shop: str) -> None:
    with psycopg.connect(shop) as connection:
        connection.execute("LOCK TABLE sales.orders IN ACCESS EXCLUSIVE MODE")
        taken = take_snapshot(shop, databases=[])
    (table,) = taken.tables
    assert (table.rows, table.bytes) == (1000, None)
    (warning,) = taken.warnings
    assert "sizes could not be read" in warning
    assert taken.counters
    assert server.psql("SELECT 1") == "1"


def test_which_databases_are_looked_at() -> None:
    open_ones = ["busy", "shop", "idle", "rdsadmin"]
    assert chosen(open_ones, None, "shop", 50) == (["busy", "idle"], [])
    assert chosen(open_ones, ["shop", "idle", "idle"], "shop", 50) == (["idle"], [])
    names, (warning,) = chosen(open_ones, None, "shop", 1)
    assert names == ["busy"]
    assert "1 busiest of 2" in warning


def test_nothing_of_pg95_is_in_a_window(server: Server, shop: str) -> None:
    """Not even its transactions, beside an application's that look like them, and a refusal."""
    take_snapshot(shop)
    server.psql("DROP ROLE IF EXISTS snap_weak; CREATE ROLE snap_weak LOGIN")
    server.psql("BEGIN READ ONLY; SAVEPOINT a; ROLLBACK; ROLLBACK", shop)
    before = take_snapshot(shop)
    weak = shop.replace("postgres@", "snap_weak@")
    with connect(weak) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), attempt(connection):
            connection.execute("SELECT /* pg95 */ count(*) FROM sales.orders")
        assert connection.execute("SHOW transaction_read_only /* pg95 */").fetchone() == ("on",)
    server.psql("BEGIN READ ONLY; SAVEPOINT a; ROLLBACK TO a; COMMIT", shop)
    since = window(before, take_snapshot(shop))
    texts = {row.query for row in since.counters if row.calls and row.database == "snap_shop"}
    assert {text for text in texts if text and "pg95" in text} == set()
    masked = {"SAVEPOINT $1", "ROLLBACK TO $1"}
    named = {"SAVEPOINT a", "ROLLBACK TO a"}
    assert texts == {"BEGIN READ ONLY", "COMMIT", *(named if "SAVEPOINT a" in texts else masked)}
    calls = {row.query: row.calls for row in since.counters if row.database == "snap_shop"}
    assert {text: calls[text] for text in texts} == dict.fromkeys(texts, 1)
