"""A real SQLAlchemy program on a real server: lazily and eagerly, loops within loops."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.statement import Kind, Role
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


def loop(evidence: object) -> tuple[str | None, str | None, tuple[str, ...], float, float]:
    """Give parent, child, what the child is looked up by, and N: in the run and per parent."""
    assert isinstance(evidence, NPlusOneEvidence)
    run_of_children, per_parent = evidence.children_per_occurrence, evidence.children_per_parent
    assert (evidence.occurrences, evidence.executions) == (1, run_of_children.median)
    return (
        evidence.parent_table,
        evidence.child_table,
        evidence.lookup_columns,
        run_of_children.median,
        per_parent.median,
    )


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
def test_lazy_loading_is_found_at_every_level(
    postgres15: "Server", tmp_path: Path, *, schema: bool
) -> None:
    result = analysed(postgres15, "lazily", tmp_path, schema=schema)
    assert sorted(loop(finding.evidence) for finding in result.findings) == [
        ("authors", "books", ("author_id",), 12, 12),
        ("authors", "publishers", ("id",), 12, 12),
        ("books", "reviews", ("book_id",), 36, 3),
    ]


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
def test_eager_loading_is_clean(postgres15: "Server", tmp_path: Path, *, schema: bool) -> None:
    result = analysed(postgres15, "eagerly", tmp_path, schema=schema)
    read = [
        statement.facts.tables
        for statement in result.workload.statements
        if (statement.facts.kind, statement.facts.role) == (Kind.SELECT, Role.WORKLOAD)
    ]
    assert read == [("authors", "publishers"), ("books",), ("reviews",)]
    assert not result.findings
    for name in ("n-plus-one", "repeated-lookup", "repeated-query"):
        assert result.outcomes[name].status == "clean"
