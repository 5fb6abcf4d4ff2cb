"""Inputs by URL: read like files, listed, and never with their credentials in a message."""

import errno
import gzip
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractBufferedFile

from analyzer.errors import InputError
from analyzer.sources.opening import expand_archive, expand_url, is_url, masked, open_input

LINES = b"2026-11-22 08:45:20.123 UTC [77] LOG:  duration: 1.000 ms\n" * 200_000
SIGNED = "store://annette:hunter22@host/logs/a.log?signature=Zm9vYmFy%3D&v=1"


class StoreError(Exception):
    """As the errors of the stores' packages: no OSError, and talkative."""


class StoreFile(AbstractBufferedFile):
    """A file that is fetched in blocks, until the connection breaks."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        self.fs.fetched.append((start, end))
        if self.fs.breaks_at is not None and end > self.fs.breaks_at:
            raise StoreError(f"403 Forbidden\nurl={SIGNED}, key Zm9vYmFy= of annette:hunter22")
        content: bytes = self.fs.files[self.path]
        return content[start:end]


class Store(fsspec.AbstractFileSystem):
    """A store over a dictionary that works as the real ones do: by ranges, with a cache."""

    protocol = "store"
    cachable = False
    files: dict[str, bytes] = {}  # noqa: RUF012  # set by the fixture
    breaks_at: int | None = None
    refuses: Exception | None = None
    fetched: list[tuple[int, int]] = []  # noqa: RUF012  # set by the fixture

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.partition("://")[2].partition("?")[0].rpartition("@")[2] or path

    def info(self, path: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401  # fsspec has no types
        if self.refuses is not None:
            raise self.refuses
        if path not in self.files:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.files[path]), "type": "file"}

    def _open(self, path: str, mode: str = "rb", **options: Any) -> StoreFile:  # noqa: ANN401  # as above
        return StoreFile(self, path, mode, **options)


@pytest.fixture
def store() -> Iterator[type[Store]]:
    fsspec.register_implementation("store", Store)
    Store.files = {"host/logs/a.log": LINES}
    Store.breaks_at, Store.refuses, Store.fetched = None, None, []
    yield Store
    del importlib.import_module("fsspec.registry")._registry["store"]


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    system = fsspec.filesystem("memory")
    for name in ("b/2.log", "b/1.log", "a.log", ".hidden.log", "b/.git/x.log"):
        system.pipe(f"/pg95/{name}", name.encode() * 50_000)
    yield system
    system.rm("/pg95", recursive=True)


def test_urls_are_told_from_paths() -> None:
    for url in ("s3://b/x", "GS://b/x", "https://h/x?y", "file:///x", "memory://x", "store://x"):
        assert is_url(url)
    for path in ("-", "a.log", "/var/log/x", "c:/x", "x/s3://y", "a://b", "://x", ""):
        assert not is_url(path)


def test_a_file_is_read_by_its_url(memory: MemoryFileSystem) -> None:
    with open_input("memory://pg95/b/2.log") as stream:
        assert stream.path == "memory://pg95/b/2.log"
        assert stream.readall() == b"b/2.log" * 50_000
        assert stream.size == stream.position == 350_000
        assert stream.seekable_file is None
        assert (stream.damage, stream.notes) == (None, [])
    memory.pipe("/pg95/a.log", gzip.compress(LINES))
    with open_input("memory://pg95/a.log") as stream:
        assert stream.compression == "gzip"
        assert stream.readall() == LINES


def test_folders_and_patterns_are_expanded(memory: MemoryFileSystem) -> None:
    assert memory.exists("/pg95/b/.git/x.log")
    names = ["memory://pg95/a.log", "memory://pg95/b/1.log", "memory://pg95/b/2.log"]
    for folder in ("memory://pg95", "memory://pg95/"):
        assert expand_url(folder) == [(name, True) for name in names]
    assert expand_url("memory://pg95/b/*.log") == [(name, False) for name in names[1:]]
    assert expand_url("memory://pg95/[ab]*") == [(names[0], False)]  # no folder among them
    for itself in ("memory://pg95/a.log", "memory://pg95/none", "memory://pg95/*.csv"):
        assert expand_url(itself) == [(itself, False)]
    for url, _ in expand_url("memory://pg95/**/*.log"):
        open_input(url).close()


@pytest.mark.parametrize(
    ("url", "path", "name", "expected"),
    [
        ("s3://b/d/*", "b/d/*", "b/d/x", "s3://b/d/x"),
        ("s3://b/d/", "b/d", "b/d/x", "s3://b/d/x"),
        ("ftp://u:p@h/d/*.log", "/d/*.log", "/d/x.log", "ftp://u:p@h/d/x.log"),
        ("az://c@h.net/d/*", "c/d/*", "c/d/x", "az://c@h.net/d/x"),
        ("memory://", "", "/x", "memory:///x"),
        (
            "https://u:p@h/*.log",
            "https://u:p@h/*.log",
            "https://u:p@h/x.log",
            "https://u:p@h/x.log",
        ),
        ("odd://x", "y", "z", "odd://z"),
    ],
)
def test_what_is_found_keeps_host_and_user(url: str, path: str, name: str, expected: str) -> None:
    named = importlib.import_module("analyzer.sources.opening.remote")._named
    assert named(url, path, name) == expected


def test_a_local_url_needs_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "fsspec.core")
    (tmp_path / "a b.log").write_bytes(LINES)
    for name in ("a b.log", "a%20b.log"):
        url = f"file://{tmp_path}/{name}"
        assert expand_url(url) == [(f"{tmp_path}/a b.log", False)]
        with open_input(url) as stream:
            assert stream.readall() == LINES
            assert stream.seekable_file is not None
    assert expand_url("file://localhost/var/*.log") == [("/var/*.log", False)]


def test_archives_are_expanded_by_url(data: Path, memory: MemoryFileSystem) -> None:
    memory.pipe("/pg95/x.zip", (data / "packed/folder.zip").read_bytes())
    url = "memory://pg95/x.zip"
    names = expand_archive(url)
    assert names == [f"{url}!logs/a.log", f"{url}!logs/b/b.csv"]
    with open_input(names[1]) as stream:
        assert stream.path == names[1]
        assert stream.readall() == (data / "prisma/pglog/default_client.csv").read_bytes()
    assert expand_archive("memory://pg95/a.log") is None
    assert expand_archive("memory://pg95/none.zip") == []
    with pytest.raises(InputError, match="no such file"):
        open_input("memory://pg95/none.zip")


def test_a_store_is_read_in_large_blocks(store: type[Store]) -> None:
    with open_input(SIGNED) as stream:
        assert stream.readall() == LINES
        assert (stream.damage, stream.notes) == (None, [])
    assert len(store.fetched) <= len(LINES) // (8 << 20) + 1
    assert max(end - start for start, end in store.fetched) < 10 << 20


def test_a_broken_connection_is_damage_without_credentials(store: type[Store]) -> None:
    store.breaks_at = 9 << 20
    with open_input(SIGNED) as stream:
        read = stream.readall()
        assert stream.path == "store://…@host/logs/a.log?…"
        assert stream.damage == "reading stopped: 403 Forbidden"
    assert LINES.startswith(read)
    assert len(read) > 1 << 20


def test_a_file_that_ends_early_is_noted(store: type[Store]) -> None:
    class Liar(Store):
        def info(self, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401  # as its base
            return {**super().info(path, **options), "size": len(LINES) + 1000}

    fsspec.register_implementation("store", Liar, clobber=True)
    store.files["host/logs/a.log"] = LINES
    with open_input(SIGNED) as stream:
        assert stream.readall() == LINES
        assert stream.notes == [f"1000 of {len(LINES) + 1000} bytes did not come"]


@pytest.mark.parametrize(
    "error",
    [
        StoreError(f"no access to {SIGNED} with hunter22"),
        PermissionError(errno.EACCES, "signature Zm9vYmFy= refused", SIGNED),
        StoreError("signature=Zm9vYmFy%3D&v=1 has\x1b[31m expired"),
        ValueError(),
    ],
)
def test_no_message_has_credentials(store: type[Store], error: Exception) -> None:
    store.refuses = error
    with pytest.raises(InputError) as caught:
        open_input(SIGNED)
    message = str(caught.value)
    assert message.startswith("store://…@host/logs/a.log?…: cannot be opened (")
    assert "credentials" in message  # the remedy
    assert message.isprintable()
    for secret in ("hunter22", "annette", "Zm9v"):
        assert secret not in message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/x?sig=abc&se=2", "https://h/x?…"),
        ("https://ann:s3cret@h:8080/x", "https://…@h:8080/x"),
        ("https://token@h/x", "https://…@h/x"),
        ("ftp://ann:a/b@c@h/x", "ftp://…@h/x"),
        ("http://h:8080/x@y", "http://h:8080/x@y"),
        ("s3://bucket/a@b.log", "s3://bucket/a@b.log"),
        ("see 'https://h/x?sig=abc' and http://a:b@c", "see 'https://h/x?…' and http://…@c"),
        ("what? a path/x@y", "what? a path/x@y"),
    ],
)
def test_credentials_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Make packages look as if they were not installed."""
    remote = importlib.import_module("analyzer.sources.opening.remote")

    def importing(name: str) -> ModuleType:
        if name in missing:
            raise ImportError(f"No module named {name!r}")
        return importlib.import_module(name)

    monkeypatch.setattr(remote, "import_module", importing)


def test_a_missing_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "fsspec.core", "aiohttp")
    for url, package in (("s3://u:secret@b/x", " s3fs"), ("gs://b/*", " gcsfs"), ("odd://b", "")):
        with pytest.raises(InputError) as caught:
            expand_url(url)
        assert str(caught.value).endswith(f"not installed: pip install 'pg95[cloud]'{package}")
        assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match=r"pip install 'pg95\[cloud\]' aiohttp"):
        open_input("https://h/x")


def test_urls_that_nobody_knows(memory: MemoryFileSystem) -> None:
    with pytest.raises(InputError, match=r"is no URL that is read .*odd.*known are s3, gs, az"):
        open_input("odd://x")
    with pytest.raises(InputError, match="chained URLs are not read"):
        open_input("zip://a.log::memory://pg95/x.zip")
    with pytest.raises(InputError, match=r"pg95/none: no such file"):
        open_input("memory://pg95/none")
    memory.mkdir("/pg95/empty")
    with pytest.raises(InputError, match=r"pg95/empty: is a folder"):
        open_input("memory://pg95/empty")
    assert expand_url("memory://pg95/empty") == []
