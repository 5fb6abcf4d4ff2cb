"""What all unwrappers share: a stream of inner bytes, and an account of the outer ones."""

import io
from collections.abc import Iterator
from dataclasses import field
from datetime import datetime
from typing import BinaryIO, ClassVar, Literal, cast

from analyzer.records import changing
from analyzer.sources.logs.text import shown

BLOCK_BYTES = 1 << 20
Inner = Literal["stderr", "csvlog", "jsonlog"]


@changing
class Account:
    """What became of an input's outer bytes, apart from those that became inner entries.

    `foreign` records are whole and sound, but of other programs than PostgreSQL.
    """

    bytes_unparsed: int = 0
    unparsed_lines: int = 0
    first_unparsed: str | None = None
    foreign_lines: int = 0
    foreign_bytes: int = 0
    remarks: dict[str, int] = field(default_factory=dict)

    def unparsed(self, data: bytes, line: int, offset: int, size: int) -> None:
        """Bytes that could not be unwrapped: `size` of them at `offset`, in `line` (1-based)."""
        self.bytes_unparsed += size
        self.unparsed_lines += 1 + data.count(b"\n", 0, max(0, len(data) - 1))
        if self.first_unparsed is None:
            self.first_unparsed = f"line {line}, byte {offset}: {shown(data)}"

    def foreign(self, size: int) -> None:
        """One record of another program, `size` bytes long."""
        self.foreign_lines += 1
        self.foreign_bytes += size

    def remark(self, text: str) -> None:
        """Count something that the user should be told once, with how often it happened."""
        if text in self.remarks or len(self.remarks) < 8:  # noqa: PLR2004  # a few are enough
            self.remarks[text] = self.remarks.get(text, 0) + 1


class _SmallReads:
    """A stream whose beginning has been read already, and which gives little at a time."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        size = min(size, BLOCK_BYTES)
        if self._first:
            chunk, self._first = self._first[:size], self._first[size:]
            return chunk
        return self._rest.read(size)


class Unwrapper(io.RawIOBase):
    """The inner bytes of one input, as a stream. `inner` is the format that they are to be read in.

    What they are is whole lines, each with its newline; the continuation lines of an stderr entry
    begin with a TAB, as PostgreSQL writes them. Memory is bounded by one block of the input.

    `verified` tells whether the format was tried on captures of the real thing; the others were
    built from their provider's documentation.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    verified: ClassVar[bool] = True
    inner: Inner = "stderr"

    def __init__(
        self,
        raw: BinaryIO,
        *,
        timezone: str | None = None,
        now: datetime | None = None,
        account: Account | None = None,
    ) -> None:
        """Unwrap `raw`.

        Args:
            raw: the outer bytes, uncompressed; read to its end and never closed here.
            timezone: the zone of stamps that have none (a name or an offset); None is UTC.
            now: the present for stamps without a year; None is the clock's.
            account: where to count, for an unwrapper inside another one.
        """
        super().__init__()
        self.account = Account() if account is None else account
        self._raw = raw
        self._timezone = timezone
        self._now = now
        self._pieces = self._unwrapped()
        self._pending = memoryview(b"")

    @property
    def bytes_unparsed(self) -> int:
        """Outer bytes that could not be unwrapped."""
        return self.account.bytes_unparsed

    @property
    def unparsed_lines(self) -> int:
        """Outer lines that could not be unwrapped."""
        return self.account.unparsed_lines

    @property
    def first_unparsed(self) -> str | None:
        """The first of those with its place in the outer bytes, None if there was none."""
        return self.account.first_unparsed

    @property
    def foreign_lines(self) -> int:
        """Outer records of other programs."""
        return self.account.foreign_lines

    @property
    def foreign_bytes(self) -> int:
        """How many outer bytes those are."""
        return self.account.foreign_bytes

    @property
    def notes(self) -> list[str]:
        """What the user should know of this input, in words; complete once all was read."""
        notes = [
            text if count == 1 else f"{text} ({count} times)"
            for text, count in self.account.remarks.items()
        ]
        if self.account.foreign_lines:
            notes.insert(
                0,
                f"{self.account.foreign_lines} records ({self.account.foreign_bytes} bytes) "
                "of other programs than PostgreSQL were passed over",
            )
        return notes

    def small_reads(self, first: bytes = b"") -> BinaryIO:
        """`first`, and then the outer bytes, some at a time: records of one block stay in cache."""
        return cast("BinaryIO", _SmallReads(first, self._raw))

    def _unwrapped(self) -> Iterator[bytes]:
        """The inner bytes, in pieces of whole lines."""
        raise NotImplementedError

    def peek(self, size: int) -> bytes:
        """The first inner bytes (up to `size`, fewer only at the end), which stay to be read."""
        if len(self._pending) < size:
            head = bytearray(self._pending)
            for piece in self._pieces:
                head += piece
                if len(head) >= size:
                    break
            self._pending = memoryview(bytes(head))
        return bytes(self._pending[:size])

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # the stub's Buffer is wider than what BufferedReader hands in
        """Fill `buffer`; 0 at the end."""
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` inner bytes (all of the rest if negative), b"" at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        while not self._pending:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._pending = memoryview(piece)
        chunk, self._pending = self._pending[:size], self._pending[size:]
        return bytes(chunk)
