"""Query logs of applications: captures of real programs, what they are known to hold, and bad input."""

import io
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.model.recording import Recording
from analyzer.sources.applications import READERS, CallSink
from analyzer.sources.mapping import parse_map
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

Reading = Callable[..., Any]  # into a recording: conftest.Read
CAPTURES = Path(__file__).parent.parent / "data/applications"

# By capture: format, executions, requests that are told (traces), whether times and durations are.
KNOWN = {
    "django/default.log": ("django", 29, 0, False, True),
    "django/verbose.log": ("django", 29, 0, True, True),
    "django/server.log": ("django", 29, 4, False, True),
    "sqlalchemy/echo.log": ("sqlalchemy", 25, 0, True, False),
    "sqlalchemy/psycopg2.log": ("sqlalchemy", 25, 0, True, False),
    "sqlalchemy/basic.log": ("sqlalchemy", 25, 0, False, False),
    "sqlalchemy/threads.log": ("sqlalchemy", 37, 0, True, False),
    "rails/development.log": ("rails", 42, 5, True, True),
    "rails/tagged.log": ("rails", 68, 9, True, True),
    "rails/formatter.log": ("rails", 42, 5, True, True),
}


@pytest.mark.parametrize("name", KNOWN)
def test_captures_hold_what_their_program_did(name: str, read: Reading) -> None:
    form, executions, traces, times, durations = KNOWN[name]
    found = read(CAPTURES / name)
    source, columns = found.source, found.executions
    assert (source.format, source.executions, len(columns)) == (form, executions, executions)
    assert (source.unparsed_lines, source.bytes_unparsed, source.failure) == (0, 0, None)
    assert set(columns.clock) == {Clock.CLIENT}
    assert len(set(columns.trace) - {0}) == traces
    assert all((start >= FIRST_TIME_US) == times for start in columns.start_us)
    assert not np.isnan(columns.duration_ms).any() if durations else np.isnan(columns.duration_ms).all()
    assert any("without a duration" in one for one in found.warnings) != durations


@pytest.mark.parametrize("name", KNOWN)
def test_the_format_can_be_named(name: str, read: Reading) -> None:
    found = read(CAPTURES / name, log_format=KNOWN[name][0])
    assert found.source.executions == KNOWN[name][1]


