"""What is recommended for a loop, done in the real ORM: the loop is gone, and the same rows come back."""

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, Result, run

if TYPE_CHECKING:
    from tests.conftest import Server

TABLES = """
CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE books (id serial PRIMARY KEY, title text NOT NULL, author_id int NOT NULL REFERENCES authors);
"""
# Some authors have no book, and each book of the first dozen has another author.
ROWS = """
INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 20) n;
INSERT INTO books (title, author_id) SELECT 'book ' || n, n * 7 % 16 + 1 FROM generate_series(1, 70) n;
"""
CASES = ["children", "parent", "count", "exists", "few"]
# A person fills in what the code leaves open: the parent's own query, the order, how many.
FILLED_IN = {
    "django": {"…": '"-id"'},
    "sqlalchemy": {
        "  # where, order_by as before": ".order_by({parent}.id).limit(12)",
        "order_by=…": "order_by=Book.id.desc()",
        "place <= n)": "place <= 2)",
    },
}


def ran(server: "Server", folder: Path, orm: str, *arguments: str) -> tuple[object, Result]:
    """Run a program in a new database: what it saw, and what is found in the server's log of it."""
    database = f"advised_{orm}_{arguments[0]}_{len(arguments)}"
    dsn = server.create_database(database)
    server.psql(TABLES + ROWS, dsn)
    program = Path(__file__).with_name(f"advised_{orm}.py")
    done = subprocess.run(
        [sys.executable, str(program), server.host, str(server.port), database, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    server.flush_logs()
    lines = server.log_path("stderr").read_text().splitlines(keepends=True)
    ours = [number for number, line in enumerate(lines) if f"@{database}/" in line]
    begun = next(n for n in reversed(ours) if "INSERT INTO books" in lines[n]) + 1
    log = folder / f"{database}.log"
    log.write_text("".join(lines[begun : ours[-1] + 3]))
    schema = folder / "schema.sql"
    schema.write_text(TABLES)
    return json.loads(done.stdout), run(Options(inputs=[str(log)], schema=str(schema)))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("orm", ["django", "sqlalchemy"])
def test_the_loop_ends_and_the_same_rows_come_back(
    postgres15: "Server", tmp_path: Path, orm: str, case: str
) -> None:
    lazily, looped = ran(postgres15, tmp_path, orm, case)
    (finding,) = looped.findings
    shown, advice = finding.evidence, finding.recommendations[0]
    assert isinstance(shown, NPlusOneEvidence)
    assert shown.executions == 12
    assert advice.language == orm
    code = advice.text
    for left_open, filled in FILLED_IN[orm].items():
        code = code.replace(
            left_open, filled.format(parent="Book" if case == "parent" else "Author")
        )
    eagerly, result = ran(postgres15, tmp_path, orm, case, code)
    assert eagerly == lazily
    assert not result.findings
    assert result.outcomes["n-plus-one"].status == "clean"
    assert result.workload.traffic.executions < looped.workload.traffic.executions - 9
