"""`psql … | pg95 plans -`: what psql prints of a plan, in each of its formats, is read from the pipe."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analyzer.cli import cli

SETUP = """
CREATE TABLE piped (id int PRIMARY KEY, email text);
INSERT INTO piped SELECT n, 'user' || n || '@example.org' FROM generate_series(1, 60000) n;
ANALYZE piped;
"""
SQL = "SELECT * FROM piped WHERE email = 'user77@example.org'"
TARGET = ("--target-ms", "5")  # the table is small
DECORATED = {
    "aligned": [],
    "with borders": ["-P", "border=2"],
    "unicode": ["-P", "border=2", "-P", "linestyle=unicode"],
    "expanded": ["-x"],
    "wrapped": ["-P", "format=wrapped", "-P", "columns=60"],
    "bare": ["-At"],
    "csv": ["--csv"],
    "html": ["-H"],
}


@pytest.fixture(scope="module")
def psql(postgres15: object) -> list[str]:
    """psql, in a database that has the table."""
    dsn = postgres15.create_database("piped")  # type: ignore[attr-defined]
    postgres15.psql(SETUP, dsn)  # type: ignore[attr-defined]
    return [str(postgres15.bin_directory / "psql"), "-X", "-d", dsn]  # type: ignore[attr-defined]


def printed(psql: list[str], options: list[str], explain: str) -> bytes:
    """What psql prints of the plan."""
    command = [*psql, *options, "-c", f"EXPLAIN ({explain}) {SQL}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize("dress", DECORATED)
@pytest.mark.parametrize("form", ["TEXT", "JSON", "YAML", "XML"])
def test_psql_prints_and_pg95_reads(psql: list[str], dress: str, form: str) -> None:
    text = printed(psql, DECORATED[dress], f"ANALYZE, BUFFERS, FORMAT {form}")
    done = CliRunner().invoke(cli, ["plans", "-", "--format", "json", *TARGET], input=text)
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    (plan,) = document["plans"]
    assert plan["truncated"] is False
    (finding,) = [one for one in document["findings"] if one["detector"] == "selective-seq-scan"]
    assert finding["evidence"]["table"] == "piped"
    assert [one["column"] for one in finding["evidence"]["conditions"]] == ["email"]


def test_the_terminal_shows_a_tree_with_times_rows_and_the_finding(psql: list[str]) -> None:
    with subprocess.Popen(
        [*psql, "-c", f"EXPLAIN (ANALYZE, BUFFERS) {SQL}"], stdout=subprocess.PIPE
    ) as printing:
        done = subprocess.run(
            [sys.executable, "-m", "analyzer", "plans", "-", *TARGET],
            stdin=printing.stdout,
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "120", "NO_COLOR": "1"},
            check=False,
        )
    assert (printing.returncode, done.returncode) == (0, 0), done.stderr
    (line,) = [one for one in done.stdout.splitlines() if "Seq Scan on piped" in one and "█" in one]
    assert "→" in line
    assert "Sequential scan of piped" in done.stdout
    assert "user77" not in done.stdout  # values are redacted in a terminal, too
