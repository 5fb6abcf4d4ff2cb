"""The two readers of logs, side by side: what each makes of the same bytes, in words.

No test itself; conftest.py lets the tests import it from beside them.
"""

import dataclasses
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk, joined
from analyzer.model.recording import Recording
from analyzer.sources.detection import recognise
from analyzer.sources.logs import read_log
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import PURE_PYTHON
from analyzer.sources.logs.prefix import compile_prefix
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PLAIN = (
    "start_us",
    "end_us",
    "duration_ms",
    "line",
    "query_id",
    "flags",
    "clock",
    "trace",
    "source",
    "parameters_hash",
)


class Pieces(io.RawIOBase):
    """Bytes that come in pieces of one size, as from a pipe."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._data = data
        self._size = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer)
        size = min(self._size, len(room))
        piece, self._data = self._data[:size], self._data[size:]
        room[: len(piece)] = piece
        return len(piece)


def read(
    data: bytes,
    form: str,
    prefix: str | None,
    *,
    native: bool,
    options: ReadOptions | None = None,
    piece: int = 1 << 20,
) -> tuple[Recording, ExecutionChunk]:
    """Read a log's bytes with one of the two readers."""
    recording = Recording(keys=StatementKeyTable())
    coverage = SourceCoverage("log", form)
    recording.coverage.sources.append(coverage)
    compiled = None if prefix is None else compile_prefix(prefix)
    sink = EntrySink(recording, coverage, 0, options or ReadOptions())
    with mock.patch.dict(os.environ, {PURE_PYTHON: "" if native else "1"}):
        chunks = list(read_log(form, Pieces(data, piece), sink, compiled))  # type: ignore[arg-type]
    coverage.bytes = sink.entry_bytes + coverage.bytes_unparsed
    return recording, joined(chunks)


def told(recording: Recording, chunk: ExecutionChunk) -> dict[str, Any]:
    """Everything that was read, numbers of texts replaced by the texts."""
    columns = chunk.columns
    found: dict[str, Any] = {name: columns[name].tolist() for name in PLAIN}
    found["key"] = [recording.keys.texts[key] for key in columns["key"].tolist()]
    tables = {"comment": recording.comments, "session": recording.sessions}
    tables |= dict.fromkeys(("database", "user", "application"), recording.names)
    for name, table in tables.items():
        found[name] = [table.get(number) for number in columns[name].tolist()]
    found["parameters"] = [
        chunk.parameters[number] if number >= 0 else None
        for number in columns["parameters"].tolist()
    ]
    found["keys"] = recording.keys.texts
    found["phases"] = {
        recording.keys.texts[key]: (
            one.parses,
            round(one.parse_ms, 6),
            one.binds,
            round(one.bind_ms, 6),
        )
        for (_, key), one in recording.phases.items()
    }
    found["events"] = repr(recording.events)
    found["cancelled"] = [
        (
            recording.sessions.get(one.speaker[0]),
            *(recording.names.get(name) for name in one.speaker[1:]),
            recording.keys.texts[one.key],
            recording.comments.get(one.comment),
            *(one.source, one.at_us, one.reason, one.at_least_ms, one.whole),
        )
        for one in recording.cancelled
    ]
    found["plans"] = [(plan.text, plan.line, plan.session) for plan in recording.plans]
    found["warnings"] = recording.coverage.warnings
    coverage = dataclasses.asdict(recording.coverage.sources[0])
    coverage.pop("reader")
    found["coverage"] = coverage
    for name, kind in ExecutionChunk.NAMES.items():
        assert columns[name].dtype == np.dtype(kind), name
    return found


def assert_twins(
    data: bytes,
    form: str,
    prefix: str | None = None,
    options: ReadOptions | None = None,
    piece: int = 1 << 20,
) -> Recording:
    """Both readers make the same of the bytes; gives what the native one made."""
    python = read(data, form, prefix, native=False, options=options)
    native = read(data, form, prefix, native=True, options=options, piece=piece)
    assert python[0].coverage.sources[0].reader == "python"
    assert native[0].coverage.sources[0].reader == "native"
    expected, found = told(*python), told(*native)
    for name, value in expected.items():
        assert found[name] == value, name
    assert found["coverage"]["bytes"] == len(data)
    return native[0]


def recognised(path: Path) -> tuple[bytes, str, str | None]:
    """A log's bytes, its format and its log_line_prefix."""
    data = path.read_bytes()
    known = recognise(data[:65536], whole=len(data) < 65536, options=ReadOptions())
    assert known is not None, path
    return data, known.format, known.prefix.text if known.prefix else None
