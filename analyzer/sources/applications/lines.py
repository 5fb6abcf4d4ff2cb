"""Framing for query logs of applications: lines, and JSON objects on lines."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import BinaryIO, ClassVar

from analyzer.model.executions import ExecutionChunk
from analyzer.sources.applications.calls import CallSink
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, Block, blocks, lines
from analyzer.sources.logs.text import json_text_of

Record = dict[str, object]
_BOM = b"\xef\xbb\xbf"


class LineReader(ABC):
    """Reads a log line by line into a sink; an input at a time."""

    NAME: ClassVar[str]  # of the format
    WHAT: ClassVar[str]  # what it is, in words

    def __init__(self, sink: CallSink) -> None:
        """Prepare; `sink` receives everything."""
        self.sink = sink
        self.number = 0  # of the line that is read

    def read(
        self, stream: BinaryIO, longest: int = LONGEST_ENTRY_BYTES
    ) -> Iterator[ExecutionChunk]:
        """Read all of `stream`; a line longer than `longest` bytes is left out as truncated."""
        for block in blocks(stream, tabs=False, longest=longest):
            self.begin(block)
            if block.cut:
                self.number += 1
                self.sink.coverage.truncated += 1
                self.interrupted()
                self.sink.unparsed(block.data[:-1], self.number, block.offset, block.length)
            else:
                for line, offset, size in lines(block):
                    self.number += 1
                    self.line(line, offset, size)
            yield from self.sink.flush()
        self.interrupted()
        self.finish()
        yield from self.sink.flush(last=True)

    def begin(self, block: Block) -> None:  # noqa: B027 - most readers need not look ahead
        """A block is about to be read, line by line."""

    @abstractmethod
    def line(self, line: bytes, offset: int, size: int) -> None:
        """Take one line (without its newline), `size` bytes at `offset`."""

    def interrupted(self) -> None:  # noqa: B027 - only entries of several lines wait for more
        """What follows is no continuation of what came before, or nothing follows."""

    def finish(self) -> None:  # noqa: B027 - most readers have nothing to say then
        """All of the input was read."""


class JsonLineReader(LineReader):
    """Reads a log with a JSON object on each line."""

    def line(self, line: bytes, offset: int, size: int) -> None:
        """As a LineReader does."""
        record = parsed(line)
        taken = None if record is None else self.record(record, size)
        if record is None:
            self.sink.unparsed(line, self.number, offset, size)
        elif taken:
            self.sink.entry(size)
        elif taken is None:
            self.sink.foreign(size)
        else:
            self.sink.unparsed(line, self.number, offset, size)

    @abstractmethod
    def record(self, record: Record, size: int) -> bool | None:
        """Take one record: True, False if it is broken, None if it tells of no call."""


def parsed(line: bytes) -> Record | None:
    """The JSON object on a line, None if there is none."""
    try:
        record = json.loads(json_text_of(line.removeprefix(_BOM)))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
