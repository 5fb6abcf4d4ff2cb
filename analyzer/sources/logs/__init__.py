"""PostgreSQL's log formats, one file each: framing and fields here, meaning in `meaning`.

A new format is a file with a reader (`__init__(sink)`, `read(stream)`) and a line in `FORMATS`,
plus how its content looks in analyzer/sources/detection.py.
"""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from analyzer.errors import UsageError
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.jsonlog import JsonlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.prefix import Prefix
from analyzer.sources.logs.stderr import StderrReader

_Read = Callable[[BinaryIO, EntrySink, Prefix | None], None]


def _stderr(stream: BinaryIO, sink: EntrySink, prefix: Prefix | None) -> None:
    if prefix is None:
        raise UsageError("an stderr log cannot be read without its log_line_prefix")
    StderrReader(sink, prefix).read(stream)


def _csvlog(stream: BinaryIO, sink: EntrySink, _prefix: Prefix | None) -> None:
    CsvlogReader(sink).read(stream)


def _jsonlog(stream: BinaryIO, sink: EntrySink, _prefix: Prefix | None) -> None:
    JsonlogReader(sink).read(stream)


FORMATS: Mapping[str, _Read] = {"stderr": _stderr, "csvlog": _csvlog, "jsonlog": _jsonlog}


def read_log(name: str, stream: BinaryIO, sink: EntrySink, prefix: Prefix | None) -> None:
    """Read all of `stream`, a log in the format `name`, into `sink`, and close the sink.

    `prefix` is the log_line_prefix; only stderr needs it.
    """
    try:
        FORMATS[name](stream, sink, prefix)
    finally:
        sink.close()