@pytest.mark.parametrize("name", KNOWN)
def test_a_capture_that_is_cut_anywhere_is_accounted_for(name: str, read_text: Reading) -> None:
    data = (CAPTURES / name).read_bytes()
    for end in range(len(data) // 2, len(data), len(data) // 7 + 1):
        found = read_text(data[:end])
        assert 0 < found.source.executions <= KNOWN[name][1]


@pytest.mark.parametrize("name", KNOWN)
def test_line_ends_of_windows(name: str, read_text: Reading) -> None:
    data = (CAPTURES / name).read_bytes().replace(b"\n", b"\r\n")
    assert read_text(data).source.executions == KNOWN[name][1]


def statements(found: Any) -> Counter[str]:  # noqa: ANN401 - conftest.Read
    return Counter(" ".join(text.split()) for text in found.statements)


def test_django_statements_and_values(read: Reading) -> None:
    found = read(CAPTURES / "django/default.log")
    authors = 'SELECT "authors"."id", "authors"."name" FROM "authors" WHERE "authors"."id" = 2 LIMIT 21'
    assert statements(found)[authors] == 20
    texts = [text for text in found.parameters if text]
    assert "(0.001) it''s; args=(''x'',); alias=default" in texts[13]
    assert sum(row == 1.0 for row in found.executions.duration_ms) > 0


def test_django_requests_have_their_route(read: Reading) -> None:
    found = read(CAPTURES / "django/server.log")
    comments = [found.recording.comments.get(number) for number in found.executions.comment]
    assert Counter(comments) == {
        "/*route='GET /lazy/'*/": 22,
        "/*route='GET /eager/'*/": 2,
        "/*route='GET /lines/{id}/'*/": 5,
    }


def test_django_threads_are_sessions(read: Reading) -> None:
    found = read(CAPTURES / "django/verbose.log")
    (session,) = set(found.sessions)
    assert session is not None
    assert "#utils " in session


def test_sqlalchemy_placeholders_are_numbered(read: Reading) -> None:
    found = read(CAPTURES / "sqlalchemy/psycopg2.log")
    seen = statements(found)
    assert seen["SELECT authors.id, authors.name FROM authors WHERE authors.id = $1"] == 10
    assert seen["SELECT 100 % 7 AS rest"] == 1
    assert seen["INSERT INTO authors (name) VALUES ($1), ($2)"] == 1
    assert seen["BEGIN"] == seen["ROLLBACK"] == 3
    assert json.dumps(["it's\n[raw sql] {'a': 1}"]) in found.parameters
    assert json.dumps(["one", "two, 'three'"]) in found.parameters


def test_sqlalchemy_lines_of_two_threads_are_put_together(read: Reading) -> None:
    found = read(CAPTURES / "sqlalchemy/threads.log")
    by_session = Counter(found.sessions)
    assert sorted(by_session.values()) == [17, 20]
    assert all("Thread-" in session for session in by_session)


def test_rails_requests_and_jobs(read: Reading) -> None:
    found = read(CAPTURES / "rails/development.log")
    comments = [found.recording.comments.get(number) for number in found.executions.comment]
    assert Counter(comments) == {
        "/*route='BooksController#lazy'*/": 22,
        "/*route='BooksController#eager'*/": 2,
        "/*route='BooksController#others'*/": 7,
        "/*job='AuthorsJob'*/": 11,
    }
    assert 'SELECT count(*) FROM books WHERE title <> \' Book Load (0.3ms) it\'\'s\'' in statements(found)
    assert '["author \'1\'\\n  Author Load (0.1ms)  SELECT 1  [[\\"id\\", 1]]", 1]' in found.parameters


@pytest.mark.parametrize("name", ["development.log", "tagged.log", "formatter.log"])
def test_rails_own_cache_is_no_call(name: str, read: Reading) -> None:
    found = read(CAPTURES / "rails" / name)
    assert statements(found)['SELECT "authors".* FROM "authors" WHERE "authors"."id" = $1'] == 1


def test_other_lines_of_an_application_are_foreign(read_text: Reading) -> None:
    rails = (CAPTURES / "rails/tagged.log").read_text()
    noise = "[app] hello\n\nsomething: else\n"
    found = read_text(rails.replace("\n[", f"\n{noise}[", 30))
    assert found.source.executions == 68
    assert found.source.foreign_bytes > 30 * len(noise)
    django = (CAPTURES / "django/default.log").read_text()
    found = read_text(noise + django + noise)
    assert (found.source.executions, found.source.foreign_bytes) == (29, 2 * len(noise))


def test_an_entry_without_its_end_costs_that_entry_only(read_text: Reading) -> None:
    lines = (CAPTURES / "django/default.log").read_text().splitlines(keepends=True)
    lines[3] = lines[3][:60] + "\n"
    found = read_text("".join(lines))
    assert found.source.executions == 28
    assert found.source.unparsed_lines == 1
    assert found.source.first_unparsed.startswith("line 4, byte ")


def test_since_and_until_hold_where_there_are_times(read: Reading) -> None:
    path = CAPTURES / "django/verbose.log"
    starts = read(path).executions.start_us
    middle = sorted(starts)[15]
    assert read(path, since_us=middle).source.executions == sum(one >= middle for one in starts)
    found = read(CAPTURES / "django/default.log", since_us=middle)
    assert found.source.executions == 29
    assert any("no times" in one for one in found.warnings)


PIECES = st.sampled_from([
    b"(0.001) SELECT 1", b"; args=(", b"'", b'"', b"); alias=default", b"\n", b"\n", b" ", b"\\",
    b"2026-11-26 10:00:00,001 INFO sqlalchemy.engine.Engine ", b"[generated in 0.1s] ", b"{'a': ",
    b"[raw sql] ()", b"SELECT %(a)s, %s, %%", b"  Book Load (0.1ms)  SELECT 1", b'  [["id", 1]]',
    b"[aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee] ", b'Started GET "/" for ::1 at 2026-11-26 10:00:00 +0000',
    b"Processing by A#b as HTML", b"\x1b[1m", b"\x1b[0m", b"\xff", b"\0", b"\r\n", b"[", b"]]", b"}",
    b'{"sql": "SELECT 1", "ms": 1}', b'{"sql": 5}', b"nil", b"\\u{110000}", b"\\x", b"(", b")",
])  # fmt: skip
TEXTS = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None)
@given(data=TEXTS, longest=st.sampled_from([64, 1 << 20]))
def test_every_byte_is_accounted_for_whatever_comes(name: str, data: bytes, longest: int) -> None:
    coverage = SourceCoverage("x", format=name)
    options = ReadOptions(mapping=parse_map("sql=sql,duration=ms"))
    sink = CallSink(Recording(keys=StatementKeyTable()), coverage, 0, options)
    rows = sum(map(len, READERS[name](sink).read(io.BytesIO(data), longest)))
    assert rows == coverage.executions
    assert sink.entry_bytes + coverage.bytes_unparsed + coverage.foreign_bytes == len(data)
    assert (coverage.unparsed_lines > 0) == (coverage.bytes_unparsed > 0)
