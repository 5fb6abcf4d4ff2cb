"""A real Django program on a real server: lazily, eagerly, and after a migration."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, Result, run

if TYPE_CHECKING:
    from tests.conftest import Server

SCHEMA = """
CREATE TABLE authors (id serial PRIMARY KEY, name text NOT NULL, born int);
CREATE TABLE books (
    id serial PRIMARY KEY, title text NOT NULL, author_id int NOT NULL REFERENCES authors, pages int
);
INSERT INTO authors (name) SELECT 'author ' || n FROM generate_series(1, 20) n;
INSERT INTO books (title, author_id) SELECT 'book ' || n, n % 20 + 1 FROM generate_series(1, 100) n;
"""


def analysed(server: "Server", database: str, *options: str) -> Result:
    """Run the program and analyse what the server logged of it."""
    dsn = server.create_database(database)
    server.psql(SCHEMA, dsn)
    program = Path(__file__).with_name("django_shop.py")
    done = subprocess.run(
        [sys.executable, str(program), server.host, str(server.port), database, *options],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "60\n"
    server.flush_logs()
    lines = server.log_path("stderr").read_text().splitlines(keepends=True)
    log = server.directory / f"{database}.log"
    log.write_text("".join(line for line in lines if f"@{database}/" in line))
    return run(Options(inputs=[str(log)]))


@pytest.fixture(scope="module")
def before(postgres15: "Server") -> Result:
    return analysed(postgres15, "django_before", "lazily")


def test_lazy_loading_is_found(before: Result) -> None:
    (finding,) = before.findings
    assert isinstance(finding.evidence, NPlusOneEvidence)
    assert (finding.evidence.parent_table, finding.evidence.child_table) == ("authors", "books")
    assert finding.evidence.children_per_occurrence.median == 12


def test_prefetching_is_clean(postgres15: "Server") -> None:
    result = analysed(postgres15, "django_eager", "eagerly")
    assert result.workload.traffic.executions > 2
    assert result.outcomes["n-plus-one"].status == "clean"


def test_a_migration_that_adds_columns_keeps_the_finding(
    before: Result, postgres15: "Server"
) -> None:
    after = analysed(postgres15, "django_after", "lazily", "born")
    assert [finding.key for finding in after.findings] == [f.key for f in before.findings]
    assert after.findings[0].shape_ids != before.findings[0].shape_ids
