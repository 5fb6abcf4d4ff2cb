"""Query logs of applications: captures of real programs, what they are known to hold, and bad input."""

import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cli import cli
from analyzer.errors import InputError, UsageError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.model.recording import Recording
from analyzer.sources.applications import READERS, CallSink
from analyzer.sources.applications.python_values import end_of_value, items
from analyzer.sources.mapping import parse_map
from analyzer.sources.options import ReadOptions
from analyzer.sql.comments import trace_number
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
    "prisma6/query_events.jsonl": ("prisma-events", 28, 0, True, True),
    "prisma6/stdout.txt": ("prisma-stdout", 28, 0, False, False),
    "prisma6/stdout_colour.txt": ("prisma-stdout", 28, 0, False, False),
    "sequelize/plain.log": ("sequelize", 18, 0, False, False),
    "sequelize/benchmark.log": ("sequelize", 18, 0, False, True),
    "typeorm/simple.log": ("typeorm", 18, 0, False, False),
    "typeorm/advanced.log": ("typeorm", 18, 0, False, False),
    "otel/old.jsonl": ("otel-spans", 37, 5, True, True),
    "otel/stable.jsonl": ("otel-spans", 37, 5, True, True),
}
# How often each capture's lazy part ran; its children are 10 each time.
LAZY = {
    "rails/development.log": 3,
    "rails/tagged.log": 5,
    "rails/formatter.log": 3,
    "sqlalchemy/threads.log": 2,
    "prisma6/query_events.jsonl": 2,
    "prisma6/stdout.txt": 2,
    "prisma6/stdout_colour.txt": 2,
    "otel/old.jsonl": 3,
    "otel/stable.jsonl": 3,
    **{f"django/{one}.log": 2 for one in ("default", "verbose", "server")},
}
MAP = (
    "ts=time,sql=query.text,duration=query.elapsed_us,parameters=query.params,rows=query.rows,"
    "request=http.request_id,route=http.route,user=db.user,database=db.name,application=app"
)


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


@pytest.mark.parametrize("name", KNOWN)
def test_the_lazy_part_is_found_and_nothing_else(name: str) -> None:
    arguments = ["nplusone", str(CAPTURES / name), "--format", "json"]
    arguments += ["--schema", str(CAPTURES / "schema.sql")]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    (finding,) = json.loads(result.stdout)["findings"]
    evidence = finding["evidence"]
    assert (finding["detector"], evidence["parent_table"]) == ("n-plus-one", "books")
    assert evidence["child_table"] == "authors"
    times = LAZY.get(name, 1)
    assert (evidence["occurrences"], evidence["executions"]) == (times, 10 * times)
    assert evidence["children_per_occurrence"] == {"min": 10, "median": 10, "max": 10}
    if KNOWN[name][2]:
        assert evidence["scope"] == "trace"
        assert any("lazy" in route for route in finding["routes"])


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


def test_spans_have_the_route_of_their_root_or_their_job(read: Reading) -> None:
    found = read(CAPTURES / "otel/stable.jsonl")
    comments = [found.recording.comments.get(number) for number in found.executions.comment]
    assert Counter(comments) == {
        "/*route='GET /shops/:shop/lazy'*/": 22,
        "/*route='GET /shops/:shop/eager'*/": 4,
        "/*job='digest',queue='mail'*/": 11,
    }
    databases = {found.recording.names.get(number) for number in found.executions.database}
    assert databases == {"js"}
    assert found.parameters.count('["10"]') == 5 + 3  # parents, and children of author 10


def test_the_calls_of_jobs_that_share_a_trace_stay_apart(read_text: Reading) -> None:
    """A job's span ends after its calls; ids may begin or end with zeros."""

    def span(number: str, parent: str, kind: int, **attributes: object) -> str:
        times = {"startTime": [1795338336, 0], "duration": [0, 1000000]}
        ids = {"traceId": "ab" * 16, "spanId": number, "parentSpanId": parent}
        return json.dumps({**ids, "name": "x", "kind": kind, **times, "attributes": attributes})

    call = {"db.system": "postgresql", "db.statement": "SELECT 1"}
    lines = [
        span("c1", "010", 2, **call),
        span("c2", "100", 2, **call),
        span("c3", "c2", 2, **call | {"db.statement": "SELECT 2"}),
        span("010", "a0", 4, **{"bullmq.job.id": "1", "bullmq.queue.name": "q"}),
        span("100", "a0", 4, **{"bullmq.job.id": "2", "bullmq.queue.name": "q"}),
        span("c4", "gone", 2, **call),
        '{"traceId": 5}',
        '{"resourceSpans": []}',
    ]
    found = read_text("\n".join(lines))
    assert found.executions.trace == [
        trace_number("q:1"),
        *[trace_number("q:2")] * 2,
        trace_number("ab" * 16),
    ]
    assert (found.source.unparsed_lines, found.source.foreign_bytes) == (1, len(lines[-1]))


