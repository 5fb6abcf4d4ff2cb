"""What hosts and runtimes make of a log, undone: the truth is what PostgreSQL wrote itself.

One real run (tests/data/logs/wrapped) in stderr, csvlog and jsonlog is wrapped as each provider does,
and has to come back.
"""

import io
import re
from typing import Any

import pytest
from wrapped import (
    ENTRIES,
    LAYOUTS,
    STDERR,
    Wrap,
    check_stderr,
    compact,
    in_list,
    lines,
    opened,
    pretty,
)

from analyzer.sources.logs.prefix_detection import detect_prefix
from analyzer.sources.logs.unwrapping import UNWRAPPERS


def cloud_record(text: bytes, **more: object) -> dict[str, object]:
    return {
        "insertId": "s=1;i=2",
        "logName": "projects/p/logs/cloudsql.googleapis.com%2Fpostgres.log",
        "resource": {"labels": {"database_id": "p:one", "note": 'a "quoted" {brace'}},
        "severity": "INFO",
        "textPayload": text.decode().removesuffix("\n"),
        "timestamp": time_of(text),
        **more,
    }


def time_of(text: bytes) -> str:
    """The time of an entry as RFC 3339 with microseconds; of its first line for the others."""
    found = re.match(rb"(\S+) (\S+) UTC", text)
    return f"{found[1].decode()}T{found[2].decode()}456Z" if found else "2026-11-23T06:52:40Z"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cloud_logging_in_every_layout(layout: str) -> None:
    check_stderr(LAYOUTS[layout](map(cloud_record, ENTRIES)), "cloudsql")


def test_cloud_logging_with_a_line_to_a_record() -> None:
    check_stderr(lines(cloud_record(line) for line in STDERR.splitlines()), "cloudsql")


def test_cloud_logging_with_the_newest_first() -> None:
    """Entries come in any order, but each with its further lines, DETAIL and STATEMENT behind it."""
    records = [cloud_record(line) for line in STDERR.splitlines()]
    unwrapper = opened(lines(reversed(records)), "cloudsql")
    found = unwrapper.read()
    groups = re.compile(
        rb"[^\n]* (?:LOG|ERROR|FATAL):  [^\n]*\n"
        rb"(?:(?:\t[^\n]*|[^\n]* (?:DETAIL|CONTEXT|STATEMENT|HINT):  [^\n]*)\n)*"
    )
    assert groups.findall(found) == groups.findall(STDERR)[::-1]
    assert len(found) == len(STDERR)


def test_cloud_sql_without_time_gets_that_of_the_record() -> None:
    prefix = re.compile(rb"(?m)^(2026-\S+ \S+ UTC) \[(\d+)\] (?:\S+@\S+ )?")
    bare = [prefix.sub(rb"[\2]: [3-1] db=shop,user=ann ", entry) for entry in ENTRIES]
    records = [
        cloud_record(text, timestamp=time_of(entry))
        for text, entry in zip(bare, ENTRIES, strict=True)
    ]
    unwrapper = opened(lines(records), "cloudsql")
    found = unwrapper.read()
    assert found == prefix.sub(rb"\1 [\2]: [3-1] db=shop,user=ann ", STDERR)
    detected = detect_prefix(found)
    assert detected is not None
    assert detected.prefix.fields >= {"time", "process", "line", "user", "database"}


def test_alloydb_puts_a_place_before_messages() -> None:
    log = "projects/p/logs/alloydb.googleapis.com%2Fpostgres.log"
    placed = [
        cloud_record(
            re.sub(rb"((?:LOG|ERROR):  )", rb"\1[g_vacuum.c:851]  ", entry, count=1), logName=log
        )
        for entry in ENTRIES
    ]
    check_stderr(pretty(placed), "cloudsql")


def test_other_logs_of_the_cloud_are_foreign() -> None:
    other = {
        "logName": "projects/p/logs/audit",
        "protoPayload": {},
        "insertId": "x",
        "timestamp": "x",
    }
    upgrade = cloud_record(b"upgrading", logName="projects/p/logs/cloudsql%2Fpostgres-upgrade.log")
    data = lines([*map(cloud_record, ENTRIES), other, upgrade])
    unwrapper = check_stderr(data, "cloudsql")
    assert unwrapper.foreign_lines == 2
    assert unwrapper.foreign_bytes == len(lines([other, upgrade]))


@pytest.mark.parametrize("wrap", [lines, pretty, in_list("events"), in_list("logEvents")])
def test_cloudwatch(wrap: Wrap) -> None:
    events = [
        {"timestamp": 1795416772108, "message": entry.decode(), "ingestionTime": 1795416772109}
        for entry in ENTRIES
    ]
    check_stderr(wrap(events), "cloudwatch")
    assert not UNWRAPPERS["cloudwatch"].verified


SEVERITY = re.compile(rb" (LOG|ERROR|FATAL|DETAIL|CONTEXT|STATEMENT|HINT|WARNING):  ")


def azure_records() -> list[dict[str, object]]:
    """A record for each entry; DETAIL and STATEMENT are fields of the entry before."""
    records: list[dict[str, object]] = []
    for entry in ENTRIES:
        found = SEVERITY.search(entry)
        assert found
        name = found[1].decode()
        if name in ("DETAIL", "CONTEXT", "STATEMENT", "HINT"):
            properties: Any = records[-1]["properties"]
            text = entry[found.end() :].decode().removesuffix("\n")
            properties[name.lower()] = text.replace("\n\t", "\n")
            continue
        message = entry.decode().removesuffix("\n")
        records.append(
            {
                "time": time_of(entry),
                "category": "PostgreSQLLogs",
                "operationName": "LogEvent",
                "properties": {"errorLevel": name, "sqlerrcode": "00000", "message": message},
            }
        )
    return records


