"""Formats that give entries as objects, and the logs of containers, undone.

The truth is one real run in stderr, csvlog and jsonlog (tests/data/logs/wrapped).
"""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from wrapped import (
    CSVLOG,
    JSONLOG,
    LAYOUTS,
    STDERR,
    Wrap,
    check_stderr,
    content,
    in_list,
    lines,
    opened,
    pretty,
)

from analyzer.sources.logs.unwrapping import UNWRAPPERS, Unwrapper


def check_jsonlog(data: bytes, kind: str, *, without: Iterable[str] = ()) -> Unwrapper:
    unwrapper = opened(data, kind)
    found = [json.loads(line) for line in unwrapper.read().splitlines()]
    left_out = {"func_name", "file_name", "file_line_num", *without}
    expected = [
        {key: value for key, value in entry.items() if key not in left_out and value != ""}
        for entry in JSONLOG
    ]
    for entry in found:
        for key in left_out:
            entry.pop(key, None)

    def place(entry: dict[str, Any]) -> tuple[str, int]:
        """Where an entry stands in its session: the files mix sessions differently."""
        return entry["session_id"], entry["line_num"]

    assert sorted(found, key=place) == sorted(expected, key=place)
    assert unwrapper.inner == "jsonlog"
    assert unwrapper.bytes_unparsed == 0
    return unwrapper


