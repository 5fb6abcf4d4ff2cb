"""Partitioned tables: one index for the whole, built on a real server as it is advised."""

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.sources.postgres.clone.programs import FOLDER_VARIABLE
from analyzer.sql.trial_index import NotTriableError, trial_index
from tests.conftest import Server
from tests.sources.clones import pg_dump18, programs18

SCHEMA = """
CREATE EXTENSION hypopg;
CREATE SCHEMA sales;
CREATE TABLE tenants (id int PRIMARY KEY, name text);
INSERT INTO tenants SELECT n, 'name ' || n FROM generate_series(0, 1999) AS n;
CREATE TABLE sales.events (id int, tenant int REFERENCES tenants (id), at date, body text) PARTITION BY RANGE (at);
CREATE TABLE sales.events_a PARTITION OF sales.events FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE sales.events_b PARTITION OF sales.events FOR VALUES FROM ('2024-07-01') TO ('2025-01-01')
    PARTITION BY LIST (tenant);
CREATE TABLE sales.events_b1 PARTITION OF sales.events_b FOR VALUES IN (1, 2, 3, 4, 5);
CREATE TABLE sales.events_bd PARTITION OF sales.events_b DEFAULT;
INSERT INTO sales.events SELECT n, n % 997, date '2024-01-01' + n % 366, repeat('x', 80)
    FROM generate_series(1, 60000) AS n;
CREATE INDEX by_hand ON sales.events_b1 (tenant);
ANALYZE tenants; ANALYZE sales.events_a; ANALYZE sales.events_b1; ANALYZE sales.events_bd;
"""  # the partitioned tables themselves nobody analyzes, as in life
QUERY = "SELECT body FROM sales.events WHERE tenant = 77"
OF_A_PART = "SELECT body FROM sales.events_a WHERE tenant = 78"


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("partitioned")
    postgres15.psql(SCHEMA, made)
    postgres15.psql("VACUUM", made)
    return made


def advice(path: Path, *arguments: str) -> dict[str, Any]:
    (path / "one.sql").write_text(QUERY)
    (path / "part.sql").write_text(OF_A_PART)
    done = CliRunner().invoke(
        cli, ["indexes", "--queries", str(path), *arguments, "--format", "json"]
    )
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["indexes"]
    return found


def plan(connection: "psycopg.Connection[Any]", text: str) -> tuple[float, str]:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {text}".encode()).fetchone()
    assert row is not None
    return row[0][0]["Plan"]["Total Cost"], json.dumps(row[0])


def test_one_index_for_the_whole_is_advised_and_its_statements_run(
    dsn: str, tmp_path: Path
) -> None:
    found = advice(tmp_path, "--dsn", dsn, "--what-if", "hypopg")
    (one,) = found["create"]
    assert one["table"] == "sales.events"
    lines = one["sql"].splitlines()
    assert lines[0] == f"CREATE INDEX {one['name']} ON ONLY sales.events (tenant);"
    assert sum(line.startswith("CREATE INDEX CONCURRENTLY") for line in lines) == 2  # one is there
    assert "ATTACH PARTITION sales.by_hand;" in one["sql"]
    assert "ON ONLY" in one["locks"]
    assert one["rollback"] == f"DROP INDEX sales.{one['name']};"
    assert {gain["name"] for gain in one["statements"]} == {"one", "part"}
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = plan(connection, QUERY)[0]
        for line in lines:
            connection.execute(line)
        valid = "SELECT bool_and(indisvalid), count(*) FROM pg_index WHERE indexrelid IN (SELECT relid FROM pg_partition_tree(%s::regclass))"
        try:
            row = connection.execute(valid, [f"sales.{one['name']}"]).fetchone()
            assert row == (True, 5)
            size = connection.execute(
                "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(%s::regclass)",
                [f"sales.{one['name']}"],
            ).fetchone()
            assert size is not None
            assert 0.7 < one["bytes"] / float(size[0]) < 1.4
            after, text = plan(connection, QUERY)
            assert after < before / 5
            assert "Seq Scan" not in text
            assert "Seq Scan" not in plan(connection, OF_A_PART)[1]
            assert advice(tmp_path, "--dsn", dsn)["create"] == []  # nothing is left to advise
        finally:
            connection.execute(one["rollback"])
            connection.execute("CREATE INDEX by_hand ON sales.events_b1 (tenant)")


def test_a_clone_tries_it_on_all_partitions(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, programs18())
    folder = tmp_path / "queries"
    folder.mkdir()
    dumps = []
    for part in ("schema", "statistics"):
        path = tmp_path / f"{part}.sql"
        command = [str(pg_dump18()), f"--{part}-only", dsn]
        path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
        dumps += [f"--{part}", str(path)]
    found = advice(folder, "--what-if", "clone", *dumps)
    (one,) = found["create"]
    assert (one["table"], one["verified_by"]) == ("sales.events", "what-if")
    assert " ON ONLY sales.events (tenant);" in one["sql"]
    assert one["bytes"] > 300_000
    gains = {gain["name"]: gain for gain in one["statements"]}
    assert gains["one"]["cost_after"] < gains["one"]["cost_before"] / 5


def test_its_foreign_key_is_one(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "other.sql").write_text("SELECT name FROM tenants WHERE id = 3")
    done = CliRunner().invoke(
        cli, ["indexes", "--queries", str(tmp_path), "--dsn", dsn, "--format", "json"]
    )
    (one,) = json.loads(done.stdout)["indexes"]["create"]
    assert one["verified_by"] == "rule"
    assert one["sql"].startswith("CREATE INDEX idx_events_tenant ON ONLY sales.events (tenant);\n")


def test_the_trial_of_it_is_one_index_for_all_partitions() -> None:
    recipe = (
        'CREATE INDEX x ON ONLY "sales".t (a);\nCREATE INDEX CONCURRENTLY y ON sales.t_1 (a);\n'
        "ALTER INDEX sales.x ATTACH PARTITION sales.y;"
    )
    assert trial_index(recipe, "trial").create == "CREATE INDEX trial ON sales.t (a)"
    with pytest.raises(NotTriableError):
        trial_index(f"{recipe} DROP TABLE t;", "trial")


def test_scans_of_partitions_in_a_plan_ask_for_one_index(
    postgres15: Server, dsn: str, tmp_path: Path
) -> None:
    text = "SELECT body FROM sales.events WHERE id = 77"
    (tmp_path / "plan.json").write_text(
        postgres15.psql(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", dsn)
    )
    asked = ["indexes", str(tmp_path / "plan.json"), "--what-if", "none", "--dsn", dsn]
    asked += ["--target-ms", "1"]  # the table is small
    done = CliRunner().invoke(cli, [*asked, "--format", "json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (one,) = document["indexes"]["create"]
    assert (one["table"], one["verified_by"]) == ("sales.events", "plan")
    made = [
        advice["text"]
        for finding in document["findings"]
        for advice in finding["recommendations"]
        if advice["kind"] == "index" and advice["language"] == "sql"
    ]
    assert made
    assert set(made) == {one["sql"]}
