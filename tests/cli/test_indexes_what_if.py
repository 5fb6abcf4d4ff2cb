"""`pg95 indexes` with HypoPG on PostgreSQL 15: what is advised is used, costs less, and is never built by pg95."""

import csv
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import UsageError, WhatIfError
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.what_if import PlanEstimate, PlannedStatement
from analyzer.sources.postgres.hypopg import HypoPG

SCHEMA = """
CREATE EXTENSION hypopg;
CREATE TABLE customers (id int PRIMARY KEY, country int, name text);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int REFERENCES customers (id), state text, made date, total int,
    note text);
CREATE TABLE clicks (id int PRIMARY KEY, customer_id int, at int, pad text);
INSERT INTO customers SELECT n, n % 90, 'name ' || n FROM generate_series(1, 4000) AS n;
INSERT INTO orders SELECT n, n % 4000 + 1, CASE n % 40 WHEN 0 THEN 'open' ELSE 'done' END,
    date '2024-01-01' + n % 700, n % 100, repeat('x', 80) FROM generate_series(1, 60000) AS n;
INSERT INTO clicks SELECT n, n % 3000, n, repeat('y', 60) FROM generate_series(1, 40000) AS n;
CREATE VIEW open_orders AS SELECT * FROM orders WHERE state = 'open';
VACUUM ANALYZE;
"""
QUERIES = {
    "page": "SELECT id, note FROM orders WHERE customer_id = 77 ORDER BY made DESC LIMIT 10;",
    "joined": "SELECT c.name, o.total FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.country = 5",
    "open": "SELECT id, note FROM open_orders WHERE made = date '2024-03-01'",
    "made": """CREATE VIEW big AS SELECT customer_id AS who, total FROM orders WHERE total > 97;
               SELECT sum(total) FROM big WHERE who = 12; DROP VIEW big;""",
}


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("what_if_shop")
    postgres15.psql(SCHEMA, made)
    return made


def folder(path: Path, queries: dict[str, str], weights: dict[str, float] | None = None) -> str:
    for name, text in queries.items():
        (path / f"{name}.sql").write_text(text)
    if weights is not None:
        (path / "weights.json").write_text(json.dumps(weights))
    return str(path)


