"""The shared PostgreSQL 15 and 18 do what other tests rely on."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Server

LOG_FORMATS = ("stderr", "csvlog", "jsonlog")


def test_version_and_preloaded_modules(postgres15: "Server") -> None:
    assert postgres15.psql("SHOW server_version").startswith("15.")
    postgres15.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert int(postgres15.psql("SELECT count(*) FROM pg_stat_statements")) > 0


def test_version_18_has_its_modules(postgres18: "Server") -> None:
    assert postgres18.psql("SHOW server_version").startswith("18.")
    postgres18.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert (
        postgres18.psql("SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements'")
        == "1.12"
    )
    postgres18.psql("SELECT 'seen in 18'")
    postgres18.flush_logs()
    for log_format in LOG_FORMATS:
        assert "seen in 18" in postgres18.log_path(log_format).read_text()


def test_hypopg_and_contrib_are_installed(postgres15: "Server") -> None:
    wanted = "'hypopg', 'pg_stat_statements', 'pg_trgm'"
    names = postgres15.psql(
        f"SELECT name FROM pg_available_extensions WHERE name IN ({wanted}) ORDER BY name"
    )
    assert names.split() == ["hypopg", "pg_stat_statements", "pg_trgm"]


@pytest.mark.parametrize("log_format", LOG_FORMATS)
def test_every_statement_reaches_every_log(postgres15: "Server", log_format: str) -> None:
    postgres15.psql(f"SELECT 'seen in {log_format}'")
    postgres15.flush_logs()
    assert f"seen in {log_format}" in postgres15.log_path(log_format).read_text()


def test_logs_are_well_formed(postgres15: "Server") -> None:
    postgres15.psql("SELECT 'well formed'")
    postgres15.flush_logs()
    lines = postgres15.log_path("jsonlog").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert any("well formed" in entry.get("message", "") for entry in entries)
    with postgres15.log_path("csvlog").open(newline="") as stream:
        assert {len(row) for row in csv.reader(stream)} == {26}


def test_slow_statements_leave_a_plan(postgres15: "Server") -> None:
    dsn = postgres15.create_database("house_plan")
    postgres15.psql("SELECT count(*) FROM generate_series(1, 200000)", dsn)
    postgres15.flush_logs()
    log = postgres15.log_path("stderr").read_text()
    assert '"Function Name": "generate_series"' in log
    assert '"Shared Hit Blocks"' in log


def test_databases_are_new_each_time(postgres15: "Server") -> None:
    for _ in range(2):
        dsn = postgres15.create_database("house_new")
        assert dsn.endswith("/house_new")
        postgres15.psql("CREATE TABLE only_once (id int)", dsn)


def test_roles_may_be_asked_for_a_password(postgres15: "Server") -> None:
    postgres15.psql(
        "DROP ROLE IF EXISTS reader;"
        "CREATE ROLE reader LOGIN PASSWORD 'open sesame' IN ROLE password_required"
    )
    address = f"{postgres15.host}:{postgres15.port}/postgres"
    with pytest.raises(RuntimeError, match="password"):
        postgres15.psql("SELECT 1", f"postgresql://reader:wrong@{address}")
    right = f"postgresql://reader:open%20sesame@{address}"
    assert postgres15.psql("SELECT current_user", right) == "reader"


def test_errors_in_scripts_are_raised(postgres15: "Server") -> None:
    with pytest.raises(RuntimeError, match="no_such_table"):
        postgres15.psql("SELECT * FROM no_such_table")


def test_the_server_does_not_run_as_root(postgres15: "Server") -> None:
    (pid, *_) = (postgres15.directory / "data" / "postmaster.pid").read_text().splitlines()
    assert Path(f"/proc/{pid}").stat().st_uid != 0
