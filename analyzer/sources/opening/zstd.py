"""Unpacking of one zstd frame in bounded memory, which tells a cut frame from a whole one.

The zstandard package has a reader whose memory is bounded but which takes a cut file for a whole
one, and a decompressor that knows the frame's end but gives all that its input holds: 32 KB of
zstd can be a gigabyte. So the frame's blocks, at most 128 KB each once unpacked, are counted here
(RFC 8878, 3.1.1) and handed to the decompressor a few at a time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zstandard import ZstdDecompressionObj

_BLOCK_BYTES = 128 * 1024
_BLOCK_HEADER_BYTES = 3
_RUN_LENGTH = 1  # the block type whose content is one byte
_DESCRIPTOR = 4  # where the byte lies that says what the header holds, after the magic


class Corrupt(Exception):  # noqa: N818  # not an error yet: the stream ends with it
    """Packed data is not what it should be."""


class ZstdFrame:
    """A `Decompressor` of one frame."""

    def __init__(self, largest_window_bytes: int) -> None:
        """Unpack a frame whose window is not larger than that."""
        import zstandard  # noqa: PLC0415  # few runs need it

        self._error = zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=largest_window_bytes)
        self._frame: ZstdDecompressionObj = decompressor.decompressobj()
        self._input = bytearray()
        self._output = b""
        self._begun = False  # the header was handed on
        self._last = False  # the last block was handed on
        self._checksum_bytes = 0  # still to be handed on after it
        self._starved = True

    @property
    def eof(self) -> bool:
        """Whether the frame has ended and all of it was given."""
        return self._frame.eof and not self._output

    @property
    def needs_input(self) -> bool:
        """Whether the input holds no whole block, and all output was given."""
        return self._starved and not self._output

    @property
    def unused_data(self) -> bytes:
        """What followed the frame."""
        return bytes(self._input)

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """What the next whole blocks give."""
        self._input += data
        if not self._output:
            self._output = self._unpacked(max(1, max_length // _BLOCK_BYTES))
        piece, self._output = self._output[:max_length], self._output[max_length:]
        return piece

    def _unpacked(self, blocks: int) -> bytes:
        size = self._measured(blocks)
        self._starved = not size
        if not size:
            return b""
        part = bytes(memoryview(self._input)[:size])
        del self._input[:size]
        try:
            return self._frame.decompress(part)
        except self._error as error:
            raise Corrupt(str(error)) from error

    def _measured(self, blocks: int) -> int:
        """How many bytes of the input are whole parts of the frame, up to so many blocks."""
        held = self._input
        end = 0 if self._begun else self._header_bytes()
        self._begun = self._begun or end > 0
        while self._begun and blocks and not self._last:
            content = end + _BLOCK_HEADER_BYTES
            if len(held) < content:
                break
            header = int.from_bytes(held[end:content], "little")
            size = 1 if header >> 1 & 3 == _RUN_LENGTH else header >> 3
            if size > _BLOCK_BYTES:
                raise Corrupt("a block is too large")
            if len(held) < content + size:
                break
            end, blocks = content + size, blocks - 1
            self._last = bool(header & 1)
        if self._last and len(held) >= end + self._checksum_bytes:
            end, self._checksum_bytes = end + self._checksum_bytes, 0
        return end

    def _header_bytes(self) -> int:
        """The size of the frame's header, 0 as long as it is not all there."""
        held = self._input
        if len(held) <= _DESCRIPTOR:
            return 0
        descriptor = held[_DESCRIPTOR]
        single = descriptor >> 5 & 1  # then there is no byte for the window
        content = (single, 2, 4, 8)[descriptor >> 6]
        size = _DESCRIPTOR + 1 + (not single) + (0, 1, 2, 4)[descriptor & 3] + content
        self._checksum_bytes = 4 if descriptor >> 2 & 1 else 0
        return size if len(held) >= size else 0
