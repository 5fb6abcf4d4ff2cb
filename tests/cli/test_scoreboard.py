"""`pg95 scoreboard`: four promises, each with its method; unknown where nothing tells."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from analyzer.cli import cli

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data"
LOG = DATA / "nplusone" / "django" / "nested.csv"
SCHEMA = DATA / "prisma" / "schema" / "schema.prisma"
INIT = DATA / "schema" / "prisma_migration.sql"


def pg95(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["scoreboard", *map(str, arguments)])


def metrics(*arguments: object) -> dict[str, dict[str, Any]]:
    done = pg95(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    return {one["id"]: one for one in json.loads(done.stdout)["metrics"]}


def test_what_nothing_tells_is_unknown_and_says_what_would() -> None:
    found = metrics()
    assert [one["verdict"] for one in found.values()] == ["unknown"] * 4
    assert all(one["first"] and one["value"] is None for one in found.values())
    assert pg95("--fail-on", "target").exit_code == 1


def test_all_four_are_measured(postgres15: Server, tmp_path: Path) -> None:
    dsn = postgres15.create_database("scoreboard")
    postgres15.psql(INIT.read_text(encoding="utf-8"), dsn)
    postgres15.psql(
        "CREATE TABLE _prisma_migrations (checksum text, finished_at timestamptz, migration_name text, logs text, "
        "rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)",
        dsn,
    )
    events = tmp_path / "events.jsonl"
    line = '{"ts": 1, "route": "/a", "op": "get", "key_prefix": "p", "hit": true}\n'
    events.write_text(line * 10, encoding="utf-8")
    given = (LOG, events, "--dsn", dsn, "--prisma", SCHEMA)
    found = metrics(*given)
    assert {name: one["verdict"] for name, one in found.items()} == {
        "p95": "met",
        "cache-hit-rate": "met",
        "failed-migrations": "met",
        "schema-in-sync": "met",
    }
    assert found["cache-hit-rate"]["value"] == 1.0
    assert pg95(*given, "--fail-on", "target").exit_code == 0
    postgres15.psql(
        "INSERT INTO _prisma_migrations VALUES ('x', NULL, '1_bad', 'ERROR: division by zero', NULL, now(), 0);"
        "ALTER TABLE users ADD extra int",
        dsn,
    )
    found = metrics(LOG, DATA / "redis" / "monitor.txt", "--dsn", dsn, "--prisma", SCHEMA)
    assert {name: one["verdict"] for name, one in found.items()} == {
        "p95": "met",
        "cache-hit-rate": "missed",
        "failed-migrations": "missed",
        "schema-in-sync": "missed",
    }
    assert "1_bad" in found["failed-migrations"]["first"]
    assert "users.extra" in found["schema-in-sync"]["first"]
    assert "31 misses of 60 reads" in found["cache-hit-rate"]["first"]


def test_every_form_says_the_same() -> None:
    given = (LOG, DATA / "redis" / "monitor.txt", "--prisma", SCHEMA, "--dump", INIT)
    assert "2 of 4 promises kept, 1 missed, 1 unknown" in pg95(*given).stdout
    assert pg95(*given, "--format", "markdown").stdout.startswith("# 2 of 4 promises kept")
    text = pg95(*given, "--format", "openmetrics").stdout
    assert 'pg95_promise_verdict{promise="schema-in-sync"} 1\n' in text
    assert 'pg95_promise_verdict{promise="failed-migrations"} -1\n' in text
    assert text.endswith("# EOF\n")
