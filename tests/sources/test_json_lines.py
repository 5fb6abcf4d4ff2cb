"""Any JSON lines, by the fields that --map names."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import InputError, UsageError
from analyzer.model.recording import Recording
from analyzer.sources.inputs import gather
from analyzer.sources.mapping import parse_map
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

Reading = Callable[..., Any]  # into a recording: conftest.Read
CAPTURES = Path(__file__).parent.parent / "data/applications"
MAP = (
    "ts=time,sql=query.text,duration=query.elapsed_us,parameters=query.params,rows=query.rows,"
    "request=http.request_id,route=http.route,user=db.user,database=db.name,application=app"
)


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
    with pytest.raises(
        InputError, match=r"'query\.txt'.*records have time, app, level.*http\.route"
    ):
        read(path, mapping=parse_map("sql=query.txt"))
    found = read(path, mapping=parse_map("sql=query.text,duration=took"))
    assert any("'took' (--map duration=took); they have time" in one for one in found.warnings)
    with pytest.raises(
        InputError, match="JSON lines of no known kind: name their fields with --map"
    ):
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


COUNTING = {"query": "SELECT 1", "calls": 3, "total_exec_time": 1, "ts": "2026-11-26T23:27:30Z"}


def test_json_lines_can_be_named_where_they_look_like_counters(read_text: Reading) -> None:
    text = json.dumps(COUNTING) + "\n"
    mapping = parse_map("sql=query,ts=ts")
    assert read_text(text, mapping=mapping).source.format == "pg_stat_statements-jsonl"
    found = read_text(text, mapping=mapping, log_format="json-lines")
    assert (found.source.format, found.statements) == ("json-lines", ["SELECT 1"])


def test_json_lines_can_be_named_where_they_hold_plans(read_text: Reading) -> None:
    text = json.dumps({"sql": "SELECT 1", "Plan": {"Node Type": "Result"}}) + "\n"
    found = read_text(text, mapping=parse_map("sql=sql"), log_format="json-lines")
    assert (found.source.format, found.statements) == ("json-lines", ["SELECT 1"])
    plan = json.dumps({"Plan": {"Node Type": "Result"}}) + "\n"
    for text in (plan, f"[{plan}]"):
        found = read_text(text, mapping=parse_map("sql=sql"), log_format="json-lines")
        assert found.source.format == "explain-json"


def test_a_schema_stays_one_where_json_lines_are_named(read_text: Reading) -> None:
    text = "CREATE TABLE a (b int);\n"
    found = read_text(text, mapping=parse_map("sql=sql"), log_format="json-lines")
    assert found.source.format == "schema-sql"


def test_json_lines_that_a_container_printed(read_text: Reading) -> None:
    lines = (CAPTURES / "json-lines/queries.jsonl").read_text().splitlines(keepends=True)
    docker = "".join(json.dumps({"log": one, "stream": "stdout"}) + "\n" for one in lines)
    found = read_text(docker, mapping=parse_map(MAP))
    assert (found.source.format, found.source.executions) == ("docker", 24)


@pytest.mark.parametrize(
    ("given", "record", "first"),
    [
        ("sql=sql,ts=at", {"at": 1_795_337_632_314}, 1_795_337_632_314_000),
        ("sql=sql,start=at", {"at": "2026-11-22T08:53:52.314Z"}, 1_795_337_632_314_000),
        ("sql=sql", {"at": "2026-11-22T08:53:52.314Z"}, None),
        ("sql=sql,ts=at", {"at": None}, None),
    ],
)
def test_the_first_time_is_where_the_map_says(
    given: str, record: dict[str, object], first: int | None, tmp_path: Path
) -> None:
    """A time in a statement is none of the log's."""
    path = tmp_path / "input"
    path.write_text(json.dumps({"sql": "SELECT '2031-01-01 00:00:00'", **record}) + "\n")
    recording = Recording(keys=StatementKeyTable())
    (stream,) = gather([str(path)], ReadOptions(mapping=parse_map(given)), recording).streams
    assert stream.first_us == first
