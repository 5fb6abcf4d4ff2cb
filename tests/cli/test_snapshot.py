"""`pg95 snapshot` and a report on what two snapshots counted, on a real server."""

import json
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.cli._failures import run_safely
from analyzer.history import open_store


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    dsn: str

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, catch_exceptions=False)


def test_a_report_on_the_window_between_two_snapshots(postgres15: Server, tmp_path: Path) -> None:
    dsn = postgres15.create_database("cli_snapshot")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE TABLE items (id int PRIMARY KEY)", dsn
    )
    paths = [str(tmp_path / name) for name in ("before.json.zst", "after.json")]
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SELECT 1 FROM items WHERE id = 7")
        alone = ("--database", "cli_snapshot")  # other tests leave databases behind
        first = run("snapshot", "--dsn", dsn, "-o", paths[0], *alone)
        for number in range(30):
            connection.execute(f"SELECT 1 FROM items WHERE id = {number}".encode())
    assert first.exit_code == 0
    assert "1 tables and 1 indexes" in first.stdout
    second = run("snapshot", "--dsn", dsn, "-o", paths[1], "--format", "json")
    told: dict[str, Any] = json.loads(second.stdout)
    assert told["server"] == dsn
    assert told["bytes"] == Path(paths[1]).stat().st_size
    reported = run("report", *paths, "--format", "json")
    document = json.loads(reported.stdout)
    calls = {one["sql"]: one["calls"] for one in document["statements"]}
    assert calls["SELECT $1 FROM items WHERE id = $2"] == 30
    formats = [source["format"] for source in document["coverage"]["sources"]]
    assert formats == ["pg95-snapshot", "pg95-snapshot"]
    assert document["target"]["verdict"] == "met"  # the bound is far below 100 ms


def test_the_history_keeps_snapshots_and_tells_of_the_window(
    postgres15: Server, tmp_path: Path
) -> None:
    dsn = postgres15.create_database("cli_history")
    postgres15.psql("CREATE EXTENSION pg_stat_statements", dsn)
    history = str(tmp_path / "history.db")
    first = run("snapshot", "--dsn", dsn, "--history", history, "--database", "postgres")
    assert first.exit_code == 0
    assert f"Kept in {history}" in first.stdout
    assert "Since the last one" not in first.stdout
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(7):
            connection.execute("SELECT 1 AS for_the_history")
    second = run("snapshot", "--dsn", dsn, "--history", history, "--format", "json")
    window = json.loads(second.stdout)["window"]
    assert window["calls"] >= 7
    assert (window["complete"], window["caveats"]) == (True, [])
    with open_store(history) as store, store.reading() as reader:
        assert len(reader.snapshot_times(dsn)) == 2
        kept = reader.latest_snapshot(dsn)
    assert kept is not None
    assert {row.query: row.calls for row in kept.counters}["SELECT $1 AS for_the_history"] == 7
    third = run("snapshot", "--dsn", dsn, "--history", history, "-o", str(tmp_path / "third.json"))
    assert "Since the last one" in third.stdout
    assert (tmp_path / "third.json").exists()


@pytest.mark.parametrize("command", ["snapshot", "doctor"])
def test_a_server_has_to_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.delenv("PG95_DSN", raising=False)
    monkeypatch.setattr("sys.argv", ["pg95", command])
    assert run_safely(cli) == 2
    assert "which server?" in capsys.readouterr().err
