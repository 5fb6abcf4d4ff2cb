"""Members of zip archives: found by the directory, or by their headers where an archive was cut.

The standard library's zipfile reads the directory. It does not unpack: some of its decompressors
give all that their input holds at once, and a cut archive has no directory, though its members are
there.
"""

import bz2
import itertools
import os
import shlex
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from analyzer.errors import InputError
from analyzer.records import record
from analyzer.sources.opening.kinds import ZIP_MAGICS
from analyzer.sources.opening.packed import (
    Deflate,
    Kind,
    Opened,
    Reader,
    Stored,
    Unpacked,
    shell_word,
    start_xz,
    start_zstd,
)
from analyzer.sources.opening.source import Source

_MOST_BYTES = 4 << 20  # of a directory: some 50,000 members
_FEW = 5
_MOST_MEMBERS = 50_000
_HEADER = struct.Struct("<4s5H3I2H")
_ENCRYPTED, _STREAMED, _UTF8 = 0x1, 0x8, 0x800  # of a member's flags
_ELSEWHERE = 0xFFFFFFFF  # a size that is written elsewhere
_COMMAND = "unzip -p"
_METHODS = {
    zipfile.ZIP_DEFLATED: Kind("zip", (), lambda: Deflate(-15), _COMMAND),
    zipfile.ZIP_BZIP2: Kind("zip", (), bz2.BZ2Decompressor, _COMMAND),
    93: Kind("zip", (), start_zstd, _COMMAND),
    95: Kind("zip", (), start_xz, _COMMAND),
}


@record
class Member:
    """Where a member lies and how it is packed; `packed_bytes` and `crc` are None if unknown."""

    header_at: int
    flags: int
    method: int
    packed_bytes: int | None
    crc: int | None


@record
class Members:
    """The files of an archive by the names they are shown by, and what there is to say of it."""

    named: dict[str, Member]
    notes: list[str]


class _Unreadable(Exception):  # noqa: N818  # only carries an OSError past zipfile
    """The disk or the network failed."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Bounded:
    """A file for zipfile, which reads a directory in one call, however large that says it is."""

    def __init__(self, raw: BinaryIO, path: str) -> None:
        self._raw = raw
        self._path = path
        self.seek, self.tell = raw.seek, raw.tell

    def read(self, size: int = -1) -> bytes:
        """As a file's, within bounds."""
        try:
            data = self._raw.read(min(size, _MOST_BYTES + 1) if size >= 0 else _MOST_BYTES + 1)
        except OSError as error:  # zipfile takes it for a file that is no zip
            raise _Unreadable(error) from error
        if len(data) > _MOST_BYTES:
            raise InputError(
                f"{self._path}: has too many members to be read as one archive; unzip it into a "
                f"folder and give that: unzip {shell_word(self._path)} -d logs && pg95 report logs"
            )
        return data


