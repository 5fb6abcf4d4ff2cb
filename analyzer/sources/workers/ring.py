"""Memory that two processes share, through which one hands messages to the other.

Messages lie one behind the other in a ring of bytes. The writer waits while there is no room, which
bounds how far it is ahead; the reader gives room back, message by message, in their order.
"""

import mmap
import os
import struct
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

RING_BYTES = 16 << 20  # about 140,000 executions with their parameters: a slice
_NOTICE = struct.Struct("<qqq")  # where a message begins, its size, up to where that uses the ring
_FREED = struct.Struct("<q")
_ALIGNED = 16
_MOST_OUT = 64  # messages that were not given back: a connection holds that many notices
_NOT_THERE = -1  # the message is too large for the ring and comes behind its notice

Piece = bytes | bytearray | memoryview


def shared_file(size: int) -> int:
    """A file of `size` bytes without a name, for memory to share; its descriptor."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("pg95", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            # A full disk is an error here, and no signal once the memory is written to.
            file.write(bytes(size))
            file.flush()
            return os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


def aligned(size: int) -> int:
    """A size rounded up to where the next column may begin."""
    return -(-size // _ALIGNED) * _ALIGNED


class GoneError(Exception):
    """The process at the other end is gone."""


class RingWriter:
    """The writer's end. `link` is the connection on which messages are announced and room returned."""

    def __init__(self, descriptor: int, link: Connection) -> None:
        """Write to the ring in `descriptor`, which stays the caller's to close."""
        self._size = os.fstat(descriptor).st_size
        self._memory = memoryview(mmap.mmap(descriptor, 0))
        self._link = link
        self._written = self._freed = 0  # bytes since the beginning, room that was left over too
        self._out = 0  # messages that were not given back

    def put(self, pieces: Sequence[Piece]) -> None:
        """Hand on a message: each piece at the next `aligned` place. Waits for room.

        Raises:
            GoneError: nobody reads any more.
        """
        try:
            self._put(pieces)
        except (OSError, EOFError) as error:
            raise GoneError from error

    def _put(self, pieces: Sequence[Piece]) -> None:
        sizes = [len(piece) for piece in pieces]
        size = sum(map(aligned, sizes))
        while self._out >= _MOST_OUT:
            self._wait()
        if size > self._size // 2:
            self._out += 1
            self._link.send_bytes(_NOTICE.pack(_NOT_THERE, size, self._written))
            self._link.send_bytes(b"".join(bytes(p).ljust(aligned(len(p)), b"\0") for p in pieces))
            return
        start = self._written
        if start % self._size + size > self._size:  # it lies in one piece
            start += self._size - start % self._size
        end = start + size
        while end - self._freed > self._size:
            self._wait()
        place = start % self._size
        for piece, length in zip(pieces, sizes, strict=True):
            self._memory[place : place + length] = piece
            place += aligned(length)
        self._written = end
        self._out += 1
        self._link.send_bytes(_NOTICE.pack(start % self._size, size, end))

    def settle(self) -> None:
        """Wait until all was taken: what comes on the link then is no room that is returned.

        Raises:
            GoneError: nobody reads any more.
        """
        try:
            while self._out:
                self._wait()
        except (OSError, EOFError) as error:
            raise GoneError from error

    def _wait(self) -> None:
        (self._freed,) = _FREED.unpack(self._link.recv_bytes())
        self._out -= 1


class RingReader:
    """The reader's end."""

    def __init__(self, descriptor: int, link: Connection) -> None:
        """Map the ring in `descriptor`, which is closed."""
        self._memory = mmap.mmap(descriptor, 0)
        os.close(descriptor)
        self._link = link

    def take(self) -> tuple[memoryview, int]:
        """Wait for the next message: its bytes, good until `free` is called with the number.

        Raises:
            GoneError: the writer ended before.
        """
        try:
            start, size, end = _NOTICE.unpack(self._link.recv_bytes())
            if start == _NOT_THERE:
                return memoryview(self._link.recv_bytes()), end
        except (OSError, EOFError) as error:
            raise GoneError from error
        return memoryview(self._memory)[start : start + size], end

    def free(self, end: int) -> None:
        """Give the room of a message back; a writer that is gone needs none."""
        try:
            self._link.send_bytes(_FREED.pack(end))
        except OSError:
            return

    def close(self) -> None:
        """Unmap the ring, now or with the last view of it: an error on its way may hold one."""
        with suppress(BufferError):
            self._memory.close()
