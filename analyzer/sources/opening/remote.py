"""Inputs by URL (`s3://`, `gs://`, `az://`, `https://` …), through fsspec, an optional package.

What a URL carries to get in (a user's password, a signature or token in its query) is never shown:
not in the messages here, and not in those of the packages that fsspec calls.
"""

import errno
import io
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from analyzer.errors import InputError
from analyzer.patterns import regex

BLOCK_BYTES = 8 << 20  # fetched at a time; s3fs would take 50 MB
_PATIENCE_SECONDS = 60
_LONGEST_MESSAGE = 300
_SHORTEST_SECRET = 6  # of a query's values: a shorter one is a version or a flag
_URL = regex(r"[A-Za-z][A-Za-z0-9+.\-]+://")
# A port is no password; a password may hold a slash that should have been written as %2F.
_USER = regex(r"(?<=://)(?:[^\s/:@]*:(?!\d+/)[^\s@]*|[^\s/@]*)@(?:[^\s/@]*@)*")
_QUERY = regex(r"(?<=://)([^\s?'\"<>]*)\?[^\s'\"<>]*")
_MAGIC = regex(r"[*?\[]")
_PACKAGES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
    "abfss": "adlfs", "adl": "adlfs", "http": "aiohttp", "https": "aiohttp", "sftp": "paramiko",
    "ssh": "paramiko", "smb": "smbprotocol", "oss": "ossfs", "webhdfs": "requests",
}  # fmt: skip


def is_url(path: str) -> bool:
    """Whether an input's name is a URL."""
    return _URL.match(path) is not None


def masked(text: str) -> str:
    """A text with the credentials of all URLs in it replaced by "…", fit to be shown and kept."""
    return _QUERY.sub(r"\1?…", _USER.sub("…@", text))


def expand_url(url: str) -> list[tuple[str, bool]]:
    """The inputs that a URL stands for, and whether each was found in a folder.

    A pattern (`*`, `?`, `[…]`) becomes what matches it, a folder all files below it, without hidden
    ones; both in the order of their names. Anything else, and a pattern without a match, is itself.
    On a web server only `*` is a pattern and there are no folders. A file:// URL becomes a local
    path, not expanded.

    The URLs have the credentials of the one given: show them through `masked`.

    Raises:
        InputError: the place cannot be listed, or a package is missing.
    """
    local = local_path(url)
    if local is not None:
        return [(local, False)]
    web = _is_web(url)
    if web and "*" not in url.partition("?")[0]:
        return [(url, False)]
    system, path = _system(url)
    try:
        found = _listed(system, path, web=web)
    except FileNotFoundError:
        found = None
    except Exception as error:  # noqa: BLE001  # each store's package has errors of its own
        raise InputError(f"{masked(url)}: cannot be listed ({_said(error, url)})") from None
    if found is None or found == ([], False):
        return [(url, False)]
    names, in_folder = found
    return [(_named(url, path, name), in_folder) for name in sorted(names)]


def _listed(system: Any, path: str, *, web: bool) -> tuple[list[str], bool] | None:  # noqa: ANN401  # fsspec has no types
    """The files that a path stands for, and whether it is a folder; None: just itself."""
    if web or (_MAGIC.search(path) and not system.exists(path)):
        matches = system.glob(path, detail=True)
        return [name for name, info in matches.items() if info["type"] != "directory"], False
    if not system.isdir(path):
        return None
    below = path.rstrip("/") + "/"
    return [
        name
        for name in system.find(path)
        if not any(part.startswith(".") for part in name.removeprefix(below).split("/"))
    ], True


def _named(url: str, path: str, name: str) -> str:
    """The URL of a file met under `url`, whose path there is `path`; host and user are kept."""
    if is_url(name):
        return name
    if not url.endswith("://"):
        url = url.rstrip("/")
    for start in (0, *(match.start() for match in re.finditer("/", path))):
        inside, tail = path[:start], path[start:]
        if url.endswith(tail) and name.startswith(inside):
            return url[: len(url) - len(tail)] + name[start:]
    return url.partition("://")[0] + "://" + name


