"""`pg95 snapshot` and a report on what two snapshots counted, on a real server."""

import json
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.cli._failures import run_safely


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
        first = run("snapshot", "--dsn", dsn, "-o", paths[0])
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("snapshot", "-o", "x.json"), "which server?"),
        (("snapshot", "--live"), "give -o FILE"),
    ],
)
def test_what_is_missing_is_asked_for(
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("PG95_DSN", raising=False)
    monkeypatch.setattr("sys.argv", ["pg95", *arguments])
    assert run_safely(cli) == 2
    assert message in capsys.readouterr().err
