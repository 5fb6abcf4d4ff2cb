"""What `pg95 indexes` takes into account beside cost: visibility, width, time, rules where nobody is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from tests.conftest import Server

SCHEMA = """
CREATE EXTENSION hypopg;
CREATE TABLE seen (id int PRIMARY KEY, a int, b int, c int, body text) WITH (autovacuum_enabled = off);
CREATE TABLE unseen (LIKE seen) WITH (autovacuum_enabled = off);
CREATE TABLE tiny AS SELECT n AS id, n % 9 AS a FROM generate_series(1, 500) AS n;
INSERT INTO seen SELECT n, n * 7919 % 5000, n % 1000, n % 70, repeat('x', 150) FROM generate_series(1, 30000) AS n;
INSERT INTO unseen SELECT * FROM seen;
ANALYZE;
"""
READS = "SELECT b FROM {} WHERE a BETWEEN 500 AND 540"


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("what_if_choice")
    postgres15.psql(SCHEMA, made)
    postgres15.psql("CHECKPOINT", made)  # nothing is all-visible before its commit is on disk
    postgres15.psql("VACUUM seen", made)
    return made


def advice(path: Path, dsn: str, queries: dict[str, str], *more: str) -> dict[str, Any]:
    for name, text in queries.items():
        (path / f"{name}.sql").write_text(text)
    asked = ["indexes", "--queries", str(path), "--dsn", dsn, "--format", "json", *more]
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["indexes"]
    return found


def on(found: dict[str, Any], table: str) -> list[str]:
    return [one["sql"].partition(" ON ")[2] for one in found["create"] if one["table"] == table]


def test_columns_are_carried_where_the_table_need_not_be_visited(dsn: str, tmp_path: Path) -> None:
    queries = {name: READS.format(name) for name in ("seen", "unseen")}
    found = advice(tmp_path, dsn, queries)
    assert on(found, "seen") == ["seen (a) INCLUDE (b);"]
    assert on(found, "unseen") == [
        "unseen (a);"
    ]  # no page is all-visible: each row is looked up anyway


def test_no_index_is_wider_than_asked_for_and_tiny_tables_have_none(
    dsn: str, tmp_path: Path
) -> None:
    queries = {
        "three": "SELECT body FROM seen WHERE a = 5 AND b = 6 AND c = 7",
        "tiny": "SELECT id FROM tiny WHERE a = 5",
    }
    wide = advice(tmp_path, dsn, queries)
    narrow = advice(tmp_path, dsn, queries, "--max-width", "1")
    assert on(wide, "tiny") == []
    found = on(narrow, "seen")
    assert found
    assert all("," not in one.partition(" INCLUDE")[0] for one in found)
    assert narrow["workload_cost"]["after"] >= wide["workload_cost"]["after"]


def test_when_the_time_is_up_the_best_so_far_stands(dsn: str, tmp_path: Path) -> None:
    queries = {f"q{n}": f"SELECT body FROM seen WHERE a = {n} AND b > {n}" for n in range(30)}
    found = advice(tmp_path, dsn, queries, "--max-seconds", "0.001")
    assert found["finished"] is False
    assert found["workload_cost"]["after"] <= found["workload_cost"]["before"]
    assert advice(tmp_path, dsn, queries)["finished"] is True


def test_where_nobody_is_asked_rules_advise_and_say_so(
    postgres15: Server, dsn: str, tmp_path: Path
) -> None:
    plan = postgres15.psql(
        "SET client_min_messages = error; EXPLAIN (ANALYZE, FORMAT JSON) SELECT body FROM unseen WHERE a = 77",
        dsn,
    )
    path = tmp_path / "plan.json"
    path.write_text(plan)
    asked = ["indexes", str(path), "--dsn", dsn, "--what-if", "none", "--format", "json"]
    asked += ["--target-ms", "1"]  # the table is small
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["indexes"]
    assert found["method"] == "none"
    assert found["what_if_calls"] == 0
    assert [(one["table"], one["verified_by"]) for one in found["create"]] == [("unseen", "plan")]
