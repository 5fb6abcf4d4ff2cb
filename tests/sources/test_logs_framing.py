"""Entries out of bytes: nothing lost, nothing double, whatever the bytes are."""

import io
import json
import os
from collections.abc import Callable
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.coverage import SourceCoverage
from analyzer.model.recording import Recording
from analyzer.sources.applications.calls import CallSink
from analyzer.sources.applications.prisma import PrismaEventReader
from analyzer.sources.logs import read_log
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.framing import blocks
from analyzer.sources.logs.jsonlog import JsonlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import PURE_PYTHON
from analyzer.sources.logs.prefix import compile_prefix
from analyzer.sources.logs.prefix_detection import detect_prefix
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

Reading = Callable[..., tuple[SourceCoverage, int]]  # what was read, and bytes of entries

STDERR = (
    b"2026-11-22 08:45:20.123 UTC [77] ann@shop LOG:  duration: 1.000 ms  statement: SELECT 1\n"
)
CSV = (
    b'2026-11-22 08:45:20.000 UTC,"ann","shop",77,"[local]",6b02ad9d.51a8,1,"SELECT",'
    b'2026-11-22 08:45:17 UTC,8/0,0,LOG,00000,"duration: 1.000 ms  statement: SELECT ""a"",\n b"'
    b',,,,,,,,,"app","client backend",,7\n'
)
JSON = (
    json.dumps(
        {
            "timestamp": "2026-11-22 08:45:20.000 UTC",
            "pid": 77,
            "session_id": "6b02ad9d.51a8",
            "line_num": 1,
            "error_severity": "LOG",
            "message": "duration: 1.000 ms  statement: SELECT 1",
        }
    ).encode()
    + b"\n"
)
EVENT = (
    b'{"timestamp":"2026-11-22T08:53:52.314Z","duration":1.5,"query":"SELECT 1","params":"[]"}\n'
)
PIECES = (STDERR, CSV, JSON, EVENT, b"\n", b"\t", b"\tcontinued\n", b"\r\n", b'"', b",", b"\0")


def sink() -> EntrySink:
    """A sink on a fresh recording."""
    coverage = SourceCoverage("x")
    return EntrySink(Recording(keys=StatementKeyTable()), coverage, 0, ReadOptions())


def reader(name: str, *, native: bool) -> Reading:
    """Reads bytes of a format, natively or in Python, with this project's own prefix."""

    def reading(data: bytes) -> tuple[SourceCoverage, int]:
        taken = sink()
        prefix = compile_prefix("%m [%p] %q%u@%d ") if name == "stderr" else None
        with mock.patch.dict(os.environ, {PURE_PYTHON: "" if native else "1"}):
            rows = sum(map(len, read_log(name, io.BytesIO(data), taken, prefix)))
        assert taken.coverage.reader == ("native" if native else "python")
        assert taken.coverage.executions == rows
        return taken.coverage, taken.entry_bytes

    return reading


def read_bounded(name: str, data: bytes, longest: int) -> tuple[SourceCoverage, int]:
    """The same in Python, with a bound of its own to an entry (bytes)."""
    taken = sink()
    made = CsvlogReader(taken, longest) if name == "csvlog" else JsonlogReader(taken, longest)
    rows = sum(map(len, made.read(io.BytesIO(data)))) + sum(map(len, taken.close()))
    assert taken.coverage.executions == rows
    return taken.coverage, taken.entry_bytes


def read_events(data: bytes) -> tuple[SourceCoverage, int]:
    coverage = SourceCoverage("x")
    calls = CallSink(Recording(keys=StatementKeyTable()), coverage, 0, ReadOptions())
    rows = sum(map(len, PrismaEventReader(calls).read(io.BytesIO(data))))
    assert rows == coverage.executions
    return coverage, calls.entry_bytes


ENTRIES = {"stderr": STDERR, "csvlog": CSV, "jsonlog": JSON}
READERS = [
    *(
        pytest.param(reader(name, native=native), entry, id=f"{name}-{kind}")
        for name, entry in ENTRIES.items()
        for native, kind in ((True, "native"), (False, "python"))
    ),
    pytest.param(read_events, EVENT, id="events"),
]
CSV_READERS = [READERS[2], READERS[3]]
ANY_BYTES = st.binary(max_size=400) | st.lists(
    st.sampled_from(PIECES) | st.binary(max_size=20), max_size=12
).map(b"".join)


@pytest.mark.parametrize(("read", "_entry"), READERS)
@settings(max_examples=100, deadline=None)
@given(data=ANY_BYTES)
def test_no_bytes_crash_a_reader_and_every_byte_is_accounted_for(
    read: Reading, _entry: bytes, data: bytes
) -> None:
    coverage, entry_bytes = read(data)
    assert entry_bytes + coverage.bytes_unparsed == len(data)
    assert (coverage.first_unparsed is None) == (coverage.unparsed_lines == 0)
    assert coverage.executions <= coverage.entries


