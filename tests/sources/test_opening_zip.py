"""Zip archives: every member is an input of its own, also of an archive that was cut."""

import bz2
import io
import os
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.sources.opening import expand_archive, open_input

LINES = b"2026-11-22 08:45:20.123 UTC [77] LOG:  duration: 1.000 ms\n" * 3000


@pytest.fixture
def truth(data: Path) -> dict[str, bytes]:
    return {
        "logs/a.log": (data / "prisma/pglog/default_client.stderr.log").read_bytes(),
        "logs/b/b.csv": (data / "prisma/pglog/default_client.csv").read_bytes(),
    }


def written(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read(path: str) -> bytes:
    with open_input(path) as stream:
        content = stream.readall()
        assert (stream.damage, stream.notes) == (None, [])
        assert stream.compression == "zip"
        assert stream.position == stream.size
        assert stream.seekable_file is None
    return content


def test_each_member_is_an_input(data: Path, truth: dict[str, bytes]) -> None:
    path = data / "packed/folder.zip"
    names = expand_archive(str(path))
    assert names == [f"{path}!{member}" for member in sorted(truth)]  # .git/x is hidden
    assert [read(name) for name in names] == [truth[member] for member in sorted(truth)]
    with open_input(names[0]) as stream:
        assert stream.path == names[0]
        assert stream.head == truth["logs/a.log"][: 64 * 1024]


@pytest.mark.parametrize(("name", "member"), [("streamed.zip", "-"), ("bzip2.zip", "logs/a.log")])
def test_an_archive_of_one_file_is_that_file(
    data: Path, truth: dict[str, bytes], name: str, member: str
) -> None:
    path = str(data / "packed" / name)
    assert read(path) == truth["logs/a.log"]
    assert expand_archive(path) == [f"{path}!{member}"]
    with open_input(path) as stream:
        assert stream.path == f"{path}!{member}"


def test_what_is_no_archive_is_not_expanded(data: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.zip"
    os.mkfifo(fifo)  # looking into it would wait for a writer
    for path in (data / "packed/one.gz", data, tmp_path / "no.zip", fifo, "-", "a\0b"):
        assert expand_archive(str(path)) is None


def test_an_archive_of_several_files_asks_for_one(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", {"a.log": LINES, "b.log": LINES})
    with pytest.raises(InputError, match=r"holds 2 files; name one of them as .*x.zip!a.log"):
        open_input(str(path))
    with pytest.raises(InputError, match=r"holds no c.log; it holds a.log, b.log"):
        open_input(f"{path}!c.log")
    path.write_bytes(LINES)
    with pytest.raises(InputError, match="no such file"):
        open_input(f"{path}!a.log")


def test_a_file_whose_name_looks_like_a_member_is_itself(tmp_path: Path) -> None:
    folder = tmp_path / "really!"
    folder.mkdir()
    archive = written(folder / "x.zip", {"a!b.log": b"in the archive"})
    assert read(f"{archive}!a!b.log") == b"in the archive"
    (folder / "x.zip!a!b.log").write_bytes(b"beside it")
    with open_input(f"{archive}!a!b.log") as stream:
        assert stream.readall() == b"beside it"


def test_names_are_made_printable_and_different(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("same", "a\x1b[31m\nb", "../../etc/up", "größe.log", "folder/", "__MACOSX/x"):
            archive.writestr(name, name)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("same", "other")
    names = expand_archive(str(path))
    assert names is not None
    assert sorted(name.removeprefix(f"{path}!") for name in names) == [
        "../../etc/up", "a\ufffd[31m\ufffdb", "größe.log", "same", "same#2",
    ]  # fmt: skip
    assert read(f"{path}!same#2") == b"other"
    assert read(f"{path}!../../etc/up") == b"../../etc/up"


@pytest.mark.parametrize("pack", ["zstd", "xz"])
def test_newer_methods_are_read(tmp_path: Path, pack: str) -> None:
    """Archives with methods that the standard library cannot write: put in by hand."""
    import lzma  # noqa: PLC0415  # here only

    method, packed = {
        "zstd": (93, zstandard.compress(LINES)),
        "xz": (95, lzma.compress(LINES)),
    }[pack]
    archive = bytearray(written(tmp_path / "x.zip", {"a.log": packed}, 0).read_bytes())
    directory = archive.rindex(b"PK\x01\x02")
    for at, fields in ((8, 14), (directory + 10, directory + 16)):
        archive[at : at + 2] = method.to_bytes(2, "little")
        archive[fields : fields + 4] = zlib.crc32(LINES).to_bytes(4, "little")
    (tmp_path / "x.zip").write_bytes(archive)
    assert read(str(tmp_path / "x.zip")) == LINES


def test_what_cannot_be_unpacked_names_the_remedy(tmp_path: Path) -> None:
    archive = bytearray(written(tmp_path / "x.zip", {"a b.log": LINES}).read_bytes())
    flags, method = archive.rindex(b"PK\x01\x02") + 8, archive.rindex(b"PK\x01\x02") + 10
    for at, value, words in ((flags, 1, "is encrypted"), (method, 9, "method 9 is not read")):
        changed = bytearray(archive)
        changed[at] = value
        (tmp_path / "x.zip").write_bytes(changed)
        with pytest.raises(InputError, match=rf"{words}; .*unzip -p .*x.zip 'a b.log' \| pg95"):
            open_input(str(tmp_path / "x.zip"))
    nested = written(tmp_path / "y.zip", {"a.bz2": bz2.compress(LINES)})
    with pytest.raises(InputError, match=r"unzip -p .*y.zip a.bz2 \| bzip2 -dc \| pg95 report -"):
        open_input(str(nested))
    with pytest.raises(InputError, match="without a file in it"):
        open_input(str(written(tmp_path / "z.zip", {})))
    assert expand_archive(str(tmp_path / "z.zip")) == []


def test_a_pipe_is_refused_with_the_remedy(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = (data / "packed/bzip2.zip").read_bytes()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=lambda: fifo.write_bytes(packed))
    writer.start()
    with pytest.raises(InputError, match=r"from a pipe.* unzip -p archive.zip \| pg95 report -"):
        open_input(str(fifo))
    writer.join()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    with pytest.raises(InputError, match="-: a zip archive cannot be read from a pipe"):
        open_input("-")


def test_a_cut_archive_gives_the_members_before_the_cut(
    data: Path, truth: dict[str, bytes], tmp_path: Path
) -> None:
    packed = (data / "packed/folder.zip").read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(packed[: packed.rindex(b"logs/a.log", 0, -300) + 5000])
    names = expand_archive(str(path))
    assert names == [f"{path}!logs/a.log", f"{path}!logs/b/b.csv"]
    with open_input(names[1]) as stream:  # it comes first in the archive
        assert stream.readall() == truth["logs/b/b.csv"]
        assert stream.damage is None
        assert "its directory cannot be read" in stream.notes[0]
    with open_input(names[0]) as stream:
        content = stream.readall()
        assert stream.damage == "reading stopped: the zip data is cut"
        assert len(stream.notes) == 1  # nobody truncated it while it was read
    assert truth["logs/a.log"].startswith(content)
    assert len(content) > 10_000


def test_a_cut_streamed_archive_gives_what_was_there(
    data: Path, truth: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "cut.zip"
    packed = (data / "packed/streamed.zip").read_bytes()
    path.write_bytes(packed[:10_000])
    with open_input(str(path)) as stream:
        content = stream.readall()
        assert stream.damage == "reading stopped: the zip data is cut"
    assert truth["logs/a.log"].startswith(content)
    assert len(content) > 100_000
    path.write_bytes(packed[:-30])  # only the directory is cut
    with open_input(str(path)) as stream:
        assert stream.readall() == truth["logs/a.log"]
        assert stream.damage is None


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_wrong_checksum_is_damage(tmp_path: Path, method: int) -> None:
    path = written(tmp_path / "x.zip", {"a.log": LINES}, method)
    archive = bytearray(path.read_bytes())
    archive[archive.rindex(b"PK\x01\x02") + 16] ^= 1
    path.write_bytes(archive)
    with open_input(str(path)) as stream:
        assert stream.readall() == LINES
        assert stream.damage == "the zip data is corrupt (its checksum differs)"


def test_an_archive_with_very_many_members_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", {f"{'x' * 200}{n}": b"" for n in range(18_000)}, 0)
    with pytest.raises(InputError, match=r"too many members .* unzip .* -d logs && pg95 report"):
        open_input(f"{path}!x")
    assert expand_archive(str(path)) == []


def test_an_archive_that_is_replaced_is_looked_at_again(tmp_path: Path) -> None:
    path = written(tmp_path / "x.zip", {"a.log": b"old"})
    assert read(f"{path}!a.log") == b"old"
    written(tmp_path / "y.zip", {"a.log": b"newer", "b.log": b"x"}).replace(path)
    assert read(f"{path}!a.log") == b"newer"
    assert len(expand_archive(str(path)) or []) == 2


READ_AND_MEASURE = """
import sys
from analyzer.sources.opening import open_input

with open_input(sys.argv[1]) as stream:
    total = sum(map(len, iter(lambda: stream.read(1 << 20), b"")))
    assert stream.damage is None, stream.damage
    print(total, open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.parametrize(
    ("method", "mebibytes"), [(zipfile.ZIP_DEFLATED, 1024), (zipfile.ZIP_BZIP2, 256)]
)
def test_a_bomb_costs_little_memory(tmp_path: Path, method: int, mebibytes: int) -> None:
    path = tmp_path / "bomb.zip"
    packing = zipfile.ZipFile(path, "w", method, compresslevel=1)
    with packing as archive, archive.open("a.log", "w") as member:
        for _ in range(mebibytes):
            member.write(bytes(1 << 20))
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_MEASURE, path], capture_output=True, text=True, check=True
    )
    total, most_kb = map(int, done.stdout.split())
    assert total == mebibytes << 20
    assert most_kb < 100_000


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_archives_never_raise_and_never_lie(choices: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.zip")
        members = {"a.log": LINES[:3000], "b.log": b"b"}
        packed = bytearray(
            written(path, members, choices.draw(st.sampled_from([0, 8, 12]))).read_bytes()
        )
        for _ in range(choices.draw(st.integers(1, 3))):
            at = choices.draw(st.integers(0, len(packed) - 1))
            packed[at : at + choices.draw(st.integers(0, 3))] = choices.draw(st.binary(max_size=3))
        path.write_bytes(packed)
        for name in expand_archive(str(path)) or [str(path)]:
            try:
                stream = open_input(name)
            except InputError as error:
                assert name.partition("!")[0] in str(error)  # noqa: PT017  # most raise nothing
                continue
            with stream:
                content = stream.readall()
                told = stream.damage or stream.notes or stream.compression is None
                assert told or content in members.values()
