"""Files that are written, truncated, rotated or removed while they are read."""

import gzip
import os
from pathlib import Path

import pytest

from analyzer.sources.opening import open_input

LINE = b"2026-11-22 08:45:20.123 UTC [77] LOG:  duration: 1.000 ms\n"
CONTENT = LINE * 20_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "postgresql.log"
    path.write_bytes(CONTENT)
    return path


def test_a_quiet_file_has_no_notes(log: Path) -> None:
    with open_input(str(log)) as stream:
        assert stream.readall() == CONTENT
        assert stream.notes == []
    assert stream.notes == []


def test_a_growing_file_is_read_up_to_the_size_it_had(log: Path) -> None:
    with open_input(str(log)) as stream, log.open("ab") as server:
        read = b""
        while piece := stream.read(1000):
            server.write(LINE * 100)  # faster than it is read
            server.flush()
            read += piece
        assert read == CONTENT
        assert (stream.size, stream.position) == (len(CONTENT), len(CONTENT))
        assert (stream.damage, stream.notes) == (None, [])


def test_a_truncated_file_says_how_much_was_gone(log: Path) -> None:
    with open_input(str(log)) as stream:
        read = stream.read(500_000)
        os.truncate(log, 300_000)
        read += stream.readall()
        gone = len(CONTENT) - len(read)
        assert gone > 0
        assert stream.notes == [
            f"the file was truncated while it was read: {gone} of {len(CONTENT)} bytes were gone"
        ]
        assert stream.damage is None
    assert CONTENT.startswith(read)
    assert len(stream.notes) == 1  # closing says it no second time


def test_a_file_truncated_after_the_part_that_was_read(log: Path) -> None:
    with open_input(str(log)) as stream:
        stream.read(1000)
        os.truncate(log, 0)
    assert stream.notes == [
        "the file was truncated while it was read, after the part that was read"
    ]


def test_a_file_truncated_and_written_anew_is_told_from_one_that_grew(log: Path) -> None:
    with open_input(str(log)) as stream:
        stream.read(500_000)
        with log.open("r+b") as server:  # as logrotate's copytruncate, and the server goes on
            server.truncate(0)
            server.write(LINE.replace(b"08:45", b"08:46") * 30_000)
        assert len(stream.readall()) == len(CONTENT) - HEAD_LEFT
        (note,) = stream.notes
        assert "written anew" in note


HEAD_LEFT = 64 * 1024  # the first read gives the head


def test_a_rotated_file_is_read_to_its_end(log: Path) -> None:
    with open_input(str(log)) as stream:
        read = stream.read(1000)
        log.rename(log.with_suffix(".1"))
        log.write_bytes(b"the new file\n" * 100_000)
        assert read + stream.readall() == CONTENT
        assert stream.notes == [
            "the file was rotated while it was read; the bytes read are of the old file"
        ]


def test_a_symbolic_link_to_the_current_log_may_move_on(log: Path, tmp_path: Path) -> None:
    link = tmp_path / "current"
    link.symlink_to(log)
    with open_input(str(link)) as stream:
        next_log = tmp_path / "next.log"
        next_log.write_bytes(LINE)
        link.unlink()
        link.symlink_to(next_log)
        assert stream.readall() == CONTENT
        assert "was rotated" in stream.notes[0]


def test_a_removed_file_is_read_to_its_end(log: Path) -> None:
    with open_input(str(log)) as stream:
        log.unlink()
        assert stream.readall() == CONTENT
        assert "removed or rotated" in stream.notes[0]


def test_a_packed_file_truncated_meanwhile_is_damaged_and_says_why(tmp_path: Path) -> None:
    lines = b"".join(b"%d %s" % (n * 7919 % 1_000_003, LINE) for n in range(200_000))
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(lines, 1))
    with open_input(str(path)) as stream:
        os.truncate(path, path.stat().st_size // 2)
        read = stream.readall()
        assert lines.startswith(read)
        assert len(read) > len(lines) // 4
        assert stream.damage == "reading stopped: the gzip data is cut"
        assert "truncated while it was read" in stream.notes[0]


def test_a_plain_file_can_be_read_in_ranges(log: Path) -> None:
    with open_input(str(log)) as stream:
        assert stream.seekable_file is not None
        raw, size = stream.seekable_file
        middle = os.pread(raw.fileno(), 100, size // 2)
        assert middle == CONTENT[size // 2 :][:100]
        os.truncate(log, size - 500)
        stream.note_changes(used=size - 500)
        assert stream.notes == [
            f"the file was truncated while it was read: 500 of {size} bytes were gone"
        ]
        assert stream.readall() == CONTENT[:-500]  # reading does not depend on the ranges


def test_an_empty_file_that_grows_has_no_notes(tmp_path: Path) -> None:
    path = tmp_path / "new.log"
    path.touch()
    with open_input(str(path)) as stream:
        assert (stream.head, stream.whole, stream.read()) == (b"", True, b"")
        path.write_bytes(LINE)
    assert stream.notes == []
