"""Cut a stream into blocks of whole entries, in bounded memory, knowing where each byte was."""

from collections.abc import Iterator
from typing import BinaryIO

from analyzer.patterns import regex
from analyzer.records import record

CHUNK_BYTES = FLUSH_BYTES = 8 << 20  # a multiple of it, in the input, ends a block
LONGEST_ENTRY_BYTES = 32 << 20
_NEWLINE = b"\n"
_TAB = 9
_BOUNDARY = regex(rb"\n(?=[^\t])")
_TRIES = 1000


@record
class Block:
    """Whole entries, or lines: `data` always ends with a newline.

    It stood at `offset` and was `length` bytes long there. That is one less than `data` where the
    input's last line has no newline, and more where one entry was longer than
    LONGEST_ENTRY_BYTES and lost its end (`cut`; it is then alone in its block).
    """

    data: bytes
    offset: int
    length: int
    cut: bool = False

    @property
    def ended(self) -> bool:
        """Whether the last line had its newline in the input."""
        return self.length >= len(self.data)


def blocks(
    stream: BinaryIO, *, tabs: bool, longest: int | None = None, offset: int = 0
) -> Iterator[Block]:
    """Cut at newlines; with `tabs` only where the next line does not begin with a TAB.

    PostgreSQL writes a TAB after each newline inside an stderr entry. `longest` overrides
    LONGEST_ENTRY_BYTES; the stream begins at `offset` in the input. Where the
    blocks of a stream that fills each read end depends on positions in the input alone.
    """
    limit = LONGEST_ENTRY_BYTES if longest is None else longest
    carry = b""
    while chunk := stream.read(min(CHUNK_BYTES - (offset + len(carry)) % CHUNK_BYTES, limit)):
        data = carry + chunk if carry else chunk
        end = _last_boundary(data, max(0, len(carry) - 1), tabs=tabs)
        if end:
            yield Block(data[:end], offset, end)
            offset += end
            carry = data[end:]
        elif len(data) > limit:
            dropped, carry = _skip(stream, data[limit:], tabs=tabs, before=data[limit - 1])
            block = Block(data[:limit] + _NEWLINE, offset, limit + dropped, cut=True)
            del data, chunk  # it is large enough once
            yield block
            del block
            offset += limit + dropped
        else:
            carry = data
    if carry:
        ended = carry.endswith(_NEWLINE)
        yield Block(carry if ended else carry + _NEWLINE, offset, len(carry))


def _last_boundary(data: bytes, start: int, *, tabs: bool) -> int:
    """The end of the last whole entry in `data`, 0 if none ends at or after `start`."""
    if not tabs:
        return data.rfind(_NEWLINE, start) + 1
    stop = len(data) - 1  # what follows the last byte is not known yet
    for _ in range(_TRIES):
        newline = data.rfind(_NEWLINE, start, stop)
        if newline < 0 or data[newline + 1] != _TAB:
            return newline + 1
        stop = newline
    last = 0  # a very long entry: in C, from the other end
    for found in _BOUNDARY.finditer(data, start, stop + 1):
        last = found.end()
    return last


def _first_boundary(data: bytes, *, tabs: bool) -> int:
    if not tabs:
        return data.find(_NEWLINE)
    found = _BOUNDARY.search(data)
    return found.start() if found else -1


def _skip(stream: BinaryIO, data: bytes, *, tabs: bool, before: int) -> tuple[int, bytes]:
    """Read on to the end of an entry: how many bytes that were, and what stands behind it."""
    dropped = 0
    if tabs and before == _NEWLINE[0]:  # the cut fell between a newline and what follows it
        data, dropped = _NEWLINE + data, -1
    while True:
        newline = _first_boundary(data, tabs=tabs)
        if newline >= 0:
            return dropped + newline + 1, data[newline + 1 :]
        keep = 1 if data.endswith(_NEWLINE) else 0
        dropped += len(data) - keep
        chunk = stream.read(CHUNK_BYTES)
        if not chunk:
            return dropped + keep, b""
        data = data[len(data) - keep :] + chunk


def lines(block: Block) -> Iterator[tuple[bytes, int, int]]:
    """The lines of a block that is not cut: text, offset in the input, bytes with its newline."""
    offset = block.offset
    end = block.offset + block.length
    for line in block.data.split(_NEWLINE):
        if offset < end:
            size = min(len(line) + 1, end - offset)
            yield line, offset, size
            offset += size
