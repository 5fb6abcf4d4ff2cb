"""The recipe of docs/indexes.md for a sample, run as it stands there, and `--verify` on what it makes."""

import json
import os
import subprocess
from pathlib import Path
from typing import Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from tests.sources.counted_work import count_work, pages

DOCS = Path(__file__).parents[2] / "docs" / "indexes.md"
SCHEMA = """
CREATE SCHEMA sales;
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int REFERENCES customers, state text,
    loud text GENERATED ALWAYS AS (upper(state)) STORED);
CREATE TABLE lines (id int PRIMARY KEY, order_id int REFERENCES orders, gone int, product int, "Note" text);
CREATE TABLE sales."Areas" (id int PRIMARY KEY, name text);
ALTER TABLE lines DROP COLUMN gone;
INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 3000) n;
INSERT INTO orders (id, customer_id, state) SELECT n, n % 3000 + 1, 'open' FROM generate_series(1, 20000) n;
INSERT INTO lines SELECT n, n % 20000 + 1, n % 5000, repeat('n', 30) FROM generate_series(1, 60000) n;
INSERT INTO sales."Areas" VALUES (1, 'a|b'), (2, NULL);
CREATE INDEX lines_order ON lines (order_id);
VACUUM ANALYZE;
"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's servers."""

    bin_directory: Path

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


def indented_blocks(heading: str) -> list[str]:
    """The code below a heading of the page."""
    text = DOCS.read_text(encoding="utf-8").partition(f"\n{heading}\n")[2].partition("\n# ")[0]
    blocks: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("    "):
            if not inside:
                blocks.append("")
            blocks[-1] += line.removeprefix("    ") + "\n"
        inside = line.startswith("    ")
    return blocks


@pytest.fixture
def databases(postgres15: Server, postgres18: Server, tmp_path: Path) -> tuple[str, str]:
    """What is sampled, on one server, and the sample on another."""
    source, scratch = (one.create_database("verify_sample") for one in (postgres15, postgres18))
    postgres15.psql(SCHEMA, source)
    sample, recipe = indented_blocks("## A sample to verify on")
    (tmp_path / "sample.txt").write_text(sample)
    given = {"PROD": source, "SCRATCH": scratch}
    path = f"{postgres15.bin_directory}:{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-u", "-c", recipe],
        cwd=tmp_path,
        env={**os.environ, **given, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return source, scratch


def test_a_sample_is_made_and_said_to_be_one(
    databases: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_work(monkeypatch, pages)
    source, scratch = databases
    with psycopg.connect(scratch) as connection:

        def asked(text: str) -> object:
            row = connection.execute(text.encode()).fetchone()
            assert row is not None
            return row[0]

        assert asked("SELECT count(*) FROM customers") == 3000
        assert asked("SELECT count(*) FROM orders WHERE loud = 'OPEN'") == 2000
        assert asked("SELECT count(*) FROM lines JOIN orders o ON o.id = order_id") == 6000
        assert asked('SELECT name FROM sales."Areas" WHERE id = 1') == "a|b"
        assert asked("SELECT count(*) FROM pg_indexes WHERE indexname = 'lines_order'") == 1
        assert asked("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") == 2
    log = tmp_path / "app.log"
    log.write_text(
        "2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 40.000 ms  statement: SELECT * FROM orders "
        "WHERE customer_id = 7\n"
    )
    given = ["indexes", str(log), "--dsn", source, "--verify", scratch]
    done = CliRunner().invoke(cli, [*given, "--format", "json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["indexes"]
    (index,) = [one for one in found["create"] if one["table"] == "orders"]
    assert index["verified_by"] == "execution"
    assert index["scaled_bytes"] == 10 * index["built_bytes"]
    scales = {one["table"]: one for one in found["verification"]["scales"]}
    assert (scales["orders"]["there"], scales["orders"]["factor"]) == (2000, 10)
    text = CliRunner().invoke(cli, given).stdout
    assert "for all rows" in text
    assert "orders 2,000 of 20,000 rows" in " ".join(text.split())