def cnpg_record(columns: Mapping[str, str]) -> dict[str, object]:
    return {
        "level": "info",
        "ts": 1669575482.09,
        "logger": "postgres",
        "msg": "record",
        "logging_pod": "db-1",
        "record": columns,
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cloudnativepg_is_jsonlog_with_csvlogs_names(layout: str) -> None:
    other = {"level": "info", "logger": "wal-archive", "msg": "skip", "logging_pod": "db-1"}
    data = LAYOUTS[layout]([*map(cnpg_record, CSVLOG), other])
    assert check_jsonlog(data, "cnpg").foreign_lines == 1


def test_cloudnativepg_before_the_collector_runs() -> None:
    text = "2022-11-27 18:48:18.943 UTC [28] LOG:  ending log output to stderr"
    data = lines([{"level": "info", "logger": "postgres", "msg": text, "logging_pod": "db-1"}])
    assert json.loads(opened(data, "cnpg").read()) == {
        "timestamp": "2022-11-27 18:48:18.943 UTC",
        "pid": 28,
        "error_severity": "LOG",
        "message": "ending log output to stderr",
    }


def supabase_row(columns: Mapping[str, str], *, nested: bool) -> dict[str, object]:
    parsed: dict[str, object] = dict(columns)
    message, time = parsed.pop("message"), parsed.pop("log_time")
    parsed["timestamp"] = time
    row: dict[str, object] = {"id": "1", "event_message": message, "timestamp": 1795416772108000}
    metadata = {"host": "db-x", "parsed": [parsed] if nested else parsed}
    return {**row, "metadata": [metadata] if nested else metadata}


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("wrap", [lines, pretty, in_list("result")])
def test_supabase(wrap: Wrap, nested: bool) -> None:  # noqa: FBT001  # a parameter of the test
    gateway = {"id": "2", "event_message": "GET /", "timestamp": 1, "metadata": [{"request": []}]}
    rows = [*(supabase_row(columns, nested=nested) for columns in CSVLOG), gateway]
    assert check_jsonlog(wrap(rows), "supabase").foreign_lines == 1


def test_supabase_rows_of_a_query_of_ones_own() -> None:
    rows = [
        {
            "id": "1",
            "timestamp": "2026-06-22T09:34:06.215000",
            "event_message": "duration: 1 ms  statement: SELECT 1",
        },
        {
            "timestamp": 1795416772108000,
            "event_message": "no such table",
            "parsed.error_severity": "ERROR",
            "parsed.process_id": 7,
        },
    ]
    found = [json.loads(line) for line in opened(lines(rows), "supabase").read().splitlines()]
    assert found == [
        {
            "timestamp": "2026-06-22 09:34:06.215 UTC",
            "error_severity": "LOG",
            "message": "duration: 1 ms  statement: SELECT 1",
        },
        {
            "timestamp": "2026-11-23 06:52:52.108 UTC",
            "pid": 7,
            "error_severity": "ERROR",
            "message": "no such table",
        },
    ]


def otlp(bodies: Iterable[str], attributes: Iterable[Mapping[str, str]] = ()) -> bytes:
    given_attributes = list(attributes)
    records = [
        {
            "timeUnixNano": "1795416772108456000",
            "body": {"stringValue": body},
            "attributes": [
                {"key": key, "value": {"stringValue": value}}
                for key, value in (given_attributes[n] if given_attributes else {}).items()
            ],
        }
        for n, body in enumerate(bodies)
    ]
    return lines(
        {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": records[n : n + 50]}]}]}
        for n in range(0, len(records), 50)
    )


def test_neon_sends_syslog_lines_in_otlp() -> None:
    log = content("numbered.ietf.log").decode()
    expected = UNWRAPPERS["syslog"](io.BytesIO(log.encode())).read()  # type: ignore[arg-type]
    unwrapper = check_stderr(otlp(log.splitlines()), "otlp", expected)
    assert unwrapper.foreign_lines > 20


def test_otlp_with_syslogs_fields_as_attributes() -> None:
    given_attributes = [
        {"appname": "postgres", "proc_id": "77", "message": "[3-1] LOG:  duration: 1 ms"},
        {"appname": "pgbouncer", "proc_id": "1", "message": "LOG C-0x1: x"},
        {"appname": "postgres", "proc_id": "77", "message": "[3-2] #011SELECT 1"},
    ]
    unwrapper = opened(otlp(["x", "y", "z"], given_attributes), "otlp")
    assert (
        unwrapper.read() == b"2026-11-23 06:52:52.108 UTC [77] LOG:  duration: 1 ms\n\tSELECT 1\n"
    )
    assert unwrapper.foreign_lines == 1


def cri(data: bytes, *, cut: int = 10**9) -> bytes:
    """As a container runtime writes lines, cutting them at `cut` bytes."""
    out = []
    for line in data.splitlines():
        pieces = [line[n : n + cut] for n in range(0, len(line), cut)] or [b""]
        for n, piece in enumerate(pieces, 1):
            tag = b"F" if n == len(pieces) else b"P"
            out.append(b"2026-11-22T08:00:00.123456789Z stderr %s %s\n" % (tag, piece))
    return b"".join(out)


def docker(data: bytes, *, cut: int = 16_384) -> bytes:
    return lines(
        {"log": piece.decode(), "stream": "stderr", "time": "2026-11-22T08:00:00.1Z"}
        for line in data.splitlines(keepends=True)
        for piece in (line[n : n + cut] for n in range(0, len(line), cut))
    )


ASCII = STDERR.decode().encode("ascii", "replace")  # runtimes cut anywhere, JSON cannot


@pytest.mark.parametrize("wrap", [cri, docker])
def test_containers_logs_with_lines_cut(wrap: Callable[..., bytes]) -> None:
    kind = {cri: "cri", docker: "docker"}[wrap]
    check_stderr(wrap(ASCII), kind, ASCII)
    check_stderr(wrap(ASCII, cut=100), kind, ASCII)


@pytest.mark.parametrize("wrap", [cri, docker])
@pytest.mark.parametrize(
    ("name", "inner"), [("numbered.csv", "csvlog"), ("numbered.json", "jsonlog")]
)
def test_containers_that_write_other_formats(
    wrap: Callable[..., bytes], name: str, inner: str
) -> None:
    data = content(name)
    unwrapper = opened(wrap(data), {cri: "cri", docker: "docker"}[wrap])
    assert unwrapper.inner == inner
    assert unwrapper.read() == data


@pytest.mark.parametrize("wrap", [cri, docker])
def test_a_wrapped_log_in_a_containers_log(wrap: Callable[..., bytes]) -> None:
    kind = {cri: "cri", docker: "docker"}[wrap]
    other = {"level": "info", "logger": "setup", "msg": "x", "logging_pod": "db-1"}
    data = wrap(lines([other, *map(cnpg_record, CSVLOG)]))
    assert check_jsonlog(data, kind).foreign_lines == 1


def test_lines_with_the_runtimes_time_alone() -> None:
    first = re.compile(rb"(?m)^(?=2026-)")
    check_stderr(first.sub(b"2026-11-22T08:00:00.123Z ", STDERR), "cri")
