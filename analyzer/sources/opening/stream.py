"""One input as a stream of uncompressed bytes."""

import io
import os
from collections.abc import Callable
from typing import BinaryIO

from analyzer.sources.opening.packed import Opened, Stored
from analyzer.sources.opening.source import Watch

HEAD_BYTES = 64 * 1024

Progress = Callable[[str, int, int | None], None]


class InputStream(io.RawIOBase):
    """One input, uncompressed. `head` is its beginning; reading starts at the beginning too.

    `path` is its name, fit to be shown: without a URL's credentials, with the member if it lies in
    an archive. `compression` names what it is packed with. `size` counts bytes on disk (of the
    member; None if unknown), `bytes_read` uncompressed bytes handed out. `whole` tells that `head`
    is all there is. `progress`, if set, is called with path, bytes read on disk and size on disk as
    reading goes on.
    """

    def __init__(self, raw: BinaryIO, opened: Opened, *, watch: Watch | None, shared: bool) -> None:
        """Read what was `opened`, over the file `raw`, which is not closed if it is `shared`."""
        super().__init__()
        self.path = opened.name
        self.size = opened.source.limit
        self.bytes_read = 0
        self.compression = opened.compression
        self.progress: Progress | None = None
        self._raw = raw
        self._source = opened.source
        self._reader = opened.reader
        self._watch = watch
        self._shared = shared
        self._notes = list(opened.notes)
        self._watched = False
        head = bytearray()
        while len(head) < HEAD_BYTES and (piece := self._reader.read(HEAD_BYTES - len(head))):
            head += piece
        self.head = bytes(head)
        self.whole = len(head) < HEAD_BYTES
        self._pending = self.head
        self._left: int | None = None  # bytes to be handed out; None: all there are

    def only(self, start: int, stop: int | None) -> bytes:
        """Become the stream of the bytes from `start` up to `stop` (None: to the end); how that begins.

        It is called before anything was read. Where the input ends before `start` nothing is left.
        """
        head, self._pending = self.head, b""
        beyond = start - len(head)
        if beyond > 0 and self.seekable_file is not None:
            self._source.leap(beyond)
            beyond = 0
        while beyond > 0 and (piece := self._reader.read(min(beyond, 1 << 20))):
            beyond -= len(piece)
        beginning = bytearray(head[start:])
        while len(beginning) < HEAD_BYTES and (
            piece := self._reader.read(HEAD_BYTES - len(beginning))
        ):
            beginning += piece
        self._left = None if stop is None else max(0, stop - start)
        self._pending = bytes(beginning[: self._left])
        return self._pending

    @property
    def damage(self) -> str | None:
        """Why the stream ended early, in words; None: it did not."""
        return self._reader.damage

    @property
    def notes(self) -> list[str]:
        """What else should be known about what was read, in words; whole at the end or closed."""
        return [*self._notes, *self._reader.notes]

    @property
    def seekable_file(self) -> tuple[BinaryIO, int] | None:
        """The file itself and its size in bytes when it was opened, to be read with os.pread.

        None if it is not a plain uncompressed regular file. Who reads it that way calls
        `note_changes` at the end, and reads no byte beyond the size.
        """
        if self.compression is not None or self._watch is None or self._watch.size is None:
            return None
        return self._raw, self._watch.size

    @property
    def status(self) -> os.stat_result | None:
        """The open file's, whatever its name is by now; None of what is no local file."""
        return None if self._watch is None else os.fstat(self._raw.fileno())

    def note_changes(self, used: int | None = None) -> None:
        """Look once what happened to the file meanwhile, and add that to `notes`.

        Reading to the end and closing do it by themselves.

        Args:
            used: how many bytes were read where that was done by os.pread, all that were there.
        """
        if self._watched or self._raw.closed:
            return
        self._watched = True
        source, watch = self._source, self._watch
        missing = source.missing
        if watch is None:
            if missing and self.damage is None:
                self._notes.append(f"{missing} of {source.limit} bytes did not come")
            return
        if used is not None:
            missing = (watch.size or used) - used
        elif source.limit != watch.size:  # a member: its archive may have been cut before
            missing = 0
        self._notes += watch.changes(missing)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the stub's Buffer is wider than what BufferedReader hands in
        """Fill `buffer`; 0 at the end."""
        if self._pending or not isinstance(self._reader, Stored):
            piece = self.read(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)
        count = 0 if self._left == 0 else self._reader.readinto(memoryview(buffer)[: self._left])
        if not count and len(buffer):
            self.note_changes()
        if self.progress is not None:
            self.progress(self.path, self.position, self.size)
        self._handed(count)
        return count

    def _handed(self, count: int) -> None:
        """So many bytes were handed out."""
        self.bytes_read += count
        if self._left is not None:
            self._left -= count

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes (all of the rest if negative), b"" at the end."""
        if size < 0:
            return self.readall()
        if self._pending:
            piece, self._pending = self._pending[:size], self._pending[size:]
        else:
            wanted = size if self._left is None else min(size, self._left)
            piece = self._reader.read(wanted) if wanted else b""
            if not piece and size:
                self.note_changes()
        if self.progress is not None:
            self.progress(self.path, self.position, self.size)
        self._handed(len(piece))
        return piece

    def readall(self) -> bytes:
        """Everything that is left."""
        return b"".join(iter(lambda: self.read(1 << 20), b""))

    @property
    def position(self) -> int:
        """How far the input has been read, in bytes on disk: comparable with `size`."""
        return self._source.position

    def close(self) -> None:
        """Close the file, unless it is the process's standard input."""
        if not self.closed:
            try:
                self.note_changes()
            finally:
                if not self._shared:
                    self._raw.close()
        super().close()
