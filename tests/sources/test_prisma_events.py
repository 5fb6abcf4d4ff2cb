"""Prisma's query events: what happened on the client's clock."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analyzer.model.executions import Clock

Reading = Callable[..., Any]  # into a recording: conftest.Read

EVENT = {
    "timestamp": "2026-11-22T08:53:52.314Z",
    "duration": 69.5,
    "query": 'SELECT "a" FROM "t" WHERE "b" = $1',
    "params": '[5,"x"]',
    "target": "ClientEngine",
}


def test_the_capture_of_the_default_client(data: Path, read: Reading) -> None:
    path = data / "prisma/prisma/query_events_default_client.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    found = read(path)
    columns = found.executions
    assert found.source.format == "prisma-events"
    assert found.source.executions == found.source.entries == len(events) == 124
    assert list(columns.duration_ms) == [event["duration"] for event in events]
    assert found.parameters[0] == events[0]["params"]
    assert set(columns.clock) == {Clock.CLIENT}
    assert set(found.sessions) == {f"client:{path}"}
    assert list(columns.line) == list(range(1, 125))
    assert "COMMIT" in found.statements
    assert found.source.minimum_ms == min(event["duration"] for event in events)


def test_the_timestamp_is_when_the_call_began(read_text: Reading) -> None:
    columns = read_text(json.dumps(EVENT) + "\n").executions
    assert columns.start_us[0] == 1_795_337_632_314_000
    assert columns.end_us[0] - columns.start_us[0] == 69_500


def test_parameters_that_are_not_json_are_kept_as_they_are(read_text: Reading) -> None:
    params = '["it"s",5,"]'
    found = read_text(json.dumps(EVENT | {"params": params, "duration": 3}) + "\n")
    assert found.parameters == [params]


def test_lines_that_are_no_events_are_counted(read_text: Reading) -> None:
    lines = [json.dumps(EVENT), "prisma:info started", '{"timestamp": 5}', json.dumps(EVENT)]
    found = read_text("\n".join(lines))
    assert found.source.executions == 2
    assert found.source.unparsed_lines == 2
    assert found.source.first_unparsed == f"line 2, byte {len(lines[0]) + 1}: prisma:info started"
    assert any("2 lines" in warning for warning in found.warnings)


def test_figures_that_cannot_be_are_refused(read_text: Reading) -> None:
    bad = [{"duration": -1}, {"duration": "9"}, {"duration": True}, {"timestamp": "soon"}]
    bad += [{"query": None}, {"duration": float("nan")}, {"duration": 1e300}]
    lines = [json.dumps(EVENT)] + [json.dumps(EVENT | change) for change in bad]
    found = read_text("\n".join(lines) + "\n")
    assert found.source.executions == 1
    assert found.source.unparsed_lines == len(bad)


def test_since_and_until_are_about_the_beginning(read_text: Reading) -> None:
    later = EVENT | {"timestamp": "2026-11-22T08:53:53.314Z"}
    text = f"{json.dumps(EVENT)}\n{json.dumps(later)}\n"
    assert read_text(text, since_us=1_795_337_633_000_000).source.executions == 1
    assert read_text(text, until_us=1_795_337_633_000_000).source.executions == 1