def open_url(url: str) -> tuple[BinaryIO, int | None]:
    """A file by its URL, and its size in bytes, None if the server does not tell.

    Raises:
        InputError: it is missing, may not be read, or a package is missing.
    """
    system, path = _system(url)
    try:
        raw = system.open(path, "rb", block_size=BLOCK_BYTES)
        size = getattr(raw, "size", None)
        if _is_web(url) and size and not _in_parts(raw, size):
            raw = system.open(path, "rb", block_size=0)  # all of it as one answer
            return cast("BinaryIO", _Remote(raw, url, seekable=False)), size
    except IsADirectoryError:
        raise InputError(f"{masked(url)}: is a folder") from None
    except Exception as error:  # noqa: BLE001  # each store's package has errors of its own
        if isinstance(error, FileNotFoundError) and error.__cause__ is None:
            raise InputError(f"{masked(url)}: no such file; check the URL") from None
        raise InputError(
            f"{masked(url)}: cannot be opened ({_said(error.__cause__ or error, url)}); check the "
            "URL, and that the credentials its store's tools use are set in the environment"
        ) from None
    size = size if isinstance(size, int) else None
    return cast("BinaryIO", _Remote(raw, url, seekable=size is not None)), size


def _is_web(url: str) -> bool:
    return url.lower().startswith(("http:", "https:"))


def _in_parts(raw: Any, size: int) -> bool:  # noqa: ANN401  # fsspec has no types
    """Whether a web server gives parts of a file, as asked; some give all of it from the start."""
    try:
        raw.seek(size - 1)
        raw.read(1)
    except ValueError:
        raw.close()
        return False
    raw.seek(0)
    return True


def _system(url: str) -> tuple[Any, str]:
    """The store that a URL names, and the path in it."""
    scheme = url.partition("://")[0].lower()
    shown = masked(url)
    if "::" in url:
        raise InputError(f"{shown}: chained URLs are not read; give the URL of the file itself")
    try:
        options = _web_options() if _is_web(url) else {}
        system, path = import_module("fsspec.core").url_to_fs(url, **options)
    except ImportError:
        package = _PACKAGES.get(scheme)
        install = " ".join(["pip install 'pg95[cloud]'", *([package] if package else [])])
        raise InputError(
            f"{shown}: reading {scheme}:// needs packages that are not installed: {install}"
        ) from None
    except ValueError as error:
        raise InputError(
            f"{shown}: is no URL that is read ({_said(error, url)}); "
            "known are s3, gs, az, https, sftp and others that fsspec knows"
        ) from None
    except Exception as error:  # noqa: BLE001  # each store's package has errors of its own
        raise InputError(
            f"{shown}: its store cannot be reached ({_said(error, url)}); check the URL, and that "
            "the credentials its store's tools use are set in the environment"
        ) from None
    return system, path


def _web_options() -> dict[str, Any]:
    """Wait however long a file takes, as long as something comes; aiohttp gives up after 5 min."""
    timeout = import_module("aiohttp").ClientTimeout(
        total=None, sock_connect=_PATIENCE_SECONDS, sock_read=_PATIENCE_SECONDS
    )
    return {"client_kwargs": {"timeout": timeout}}


def local_path(url: str) -> str | None:
    """The path that a file:// URL stands for; None for another URL, and for a path."""
    if not url.lower().startswith("file://"):
        return None
    path = url[len("file://") :].removeprefix("localhost")
    return path if Path(path).exists() else unquote(path)


def _said(error: BaseException, url: str) -> str:
    """What an error says, without what the URL carries to get in, as one short line."""
    lines = str(error).strip().splitlines()
    text = masked(lines[0] if lines else type(error).__name__)
    for secret in sorted(_secrets(url), key=len, reverse=True):
        text = text.replace(secret, "…")
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_MESSAGE])


def _secrets(url: str) -> Iterator[str]:
    """What in a URL is not to be shown, as it is written and as it is meant."""
    user = _USER.search(url)
    if user is not None:
        name, _, password = user[0][:-1].partition(":")
        yield from {password or name, unquote(password or name)}
    query = url.partition("?")[2]
    if query:
        yield from {query, unquote(query)}
    for pair in query.split("&"):
        value = pair.partition("=")[2]
        if len(value) >= _SHORTEST_SECRET:
            yield from {value, unquote(value)}


class _Remote(io.RawIOBase):
    """A file of a store whose errors are OSError and name no credentials."""

    def __init__(self, raw: Any, url: str, *, seekable: bool) -> None:  # noqa: ANN401  # fsspec has no types
        super().__init__()
        self._seekable = seekable
        self._raw = raw
        self._url = url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._seekable

    def tell(self) -> int:
        return int(self._raw.tell())

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return int(self._raw.seek(offset, whence))
        except Exception as error:  # noqa: BLE001  # each store's package has errors of its own
            raise OSError(errno.EIO, _said(error, self._url)) from None

    def read(self, size: int = -1) -> bytes:
        try:
            return bytes(self._raw.read(size))
        except Exception as error:  # noqa: BLE001  # each store's package has errors of its own
            raise OSError(errno.EIO, _said(error, self._url)) from None

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