def advice(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["indexes", *arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)["indexes"]
    return found


def tried(*arguments: str) -> list[dict[str, Any]]:
    created = advice(*arguments)["create"]
    return [one for one in created if one["verified_by"] == "what-if"]


def cost(connection: "psycopg.Connection[Any]", sql: str) -> tuple[float, str]:
    row = connection.execute(f"EXPLAIN (FORMAT JSON) {sql.rstrip(';')}").fetchone()
    assert row is not None
    return row[0][0]["Plan"]["Total Cost"], json.dumps(row[0])


def test_advised_indexes_are_used_and_cost_less(dsn: str, tmp_path: Path) -> None:
    found = advice("--queries", folder(tmp_path, QUERIES), "--dsn", dsn, "--what-if", "hypopg")
    created = found["create"]
    assert created
    assert found["method"] == "hypopg"
    assert found["what_if_calls"] > 0
    assert found["workload_cost"]["after"] < found["workload_cost"]["before"] / 2
    served = {gain["name"] for one in created for gain in one["statements"]}
    assert served == set(QUERIES)
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = {
            name: cost(connection, text)[0] for name, text in QUERIES.items() if name != "made"
        }
        for one in created:
            assert one["verified_by"] == "what-if"
            connection.execute(one["sql"])
        try:
            connection.execute("ANALYZE")
            for name, old in before.items():
                new, plan = cost(connection, QUERIES[name])
                assert new < old
                names = [
                    one["name"] for one in created if name in {s["name"] for s in one["statements"]}
                ]
                assert any(f'"{index}"' in plan for index in names)
        finally:
            for one in created:
                connection.execute(one["rollback"])


def test_what_each_index_says_of_itself(dsn: str, tmp_path: Path) -> None:
    found = advice("--queries", folder(tmp_path, {"page": QUERIES["page"]}), "--dsn", dsn)
    (one,) = [index for index in found["create"] if index["verified_by"] == "what-if"]
    assert one["sql"] == f"CREATE INDEX CONCURRENTLY {one['name']} ON orders (customer_id, made);"
    assert one["rollback"] == f"DROP INDEX CONCURRENTLY {one['name']};"
    assert one["prisma"] == f'@@index([customer_id, made], map: "{one["name"]}")'
    assert "SHARE UPDATE EXCLUSIVE" in one["locks"]
    assert one["build_seconds"] > 0
    assert one["bytes"] > 100_000
    (gain,) = one["statements"]
    assert gain["cost_after"] < gain["cost_before"]
    assert gain["node_before"] == "Seq Scan on orders"
    assert one["name"] in gain["node_after"]
    assert "one migration each" in one["locks"].replace("\n", " ")
    assert one["prisma_why_not"] is None
    assert set(one["write_cost"]) >= {"entries_written", "hot_updates_lost", "planner_cost"}
    assert "Every INSERT writes one more index entry" in one["risk"]


def test_the_budget_is_kept(dsn: str, tmp_path: Path) -> None:
    queries = folder(tmp_path, QUERIES)
    free = advice("--queries", queries, "--dsn", dsn)
    tight = advice("--queries", queries, "--dsn", dsn, "--budget", "600KB")
    assert free["bytes"] > 600 * 1024
    assert sum(one["bytes"] for one in tight["create"]) <= tight["budget_bytes"] == 600 * 1024
    assert tight["workload_cost"]["after"] > free["workload_cost"]["after"]


def test_writes_change_the_advice(dsn: str, tmp_path: Path) -> None:
    queries = {
        "read": "SELECT pad FROM clicks WHERE customer_id = 5",
        "write": "INSERT INTO clicks VALUES (0, 1, 2, 'z')",
    }
    path = folder(tmp_path, queries, {"read": 10, "write": 1})
    (one,) = tried("--queries", path, "--dsn", dsn)
    assert one["table"] == "clicks"
    assert one["write_cost"]["entries_written"] == 1
    folder(tmp_path, queries, {"read": 10, "write": 1_000_000})
    assert tried("--queries", path, "--dsn", dsn) == []
    assert len(tried("--queries", path, "--dsn", dsn, "--write-cost", "0")) == 1


def test_a_parent_that_nobody_queries_gets_its_foreign_key_by_rule(
    dsn: str, tmp_path: Path
) -> None:
    path = folder(tmp_path, {"read": "SELECT pad FROM clicks WHERE customer_id = 5"})
    by_rule = [
        one
        for one in advice("--queries", path, "--dsn", dsn)["create"]
        if one["verified_by"] == "rule"
    ]
    assert [one["sql"].partition(" ON ")[2] for one in by_rule] == ["orders (customer_id);"]


def test_no_ddl_reaches_the_server(postgres15: Server, dsn: str, tmp_path: Path) -> None:
    postgres15.flush_logs()
    seen = postgres15.log_path("csvlog").stat().st_size
    advice("--queries", folder(tmp_path, QUERIES), "--dsn", dsn)
    postgres15.flush_logs()
    with postgres15.log_path("csvlog").open(newline="") as log:
        log.seek(seen)
        rows = [row for row in csv.reader(log) if row[2] == "what_if_shop"]
    assert rows
    assert {row[22] for row in rows} == {"pg95"}
    statements = [row[13].split(": ", 2)[2].lstrip() for row in rows if row[13].count(": ") > 1]
    assert any(text.startswith("EXPLAIN (FORMAT JSON) /* pg95 */") for text in statements)
    ddl = ("CREATE", "DROP", "ALTER", "ANALYZE", "VACUUM", "REINDEX", "INSERT", "COPY", "TRUNCATE")
    assert [text for text in statements if text.upper().startswith(ddl)] == []
    left = postgres15.psql("SELECT count(*) FROM pg_class WHERE relname ~ '^(big|idx_)'", dsn)
    assert left == "0"


def test_what_is_wrong_is_said(dsn: str, tmp_path: Path) -> None:
    run = CliRunner().invoke
    missing = run(cli, ["indexes", "--queries", str(tmp_path / "no"), "--dsn", dsn])
    assert missing.exit_code != 0
    broken = folder(tmp_path, {"bad": "SELEC 1"})
    assert "bad.sql" in str(run(cli, ["indexes", "--queries", broken, "--dsn", dsn]).exception)
    good = folder(tmp_path, {"bad": "SELECT 1"}, {"other": 2})
    assert "no such query: other" in str(
        run(cli, ["indexes", "--queries", good, "--dsn", dsn]).exception
    )
    size = run(cli, ["indexes", "--queries", good, "--dsn", dsn, "--budget", "lots"])
    assert isinstance(size.exception, UsageError)


def test_an_index_that_the_advised_one_replaces_is_dropped_after_it(
    postgres15: Server, tmp_path: Path
) -> None:
    dsn = postgres15.create_database("what_if_replaced")
    postgres15.psql(
        """CREATE EXTENSION hypopg;
        CREATE TABLE visits (id int PRIMARY KEY, who int, at int, pad text);
        INSERT INTO visits SELECT n, n % 400, n, repeat('x', 60) FROM generate_series(1, 40000) AS n;
        CREATE INDEX visits_who ON visits (who);
        ANALYZE visits""",
        dsn,
    )
    postgres15.psql("VACUUM visits", dsn)
    text = "SELECT id, pad FROM visits WHERE who = 7 ORDER BY at DESC LIMIT 5"
    queries = folder(tmp_path, {"latest": text})
    found = advice("--queries", queries, "--dsn", dsn)
    (created,) = found["create"]
    (dropped,) = [one for one in found["drop"] if one["kind"] == "superseded"]
    assert (dropped["index"], dropped["covered_by"]) == ("visits_who", created["name"])
    done = CliRunner().invoke(
        cli, ["indexes", "--queries", queries, "--dsn", dsn, "--format", "sql"]
    )
    runnable = [line for line in done.stdout.splitlines() if line and not line.startswith("--")]
    assert runnable == [created["sql"], dropped["sql"]]
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = cost(connection, text)[0]
        for statement in runnable:
            connection.execute(statement)
        after, plan = cost(connection, text)
        assert created["name"] in plan
        assert after < before / 5
        assert created["name"] in cost(connection, "SELECT at FROM visits WHERE who = 7")[1]


def test_questions_that_nobody_answers_are_counted_and_told(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A planner that runs into a limit with an index of `orders`: nothing is known, which is said."""
    estimate = HypoPG.estimate

    def limited(
        self: HypoPG, statement: PlannedStatement, indexes: Collection[IndexCandidate]
    ) -> PlanEstimate:
        if any(one.table == "orders" for one in indexes):
            raise WhatIfError("the server: a limit ended it")
        return estimate(self, statement, indexes)

    monkeypatch.setattr(HypoPG, "estimate", limited)
    given = ("indexes", "--queries", folder(tmp_path, QUERIES), "--dsn", dsn)
    done = CliRunner().invoke(cli, [*given, "--format", "json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    by_question = [one for one in document["indexes"]["create"] if one["verified_by"] == "what-if"]
    assert "orders" not in {one["table"] for one in by_question}
    asked = document["indexes"]["unanswered"]["the server: a limit ended it"]
    assert asked >= len(QUERIES)
    (told,) = [one for one in document["coverage"]["warnings"] if "not answered by hypopg" in one]
    assert told.startswith(f"index advice: {asked} what-if questions")
    assert "a limit ended it" in told
    assert f"{asked} what-if questions not answered" in CliRunner().invoke(cli, given).stdout


def test_indexes_that_hypopg_cannot_try_are_counted(postgres15: Server, tmp_path: Path) -> None:
    dsn = postgres15.create_database("what_if_words")
    postgres15.psql(
        """CREATE EXTENSION hypopg; CREATE TABLE papers (id int, words text[]);
        INSERT INTO papers SELECT n, ARRAY['w' || n] FROM generate_series(1, 5000) n; VACUUM ANALYZE""",
        dsn,
    )
    queries = folder(tmp_path, {"words": "SELECT id FROM papers WHERE words @> ARRAY['w7']"})
    done = CliRunner().invoke(
        cli, ["indexes", "--queries", queries, "--dsn", dsn, "--format", "json"]
    )
    (told,) = [
        one
        for one in json.loads(done.stdout)["coverage"]["warnings"]
        if "could not be tried" in one
    ]
    assert told.startswith("index advice: 1 candidates could not be tried by hypopg: HypoPG: ")
