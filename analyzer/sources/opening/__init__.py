"""Open an input as a stream of uncompressed bytes whose head can be looked at first.

Files, standard input, members of zip archives (`archive.zip!member`) and URLs (`s3://…`) all become
an `InputStream`. gzip, bzip2, xz, zstd, lz4 and zip are recognised by their magic bytes; nothing is
ever read whole. Damage met on the way (a cut or corrupt archive, an unreadable disk) ends the
stream and is kept in `damage`, so that what came before it still counts; what happened beside it
(the file was rotated meanwhile, something follows the archive) is in `notes`.
"""

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.errors import InputError
from analyzer.sources.opening import remote
from analyzer.sources.opening.kinds import ZIP_MAGICS, recognised, refuse
from analyzer.sources.opening.packed import Opened, Stored, Unpacked, shell_word
from analyzer.sources.opening.remote import expand_url, is_url, masked
from analyzer.sources.opening.source import Source, Watch
from analyzer.sources.opening.stream import HEAD_BYTES, InputStream, Progress

__all__ = [
    "HEAD_BYTES",
    "InputStream",
    "Progress",
    "expand_archive",
    "expand_url",
    "is_url",
    "masked",
    "open_input",
]


def open_input(path: str) -> InputStream:
    """Open a file, a member of a zip archive, a URL, or standard input for "-".

    A regular file is read up to the size it has now, so that reading a log that is being written
    ends. A zip archive is opened itself if it holds one file.

    Raises:
        InputError: it is missing, unreadable, a directory, packed in a way that is not read, or
            needs a package that is not installed. Credentials of a URL are not in the message.
    """
    if path == "-":
        if sys.stdin is None or sys.stdin.closed:
            raise InputError("-: there is no standard input; name a file instead")
        raw = cast("BinaryIO", sys.stdin.buffer)
        return _started(path, raw, None, None, shared=True)
    place, member = _split(remote.local_path(path) or path)
    if is_url(place):
        raw, size = remote.open_url(place)
        watch = None
    else:
        raw, watch = _open_file(place)
        size = watch.size
    try:
        return _started(masked(place), raw, size, watch, member=member)
    except BaseException:
        raw.close()
        raise


def expand_archive(path: str) -> Sequence[str] | None:
    """The inputs that a zip archive stands for: `archive.zip!member` each; None for anything else.

    They are in the order of their names; folders and hidden files are left out. It is empty for an
    archive without files and for one that cannot be read: `open_input(path)` then says why.

    Args:
        path: a file, or a URL that ends with .zip; anything else is None without being opened.
    """
    path = remote.local_path(path) or path
    zip_url = is_url(path) and path.partition("?")[0].lower().endswith(".zip")
    if not zip_url and not _is_zip(path):
        return None
    from analyzer.sources.opening import zipped  # noqa: PLC0415 - few inputs are archives

    try:
        raw = remote.open_url(path)[0] if zip_url else _open_file(path)[0]
        with raw:
            names = sorted(zipped.members_of(raw, masked(path)).named) if raw.seekable() else []
    except (InputError, OSError):
        return []
    return [f"{path}!{name}" for name in names]


def _is_zip(path: str) -> bool:
    """Whether a path is a regular file (looking into a pipe would use it up) that is a zip."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return False
        with Path(path).open("rb", buffering=0) as raw:
            return raw.read(4).startswith(ZIP_MAGICS)
    except (OSError, ValueError):  # opening it says why
        return False


def _split(path: str) -> tuple[str, str | None]:
    """`archive.zip!member` as its two parts; (path, None) if it names no member."""
    if is_url(path):
        at = path.lower().find(".zip!")
        return (path, None) if at < 0 else (path[: at + 4], path[at + 5 :])
    at = path.find("!")
    if at < 0 or os.path.lexists(path):
        return path, None
    while at >= 0:
        if _is_zip(path[:at]):
            return path[:at], path[at + 1 :]
        at = path.find("!", at + 1)
    return path, None


def _open_file(path: str) -> tuple[BinaryIO, Watch]:
    """A local file, unbuffered, with a watch over what happens to it.

    Raises:
        InputError: it is missing, unreadable or a directory.
    """
    try:
        raw = Path(path).open("rb", buffering=0)  # noqa: SIM115  # InputStream closes it
        try:
            return cast("BinaryIO", raw), Watch(path, raw.fileno())
        except OSError:
            raw.close()
            raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path or quote the pattern") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a directory") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path}: cannot be read ({reason}); check its permissions, or run as a user who may"
        ) from error


def _started(
    name: str,
    raw: BinaryIO,
    size: int | None,
    watch: Watch | None,
    *,
    member: str | None = None,
    shared: bool = False,
) -> InputStream:
    """The stream over an opened file."""
    try:
        source = Source(raw, size)
        first = source.peek(HEAD_BYTES)
        if first.startswith(ZIP_MAGICS):
            from analyzer.sources.opening import zipped  # noqa: PLC0415 - few inputs are archives

            if shared or not raw.seekable():
                raise InputError(zipped.from_a_pipe(name))
            opened = zipped.open_member(raw, name, member)
        elif member is not None:
            raise InputError(f"{name}: is not a zip archive, so it holds no {member}")
        else:
            opened = _unpacking(name, source, first)
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror or error})") from error
    stream = InputStream(raw, opened, watch=watch, shared=shared)
    if opened.command is not None:
        try:
            refuse(stream.path, stream.head, opened.command)
        except InputError:
            stream.close()
            raise
    return stream


def _unpacking(name: str, source: Source, first: bytes) -> Opened:
    """How to read an input that begins like that."""
    kind = recognised(first)
    if kind is None:
        refuse(name, first, None)
        return Opened(name, source, Stored(source))
    command = f"{kind.command} {shell_word(name)}"
    return Opened(name, source, Unpacked(source, kind), kind.name, command)
