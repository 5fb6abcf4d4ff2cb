"""Unpacking of gzip, bzip2, xz, zstd and lz4.

One loop serves all: a decompressor gets a piece of input, gives at most a megabyte of output, says
when its member ends, and the next member begins, as `cat a.gz b.gz` or pigz and pzstd make them. A
call that gives so much lets other threads run meanwhile, and bounds the memory that a bomb costs.
"""

import lzma
import shlex
import zlib
from collections.abc import Callable
from typing import Protocol

from analyzer.records import record
from analyzer.sources.opening.source import CHUNK_BYTES, Source
from analyzer.sources.opening.zstd import Corrupt, ZstdFrame

PIECE_BYTES = 1 << 20
LARGEST_WINDOW_BYTES = 128 << 20  # more than xz -9 and zstd --ultra -22 ask for
_FINE_BYTES = 4096
_SKIPPABLE = b"\x2a\x4d\x18"  # of zstd's and lz4's frames without data, after 0x50 to 0x5f


class Decompressor(Protocol):
    """Unpacks one member, as the classes of bz2 and lzma do."""

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether it has nothing left to go on with."""

    @property
    def unused_data(self) -> bytes:
        """What followed the member's end in the last input."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """What `data` gives, at most `max_length` bytes for now."""


@record
class Kind:
    """A compression: its name, how a member begins, what unpacks it, and the command that does."""

    name: str
    magics: tuple[bytes, ...]
    start: Callable[[], Decompressor]
    command: str
    skippable: bool = False


class Reader(Protocol):
    """Reads an input's uncompressed bytes; `damage` and `notes` are those of its stream."""

    @property
    def damage(self) -> str | None:
        """Why reading ended early."""

    @property
    def notes(self) -> list[str]:
        """What else there is to say."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end; nothing is raised."""


@record
class Opened:
    """An input about to be read.

    `compression` names what it is packed with and `command` unpacks it in a shell, both None if it
    is not packed; `notes` are known from the start.
    """

    name: str
    source: Source
    reader: Reader
    compression: str | None = None
    command: str | None = None
    notes: tuple[str, ...] = ()


class Stored:
    """Reads what is not packed."""

    def __init__(self, source: Source) -> None:
        self.damage: str | None = None
        self.notes: list[str] = []
        self._source = source

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        if self.damage is not None:
            return b""
        try:
            return self._source.read(size)
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"
            return b""

    def readinto(self, buffer: memoryview) -> int:
        """As `read`, into `buffer` and without a copy where the input allows."""
        if self.damage is not None:
            return 0
        try:
            return self._source.readinto(buffer)
        except OSError as error:
            self.damage = f"reading stopped: {error.strerror or error}"
            return 0


