"""Open an input as a stream of uncompressed bytes whose head can be looked at first.

gzip, bzip2 and xz are recognised by their magic bytes; nothing is ever read whole. Damage met on
the way (a cut or corrupt archive, an unreadable disk) ends the stream and is kept in `damage`, so
that what came before it still counts.
"""

import bz2
import gzip
import io
import lzma
import stat
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.errors import InputError

HEAD_BYTES = 64 * 1024

Progress = Callable[[str, int, int | None], None]

_READERS: tuple[tuple[bytes, str, Callable[[BinaryIO], BinaryIO]], ...] = (
    (b"\x1f\x8b", "gzip", lambda raw: cast("BinaryIO", gzip.GzipFile(fileobj=raw))),
    (b"BZh", "bzip2", lambda raw: cast("BinaryIO", bz2.BZ2File(raw))),
    (b"\xfd7zXZ\x00", "xz", lambda raw: cast("BinaryIO", lzma.LZMAFile(raw))),  # noqa: SIM115  # InputStream closes it
)
_FOREIGN = (  # compressions that are recognised so that the message can name the remedy
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4 -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
)


class _Replayed(io.RawIOBase):
    """The bytes already read from a stream, and then the rest of it."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        super().__init__()
        self._first = memoryview(first)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the stub's Buffer is wider than what BufferedReader hands in
        source = self._first
        if source:
            self._first = source[len(buffer) :]
            chunk = source[: len(buffer)]
        else:
            chunk = memoryview(self._rest.read(len(buffer)))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class InputStream(io.RawIOBase):
    """One input, uncompressed. `head` is its beginning; reading starts at the beginning too.

    `bytes_read` counts uncompressed bytes handed out, `damage` says in words why the stream ended
    early (None: it did not). `whole` tells that `head` is all there is. `progress`, if set, is
    called with path, bytes read on disk and size on disk (None if unknown) as reading goes on.
    """

    def __init__(self, path: str, raw: BinaryIO, size: int | None, *, shared: bool = False) -> None:
        """Wrap `raw`, of `size` bytes on disk (None if unknown); a `shared` one is not closed."""
        super().__init__()
        self.path = path
        self.size = size
        self.bytes_read = 0
        self.damage: str | None = None
        self.compression: str | None = None
        self.progress: Progress | None = None
        self._raw = raw
        self._shared = shared
        self._source = self._unpacked(_read_fully(raw, HEAD_BYTES))
        head = bytearray()
        while len(head) < HEAD_BYTES and (chunk := self._next(HEAD_BYTES - len(head))):
            head += chunk
        self.head = bytes(head)
        self.whole = len(head) < HEAD_BYTES
        self._pending = self.head

    def _unpacked(self, first: bytes) -> BinaryIO:
        for magic, name, command in _FOREIGN:
            if first.startswith(magic):
                raise InputError(
                    f"{self.path}: {name} archives are not read; decompress it and pipe it in: "
                    f"{command} {self.path} | pg95 report -"
                )
        whole = cast("BinaryIO", io.BufferedReader(_Replayed(first, self._raw), 1 << 20))
        for magic, name, reader in _READERS:
            if first.startswith(magic):
                self.compression = name
                return reader(whole)
        return whole

    def _next(self, size: int) -> bytes:
        if self.damage is not None:
            return b""
        try:
            return self._source.read(size)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            self.damage = f"reading stopped: {error}"
            return b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # as above
        """Fill `buffer`; 0 at the end."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes (all of the rest if negative), b"" at the end."""
        if size < 0:
            return self.readall()
        if self._pending:
            chunk, self._pending = self._pending[:size], self._pending[size:]
        else:
            chunk = self._next(size)
        if self.progress is not None:
            self.progress(self.path, self.position, self.size)
        self.bytes_read += len(chunk)
        return chunk

    def readall(self) -> bytes:
        """Everything that is left."""
        return b"".join(iter(lambda: self.read(1 << 20), b""))

    @property
    def position(self) -> int:
        """How far the input has been read, in bytes on disk: comparable with `size`."""
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return self.bytes_read

    def close(self) -> None:
        """Close the file, unless it is the process's standard input."""
        if not self.closed and not self._shared:
            self._raw.close()
        super().close()


def _read_fully(raw: BinaryIO, size: int) -> bytes:
    """`size` bytes, fewer only at the end: a pipe gives less at a time."""
    parts = bytearray()
    while len(parts) < size and (chunk := raw.read(size - len(parts))):
        parts += chunk
    return bytes(parts)


def open_input(path: str) -> InputStream:
    """Open a file, or standard input for "-".

    Raises:
        InputError: it is missing, unreadable, a directory, or packed in a way that is not read.
    """
    if path == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("-: there is no standard input; name a file instead")
        return InputStream("-", cast("BinaryIO", sys.stdin.buffer), None, shared=True)
    file = Path(path)
    try:
        raw = file.open("rb", buffering=0)
        status = file.stat()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path or quote the pattern") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path}: cannot be read ({reason}); check its permissions, or run as a user who may"
        ) from error
    try:
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        return InputStream(path, cast("BinaryIO", raw), size)
    except (InputError, OSError) as error:
        raw.close()
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
