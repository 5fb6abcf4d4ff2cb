"""Opening inputs: whatever they are packed with, wherever they come from, whatever happens to them."""

import bz2
import gzip
import io
import lzma
import os
import random
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.errors import InputError
from analyzer.sources.opening import HEAD_BYTES, InputStream, open_input

PACKED = [
    ("one.gz", "gzip"),
    ("two.gz", "gzip"),
    ("one.bz2", "bzip2"),
    ("two.bz2", "bzip2"),
    ("blocks.xz", "xz"),
    ("two.xz", "xz"),
    ("one.zst", "zstd"),
    ("stream-without-checksum.zst", "zstd"),
    ("pzstd.zst", "zstd"),
    ("one.lz4", "lz4"),
    ("two.lz4", "lz4"),
]
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda data: bytes(lz4.frame.compress(data, content_checksum=True)),
}
NAMES = sorted(PACKERS)


@pytest.fixture(scope="module")
def truth() -> bytes:
    data = Path(__file__).parent.parent / "data"
    return (data / "prisma/pglog/default_client.stderr.log").read_bytes()


def opened(data: bytes, folder: Path) -> InputStream:
    path = folder / "input"
    path.write_bytes(data)
    return open_input(str(path))


def noise(size: int) -> bytes:
    """Bytes that do not get smaller when packed, the same in each run."""
    return random.Random(95).randbytes(size)  # noqa: S311  # no secret


@pytest.mark.parametrize(("name", "compression"), PACKED)
def test_what_the_usual_programs_pack_is_read(
    data: Path, truth: bytes, name: str, compression: str
) -> None:
    path = data / "packed" / name
    told: list[tuple[str, int, int | None]] = []
    with open_input(str(path)) as stream:
        stream.progress = lambda *step: told.append(step)
        assert stream.compression == compression
        assert stream.head == truth[:HEAD_BYTES]
        assert not stream.whole
        assert stream.seekable_file is None
        assert stream.readall() == truth
        assert (stream.damage, stream.notes) == (None, [])
        assert stream.bytes_read == len(truth)
        size = path.stat().st_size
        assert stream.position == stream.size == size
    assert told[-1] == (str(path), size, size)
    assert [step[1] for step in told] == sorted(step[1] for step in told)


@pytest.mark.parametrize(("name", "compression"), PACKED)
@pytest.mark.parametrize("share", [0.3, 0.7, 1.0])
def test_a_cut_archive_gives_what_was_there(
    data: Path, truth: bytes, tmp_path: Path, name: str, compression: str, share: float
) -> None:
    packed = (data / "packed" / name).read_bytes()
    with opened(packed[: int(len(packed) * share) - 1], tmp_path) as stream:
        read = stream.readall()
        assert stream.damage == f"reading stopped: the {compression} data is cut"
        assert stream.notes == []
    assert truth.startswith(read)
    if share == 1.0 or (share > 0.5 and name not in {"one.bz2", "one.lz4"}):  # of one block
        assert len(read) > len(truth) * 0.4


@pytest.mark.parametrize("name", NAMES)
def test_an_archive_cut_in_its_first_bytes_is_damaged_not_empty(tmp_path: Path, name: str) -> None:
    with opened(PACKERS[name](b"x")[:8], tmp_path) as stream:
        assert stream.read() == b""
        assert stream.damage == f"reading stopped: the {name} data is cut"
        assert stream.whole


@pytest.mark.parametrize("name", NAMES)
def test_a_corrupt_archive_gives_what_came_before(tmp_path: Path, name: str) -> None:
    content = noise(6_000_000)
    packed = bytearray(PACKERS[name](content))
    at = len(packed) * 2 // 3
    packed[at : at + 2000] = bytes(2000)
    with opened(bytes(packed), tmp_path) as stream:
        read = stream.readall()
        assert stream.damage is not None
        assert f"the {name} data is corrupt" in stream.damage
    assert read[:2_900_000] == content[:2_900_000]  # at most a megabyte before the place is lost


def test_a_corrupt_gzip_loses_next_to_nothing_before_the_place(tmp_path: Path) -> None:
    content = noise(300_000)
    packed = bytearray(gzip.compress(content, 0))
    at, before = 10, 0  # of stored blocks: what follows the header is a byte, length, ~length
    while before < 150_000:
        length = int.from_bytes(packed[at + 1 : at + 3], "little")
        at, before = at + 5 + length, before + length
    assert before < len(content)
    packed[at + 1] ^= 0xFF
    with opened(bytes(packed), tmp_path) as stream:
        read = stream.readall()
        assert "corrupt" in str(stream.damage)
    assert content.startswith(read)
    assert before - 4096 <= len(read) <= before


@pytest.mark.parametrize("name", NAMES)
def test_what_follows_an_archive_is_noted(tmp_path: Path, name: str) -> None:
    packed = PACKERS[name](b"a log\n")
    for garbage in (b"?", b"garbage", b"g" * 300_000):
        with opened(packed + garbage, tmp_path) as stream:
            assert stream.readall() == b"a log\n"
            assert stream.damage is None
            rest = f"what follows, {len(garbage)} bytes, is not {name} and was not read"
            assert stream.notes == [f"the {name} data ends at byte {len(packed)}; {rest}"]


@pytest.mark.parametrize("name", NAMES)
def test_padding_with_zeros_is_no_news(tmp_path: Path, name: str) -> None:
    pack = PACKERS[name]
    with opened(pack(b"one ") + bytes(500_000) + pack(b"two") + bytes(7), tmp_path) as stream:
        assert stream.readall() == b"one two"
        assert (stream.damage, stream.notes) == (None, [])


