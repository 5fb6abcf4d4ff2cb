"""`pg95 indexes --what-if clone`: advice with nothing but a file that was taken before."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
DATA = """
CREATE TABLE accounts (id bigint PRIMARY KEY, email text NOT NULL, created timestamptz NOT NULL, info jsonb NOT NULL);
INSERT INTO accounts SELECT n, 'Who' || n || '@example.com', timestamptz '2025-01-01' + n * interval '1 minute',
    jsonb_build_object('kind', n % 5000) FROM generate_series(1, 100000) AS n;
VACUUM (FREEZE, ANALYZE);
"""
QUERIES = {
    "login": "SELECT id FROM accounts WHERE lower(email) = 'who77@example.com';",
    "kinds": "SELECT id FROM accounts WHERE info @> '{\"kind\": 77}';",
}


class Server(Protocol):
    def create_database(self, name: str) -> str: ...
    def psql(self, sql: str, dsn: str | None = None) -> str: ...
    def flush_logs(self) -> None: ...
    def log_path(self, log_format: str = "stderr") -> Path: ...


def pg95(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    fetch = [CHECKOUT / "tools" / "postgres18", "--where"]
    found = subprocess.run(fetch, capture_output=True, text=True, check=True).stdout.strip()
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PG95_POSTGRES": f"{found}/bin"},
    )


@pytest.fixture(scope="module")
def queries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("queries")
    for name, text in QUERIES.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def test_a_file_is_enough(postgres15: Server, queries: Path, tmp_path: Path) -> None:
    """No server, no HypoPG: an expression's index, and one of a kind that HypoPG refuses."""
    dsn = postgres15.create_database("clone_command")
    postgres15.psql(DATA, dsn)
    kept = tmp_path / "kept.json.zst"
    done = pg95("snapshot", "--dsn", dsn, "--with-statistics", "-o", kept)
    assert done.returncode == 0, done.stderr
    postgres15.psql("DROP DATABASE clone_command WITH (FORCE)")
    asked = ("--queries", queries, "--what-if", "clone", "--statistics", kept, "--format", "json")
    done = pg95("indexes", *asked)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    created = {one["sql"]: one for one in document["indexes"]["create"]}
    (lower,) = [one for sql, one in created.items() if "lower(" in sql]
    (gin,) = [one for sql, one in created.items() if "gin" in sql and "info" in sql]
    for one in (lower, gin):
        assert one["verified_by"] == "what-if"
        (served,) = one["statements"]
        assert served["cost_after"] < served["cost_before"] / 5
        assert one["bytes"] > 100_000


def test_without_statistics_the_remedy_is_said(queries: Path) -> None:
    done = pg95("indexes", "--queries", queries, "--what-if", "clone")
    assert done.returncode == 2
    assert "--statistics FILE" in done.stderr


def test_of_the_server_a_clone_only_reads(postgres15: Server, queries: Path) -> None:
    dsn = postgres15.create_database("clone_reads")
    postgres15.psql(DATA, dsn)
    postgres15.flush_logs()
    start = postgres15.log_path("csvlog").stat().st_size
    done = pg95("indexes", "--queries", queries, "--what-if", "clone", "--dsn", dsn)
    assert done.returncode == 0, done.stderr
    postgres15.flush_logs()
    with postgres15.log_path("csvlog").open(newline="") as log:
        log.seek(start)
        rows = [row for row in csv.reader(log) if row[2] == "clone_reads"]
    told = [row[13] for row in rows if "plan:\n" not in row[13]]  # but for auto_explain's
    texts = [one.split(": ", 2)[2] for one in told if one.count(": ") > 1]
    words = [re.sub(r"(?m)^\W*--.*$", "", text).split() for text in texts]
    first = {found[0].upper() for found in words if found}
    assert first & {"SELECT", "WITH"}
    assert first <= {"SELECT", "WITH", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET"}