@pytest.mark.parametrize(("read", "entry"), READERS)
@settings(max_examples=50, deadline=None)
@given(cut=st.integers(min_value=0, max_value=400), count=st.integers(min_value=1, max_value=4))
def test_a_cut_costs_at_most_the_entry_it_went_through(
    read: Reading, entry: bytes, cut: int, count: int
) -> None:
    whole = entry * count
    before = entry[cut % len(entry) :]
    coverage, entry_bytes = read(before + whole)
    assert coverage.executions in (count, count + 1)
    assert entry_bytes + coverage.bytes_unparsed == len(before) + len(whole)
    after = entry[: cut % len(entry)]
    coverage, entry_bytes = read(whole + after)
    assert coverage.executions in (count, count + 1)
    assert entry_bytes + coverage.bytes_unparsed == len(after) + len(whole)


@pytest.mark.parametrize(("read", "_entry"), CSV_READERS)
def test_a_broken_csv_record_costs_only_itself(read: Reading, _entry: bytes) -> None:
    broken = CSV[: CSV.index(b"SELECT") + 30] + b"\n"
    coverage, entry_bytes = read(CSV * 3 + broken + CSV * 3)
    assert coverage.executions == 6
    assert coverage.bytes_unparsed == len(broken)
    assert entry_bytes == len(CSV) * 6
    assert coverage.first_unparsed is not None
    assert coverage.first_unparsed.startswith(f"line 7, byte {3 * len(CSV)}: 2026-11-22")


@pytest.mark.parametrize(("read", "_entry"), CSV_READERS)
@pytest.mark.parametrize("columns", [23, 24, 26])
def test_csvlog_of_every_version(columns: int, read: Reading, _entry: bytes) -> None:
    record = CSV.rstrip(b"\n").removesuffix(b',"client backend",,7')
    record += {23: b"", 24: b',"client backend"', 26: b',"client backend",,7'}[columns] + b"\n"
    coverage, _ = read(record * 2)
    assert (coverage.executions, coverage.unparsed_lines) == (2, 0)


@settings(max_examples=100, deadline=None)
@given(data=ANY_BYTES, tabs=st.booleans(), longest=st.sampled_from([1, 7, 64, 1 << 20]))
def test_blocks_are_consecutive_whole_and_bounded(data: bytes, tabs: bool, longest: int) -> None:  # noqa: FBT001
    offset = 0
    for block in blocks(io.BytesIO(data), tabs=tabs, longest=longest):
        assert block.offset == offset
        assert block.data.endswith(b"\n")
        if not block.cut:
            assert data[offset : offset + block.length] == block.data[: block.length]
        if tabs:
            assert data[offset + block.length : offset + block.length + 1] != b"\t"
        offset += block.length
    assert offset == len(data)


@pytest.mark.parametrize("name", ["csvlog", "jsonlog"])
def test_an_entry_without_end_is_cut_and_counted(name: str) -> None:
    entry = ENTRIES[name]
    endless = entry.rstrip(b"\n")[:150] + b"x" * 5000 + b"\n"
    coverage, entry_bytes = read_bounded(name, entry + endless + entry, 1000)
    assert coverage.executions == 2
    assert coverage.truncated == 1
    assert entry_bytes + coverage.bytes_unparsed == 2 * len(entry) + len(endless)


def test_reading_begins_again_behind_an_endless_record_of_many_lines() -> None:
    opened = CSV[: CSV.index(b"statement")] + b"\n"  # in a quoted message
    endless = opened + b'a ""quoted"" line,\n' * 500 + b'end",,,,\n'
    coverage, entry_bytes = read_bounded("csvlog", CSV * 2 + endless + CSV * 3, 1000)
    assert (coverage.executions, coverage.truncated) == (5, 1)
    assert entry_bytes == 5 * len(CSV)
    assert coverage.bytes_unparsed == len(endless)
    assert coverage.unparsed_lines == endless.count(b"\n")
    assert coverage.first_unparsed is not None
    assert coverage.first_unparsed.startswith(f"line 5, byte {2 * len(CSV)}: 2026-11-22")


def test_an_endless_stderr_entry_is_cut_flagged_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.sources.logs.framing.LONGEST_ENTRY_BYTES", 1000)
    endless = STDERR.rstrip(b"\n") + b"\n\t, 2" * 2000 + b"\n"
    coverage, entry_bytes = reader("stderr", native=False)(STDERR + endless + STDERR)
    assert (coverage.executions, coverage.truncated, coverage.unparsed_lines) == (3, 1, 0)
    assert entry_bytes == 2 * len(STDERR) + len(endless)


@settings(max_examples=100, deadline=None)
@given(ANY_BYTES)
def test_detection_of_a_prefix_never_crashes(data: bytes) -> None:
    detected = detect_prefix(data)
    assert detected is None or detected.matching > 0


@pytest.mark.parametrize("native", [True, False])
def test_json_texts_with_lone_surrogates_become_storable(
    monkeypatch: pytest.MonkeyPatch, *, native: bool
) -> None:
    monkeypatch.setenv(PURE_PYTHON, "" if native else "1")
    record = json.loads(JSON)
    record["message"] += " /* \ud800 \0 */"
    taken = sink()
    chunks = list(read_log("jsonlog", io.BytesIO(json.dumps(record).encode()), taken, None))
    assert sum(map(len, chunks)) == taken.coverage.executions == 1
    for text in taken.recording.keys.texts:
        text.encode("utf-8")
        assert "\0" not in text
