"""What is taken for the query log of an application, and the time it begins at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from captures import CAPTURES, KNOWN

from analyzer.model.recording import Recording
from analyzer.sources.detection import recognise
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

Reading = Callable[..., Any]  # into a recording: conftest.Read


def first_us(path: Path, **options: Any) -> int | None:  # noqa: ANN401 - of ReadOptions
    recording = Recording(keys=StatementKeyTable())
    (stream,) = gather([str(path)], ReadOptions(**options), recording).streams
    return stream.first_us


@pytest.mark.parametrize("name", KNOWN)
def test_the_first_time_is_the_logs_own(name: str, read: Reading) -> None:
    """An input is opened when the others have come to its first time, or at once without any."""
    times = KNOWN[name][3] and KNOWN[name][0] != "otel-spans"
    first = first_us(CAPTURES / name)
    assert (first is not None) == times
    if first is not None:
        assert 0 <= min(read(CAPTURES / name).executions.end_us) - first < 1_000_000


@pytest.mark.parametrize("name", KNOWN)
def test_a_time_in_a_statement_is_not_the_logs(name: str, tmp_path: Path) -> None:
    text = (CAPTURES / name).read_text()
    path = tmp_path / "input"
    path.write_text(
        text.replace("SELECT", "SELECT '2031-01-01 00:00:00',").replace(
            "select", "select '2031-01-01 00:00:00',"
        )
    )
    assert first_us(path) == first_us(CAPTURES / name)


def test_a_log_that_begins_with_other_lines_has_the_time_of_its_first_message(
    tmp_path: Path,
) -> None:
    path = tmp_path / "input"
    path.write_text("started 2031-01-01 00:00:00\n" + (CAPTURES / "typeorm/simple.log").read_text())
    assert first_us(path) is None
    path.write_text("hello\n" * 100 + (CAPTURES / "django/verbose.log").read_text())
    assert first_us(path) == first_us(CAPTURES / "django/verbose.log")


NOTES = (
    "# Notes\n\nWith `logging: console.log` it prints\n\n```\nExecuting (default): SELECT 1;\n```\n"
)


@pytest.mark.parametrize(
    "text",
    [
        "# Notes\n\nExecuting (default): SELECT 1;\n",
        NOTES,
        NOTES * 5,
        "Notes\n=====\n\n.. code-block:: text\n\n   query: SELECT 1\n   query: SELECT 2\n",
        "// query: SELECT all users\nexport const users = () => sql`SELECT 1`;\n",
        "/*\n * query: SELECT all users\n * query: SELECT one user\n */\nlet a;\n",
        "one\ntwo\nthree\nfour\nthen it says query: SELECT 1\nfive\n",
        "It is `(0.001) SELECT 1; args=(); alias=default`.\n",
        "# Django\n\n(0.001) SELECT 1; args=(); alias=default\n",
    ],
)
def test_prose_and_code_that_quote_a_log_are_none(text: str) -> None:
    assert recognise(text.encode(), whole=True, options=ReadOptions()) is None


def test_this_projects_documentation_is_no_log() -> None:
    for path in (Path(__file__).parent.parent.parent / "docs").glob("*.md"):
        assert recognise(path.read_bytes(), whole=True, options=ReadOptions()) is None, path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sequelize", "Executing (default): SELECT 1;\n"),
        ("sequelize", "listening on 3000\nready\nExecuting (default): SELECT 1+1 AS result\n"),
        ("typeorm", "web-1  | query: SELECT 1\n" + "web-1  | GET /\n" * 3),
        ("typeorm", "#12 0.345 query: SELECT 1\n"),
        ("prisma-stdout", "hello\n" * 100 + "prisma:query SELECT 1\n" * 3),
        # Markup that a statement holds.
        ("sequelize", "Executing (default): INSERT INTO posts VALUES ('\n" + "# A\n" * 9 + "');\n" + "Executing (default): SELECT 1;\n" * 4),
        ("rails", "# Logfile created on 2026-11-26 23:07:42 +0000 by logger.rb/v1.5.0\n  Book Load (0.2ms)  SELECT 1\n"),
    ],
)  # fmt: skip
def test_small_logs_are_recognised(name: str, text: str, read_text: Reading) -> None:
    found = read_text(text)
    assert found.source.format == name
    assert found.source.executions == max(text.count("SELECT 1"), 1) + text.count("INSERT")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("schema-sql", "-- slow query: SELECT * FROM users\nCREATE TABLE users (id int PRIMARY KEY);\n"),
        ("schema-sql", "/*\nquery: SELECT 1\nquery: SELECT 2\nquery: SELECT 3\n*/\nCREATE TABLE users (id int);\n"),
        ("schema-sql", "\ufeffCREATE TABLE users (id int);\n-- Executing (default): SELECT 1;\n"),
        ("schema-sql", "--\n-- PostgreSQL database dump\n--\nCREATE TABLE a (t text);\nCOPY a (t) FROM stdin;\n" + "query: SELECT 1\n" * 9),
        ("schema-prisma", "// query: SELECT 1\n/// prisma:query SELECT 1\nmodel User {\n  id Int @id\n}\n"),
        ("pg_stat_statements-json", '[\n{"query": "/* prisma:query */ SELECT $1", "calls": 3, "total_exec_time": 1}]'),
        ("explain-text", " QUERY PLAN \n----\n Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n   Filter: (b = 'Executing (default): x')\n"),
    ],
)  # fmt: skip
def test_schemas_and_other_documents_that_quote_a_log_are_read(
    name: str, text: str, read_text: Reading
) -> None:
    found = read_text(text)
    assert found.source.format == name
    assert found.source.entries == 1
