"""The bytes of an input as they are stored, and what happens to their file while they are read."""

import errno
import io
import os
import stat
from typing import BinaryIO

CHUNK_BYTES = 128 * 1024  # of a packed input at a time: about 1 MB once unpacked
_BEGINNING_BYTES = 4096


class Source:
    """Stored bytes, up to a limit; what was only looked at can be put back.

    `position` is how many bytes were used so far; `limit` is how many there should be, in bytes
    (None: unknown, as of a pipe).
    """

    def __init__(self, raw: BinaryIO, limit: int | None) -> None:
        """Read `raw` from where it stands."""
        self.limit = limit
        self.ended = False  # no more bytes came, as many as there should be or not
        self._raw = raw
        self._taken = 0
        self._back = b""

    @property
    def position(self) -> int:
        """Bytes used so far."""
        return self._taken - len(self._back)

    @property
    def missing(self) -> int:
        """How many of the bytes that there should be were not there; 0 before the end is met."""
        return self.limit - self._taken if self.ended and self.limit is not None else 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" only at the end.

        Raises:
            OSError: the disk, the pipe or the network failed.
        """
        if self._back:
            piece, self._back = self._back[:size], self._back[size:]
            return piece
        return self._fetched(size)

    def readinto(self, buffer: memoryview) -> int:
        """As `read`, into `buffer`; 0 only at the end."""
        if self._back or not isinstance(self._raw, io.RawIOBase | io.BufferedIOBase):
            piece = self.read(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)
        size = len(buffer) if self.limit is None else min(len(buffer), self.limit - self._taken)
        if size <= 0:
            self.ended = True
            return 0
        count = self._raw.readinto(buffer[:size])
        if count is None:
            raise BlockingIOError(errno.EAGAIN, "it has no data yet, and is set not to wait")
        self._taken += count
        self.ended = not count
        return count

    def peek(self, size: int) -> bytes:
        """The next bytes without using them: at least `size`, fewer only at the end."""
        while len(self._back) < size and (more := self._fetched(max(size, CHUNK_BYTES))):
            self._back += more
        return self._back

    def put_back(self, piece: bytes) -> None:
        """Give back the end of what was read last."""
        self._back = piece + self._back

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; how many there were."""
        left = size
        while left and (piece := self.read(min(left, CHUNK_BYTES))):
            left -= len(piece)
        return size - left

    def leap(self, size: int) -> None:
        """As `skip`, of a file that can be read anywhere: nothing is fetched."""
        held, self._back = len(self._back), self._back[size:]
        beyond = size - held
        if beyond > 0:
            self._raw.seek(beyond, os.SEEK_CUR)
            self._taken += beyond

    def _fetched(self, size: int) -> bytes:
        if self.limit is not None:
            size = min(size, self.limit - self._taken)
            if size <= 0:
                self.ended = True
                return b""
        piece = self._raw.read(size)
        if piece is None:
            raise BlockingIOError(errno.EAGAIN, "it has no data yet, and is set not to wait")
        self._taken += len(piece)
        self.ended = not piece
        return piece


class Watch:
    """What a local file was when it was opened, to tell afterwards what became of it.

    `size` is its size in bytes when it was opened, None for a pipe or device, and for the files of
    /proc, whose size is given as 0.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        status = os.fstat(descriptor)
        regular = stat.S_ISREG(status.st_mode)
        self.size = status.st_size or None if regular else None
        self._path = path
        self._descriptor = descriptor
        self._identity = (status.st_dev, status.st_ino)
        self._beginning = self._first() if self.size else b""

    def _first(self) -> bytes:
        return os.pread(self._descriptor, _BEGINNING_BYTES, 0)

    def changes(self, missing: int) -> list[str]:
        """In words, what was done to the file while it was read.

        Growing is not told: a log that is being written does that.

        Args:
            missing: how many of the file's bytes were not there any more when they were asked for.
        """
        if self.size is None:
            return []
        try:
            return [*self._truncated(self.size, missing), *self._rotated()]
        except OSError as error:
            return [f"what became of the file while it was read is not known ({error.strerror})"]

    def _truncated(self, size: int, missing: int) -> list[str]:
        cut = "the file was truncated while it was read"
        if missing:
            return [f"{cut}: {missing} of {size} bytes were gone"]
        if os.fstat(self._descriptor).st_size < size:
            return [f"{cut}, after the part that was read"]
        if not self._first().startswith(self._beginning):
            # As logrotate's copytruncate leaves it once the server has logged enough again.
            return [f"{cut} and written anew: what was read may be of the old and the new content"]
        return []

    def _rotated(self) -> list[str]:
        what = "rotated"
        try:
            status = os.stat(self._path)  # noqa: PTH116  # as its twin fstat
        except FileNotFoundError:
            what = "removed or rotated"
        else:
            if (status.st_dev, status.st_ino) == self._identity:
                return []
        return [f"the file was {what} while it was read; the bytes read are of the old file"]