@pytest.mark.parametrize("wrap", [lines, compact, in_list("records")])
def test_azure_has_detail_and_statement_as_fields(wrap: Wrap) -> None:
    session = {"category": "PostgreSQLFlexSessions", "properties": {"x": 1}, "time": "x"}
    unwrapper = check_stderr(wrap([*azure_records(), session]), "azure")
    assert unwrapper.foreign_lines == 1


def azure(**properties: object) -> bytes:
    unwrapper = UNWRAPPERS["azure"](
        io.BytesIO(lines([{"category": "PostgreSQLLogs", "properties": properties}]))  # type: ignore[arg-type]
    )
    found = unwrapper.read()
    assert unwrapper.bytes_unparsed == 0
    return found


def test_lines_of_a_message_that_lack_postgresqls_tabs_get_them_back() -> None:
    head = "2024-08-21 08:48:57.014 UTC [16] [user=ann,db=shop,app=x] "
    message = f"{head}LOG:  CREATE TABLE a (\n\tid int -- HINT:  none\nHINT:  x\n);\n{head}HINT:  y"
    assert azure(message=message).decode() == (
        f"{head}LOG:  CREATE TABLE a (\n\t\tid int -- HINT:  none\n\tHINT:  x\n\t);\n{head}HINT:  y\n"
    )


def test_azure_messages_without_a_whole_prefix() -> None:
    cosmos = "2024-08-21 08:48:57.014 UTC [16] [user=ann,db=shop,app=[unknown]] "
    assert azure(message=f"{cosmos}connection authorized", errorLevel="LOG") == (
        f"{cosmos}LOG:  connection authorized\n".encode()
    )
    single = azure(
        prefix="2023-02-27 23:21:40 UTC-63fd3b04.cf0-", message="duration: 1 ms", errorLevel="LOG"
    )
    assert single == b"2023-02-27 23:21:40.000 UTC [3312] 63fd3b04.cf0 LOG:  duration: 1 ms\n"
    bare = azure(
        timestamp="2023-02-27 22:21:11.823 UTC",
        processId=2030,
        sqlerrcode="42P01",
        errorLevel="ERROR",
        message="no such table",
        detail="a\nb",
    )
    head = b"2023-02-27 22:21:11.823 UTC [2030] 42P01 "
    assert bare == head + b"ERROR:  no such table\n" + head + b"DETAIL:  a\n\tb\n"


def test_rows_of_log_analytics() -> None:
    row = {
        "TimeGenerated": "2023-02-27T22:21:11.823Z",
        "ErrorLevel": "LOG",
        "ProcessId": 7,
        "Message": "duration: 1 ms  statement: SELECT 1",
        "Detail": "",
    }
    unwrapper = opened(lines([row, row]), "azure")
    assert unwrapper.read() == (
        b"2023-02-27 22:21:11.823 UTC [7] 00000 LOG:  duration: 1 ms  statement: SELECT 1\n" * 2
    )


BROKEN = b'{"textPayload":"2026-11-22 08:00:00 UTC [7] LOG:  cut'


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_broken_record_costs_itself_and_is_shown(layout: str) -> None:
    data = LAYOUTS[layout](map(cloud_record, ENTRIES[:6]))
    before = {"compact": b',{"insertId"', "pretty": b"\n  {\n"}.get(layout, b'\n{"insertId"')
    middle = data.index(before, len(data) // 2) + 1
    broken = data[:middle] + BROKEN + b"\n" + data[middle:]
    unwrapper = UNWRAPPERS["cloudsql"](io.BytesIO(broken))  # type: ignore[arg-type]
    found = unwrapper.read()
    assert found == b"".join(ENTRIES[:6])
    assert 0 < unwrapper.bytes_unparsed <= len(BROKEN) + 4
    assert unwrapper.first_unparsed is not None
    assert f"byte {middle}" in unwrapper.first_unparsed
    assert 'textPayload":"2026-11-22 08:00:00 UTC [7] LOG:  cut' in unwrapper.first_unparsed


def test_a_log_that_ends_in_the_middle_of_a_record() -> None:
    for layout in LAYOUTS.values():
        data = layout(map(cloud_record, ENTRIES[:6]))
        cut = data[: data.rindex(b"textPayload") + 30]
        unwrapper = UNWRAPPERS["cloudsql"](io.BytesIO(cut))  # type: ignore[arg-type]
        assert unwrapper.read() == b"".join(ENTRIES[:5])
        assert unwrapper.bytes_unparsed > 0


def test_records_larger_than_what_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("_base", "_json"):
        monkeypatch.setattr(f"analyzer.sources.logs.unwrapping.{module}.BLOCK_BYTES", 700)
    for layout in LAYOUTS.values():
        data = layout(map(cloud_record, ENTRIES))
        unwrapper = UNWRAPPERS["cloudsql"](io.BytesIO(data))  # type: ignore[arg-type]
        assert unwrapper.read() == STDERR
        assert unwrapper.bytes_unparsed == 0
