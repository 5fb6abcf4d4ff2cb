"""pg_stat_statements live: what is read, what is left out, and what is said about the rest."""

import re
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from analyzer.sources.postgres.connection import connect
from analyzer.sources.postgres.sqlfiles import query, versions
from analyzer.sources.postgres.statements import StatementReading, query_file, read_statements


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def reading(dsn: str) -> StatementReading:
    with connect(dsn) as connection:
        return read_statements(connection, source=4)


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    """A database with the extension in a schema whose name needs quotes, and some calls in it."""
    dsn = postgres15.create_database("statements_shop")
    postgres15.psql(
        'CREATE SCHEMA "Stats %s"; CREATE EXTENSION pg_stat_statements SCHEMA "Stats %s";'
        "CREATE TABLE items AS SELECT i AS id, repeat('x', 20) AS note FROM generate_series(1, 500) i",
        dsn,
    )
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute('SELECT "Stats %s".pg_stat_statements_reset()')
        for number in range(7):
            connection.execute(f"SELECT note FROM items WHERE id = {number}".encode())
        connection.execute("SET pg_stat_statements.track = 'all'")
        connection.execute("DO $$ BEGIN PERFORM count(*) FROM items; END $$")
    return dsn


def test_counters_are_pg_stat_statements_rows(postgres15: Server, shop: str) -> None:
    found = reading(shop)
    assert found.warnings == []
    (row,) = [c for c in found.counters if c.query == "SELECT note FROM items WHERE id = $1"]
    shown = postgres15.psql(
        "SELECT queryid, calls, total_exec_time, min_exec_time, max_exec_time, stddev_exec_time, rows "
        "FROM \"Stats %s\".pg_stat_statements WHERE query = 'SELECT note FROM items WHERE id = $1'",
        shop,
    ).split("|")
    assert row.query_id == shown[0]
    assert row.calls == int(shown[1]) == 7
    assert [row.total_ms, row.min_ms, row.max_ms, row.stddev_ms] == list(map(float, shown[2:6]))
    assert row.mean_ms == pytest.approx(row.total_ms / 7)
    assert row.rows == int(shown[6]) == 6
    assert row.database == "statements_shop"
    assert row.user == "postgres"
    assert row.source == 4
    assert row.since_us is None  # from 17 on
    assert row.shared_blocks_hit is not None
    assert row.shared_blocks_hit > 0


def test_nested_statements_are_told_apart(shop: str) -> None:
    levels = {c.query: c.toplevel for c in reading(shop).counters}
    assert levels["SELECT note FROM items WHERE id = $1"]
    assert not levels["SELECT count(*) FROM items"]


def test_other_databases_and_pg95_itself_are_left_out(postgres15: Server, shop: str) -> None:
    postgres15.psql("SELECT 'elsewhere' AS somewhere")
    reading(shop)
    found = reading(shop)
    assert found.counters
    assert [c.query for c in found.counters if "pg95" in c.query or "somewhere" in c.query] == []
    own = postgres15.psql(
        "SELECT count(*) FROM \"Stats %s\".pg_stat_statements WHERE query LIKE '%/* pg95 */%'", shop
    )
    assert int(own) >= 2  # they are there, and recognised


def test_a_weak_role_is_told_what_it_cannot_see(postgres15: Server, shop: str) -> None:
    postgres15.psql(
        'CREATE ROLE "weak role" LOGIN; GRANT USAGE ON SCHEMA "Stats %s" TO "weak role"', shop
    )
    dsn = f"postgresql://weak%20role@{postgres15.host}:{postgres15.port}/statements_shop"
    weak = reading(dsn)
    assert [c.query for c in weak.counters if c.user != "weak role"] == []
    (warning,) = weak.warnings
    assert 'GRANT pg_read_all_stats TO "weak role";' in warning
    assert re.search(r"hides the text of \d+ of \d+ rows \(\d+ % of the time\)", warning)
    postgres15.psql('GRANT pg_read_all_stats TO "weak role"')
    strong = reading(dsn)
    assert strong.warnings == []
    assert "SELECT note FROM items WHERE id = $1" in {c.query for c in strong.counters}


def test_a_role_without_access_is_told_the_grants(postgres15: Server, shop: str) -> None:
    postgres15.psql("CREATE ROLE outsider LOGIN", shop)
    dsn = f"postgresql://outsider@{postgres15.host}:{postgres15.port}/statements_shop"
    found = reading(dsn)
    assert found.counters == []
    (warning,) = found.warnings
    grants = warning.partition("As a superuser: ")[2]
    assert "GRANT USAGE ON SCHEMA" in grants
    postgres15.psql(grants, shop)  # the remedy is runnable, and helps
    assert reading(dsn).counters
    assert reading(dsn).warnings == []


def test_a_missing_extension_is_a_warning_that_helps(postgres15: Server) -> None:
    dsn = postgres15.create_database("statements_none")
    found = reading(dsn)
    assert found.counters == []
    (warning,) = found.warnings
    assert "not installed in database statements_none" in warning
    assert "shared_preload_libraries" not in warning  # it is loaded here
    postgres15.psql(warning.partition("in that database: ")[2], dsn)
    assert reading(dsn).warnings == []