@settings(max_examples=60, deadline=None)
@given(
    members=st.lists(
        st.tuples(st.binary(max_size=50), st.integers(0, 20_000)).map(lambda x: x[0] * x[1]),
        min_size=1,
        max_size=6,
    ),
    name=st.sampled_from(NAMES),
    sizes=st.lists(st.integers(1, 300_000), min_size=1, max_size=4),
)
def test_members_one_after_the_other_are_one_input(
    members: list[bytes], name: str, sizes: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        members = [b"a log: ", *members]  # whatever follows, it begins as no archive does
        packed = b"".join(map(PACKERS[name], members))
        with opened(packed, Path(folder)) as stream:
            read = b""
            while piece := stream.read(sizes[len(read) % len(sizes)]):
                assert len(piece) <= max(sizes)
                read += piece
            assert (read, stream.damage) == (b"".join(members), None)
            assert stream.position == len(packed)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_broken_archives_never_raise_and_never_lie(choices: st.DataObject) -> None:
    content = b"2026-11-22 LOG:  duration: 1.5 ms\n" * 200 + noise(2000)
    packed = bytearray(PACKERS[choices.draw(st.sampled_from(NAMES))](content))
    for _ in range(choices.draw(st.integers(1, 4))):
        at = choices.draw(st.integers(0, len(packed) - 1))
        packed[at : at + choices.draw(st.integers(0, 3))] = choices.draw(st.binary(max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        try:
            stream = opened(bytes(packed), Path(folder))
        except InputError as error:  # it looks like another archive now
            assert "pg95 report" in str(error)  # noqa: PT017  # most examples raise nothing
            return
        with stream:
            read = stream.readall()
            assert stream.bytes_read == len(read)  # a changed run length may make it very long
            told = stream.damage or stream.notes or stream.compression is None
            assert told or read == content


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "7-Zip archives are not read; .* 7z x -so .*/input | pg95"),
        (b"Rar!\x1a\x07\x01\0", "unrar p"),
        (b"\x1f\x9d\x90", "gzip -dc"),
        (b"\x5d\0\0\x80\0", "xz --format=lzma -dc"),
        (b"\x02\x21\x4c\x18", "lz4 -dc"),
        (bytes(257) + b"ustar\x0000", "tar archives are not read; unpack it into a folder"),
        (gzip.compress(bytes(257) + b"ustar  \0", mtime=0), "gzip -dc .*/input | tar -x -C logs"),
        (
            gzip.compress(bz2.compress(b"x"), mtime=0),
            r"archives in archives .* gzip -dc .* \| bzip2 -dc",
        ),
        (lzma.compress(b"PK\x03\x04"), "xz -dc .*/input > inner.zip && pg95 report inner.zip"),
    ],
)
def test_archives_that_are_not_read_name_the_remedy(
    tmp_path: Path, head: bytes, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        opened(head, tmp_path)


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        (
            "zstd",
            zstandard.ZstdCompressor(
                compression_params=zstandard.ZstdCompressionParameters(
                    window_log=28, enable_ldm=False
                )
            ).compressobj(),
        ),
        ("xz", lzma.LZMACompressor(filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}])),
    ],
    ids=["zstd", "xz"],
)
def test_a_window_that_would_cost_too_much_memory_is_refused(
    tmp_path: Path, name: str, packed: "lzma.LZMACompressor | zstandard.ZstdCompressionObj"
) -> None:
    with opened(packed.compress(b"x" * 100_000) + packed.flush(), tmp_path) as stream:
        assert stream.head == b""
        assert f"{name} data asks for a window of more than 128 MiB" in str(stream.damage)
        assert f"{name} -dc … | pg95 report -" in str(stream.damage)


READ_AND_MEASURE = """
import sys
from analyzer.sources.opening import open_input

def most():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])

with open_input(sys.argv[1]) as stream:
    stream.read(1 << 20)
    before, total = most(), 1 << 16
    while piece := stream.read(1 << 20):
        total += len(piece)
    assert stream.damage is None, stream.damage
    print(total, most() - before, most())
"""


def bomb(name: str) -> bytes:
    """A gigabyte of zeros, as small as it gets."""
    if name == "zstd":
        packer = zstandard.ZstdCompressor().compressobj()
        packed = [packer.compress(bytes(1 << 26)) for _ in range(16)]
        return b"".join([*packed, packer.flush()])
    return PACKERS[name](bytes(1 << 26)) * 16


@pytest.mark.parametrize("name", ["gzip", "xz", "zstd", "lz4"])
def test_a_gigabyte_in_a_few_kilobytes_costs_little_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(bomb(name))
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_MEASURE, path], capture_output=True, text=True, check=True
    )
    total, growth_kb, most_kb = map(int, done.stdout.split())
    assert total == 1 << 30
    assert growth_kb < 16_000
    assert most_kb < 100_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_fifo_is_read_as_it_comes(
    truth: bytes, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(pack(truth)))
    writer.start()
    with open_input(str(path)) as stream:
        assert stream.readall() == truth
        assert (stream.size, stream.damage, stream.notes) == (None, None, [])
        assert stream.seekable_file is None
        assert stream.position == len(pack(truth))
    writer.join()


def test_standard_input_is_not_closed(truth: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO(zstandard.compress(truth))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(raw))
    with open_input("-") as stream:
        assert stream.readall() == truth
    assert not raw.closed
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError, match="there is no standard input"):
        open_input("-")


def test_an_unreadable_place_is_an_error_or_damage(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*Input/output error"):
        open_input("/proc/self/mem")
    with pytest.raises(InputError, match="is a directory"):
        open_input(str(tmp_path))
    with pytest.raises(InputError, match="no such file"):
        open_input(str(tmp_path / "a!b"))
    with open_input("/proc/self/status") as stream:  # whose size is given as 0
        assert stream.readall().startswith(b"Name:")
