"""A whole visit to a server: what is recorded, and what the server's own log shows of it."""

import csv
import re
from pathlib import Path
from typing import Protocol

import pytest

from analyzer.errors import ServerError
from analyzer.model.recording import Recording
from analyzer.sources.postgres import gather_server
from analyzer.sources.postgres.connection import BEGIN, connect
from analyzer.sources.postgres.settings import read_settings
from analyzer.sql.keys import StatementKeyTable


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


def recording() -> Recording:
    return Recording(keys=StatementKeyTable())


def test_a_visit_fills_the_recording(postgres15: Server) -> None:
    dsn = postgres15.create_database("gather_shop")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE items (id int PRIMARY KEY);"
        "SELECT count(*) FROM items",
        dsn,
    )
    found = recording()
    settings = gather_server(dsn, found)
    assert settings.version // 10000 == 15
    (source,) = found.coverage.sources
    assert source.path == dsn
    assert source.format == "pg_stat_statements"
    assert source.entries == len(found.counters) > 0
    assert (source.executions, source.failure) == (0, None)
    assert {counter.source for counter in found.counters} == {0}
    assert found.catalog is not None
    assert set(found.catalog.tables) == {"items"}
    assert found.coverage.warnings == []


def test_what_is_missing_is_a_warning_with_its_place(postgres15: Server) -> None:
    dsn = postgres15.create_database("gather_bare")
    found = recording()
    gather_server(dsn, found)
    (warning,) = found.coverage.warnings
    assert warning.startswith(f"{dsn}: pg_stat_statements is not installed")
    assert found.counters == []
    assert found.catalog is not None


def test_a_failed_visit_leaves_the_recording_alone(postgres15: Server) -> None:
    found = recording()
    with pytest.raises(ServerError):
        gather_server(postgres15.dsn + "_missing", found)
    assert found.coverage.sources == []
    assert found.catalog is None


def test_settings_are_the_server_s(postgres15: Server) -> None:
    dsn = postgres15.create_database("gather_settings")
    postgres15.psql(
        "ALTER DATABASE gather_settings SET log_min_duration_statement = '250ms';"
        "ALTER DATABASE gather_settings SET log_min_duration_sample = 20;"
        "ALTER DATABASE gather_settings SET log_statement_sample_rate = 0.25;"
        "ALTER DATABASE gather_settings SET timezone = 'Europe/Paris'"
    )
    with connect(dsn) as connection:
        settings = read_settings(connection)
    assert settings.log_min_duration_statement_ms == 250
    assert settings.log_min_duration_sample_ms == 20
    assert settings.log_statement_sample_rate == 0.25
    assert settings.log_transaction_sample_rate == 0
    assert settings.log_line_prefix == "%m [%p] %q%u@%d/%a %c %l "
    assert settings.log_destination == "stderr,csvlog,jsonlog"
    assert (settings.log_time_zone, settings.time_zone) == ("UTC", "Europe/Paris")
    assert settings.compute_query_id == "auto"
    assert settings.track_io_timing is False
    assert settings.log_duration is False
    assert settings.shared_preload_libraries == "pg_stat_statements,auto_explain"


def test_a_weak_role_reads_the_settings_that_it_may(postgres15: Server) -> None:
    postgres15.psql("CREATE ROLE settings_reader LOGIN")
    dsn = f"postgresql://settings_reader@{postgres15.host}:{postgres15.port}/postgres"
    with connect(dsn) as connection:
        settings = read_settings(connection)
    assert settings.log_min_duration_statement_ms == 0
    assert settings.shared_preload_libraries is None


READS = re.compile(r"(?:--[^\n]*\n)*SELECT /\* pg95 \*/")


def test_the_server_s_log_shows_only_reads_in_a_read_only_transaction(postgres15: Server) -> None:
    dsn = postgres15.create_database("gather_watched")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE items AS SELECT 1 AS id", dsn
    )
    postgres15.psql("ALTER DATABASE gather_watched SET log_statement = 'all'")
    gather_server(dsn, recording())
    postgres15.flush_logs()
    logged = own_statements(postgres15.log_path("csvlog"), "gather_watched")
    assert logged[0] == BEGIN
    assert len([text for text in logged if READS.match(text)]) >= 8
    for text in logged[1:]:
        assert READS.match(text), text


def own_statements(path: Path, database: str) -> list[str]:
    """The statements of application pg95 in a database, in order, from the server's csvlog."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if row[2] == database and row[22] == "pg95"]
    assert len({row[5] for row in rows}) == 1  # one session
    messages = [row[13].partition("statement: ") for row in rows]
    return [text for kind, found, text in messages if found and not kind]