def test_a_call_that_two_libraries_tell_of_counts_once(read_text: Reading) -> None:
    lines = (CAPTURES / "otel/old.jsonl").read_text().splitlines()
    export = json.loads(lines[0])
    for resource in export["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in list(scope["spans"]):
                if any(one["key"] == "db.statement" for one in span["attributes"]):
                    above = "f" + span["spanId"][1:]
                    scope["spans"].append({**span, "spanId": above})
                    span["parentSpanId"] = above
    found = read_text("\n".join([json.dumps(export), *lines[1:]]) + "\n")
    assert found.source.executions == 37


def test_what_prisma_prints_of_errors_is_foreign(read: Reading) -> None:
    found = read(CAPTURES / "prisma6/stdout.txt")
    assert found.source.foreign_bytes == 136
    raw = "SELECT $1::int AS a, $2::timestamptz AS b, $3::int[] AS c, $4::bytea AS d, $5::float8 AS e"
    assert statements(found)[raw] == 1


def test_typeorm_colours_change_nothing(read: Reading) -> None:
    plain, colour = (read(CAPTURES / f"typeorm/{one}.log") for one in ("simple", "advanced"))
    assert plain.statements == colour.statements
    assert plain.parameters == colour.parameters
    values = ['it\'s "quoted" -- PARAMETERS: ["x"]\nnew', 3]
    assert values in [json.loads(one) for one in plain.parameters if one and one[0] == "["]


def test_sequelize_times_and_bound_values(read: Reading) -> None:
    found = read(CAPTURES / "sequelize/benchmark.log")
    text = "SELECT count(*) FROM books WHERE title <> 'Elapsed time: 1ms; it''s'"
    assert statements(found)[text] == 1
    assert found.executions.duration_ms[statements_at(found, text)] == 10.0
    assert '["author 3", 3]' in found.parameters
    assert len(set(found.sessions)) == 2


def statements_at(found: Any, text: str) -> int:  # noqa: ANN401 - conftest.Read
    return [" ".join(one.split()) for one in found.statements].index(text)


def test_json_lines_by_a_map(read: Reading) -> None:
    found = read(CAPTURES / "json-lines/queries.jsonl", mapping=parse_map(MAP))
    assert (found.source.format, found.source.executions) == ("json-lines", 24)
    assert found.source.foreign_bytes > 0  # three records without a statement
    assert len(set(found.executions.trace)) == 3
    assert found.executions.duration_ms[0] == 1.917
    assert found.parameters[:2] == ["[10]", "[2]"]
    comments = {found.recording.comments.get(number) for number in found.executions.comment}
    assert comments == {"/*route='/lazy'*/", "/*route='/eager'*/"}
    names = found.recording.names.get
    assert names(found.executions.user[0]) == "postgres"
    assert names(found.executions.application[0]) == "shop"
    assert sum(found.recording.rows.values()) == 3 * 10 + 2 * 10 + 10
    first = json.loads((CAPTURES / "json-lines/queries.jsonl").read_text().splitlines()[1])
    ended = datetime.fromisoformat(first["time"]).timestamp()
    assert found.executions.end_us[0] == pytest.approx(ended * 1e6, abs=1)


def test_a_map_finds_the_loop() -> None:
    arguments = ["nplusone", str(CAPTURES / "json-lines/queries.jsonl"), "--map", MAP]
    arguments += ["--format", "json", "--schema", str(CAPTURES / "schema.sql")]
    result = CliRunner().invoke(cli, arguments)
    document = json.loads(result.stdout)
    (finding,) = document["findings"]
    assert finding["routes"] == ["/lazy"]
    assert finding["evidence"]["scope"] == "trace"
    (books,) = [one for one in document["statements"] if one["tables"] == ["books"]]
    assert books["rows"] == 30


@pytest.mark.parametrize(
    ("ending", "value", "milliseconds"),
    [
        ("duration=took", 5, 5.0),
        ("duration=took", "5.5", 5.5),
        ("duration:s=took", 0.25, 250.0),
        ("duration:us=took", 2500, 2.5),
        ("duration=took_us", 2500, 2.5),
        ("duration=tookNanos", 2_500_000, 2.5),
        ("duration=took.seconds", 1, 1000.0),
        ("duration=times", 3, 3.0),
        ("duration=took_seconds", 1, 1000.0),
        ("duration=durationMs", 7, 7.0),
    ],
)
def test_units_of_durations(
    ending: str, value: object, milliseconds: float, read_text: Reading
) -> None:
    mapping = parse_map(f"sql=sql,{ending}")
    path = mapping.fields["duration"].path
    record = {"sql": "SELECT 1", path: value}
    found = read_text(json.dumps(record) + "\n", mapping=mapping)
    assert found.executions.duration_ms == [pytest.approx(milliseconds)]


@pytest.mark.parametrize(
    ("target", "value"),
    [
        ("start", "2026-11-22T08:53:52.314Z"),
        ("start", "2026-11-22 09:53:52,314 +0100"),
        ("start", 1_795_337_632.314),
        ("start", 1_795_337_632_314),
        ("start", "1795337632314000"),
        ("start", 1_795_337_632_314_000_000),
        ("start:us", 1_795_337_632_314_000),
        ("ts", "2026-11-22T08:53:52.319Z"),
    ],
)
def test_times(target: str, value: object, read_text: Reading) -> None:
    record = {"sql": "SELECT 1", "at": value, "took": 5}
    mapping = parse_map(f"{target}=at,sql=sql,duration=took")
    found = read_text(json.dumps(record) + "\n", mapping=mapping)
    assert found.executions.start_us == [pytest.approx(1_795_337_632_314_000, abs=1)]


def test_paths_into_records(read_text: Reading) -> None:
    record = {"a.b": {"c": "SELECT 1"}, "list": [{"x.y": 4}]}
    mapping = parse_map("sql=a.b.c,duration=list.0.x.y")
    found = read_text(json.dumps(record) + "\n", mapping=mapping)
    assert (found.statements, found.executions.duration_ms) == (["SELECT 1"], [4.0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sql", "'sql' is not target=path"),
        ("duration=x", "sql=PATH is missing"),
        ("sql=x,sql=y", "sql is given twice"),
        ("sql=x,took=y", "'took' is none of ts, start, sql"),
        ("sql=x,duration:h=y", "no unit that can be used"),
        ("sql:ms=x", "no unit that can be used"),
        ("sql=x,ts=a,start=b", "not both"),
    ],
)
def test_maps_that_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_map(text)


def test_a_path_that_no_record_has_is_an_error(read: Reading) -> None:
    path = CAPTURES / "json-lines/queries.jsonl"
    with pytest.raises(InputError, match=r"'query\.txt'.*records have time, app, level.*http\.route"):
        read(path, mapping=parse_map("sql=query.txt"))
    found = read(path, mapping=parse_map("sql=query.text,duration=took"))
    assert any("'took' (--map duration=took); they have time" in one for one in found.warnings)
    with pytest.raises(InputError, match="JSON lines of no known kind: name their fields with --map"):
        read(path)


def test_a_map_leaves_other_formats_what_they_are(read: Reading) -> None:
    found = read(CAPTURES / "prisma6/query_events.jsonl", mapping=parse_map("sql=query"))
    assert found.source.format == "prisma-events"


def test_records_whose_figures_cannot_be_are_refused(read_text: Reading) -> None:
    good = {"sql": "SELECT 1", "at": 1_795_337_632, "took": 5}
    bad = [{"took": -1}, {"took": "soon"}, {"took": True}, {"at": "soon"}, {"at": -5}, {"at": 1e40}]
    lines = [json.dumps(good), *(json.dumps(good | change) for change in bad)]
    found = read_text("\n".join(lines) + "\n", mapping=parse_map("ts=at,sql=sql,duration=took"))
    assert (found.source.executions, found.source.unparsed_lines) == (1, len(bad))


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ('["it"s",5]', ['it"s', 5]),
        ('["a","b"c",null,2020-01-01 00:00:00 UTC]', ["a", 'b"c', None, "2020-01-01 00:00:00 UTC"]),
        ('["say "hi", you",3,[1,2]]', ['say "hi", you', 3, [1, 2]]),
    ],
)
def test_params_of_prismas_old_engine(params: str, values: object, read_text: Reading) -> None:
    event = {"timestamp": "2026-11-22T08:53:52.314Z", "duration": 3, "query": "SELECT $1"}
    found = read_text(json.dumps(event | {"params": params, "target": "x"}) + "\n")
    assert [json.loads(one) for one in found.parameters] == [values]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=5), behind=st.text(max_size=10))
def test_values_that_python_writes_are_taken_apart(values: list[object], behind: str) -> None:
    for written in (repr(values), repr(tuple(values))):
        assert end_of_value(written + behind) == len(written)
        found = items(written)
        assert isinstance(found, list)
        assert len(found) == len(values)
        for text, value in zip(found, values, strict=True):
            assert text == (value if isinstance(value, str) else plain(value))
    named = {f"p_{n}": value for n, value in enumerate(values)}
    assert list(items(repr(named)) or ()) == list(named)


def plain(value: object) -> str:
    """As `items` gives what is no string: as it is written; of bytes what is between the quotes."""
    if isinstance(value, bytes):
        return value.decode("latin-1") 
    return repr(value)


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
    rows = 0
    try:
        for chunk in READERS[name](sink).read(io.BytesIO(data), longest):
            rows += len(chunk)
    except InputError as error:
        assert "--map" in str(error)
    assert rows == coverage.executions
    assert sink.entry_bytes + coverage.bytes_unparsed + coverage.foreign_bytes == len(data)
    assert (coverage.unparsed_lines > 0) == (coverage.bytes_unparsed > 0)
