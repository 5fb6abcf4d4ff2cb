"""One portion of a log: what stands behind the position up to which it was read before.

A portion ends where an entry does (endings.py), so executions are neither lost nor counted twice
where two portions meet. What an entry means may depend on what its session said before: a duration
that is logged alone (log_duration) belongs to the statement that the session logged last. Where
statements were waiting at the end of the last portion, a stretch before it is read again, and only
its sessions are kept.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.sources.detection import Recognised
from analyzer.sources.increments.endings import end_of_whole
from analyzer.sources.logs import FORMATS, Reader
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import native_reader
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.stderr import StderrReader
from analyzer.sources.opening import InputStream, open_input
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

HEAD_BYTES = 4096  # by which a log's content is known
TAIL_BYTES = 256
LOOK_BACK_BYTES = 8 << 20
_SECOND_NS = 1_000_000_000


class MovedError(Exception):
    """The file is not the one that was found before: it was rotated or truncated meanwhile."""


def head_hash(head: bytes) -> str:
    """By what a content is known, of its first bytes."""
    return hashlib.sha256(head[:HEAD_BYTES]).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A file that holds something new. `before` is its content's position up to now.

    A content that is new has a position at its start. `options` are how it is read, and a file that
    was not written to for `settle_seconds` is taken to be whole to its end. What a plain file has
    beyond `limit` bytes came after it was found, and is left for the next time.
    """

    path: str
    before: LogPosition
    options: ReadOptions
    settle_seconds: float
    limit: int


class Portion:
    """Reads what is new in a file that was found; `after` is then its position (None: not read).

    `is_torn`: the file was truncated meanwhile, so the last of what was read may be half an entry.
    `lost_waiting` statements waited for their duration and were not found again.
    """

    def __init__(self, found: Found) -> None:
        self.found = found
        self.after: LogPosition | None = None
        self.is_torn = False
        self.lost_waiting = 0
        self._start = found.before.offset
        self._stop: int | None = None
        self._is_settled = True
        self._unused = 0  # bytes at the end that make no record yet
        self._pending = found.before.pending

    def take(self, other: "Portion") -> None:
        """What became of it where it was read, in another process."""
        self.after, self.is_torn = other.after, other.is_torn
        self.lost_waiting = other.lost_waiting

    def begin(self, stream: InputStream, known: Recognised) -> bytes:
        """Make the stream of a file that of the portion; how that begins.

        Raises:
            MovedError: the file at this path holds another content now.
        """
        before = self.found.before
        if head_hash(stream.head[: before.head_bytes]) != before.head_hash:
            raise MovedError
        file = stream.seekable_file
        if file is not None:
            raw, size = file
            status = os.fstat(raw.fileno())
            if size < self._start:
                raise MovedError
            quiet_ns = time.time_ns() - status.st_mtime_ns
            self._is_settled = quiet_ns >= self.found.settle_seconds * _SECOND_NS
            size = min(size, self.found.limit)
            end = size if self._is_settled else end_of_whole(raw.fileno(), self._start, size, known)
            self._stop = end
        return stream.only(self._start, self._stop)

    def read(
        self, known: Recognised, stream: InputStream, sink: EntrySink
    ) -> Iterator[ExecutionChunk]:
        """The executions of a log that is not wrapped; as analyzer.sources.logs.read_log."""
        reader = FORMATS[known.format](sink, known.prefix)
        is_windows = stream.head.partition(b"\n")[0].endswith(b"\r")
        if isinstance(reader, StderrReader):
            reader.crlf = is_windows
        if isinstance(reader, CsvlogReader):
            reader.ends = self._is_settled
        if self.found.before.pending:
            self._recall(known, sink, reader)
        native = None if is_windows else native_reader(sink, known.prefix, reader)
        sink.coverage.reader = "python" if native is None else "native"
        try:
            data = cast("BinaryIO", stream)
            yield from (native or reader).read(data, self._start)
            if native is not None:
                native.settle()
            self._note_rest(reader, sink)
        finally:
            left = sink.close()
        yield from left

    def _note_rest(self, reader: Reader, sink: EntrySink) -> None:
        """What is left for the next time: a record that goes on, and durations to come."""
        if isinstance(reader, CsvlogReader) and not self._is_settled:
            self._unused = reader.pending_bytes
        waiting = sum(one.waiting is not None for one in reader.sessions.values())
        self._pending = 0 if self._is_settled else waiting
        sink.expect(-self._pending)

    def _recall(self, known: Recognised, sink: EntrySink, reader: Reader) -> None:
        """Give the reader its sessions that were waiting for a duration where the portion begins."""
        wanted = self.found.before.pending
        past = _sessions_before(self.found, known)
        waiting = {name: one for name, one in past.items() if one.waiting is not None}
        for name, one in waiting.items():
            session = sink.session(one.process, renewable=one.renewable)
            session.waiting, session.began, session.used = one.waiting, one.began, True
            reader.sessions[name] = session
        sink.expect(len(waiting))
        self.lost_waiting = max(0, wanted - len(waiting))

    def end(self, stream: InputStream) -> None:
        """All was read: `after` is known now. `stream` is still open."""
        end = self._start + stream.bytes_read
        if self._stop is not None and end < self._stop:
            self.is_torn = True
            return
        before, file, status = self.found.before, stream.seekable_file, stream.status
        if status is None:
            raise ValueError(self.found.path)
        head = stream.head[:HEAD_BYTES]
        offset = end - self._unused
        if file is None:  # packed: it holds all that it ever will
            size, tail, is_finished = status.st_size, "", True
        else:
            raw, size = file
            tail = tail_hash(raw.fileno(), head, offset)
            is_finished = self._is_settled and offset == size
        self.after = replace(
            before,
            path=self.found.path,
            head_hash=head_hash(head),
            head_bytes=len(head),
            offset=offset,
            tail_hash=tail,
            device=status.st_dev,
            inode=status.st_ino,
            size_bytes=size,
            modified_ns=status.st_mtime_ns,
            is_finished=is_finished,
            pending=self._pending,
        )


def tail_hash(descriptor: int, head: bytes, offset: int) -> str:
    """The hash of the bytes before an offset; "" if the file was truncated just now."""
    low = max(0, offset - TAIL_BYTES)
    tail = os.pread(descriptor, offset - low, low)
    if len(tail) < offset - low or os.pread(descriptor, len(head), 0) != head:
        return ""
    return hashlib.sha256(tail).hexdigest()


def _sessions_before(found: Found, known: Recognised) -> dict[str, Session]:
    """The sessions as they are where a portion begins, by reading what stands before it."""
    recording = Recording(keys=StatementKeyTable())
    coverage = SourceCoverage(found.path)
    recording.coverage.sources.append(coverage)
    sink = EntrySink(recording, coverage, 0, found.options)
    reader = FORMATS[known.format](sink, known.prefix)
    if isinstance(reader, CsvlogReader):
        reader.ends = False
    offset = found.before.offset
    with open_input(found.path) as stream:
        stream.only(max(0, offset - LOOK_BACK_BYTES), offset)
        for _ in reader.read(cast("BinaryIO", stream)):
            pass
    return reader.sessions