def test_an_old_extension_on_a_newer_server_is_read(postgres15: Server) -> None:
    dsn = postgres15.create_database("statements_old")
    for version, planning in (("1.7", None), ("1.8", 0.0), ("1.9", 0.0), ("1.10", 0.0)):
        postgres15.psql(
            "DROP EXTENSION IF EXISTS pg_stat_statements;"
            f"CREATE EXTENSION pg_stat_statements VERSION '{version}';"
            "SELECT pg_stat_statements_reset();"
            f"SELECT 1 AS version_{version.replace('.', '_')}",
            dsn,
        )
        found = reading(dsn)
        assert found.warnings == []
        text = f"SELECT $1 AS version_{version.replace('.', '_')}"
        (row,) = [c for c in found.counters if c.query == text]
        assert (row.calls, row.planning_ms, row.toplevel) == (1, planning, True)


def test_an_unknown_extension_is_a_warning(postgres15: Server) -> None:
    dsn = postgres15.create_database("statements_odd")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; ALTER FUNCTION pg_stat_statements(boolean) RENAME TO other",
        dsn,
    )
    (warning,) = reading(dsn).warnings
    assert "pg_stat_statements(boolean) does not exist" in warning
    assert "not known to pg95" in warning


def test_texts_in_another_encoding_are_a_warning_that_helps(postgres15: Server) -> None:
    postgres15.psql(
        "DROP DATABASE IF EXISTS statements_ascii;"
        "CREATE DATABASE statements_ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    dsn = postgres15.create_database("statements_utf8")
    postgres15.psql("CREATE EXTENSION pg_stat_statements", dsn)
    place = postgres15.dsn.rpartition("/")[0]
    with psycopg.connect(f"{place}/statements_ascii", autocommit=True) as writer:
        writer.execute("SET log_min_duration_statement = -1")  # others read the log
        writer.execute(b"SELECT 1 AS caf\xe9")
    found = reading(dsn)
    assert found.counters == []
    (warning,) = found.warnings
    assert "another encoding" in warning
    postgres15.psql(warning.partition("as a superuser: ")[2], dsn)  # also for the tests after this
    found = reading(dsn)
    assert found.warnings == []
    assert found.counters


@pytest.mark.parametrize(
    ("version", "file"),
    [
        ("1.4", "counters-1.4"),
        ("1.7", "counters-1.4"),
        ("1.8", "counters-1.8"),
        ("1.9", "counters-1.9"),
        ("1.10", "counters-1.10"),
        ("1.11", "counters-1.11"),
        ("1.12", "counters-1.11"),
        ("2.0", "counters-1.11"),
        ("1.2", "counters-1.4"),
    ],
)
def test_the_query_follows_the_extension_s_version(version: str, file: str) -> None:
    assert query_file("counters", version) == file


# What the function gives by version, from contrib/pg_stat_statements/pg_stat_statements--*.sql.
OLD_TIMES = {"total_time", "min_time", "max_time", "mean_time", "stddev_time"}
NEW_TIMES = {f"{name.removesuffix('_time')}_exec_time" for name in OLD_TIMES}
COMMON = {
    *("userid", "dbid", "queryid", "query", "calls", "rows", "shared_blks_hit", "shared_blks_read"),
    *("shared_blks_dirtied", "shared_blks_written", "temp_blks_read", "temp_blks_written"),
}
V4 = COMMON | OLD_TIMES | {"blk_read_time", "blk_write_time"}
V8 = (V4 - OLD_TIMES) | NEW_TIMES | {"plans", "total_plan_time", "wal_bytes", "wal_records"}
V9 = V8 | {"toplevel"}
JIT = {f"jit_{what}_time" for what in ("generation", "inlining", "optimization", "emission")}
V10 = V9 | JIT | {"temp_blk_read_time", "temp_blk_write_time"}
V11 = (V10 - {"blk_read_time", "blk_write_time"}) | {
    *("shared_blk_read_time", "shared_blk_write_time", "jit_deform_time"),
    *("stats_since", "minmax_stats_since"),
}
VIEWS = {(1, 4): V4, (1, 8): V8, (1, 9): V9, (1, 10): V10, (1, 11): V11}


def test_every_version_s_query_uses_columns_that_it_has() -> None:
    assert versions("counters") == list(VIEWS)
    aliases = set()
    for version, columns in VIEWS.items():
        text = query(f"counters-{'.'.join(map(str, version))}")
        assert set(re.findall(r"\bs\.(\w+)", text)) <= columns
        names = re.findall(r"(?:AS |s\.)(\w+),?$", text.partition("FROM {")[0], re.MULTILINE)
        aliases.add(tuple(names))
        assert len(names) == 28
    assert len(aliases) == 1  # and all give the same columns in the same order


def test_every_query_is_marked_as_pg95_s_own() -> None:
    folder = Path(__file__).parents[2] / "analyzer" / "sources" / "postgres" / "queries"
    files = sorted(folder.glob("*.sql"))
    assert len(files) >= 25
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.count("/* pg95 */") >= 1, file.name
        # Inside the statement: pg_stat_statements may cut what stands before it.
        assert re.match(r"(?:--[^\n]*\n)+SELECT /\* pg95 \*/", text), file.name
