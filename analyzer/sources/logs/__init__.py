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

Reader = StderrReader | CsvlogReader | JsonlogReader


def _stderr(sink: EntrySink, prefix: Prefix | None) -> StderrReader:
    if prefix is None:
        raise UsageError("an stderr log cannot be read without its log_line_prefix")
    return StderrReader(sink, prefix)


def _csvlog(sink: EntrySink, _prefix: Prefix | None) -> CsvlogReader:
    return CsvlogReader(sink)


def _jsonlog(sink: EntrySink, _prefix: Prefix | None) -> JsonlogReader:
    return JsonlogReader(sink)


FORMATS: Mapping[str, Callable[[EntrySink, Prefix | None], Reader]] = {
    "stderr": _stderr,
    "csvlog": _csvlog,
    "jsonlog": _jsonlog,
}


def read_log(
    name: str, stream: BinaryIO, sink: EntrySink, prefix: Prefix | None
) -> Iterator[ExecutionChunk]:
    """Read all of `stream`, a log in the format `name`, through `sink`, and close the sink.

    Gives the executions, in the order of the log; the rest is in the sink's recording and coverage.
    `prefix` is the log_line_prefix; only stderr needs it.
    """
    try:
        reader = FORMATS[name](sink, prefix)
        native = native_reader(sink, prefix, reader)
        sink.coverage.reader = "python" if native is None else "native"
        yield from (native or reader).read(stream)
    finally:
        left = sink.close()
    yield from left
