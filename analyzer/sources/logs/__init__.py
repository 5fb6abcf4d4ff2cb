"""PostgreSQL's log formats, one file each: framing and fields here, meaning in `meaning`.

A new format is a file with a reader (`__init__(sink)`, `read(stream)`) and a line in `FORMATS`,
plus how its content looks in analyzer/sources/detection.py.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from analyzer.errors import UsageError
from analyzer.model.executions import ExecutionChunk
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.jsonlog import JsonlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import native_reader
from analyzer.sources.logs.prefix import Prefix
from analyzer.sources.logs.stderr import StderrReader

_Read = Callable[[BinaryIO, EntrySink, Prefix | None], Iterator[ExecutionChunk]]


def _stderr(stream: BinaryIO, sink: EntrySink, prefix: Prefix | None) -> Iterator[ExecutionChunk]:
    if prefix is None:
        raise UsageError("an stderr log cannot be read without its log_line_prefix")
    return StderrReader(sink, prefix).read(stream)


def _csvlog(stream: BinaryIO, sink: EntrySink, _prefix: Prefix | None) -> Iterator[ExecutionChunk]:
    return CsvlogReader(sink).read(stream)


def _jsonlog(stream: BinaryIO, sink: EntrySink, _prefix: Prefix | None) -> Iterator[ExecutionChunk]:
    return JsonlogReader(sink).read(stream)


FORMATS: Mapping[str, _Read] = {"stderr": _stderr, "csvlog": _csvlog, "jsonlog": _jsonlog}


def read_log(
    name: str, stream: BinaryIO, sink: EntrySink, prefix: Prefix | None
) -> Iterator[ExecutionChunk]:
    """Read all of `stream`, a log in the format `name`, through `sink`, and close the sink.

    Gives the executions, in the order of the log; the rest is in the sink's recording and coverage.
    `prefix` is the log_line_prefix; only stderr needs it.
    """
    try:
        native = native_reader(name, sink, prefix)
        sink.coverage.reader = "python" if native is None else "native"
        chunks = FORMATS[name](stream, sink, prefix) if native is None else native.read(stream)
        yield from chunks
    finally:
        left = sink.close()
    yield from left
