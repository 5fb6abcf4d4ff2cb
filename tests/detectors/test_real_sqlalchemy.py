"""A real SQLAlchemy program on a real server: lazily and eagerly, loops within loops."""

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
CREATE TABLE publishers (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE authors (id serial PRIMARY KEY, publisher_id int NOT NULL REFERENCES publishers);
CREATE TABLE books (id serial PRIMARY KEY, author_id int NOT NULL REFERENCES authors);
CREATE TABLE reviews (id serial PRIMARY KEY, book_id int NOT NULL REFERENCES books);
"""
ROWS = """
INSERT INTO publishers (name) SELECT 'publisher ' || n FROM generate_series(1, 20) n;
INSERT INTO authors (publisher_id) SELECT n FROM generate_series(1, 20) n;
INSERT INTO books (author_id) SELECT n % 20 + 1 FROM generate_series(1, 60) n;
INSERT INTO reviews (book_id) SELECT n % 60 + 1 FROM generate_series(1, 120) n;
"""


def analysed(server: "Server", how: str, tmp_path: Path, *, schema: bool) -> Result:
    """Run the program and analyse what the server logged of it."""
    database = f"sqlalchemy_{how}_{schema}".lower()
    dsn = server.create_database(database)
    server.psql(TABLES + ROWS, dsn)
    program = Path(__file__).with_name("sqlalchemy_shop.py")
    done = subprocess.run(
        [sys.executable, str(program), server.host, str(server.port), database, how],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "72\n"
    server.flush_logs()
    lines = server.log_path("stderr").read_text().splitlines(keepends=True)
    log = tmp_path / "postgresql.log"
    taken = [number for number, line in enumerate(lines) if f"@{database}/" in line]
    log.write_text("".join(lines[taken[0] : taken[-1] + 3]))
    known = tmp_path / "schema.sql"
    known.write_text(TABLES)
    return run(Options(inputs=[str(log)], schema=str(known) if schema else None))


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
def test_lazy_loading_is_found_at_every_level(
    postgres15: "Server", tmp_path: Path, *, schema: bool
) -> None:
    result = analysed(postgres15, "lazily", tmp_path, schema=schema)
    loops = {
        (one.parent_table, one.child_table): one.executions
        for finding in result.findings
        if isinstance(one := finding.evidence, NPlusOneEvidence)
    }
    assert loops == {
        ("authors", "publishers"): 12,
        ("authors", "books"): 12,
        ("books", "reviews"): 36,
    }


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
def test_eager_loading_is_clean(postgres15: "Server", tmp_path: Path, *, schema: bool) -> None:
    result = analysed(postgres15, "eagerly", tmp_path, schema=schema)
    assert result.workload.traffic.executions >= 3
    for name in ("n-plus-one", "repeated-lookup", "repeated-query"):
        assert result.outcomes[name].status == "clean"
