"""Query logs of applications that are damaged, or made to do harm: all is accounted for, in linear time."""

import io
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.recording import Recording
from analyzer.sources.applications import READERS, TEXTS, CallSink, text_format
from analyzer.sources.mapping import parse_map
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

HOSTILE = {
    "parameters that never end": b"(0.001) SELECT 1; args=('" + b"; args=(" * 200_000,
    "white space": b"(0.001) SELECT 1; args=()" + b" " * 1_500_000 + b"x",
    "lines that may be the last": b"(0.001) SELECT '" + b"\n; args=(" * 150_000,
    "parameters in one line": b"T INFO x [raw sql] " * 80_000,
    "a list of quotes": b'  A Load (0.1ms)  SELECT 1  [["' + b'\\"' * 700_000 + b"]]",
    "lists": b"  A Load (0.1ms)  SELECT 1" + b'  [["a", 1]]' * 120_000,
    "colours": b"  A Load (0.1ms)  SELECT 1" + b"\x1b[1m" * 300_000,
    "requests": b'Started GET "' + b'" for ' * 250_000,
    "comments": b"query: SELECT 1" + b" -- PARAMETERS: [" * 90_000 + b"\n\n",
    "semicolons": b"Executing (default): SELECT 1" + b'; "a' * 400_000,
    "open brackets": b"(" * 1_500_000,
    "tags": b"[a] " * 400_000,
    "lines of SQL": b"prisma:query SELECT 1" + b"\n FROM" * 200_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_logs_take_no_longer_than_others(what: str) -> None:
    data = HOSTILE[what]
    for name in TEXTS:
        coverage = SourceCoverage("x", format=name)
        sink = CallSink(Recording(keys=StatementKeyTable()), coverage, 0, ReadOptions())
        begun = process_time()
        text_format(name).evidence([data[:65_536]])
        for _ in READERS[name](sink).read(io.BytesIO(data)):
            pass
        assert process_time() - begun < 5, name
        assert sink.entry_bytes + coverage.bytes_unparsed + coverage.foreign_bytes == len(data)


PIECES = st.sampled_from([
    b"(0.001) SELECT 1", b"; args=(", b"'", b'"', b"); alias=default", b"\n", b"\n", b" ", b"\\",
    b"2026-11-26 10:00:00,001 INFO sqlalchemy.engine.Engine ", b"[generated in 0.1s] ", b"{'a': ",
    b"[raw sql] ()", b"SELECT %(a)s, %s, %%", b"  Book Load (0.1ms)  SELECT 1", b'  [["id", 1]]',
    b"[aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee] ", b'Started GET "/" for ::1 at 2026-11-26 10:00:00 +0000',
    b"Processing by A#b as HTML", b"\x1b[1m", b"\x1b[0m", b"\xff", b"\0", b"\r\n", b"[", b"]]", b"}",
    b'{"sql": "SELECT 1", "ms": 1}', b'{"sql": 5}', b"nil", b"\\u{110000}", b"\\x", b"(", b")",
])  # fmt: skip
DAMAGED = st.lists(PIECES | st.binary(max_size=8), max_size=40).map(b"".join)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=150, deadline=None)
@given(data=DAMAGED, longest=st.sampled_from([64, 1 << 20]))
def test_every_byte_is_accounted_for_whatever_comes(name: str, data: bytes, longest: int) -> None:
    coverage = SourceCoverage("x", format=name)
    options = ReadOptions(mapping=parse_map("sql=sql,duration=ms"))
    sink = CallSink(Recording(keys=StatementKeyTable()), coverage, 0, options)
    rows = 0
    with suppress(InputError):  # no record where --map says
        for chunk in READERS[name](sink).read(io.BytesIO(data), longest):
            rows += len(chunk)
    assert rows == coverage.executions
    assert sink.entry_bytes + coverage.bytes_unparsed + coverage.foreign_bytes == len(data)
    assert (coverage.unparsed_lines > 0) == (coverage.bytes_unparsed > 0)
