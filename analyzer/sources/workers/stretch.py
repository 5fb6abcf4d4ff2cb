"""A stretch of a log, read by its format's reader: the same in a worker and in its parent."""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO, cast

from analyzer.model.executions import ExecutionChunk, joined
from analyzer.sources.logs import Reader
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.framing import FLUSH_BYTES
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import native_reader
from analyzer.sources.logs.prefix import Prefix
from analyzer.sources.logs.rows import Batch, RowBatch
from analyzer.sources.opening import HEAD_BYTES


class Stretch(io.RawIOBase):
    """The bytes of an open file from `start` up to `stop`.

    `is_last`: the input ends with it. `position` is where the next byte is; `lines` are those before that, once they were read.
    """

    def __init__(
        self, descriptor: int, start: int, stop: int, lines: int = 0, *, is_last: bool = False
    ) -> None:
        super().__init__()
        self._is_last = is_last
        self._ended = False
        self.lines = lines
        self.position = start
        self._descriptor = descriptor
        self._stop = stop

    @property
    def is_over(self) -> bool:
        """Whether all was read, and the input goes on behind it within the same block."""
        there = self.position == self._stop and self._stop % FLUSH_BYTES != 0
        return not self._is_last and (self._ended or there)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the stub's Buffer is wider
        """Fill `buffer`; 0 at the end."""
        size = min(len(buffer), self._stop - self.position)
        count = os.preadv(self._descriptor, [memoryview(buffer)[:size]], self.position)
        self.position += count
        return count

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; the first of a file come as an InputStream gives them."""
        if self.position < HEAD_BYTES:
            size = min(size, HEAD_BYTES - self.position)
        data = os.pread(self._descriptor, min(size, self._stop - self.position), self.position)
        self.position += len(data)
        self._ended = not data
        return data


class StretchSink(EntrySink):
    """A sink whose `flush` gives one chunk each time, maybe an empty one."""

    stretch: Stretch | None = None

    def flush(self, *, last: bool = False) -> list[ExecutionChunk]:
        """As in the base class; none where the stretch ends, as a reader of the input would go on."""
        if self.stretch is not None and self.stretch.is_over:
            return []
        chunks = super().flush(last=last)
        return chunks if len(chunks) == 1 else [joined(chunks)]

    def rest(self) -> tuple[ExecutionChunk, ExecutionChunk]:
        """What is left of a stretch: up to the last flush, and what is behind that."""
        return joined(super().flush()), joined(super().flush())

    def holding(self, batch: Batch) -> Batch:
        """The batch of a stretch that is begun, with what is held of those before."""
        return batch


def read_stretch(
    stretch: Stretch, sink: StretchSink, reader: Reader, prefix: Prefix | None, row: int = 0
) -> Iterator[ExecutionChunk]:
    """Read a stretch; `row` is the number of its first execution.

    Gives a chunk for each flush. The sink then has the `rest`.
    """
    sink.stretch = stretch
    native = native_reader(sink, prefix, reader)
    sink.coverage.reader = "python" if native is None else "native"
    stream = cast("BinaryIO", stretch)
    if native is None:
        sink.batch = sink.holding(RowBatch(sink.source, first=row))
        if is_clean(reader):  # else it goes on where it was
            reader.place(stretch.lines, stretch.position)
        yield from reader.read(stream, stretch.position)
        stretch.lines = reader.lines
    else:
        native.begin_at(row)
        sink.batch = sink.holding(sink.batch)
        yield from native.read(stream, stretch.position, stretch.lines)
        native.settle()
        stretch.lines = native.lines


def is_clean(reader: Reader) -> bool:
    """Whether a reader could begin anew where it is: no record is pending, and it is not lost."""
    return not isinstance(reader, CsvlogReader) or not (reader.is_pending or reader.is_lost)
