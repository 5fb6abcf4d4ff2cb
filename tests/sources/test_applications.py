"""Query logs of applications: captures of real programs, what they are known to hold, and bad input."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from captures import CAPTURES, KNOWN, LAZY
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.sources.applications import READERS
from analyzer.sql.comments import trace_number

Reading = Callable[..., Any]  # into a recording: conftest.Read


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
    assert (
        not np.isnan(columns.duration_ms).any()
        if durations
        else np.isnan(columns.duration_ms).all()
    )
    assert any("without a duration" in one for one in found.warnings) != durations


def test_readers_are_called_as_they_are_registered() -> None:
    assert {name: reader.NAME for name, reader in READERS.items()} == {
        name: name for name in READERS
    }


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
    data = (CAPTURES / name).read_bytes()
    unix, windows = read_text(data), read_text(data.replace(b"\n", b"\r\n"))
    assert windows.source.executions == KNOWN[name][1]
    assert windows.statements == unix.statements
    assert windows.parameters == unix.parameters


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
    authors = (
        'SELECT "authors"."id", "authors"."name" FROM "authors" WHERE "authors"."id" = 2 LIMIT 21'
    )
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


def test_django_requests_of_several_threads_are_not_mixed(read_text: Reading) -> None:
    line = '[26/Nov/2026 23:06:27] "GET /a/ HTTP/1.1" 200 100\n'
    entry = "2026-11-26 23:06:26,8 7 {} (0.001) SELECT {}; args=(); alias=default\n"
    alone, mixed = entry.format(1, 1), entry.format(1, 2) + entry.format(2, 3)
    found = read_text(alone + line + mixed + line)
    assert [trace != 0 for trace in found.executions.trace] == [True, False, False]
    assert len(set(found.sessions)) == 2


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
    assert "SELECT count(*) FROM books WHERE title <> ' Book Load (0.3ms) it''s'" in statements(
        found
    )
    assert (
        '["author \'1\'\\n  Author Load (0.1ms)  SELECT 1  [[\\"id\\", 1]]", 1]' in found.parameters
    )


@pytest.mark.parametrize("name", ["development.log", "tagged.log", "formatter.log"])
def test_rails_own_cache_is_no_call(name: str, read: Reading) -> None:
    found = read(CAPTURES / "rails" / name)
    assert statements(found)['SELECT "authors".* FROM "authors" WHERE "authors"."id" = $1'] == 1


@pytest.mark.parametrize("model", ["Büchereiführer", "Émission"])
def test_names_of_models_that_are_not_ascii(model: str, read_text: Reading) -> None:
    call = f'  {model} Load (0.3ms)  SELECT "books".* FROM "books" WHERE "title" = $1  [["title", "é"]]\n'
    found = read_text("  Book Load (0.3ms)  SELECT 1\n" + call)
    assert found.statements[1] == 'SELECT "books".* FROM "books" WHERE "title" = $1'
    assert json.loads(found.parameters[1]) == ["é"]


def test_other_lines_of_an_application_are_foreign(read_text: Reading) -> None:
    rails = (CAPTURES / "rails/tagged.log").read_text()
    noise = "[app] hello\n\nsomething: else\n"
    found = read_text(rails.replace("\n[", f"\n{noise}[", 30))
    assert found.source.executions == 68
    assert found.source.foreign_bytes > 30 * len(noise)
    django = (CAPTURES / "django/default.log").read_text()
    found = read_text(noise + django + noise)
    assert (found.source.executions, found.source.foreign_bytes) == (29, 2 * len(noise))


@pytest.mark.parametrize("name", ["django/server.log", "typeorm/advanced.log", "rails/tagged.log"])
def test_what_a_container_printed(name: str, read_text: Reading) -> None:
    plain = (CAPTURES / name).read_text().splitlines(keepends=True)
    time = "2026-11-26T23:06:27.123456789Z"
    docker = [json.dumps({"log": one, "stream": "stdout", "time": time}) + "\n" for one in plain]
    found = read_text("".join(docker))
    assert (found.source.format, found.source.executions) == ("docker", KNOWN[name][1])
    found = read_text("".join(f"{time} stdout F {one}" for one in plain), log_format="cri")
    assert (found.source.format, found.source.executions) == ("cri", KNOWN[name][1])


@pytest.mark.parametrize(
    "name", ["prisma6/query_events.jsonl", "otel/stable.jsonl", "otel/old.jsonl"]
)
def test_json_lines_that_a_container_printed(name: str, read_text: Reading) -> None:
    plain = (CAPTURES / name).read_text().splitlines(keepends=True)
    time = "2026-11-26T23:06:27.123456789Z"
    docker = [json.dumps({"log": one, "stream": "stdout", "time": time}) + "\n" for one in plain]
    found = read_text("".join(docker))
    assert (found.source.format, found.source.executions) == ("docker", KNOWN[name][1])
    found = read_text("".join(f"{time} stdout F {one}" for one in plain), log_format="cri")
    assert (found.source.format, found.source.executions) == ("cri", KNOWN[name][1])


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


@pytest.mark.parametrize("exported", ["a line each", "all in one"])
def test_calls_that_begin_within_one_millisecond_stay_in_the_order_of_their_answers(
    exported: str, read_text: Reading
) -> None:
    """Each below a call of Prisma's; Node.js tells the beginning of spans in whole milliseconds."""
    made: list[dict[str, Any]] = []
    call = {"db.system.name": "postgresql", "db.query.text": "SELECT * FROM books WHERE id = 1"}
    listing = call | {"db.query.text": "SELECT * FROM authors"}

    def span(number: str, parent: str, kind: int, **attributes: object) -> None:
        ids = {"traceId": "ab" * 16, "spanId": number, "parentSpanId": parent}
        at = {"startTimeUnixNano": 1795845629786000000, "endTimeUnixNano": 1795845629786400000}
        known = [{"key": key, "value": {"stringValue": one}} for key, one in attributes.items()]
        made.append({**ids, "name": "x", "kind": kind, **at, "attributes": known})

    for number in range(8):
        span(f"c{number}", f"b{number}", 3, **call if number else listing)
        span(f"b{number}", "0a", 1)
    span("0a", "", 2, **{"http.route": "/authors"})
    lines = [[one] for one in made] if exported == "a line each" else [made]
    exports = [{"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]} for spans in lines]
    text = "\n".join(json.dumps(one) for one in exports)
    found = read_text(text)
    texts = found.recording.keys.texts
    assert [texts[key] for key in found.executions.key] == [
        listing["db.query.text"],
        *[call["db.query.text"]] * 7,
    ]


def test_spans_of_the_second_javascript_sdk_have_their_parent_in_a_context(
    read_text: Reading,
) -> None:
    def span(number: str, parent: dict[str, object], kind: int, **attributes: object) -> str:
        times = {"startTime": [1795338336, 0], "duration": [0, 1000000]}
        ids = {"traceId": "ab" * 16, "spanId": number, **parent}
        return json.dumps({**ids, "name": "x", "kind": kind, **times, "attributes": attributes})

    call = {"db.system.name": "postgresql", "db.query.text": "SELECT 1"}
    above = {"traceId": "ab" * 16, "spanId": "0a", "traceFlags": 1}
    lines = [
        span("c1", {"parentSpanContext": above}, 2, **call),
        span("c2", {"parentSpanContext": above}, 2, **call),
        span("0a", {"parentSpanContext": None}, 1, **{"http.route": "/books"}),
        span("c3", {"parentSpanContext": {"spanId": 5}}, 2, **call),
    ]
    found = read_text("\n".join(lines))
    assert found.executions.trace == [trace_number("ab" * 16)] * 2
    comments = {found.recording.comments.get(number) for number in found.executions.comment}
    assert comments == {"/*route='/books'*/"}
    assert found.source.unparsed_lines == 1  # a parent of no such kind


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
    raw = (
        "SELECT $1::int AS a, $2::timestamptz AS b, $3::int[] AS c, $4::bytea AS d, $5::float8 AS e"
    )
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
