"""Partial indexes on the value that a log's statements always ask for: advised, used, and not shown."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE
from tests.conftest import Server
from tests.sources.clones import programs18

VALUE = "zqpending"
LABEL = "zqwaiting"
SCHEMA = f"""
CREATE EXTENSION hypopg;
CREATE TYPE phase AS ENUM ('finished', '{LABEL}');
CREATE TABLE jobs (id int PRIMARY KEY, status text, phase phase, kind int, made timestamp, body text);
INSERT INTO jobs SELECT n, CASE WHEN n * 7919 % 200 = 0 THEN '{VALUE}' ELSE 'done' END,
    CASE WHEN n % 150 = 0 THEN '{LABEL}'::phase ELSE 'finished' END, n % 3,
    timestamp '2024-01-01' + n * interval '1 minute', repeat('x', 120)
FROM generate_series(1, 60000) AS n;
VACUUM ANALYZE jobs;
"""
BY_STATUS = "SELECT id, body FROM jobs WHERE status = %s ORDER BY made LIMIT 10"
BY_LITERAL = f"SELECT id, body FROM jobs WHERE status = '{VALUE}' ORDER BY made LIMIT 10"
BY_PHASE = f"SELECT id, body FROM jobs WHERE phase = '{LABEL}' ORDER BY made LIMIT 10"
NEW = "INSERT INTO jobs (id, status) VALUES (%s, %s) ON CONFLICT DO NOTHING"
ENDED = "UPDATE jobs SET status = %s WHERE id = %s"
WRITES = [(NEW, (1, VALUE)), (ENDED, ("done", 1))] * 3
BY_KIND = "SELECT id, body FROM jobs WHERE kind = %s AND made > '2024-02-10'"


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("what_if_jobs")
    postgres15.psql(SCHEMA, made)
    return made


def logged(server: Server, dsn: str, path: Path, calls: list[tuple[str, tuple[Any, ...]]]) -> str:
    """The log of an application that makes these calls, each with its parameters bound."""
    server.flush_logs()
    start = server.log_path("csvlog").stat().st_size
    with psycopg.connect(dsn, autocommit=True, application_name="app") as connection:
        connection.execute("SET log_min_duration_statement = 0")
        for text, parameters in (*calls, *WRITES):
            connection.execute(text.encode(), parameters or None)
    server.flush_logs()
    place = path / "app.csv"
    place.write_bytes(server.log_path("csvlog").read_bytes()[start:])
    return str(place)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["indexes", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def partial(*arguments: str) -> list[dict[str, Any]]:
    created = json.loads(run(*arguments, "--format", "json"))["indexes"]["create"]
    return [one for one in created if " WHERE " in one["sql"]]


@pytest.mark.parametrize(
    "call", [(BY_STATUS, (VALUE,)), (BY_LITERAL, ())], ids=["parameter", "literal"]
)
def test_the_value_that_is_always_asked_for_is_the_index_s_condition(
    call: tuple[str, tuple[Any, ...]], postgres15: Server, dsn: str, tmp_path: Path
) -> None:
    log = logged(postgres15, dsn, tmp_path, [call] * 6)
    (one,) = partial(log, "--dsn", dsn, "--budget", "400KB", "--no-redact")
    assert one["sql"].endswith(f" ON jobs (made) WHERE status = '{VALUE}';")
    found = re.search(r"\((0\.\d+) % of the rows, by statistics\)", one["rule"])
    assert found is not None
    assert 0.3 < float(found[1]) < 0.8  # in truth 0.5
    assert "force_generic_plan" in one["risk"]
    assert one["fill_in"] is None
    assert one["bytes"] < 40_000  # of 300 rows
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(one["sql"])
        try:
            used = []
            for mode in ("force_custom_plan", "force_generic_plan"):
                connection.execute(f"SET plan_cache_mode = {mode}".encode())
                connection.execute("PREPARE mine AS " + BY_STATUS.replace("%s", "$1"))
                rows = connection.execute(f"EXPLAIN EXECUTE mine ('{VALUE}')".encode()).fetchall()
                used.append(one["name"] in str(rows))
                connection.execute("DEALLOCATE mine")
            assert used == [True, False]  # what its risk says
        finally:
            connection.execute(one["rollback"])


def test_a_value_of_the_data_is_not_shown(postgres15: Server, dsn: str, tmp_path: Path) -> None:
    log = logged(postgres15, dsn, tmp_path, [(BY_STATUS, (VALUE,))] * 6)
    shutil.copy(log, tmp_path / "again.csv")
    for form in ("json", "sql", "table", "markdown", "html"):
        said = run(log, "--dsn", dsn, "--budget", "400KB", "--format", form)
        assert "WHERE status = ?" in " ".join(said.split())
        assert VALUE not in said
    (one,) = partial(log, "--dsn", dsn, "--budget", "400KB")
    assert "--no-redact prints it" in one["fill_in"]
    lines = run(log, "--dsn", dsn, "--budget", "400KB", "--format", "sql").splitlines()
    assert [line for line in lines if "WHERE" in line and not line.startswith("--")] == []
    (stable,) = partial(log, "--dsn", dsn, "--budget", "400KB", "--redact", "stable")
    assert stable["sql"].endswith("WHERE status = ?1;")
    with_value = partial(log, "--dsn", dsn, "--budget", "400KB", "--no-redact")[0]["name"]
    assert one["name"] == with_value  # and so tells nothing of it


def test_a_label_of_the_schema_is(postgres15: Server, dsn: str, tmp_path: Path) -> None:
    log = logged(postgres15, dsn, tmp_path, [(BY_PHASE, ())] * 6)
    (one,) = partial(log, "--dsn", dsn, "--budget", "400KB")
    assert one["sql"].endswith(f" ON jobs (made) WHERE phase = '{LABEL}';")
    assert one["fill_in"] is None


@pytest.mark.parametrize(
    "calls",
    [
        [(BY_STATUS, (VALUE,))] * 5 + [(BY_STATUS, ("other",))],
        [(BY_STATUS, ("done",))] * 6,
        [(BY_KIND, (2,))] * 6,
        [(BY_STATUS, (None,))] * 6,
    ],
    ids=["another value", "a frequent value", "a third of the rows", "NULL"],
)
def test_what_changes_or_is_frequent_makes_no_condition(
    calls: list[tuple[str, tuple[Any, ...]]], postgres15: Server, dsn: str, tmp_path: Path
) -> None:
    assert (
        partial(logged(postgres15, dsn, tmp_path, calls), "--dsn", dsn, "--budget", "400KB") == []
    )


def test_a_clone_tries_it_as_well(
    postgres15: Server, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, programs18())
    log = logged(postgres15, dsn, tmp_path, [(BY_STATUS, (VALUE,))] * 6)
    asked = (log, "--dsn", dsn, "--budget", "400KB", "--what-if", "clone")
    (one,) = partial(*asked, "--no-redact")
    assert one["sql"].endswith(f" ON jobs (made) WHERE status = '{VALUE}';")
    assert VALUE not in run(*asked, "--format", "json")