class Unpacked:
    """Reads what is packed, member by member."""

    def __init__(self, source: Source, kind: Kind, *, single: bool = False) -> None:
        """Unpack `source`; a `single` member has nothing to follow it."""
        self.damage: str | None = None
        self.notes: list[str] = []
        self._source = source
        self._kind = kind
        self._single = single
        self._member: Decompressor | None = kind.start() if single else None
        self._done = False

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end."""
        pieces: list[bytes] = []
        missing = size
        while missing and not self._done:
            try:
                piece = self._step(min(missing, PIECE_BYTES))
            except (Corrupt, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
                self.damage = f"reading stopped: {self._explained(error)}"
                self._done = True
            else:
                pieces.append(piece)
                missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _step(self, size: int) -> bytes:
        """What the next piece of input gives, maybe nothing."""
        if self._member is None:
            self._member = self._begun()
        member = self._member
        if member is None:
            self._done = True
            return b""
        wanting = member.needs_input
        data = self._source.read(CHUNK_BYTES) if wanting else b""
        piece = member.decompress(data, size)
        if member.eof:
            self._source.put_back(member.unused_data)
            self._member = None
            self._done = self._single
        elif not piece and not data:
            if wanting:
                raise EOFError(f"the {self._kind.name} data is cut")
            if not member.needs_input:
                raise Corrupt("there is no way on in it")
        return piece

    def _begun(self) -> Decompressor | None:
        """The start of the next member; None if there is none."""
        source, kind = self._source, self._kind
        while beginning := source.peek(8):
            if not beginning[0]:  # padding, as a tape's blocks have it
                source.skip(len(beginning) - len(beginning.lstrip(b"\0")))
            elif kind.skippable and (size := skipped_bytes(beginning)):
                if source.skip(size) < size:
                    raise EOFError(f"the {kind.name} data is cut")
            elif beginning.startswith(kind.magics):
                return kind.start()
            elif any(magic.startswith(beginning) for magic in kind.magics):
                raise EOFError(f"the {kind.name} data is cut")
            else:
                self._note_rest()
                return None
        return None

    def _note_rest(self) -> None:
        at, limit = self._source.position, self._source.limit
        rest = "what follows" if limit is None else f"what follows, {limit - at} bytes,"
        name = self._kind.name
        self.notes.append(
            f"the {name} data ends at byte {at}; {rest} is not {name} and was not read"
        )

    def _explained(self, error: Exception) -> str:
        kind, text = self._kind, str(error)
        if isinstance(error, EOFError):
            return text
        if isinstance(error, OSError) and error.errno is not None:  # bz2's own have none
            return error.strerror or text
        if "memory" in text.lower():  # as lzma and zstd put it
            return (
                f"the {kind.name} data asks for a window of more than "
                f"{LARGEST_WINDOW_BYTES >> 20} MiB; pipe it in: {kind.command} … | pg95 report -"
            )
        return f"the {kind.name} data is corrupt ({text})"


class Deflate:
    """zlib's decompressor as a `Decompressor` that gives all there is before a corrupt place."""

    def __init__(self, window_bits: int) -> None:
        self._stream = zlib.decompressobj(window_bits)
        self._most = PIECE_BYTES

    @property
    def eof(self) -> bool:
        """Whether the member has ended."""
        return self._stream.eof

    @property
    def needs_input(self) -> bool:
        """Whether all input is used."""
        return not self._stream.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What followed the member."""
        return self._stream.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """What `data` gives."""
        stream = self._stream
        data = stream.unconsumed_tail + data
        size = min(max_length, self._most)
        if size <= _FINE_BYTES:
            return stream.decompress(data, size)
        before = stream.copy()
        try:
            return stream.decompress(data, size)
        except zlib.error:  # an error costs the call's output: go there again in small steps
            self._stream, self._most = before, _FINE_BYTES
            return before.decompress(data, _FINE_BYTES)


class Lz4Frame:
    """lz4's decompressor as a `Decompressor`."""

    def __init__(self) -> None:
        from lz4.frame import LZ4FrameDecompressor  # noqa: PLC0415  # few runs need it

        self._frame = LZ4FrameDecompressor()

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return bool(self._frame.eof)

    @property
    def needs_input(self) -> bool:
        """Whether all input is used."""
        return bool(self._frame.needs_input)

    @property
    def unused_data(self) -> bytes:
        """What followed the frame."""
        return self._frame.unused_data or b""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """What `data` gives."""
        try:
            return bytes(self._frame.decompress(data, max_length))
        except RuntimeError as error:
            raise Corrupt(str(error)) from error


def start_xz() -> Decompressor:
    """A decompressor of one xz stream."""
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=LARGEST_WINDOW_BYTES + (8 << 20))


def start_zstd() -> Decompressor:
    """A decompressor of one zstd frame."""
    return ZstdFrame(LARGEST_WINDOW_BYTES)


def shell_word(path: str) -> str:
    """What to call an input in a shell's command: a URL by its last part, as if saved."""
    return shlex.quote(path.rpartition("/")[2] if "://" in path else path)


def skipped_bytes(first: bytes) -> int:
    """The size of the frame without data, of zstd or lz4, that begins like this; 0 if it is none."""
    if len(first) < 8 or not 0x50 <= first[0] <= 0x5F or first[1:4] != _SKIPPABLE:  # noqa: PLR2004  # the format's
        return 0
    return 8 + int.from_bytes(first[4:8], "little")