class _Checked:
    """Reads a member and compares its checksum at the end."""

    def __init__(self, reader: Reader, source: Source, crc: int | None) -> None:
        self._reader = reader
        self._source = source
        self._expected = crc
        self._crc = 0
        self._damage: str | None = None

    @property
    def damage(self) -> str | None:
        """Why reading ended early, or that what was read is not what was packed."""
        return self._reader.damage or self._damage

    @property
    def notes(self) -> list[str]:
        """What else there is to say."""
        return self._reader.notes

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes."""
        piece = self._reader.read(size)
        self._crc = zlib.crc32(piece, self._crc)
        if size and not piece and self.damage is None:
            if self._source.missing:
                self._damage = "reading stopped: the zip data is cut"
            elif self._expected not in (None, self._crc):
                self._damage = "the zip data is corrupt (its checksum differs)"
        return piece


def from_a_pipe(path: str) -> str:
    """What to say where a zip archive can be read only from its start to its end."""
    return (
        f"{path}: a zip archive cannot be read from a pipe, nor from a server that gives no parts "
        "of a file, as its directory is at its end; save it as a file and give that, or pipe in "
        "what it holds: unzip -p archive.zip | pg95 report -"
    )


def members_of(raw: BinaryIO, path: str) -> Members:
    """What an archive holds.

    Names are made printable and different from each other; folders and hidden files are left out.
    An archive's directory is kept until another one is asked for, as its members are opened one
    after the other.

    Raises:
        InputError: there are too many.
        OSError: the disk or the network failed.
    """
    key = _state(raw, path)
    kept_key, kept = _kept[0]
    if kept is not None and kept_key == key:
        return kept
    try:
        found, notes = _by_directory(raw, path), []
    except _Unreadable as error:
        raise error.error from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error, EOFError) as error:
        found = list(itertools.islice(_by_headers(raw), _MOST_MEMBERS))
        reason = f"its directory cannot be read ({error}), as if the archive had been cut"
        notes = [f"{reason}; {len(found)} members were found without it"]
    members = Members(_by_name(found), notes)
    _kept[0] = (key, members)
    return members


_kept: list[tuple[object, Members | None]] = [(None, None)]


def _state(raw: BinaryIO, path: str) -> object:
    """What an archive is known by as long as nobody changes it."""
    try:
        status = os.fstat(raw.fileno())
    except OSError:  # what is read by URL has no descriptor
        return path, raw.seek(0, os.SEEK_END)
    return path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _by_name(found: Iterable[tuple[str, Member]]) -> dict[str, Member]:
    """Members by names that are printable and different from each other; see `members_of`."""
    named: dict[str, Member] = {}
    uses: Counter[str] = Counter()
    for inside, member in found:
        parts = inside.split("/")
        hidden = any(part.startswith(".") and part not in {".", ".."} for part in parts)
        if hidden or not parts[-1] or parts[0] == "__MACOSX":
            continue
        plain = "".join(
            letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in inside
        )
        name = plain
        while name in named:
            uses[plain] += 1
            name = f"{plain}#{uses[plain] + 1}"
        named[name] = member
    return named


def _by_directory(raw: BinaryIO, path: str) -> list[tuple[str, Member]]:
    with zipfile.ZipFile(cast("BinaryIO", _Bounded(raw, path))) as archive:
        return [
            (
                info.filename,
                Member(
                    header_at=info.header_offset,
                    flags=info.flag_bits,
                    method=info.compress_type,
                    packed_bytes=info.compress_size,
                    crc=info.CRC,
                ),
            )
            for info in archive.infolist()
        ]


def _by_headers(raw: BinaryIO) -> Iterator[tuple[str, Member]]:
    """The members that follow each other from the start of an archive, until one is not there.

    A member of unknown size, as `… | zip` writes it, is the last: where it ends is known only by
    unpacking it.
    """
    at = 0
    while True:
        raw.seek(at)
        header = raw.read(_HEADER.size)
        if len(header) < _HEADER.size or not header.startswith(ZIP_MAGICS[0]):
            return
        _, _, flags, method, _, _, crc, packed, _, name_bytes, extra_bytes = _HEADER.unpack(header)
        name = raw.read(name_bytes).decode("utf-8" if flags & _UTF8 else "cp437", "replace")
        unknown = bool(flags & _STREAMED) or packed == _ELSEWHERE
        yield (
            name,
            Member(
                header_at=at,
                flags=flags,
                method=method,
                packed_bytes=None if unknown else packed,
                crc=None if flags & _STREAMED else crc,
            ),
        )
        if unknown:
            return
        at += _HEADER.size + name_bytes + extra_bytes + packed


def open_member(raw: BinaryIO, path: str, name: str | None) -> Opened:
    """A member of an archive, by the name that `members_of` gives it, or its only one.

    Raises:
        InputError: there is no such member, or it is packed in a way that is not read.
        OSError: the disk or the network failed.
    """
    members = members_of(raw, path)
    name = _only(members, path) if name is None else name
    member = members.named.get(name)
    if member is None:
        raise InputError(f"{path}: holds no {name}; it holds {_listed(members)}")
    command = f"unzip -p {shell_word(path)} {shlex.quote(name)}"
    remedy = f"unpack it and pipe it in: {command} | pg95 report -"
    if member.flags & _ENCRYPTED:
        raise InputError(f"{path}!{name}: is encrypted; {remedy}")
    kind = _METHODS.get(member.method)
    stored = member.method == zipfile.ZIP_STORED and member.packed_bytes is not None
    if kind is None and not stored:
        raise InputError(f"{path}!{name}: zip's method {member.method} is not read; {remedy}")
    raw.seek(member.header_at)
    header = raw.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(ZIP_MAGICS[0]):
        raise InputError(f"{path}!{name}: is not where the archive's directory says; try: zip -FF")
    raw.seek(member.header_at + len(header) + sum(_HEADER.unpack(header)[-2:]))
    source = Source(raw, member.packed_bytes)
    reader = Stored(source) if kind is None else Unpacked(source, kind, single=True)
    checked = _Checked(reader, source, member.crc)
    return Opened(f"{path}!{name}", source, checked, "zip", command, tuple(members.notes))


def _only(members: Members, path: str) -> str:
    """The name of an archive's only member."""
    names = list(members.named)
    if len(names) == 1:
        return names[0]
    if names:
        raise InputError(f"{path}: holds {len(names)} files; name one of them as {path}!{names[0]}")
    raise InputError(": ".join([path, "is a zip archive without a file in it", *members.notes]))


def _listed(members: Members) -> str:
    names = list(members.named)
    return ", ".join(names[:_FEW]) + (" …" if len(names) > _FEW else "")
