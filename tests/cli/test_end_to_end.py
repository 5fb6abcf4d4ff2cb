"""The whole chain on a real PostgreSQL 15.

A program with an N+1 and an unindexed lookup is run, its log and its server are analysed, and the
advice is followed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

if TYPE_CHECKING:
    from tests.conftest import LogFormat, Server

SCHEMA = """
CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id int PRIMARY KEY,
    shop_id int NOT NULL REFERENCES shops (id),
    reference text NOT NULL,
    total numeric NOT NULL
);
CREATE INDEX orders_shop ON orders (shop_id);
INSERT INTO shops SELECT n, 'shop ' || n FROM generate_series(1, 50) n;
INSERT INTO orders SELECT n, n % 50 + 1, md5(n::text) || md5((n + 1)::text), n
    FROM generate_series(1, 200000) n;
CREATE EXTENSION pg_stat_statements;
ANALYZE;
"""
LOOKUP = "SELECT id, total FROM orders WHERE reference = %s AND total > 0 ORDER BY total DESC"


def program(dsn: str) -> None:
    """What an application does: one shop's orders at a time, and a lookup by a bare column."""
    with psycopg.connect(dsn, autocommit=True, application_name="shopfront") as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        shops = connection.execute("SELECT id, name FROM shops ORDER BY id LIMIT 20").fetchall()
        for shop, _ in shops:
            connection.execute(
                "SELECT id, total FROM orders WHERE shop_id = %s ORDER BY id LIMIT 5", (shop,)
            ).fetchall()
        for number in range(12):
            connection.execute(LOOKUP, (f"{number}" * 32,)).fetchall()


@pytest.fixture(scope="module")
def application(postgres15: "Server") -> tuple["Server", str]:
    dsn = postgres15.create_database("shopfront")
    postgres15.psql(SCHEMA, dsn)
    program(dsn)
    postgres15.flush_logs()
    return postgres15, dsn


def pg95(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments, "--format", "json"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def of(document: dict[str, Any], detector: str) -> list[dict[str, Any]]:
    return [one for one in document["findings"] if one["detector"] == detector]


@pytest.mark.parametrize("form", ["stderr", "csvlog", "jsonlog"])
def test_log_and_server_together_show_both(
    application: tuple["Server", str], form: "LogFormat"
) -> None:
    server, dsn = application
    document = pg95("report", str(server.log_path(form)), "--dsn", dsn)
    (loop,) = [f for f in of(document, "n-plus-one") if f["evidence"]["parent_table"] == "shops"]
    assert loop["evidence"]["child_table"] == "orders"
    assert loop["evidence"]["children_per_occurrence"]["median"] == 20
    # Programs of other tests may have written to this log, too: advice for their stack comes first.
    assert any("LATERAL" in advice["text"] for advice in loop["recommendations"])
    scans = of(document, "selective-seq-scan")
    (scan,) = [f for f in scans if f["tables"] == ["orders"] and "reference" in json.dumps(f)]
    assert scan["evidence"]["plans"] >= 1
    assert scan["evidence"]["rows_read"] >= 200_000
    assert document["target"]["method"] == "exact"
    statement = next(
        s for s in document["statements"] if "reference" in s["sql"] and s["kind"] == "select"
    )
    assert statement["calls"] == 12
    assert statement["rows"] == 0
    assert any("pg_stat_statements" in s["format"] for s in document["coverage"]["sources"])
    assert document["coverage"]["log_min_duration_ms"] is None


def test_server_alone_gives_bounds_and_guesses_at_loops(
    application: tuple["Server", str],
) -> None:
    _, dsn = application
    document = pg95("report", "--dsn", dsn)
    assert document["target"]["method"] in ("bound", "estimated")
    assert document["target"]["high_ms"] >= document["target"]["low_ms"]
    states = {one["id"]: one["status"] for one in document["detectors"]}
    assert states["repeated-lookup"] == states["selective-seq-scan"] == "not-applicable"
    guesses = [one for one in document["findings"] if one["detector"] == "n-plus-one"]
    assert all(one["evidence"]["scope"] == "statistics" for one in guesses)


def test_the_suggested_index_is_used(application: tuple["Server", str]) -> None:
    server, dsn = application
    document = pg95("indexes", str(server.log_path("jsonlog")), "--dsn", dsn)
    advised = document["indexes"]["create"]
    (created,) = [i for i in advised if " orders " in i["sql"] and "reference" in i["sql"]]
    explain = f"EXPLAIN (FORMAT JSON) {LOOKUP.replace('%s', chr(39) + 'x' * 32 + chr(39))}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        before = json.dumps(connection.execute(explain).fetchall())
        connection.execute(created["sql"])
        connection.execute("ANALYZE orders")
        after = json.dumps(connection.execute(explain).fetchall())
    assert '"Seq Scan"' in before
    assert '"Seq Scan"' not in after
    assert "Index" in after


def test_the_batched_statement_returns_what_the_loop_returned(
    application: tuple["Server", str],
) -> None:
    server, dsn = application
    document = pg95("nplusone", str(server.log_path("csvlog")), "--dsn", dsn)
    (loop,) = [f for f in of(document, "n-plus-one") if f["evidence"]["parent_table"] == "shops"]
    # The server's other tests write to the same log, and programs of ORMs may be among them.
    (fix,) = [one for one in loop["recommendations"] if one["language"] == "sql"]
    advised = fix["text"].split("\n", 1)[1]  # the first line is a comment
    text = advised.replace("$1", "%s::int[]").replace("$2", "5")
    with psycopg.connect(dsn, autocommit=True) as connection:
        batched = connection.execute(text, (list(range(1, 21)),)).fetchall()
        looped = [
            (shop, *row)
            for shop in range(1, 21)
            for row in connection.execute(
                "SELECT id, total FROM orders WHERE shop_id = %s ORDER BY id LIMIT 5", (shop,)
            ).fetchall()
        ]
    assert sorted(batched) == sorted(looped)


def test_nothing_of_ours_was_judged(application: tuple["Server", str], tmp_path: Path) -> None:
    server, dsn = application
    pg95("report", "--dsn", dsn)
    server.flush_logs()
    entries = re.split(r"\n(?!\t)", server.log_path("stderr").read_text())
    ours = tmp_path / "shopfront.log"  # the server's other tests write to the same log
    ours.write_text("\n".join(entry for entry in entries if "@shopfront/" in entry) + "\n")
    assert "@shopfront/pg95" in ours.read_text()
    sent = [one["sql"] for one in pg95("report", str(ours))["statements"]]
    assert not [sql for sql in sent if "pg_stat_statements" in sql and "CREATE" not in sql]
    assert not [sql for sql in sent if "pg_catalog" in sql and "pg_index" in sql]


def test_sample_of_the_checkout_is_what_the_readme_says() -> None:
    sample = Path(__file__).parents[2] / "sample_logs"
    document = pg95("report", str(sample))
    loops = {f["evidence"]["child_table"]: f["evidence"] for f in of(document, "n-plus-one")}
    assert {name: e["children_per_occurrence"]["median"] for name, e in loops.items()} == {
        "containers": 20,
        "users": 20,
    }
    assert {name: e["executions"] for name, e in loops.items()} == {"containers": 40, "users": 20}
    assert [f["evidence"]["executions"] for f in of(document, "repeated-query")] == [15]
    logs = [s for s in document["coverage"]["sources"] if s["executions"]]
    assert sum(s["same_as"] is None for s in logs) == 1
    assert document["target"]["client"]["verdict"] in ("met", "missed")
