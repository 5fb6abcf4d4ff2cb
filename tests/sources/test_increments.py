"""Logs read bit by bit: whatever rotation does, all nights together read what one pass reads."""

import gzip
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from growing import FORMATS, GrowingLog, seeded, written

from analyzer.model.executions import ExecutionChunk
from analyzer.model.log_position import LogPosition
from analyzer.model.recording import Recording
from analyzer.sources.increments import contents
from analyzer.sources.increments.contents import REMEMBERED_DAYS, LogFiles, find_new
from analyzer.sources.increments.gathering import NewEntries
from analyzer.sources.inputs import gather
from analyzer.sources.logs.native import PURE_PYTHON
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

DAY_US = 86_400_000_000
Rows = Counter[tuple[object, ...]]


def rows(recording: Recording, chunks: Iterator[ExecutionChunk]) -> Rows:
    """The executions: statement, duration, end, session and the hash of their parameters."""
    found: Rows = Counter()
    for chunk in chunks:
        columns = chunk.columns
        keys = [recording.keys.safe_keys[key] for key in columns["key"].tolist()]
        sessions = [recording.sessions.texts[one] for one in columns["session"].tolist()]
        rest = (columns[name].tolist() for name in ("duration_ms", "end_us", "parameters_hash"))
        found.update(zip(keys, sessions, *rest, strict=True))
    return found


class Reader:
    """Reads a folder night by night, and remembers how far."""

    def __init__(self, folder: Path, settle_seconds: float = 600.0) -> None:
        self.folder = folder
        self.settle_seconds = settle_seconds
        self.known: Sequence[LogPosition] = ()
        self.read: Rows = Counter()
        self.told: list[str] = []

    def night(self, now_us: int = DAY_US) -> Rows:
        """What was new."""
        log = LogFiles("app", [str(self.folder / "*")], ReadOptions(), self.settle_seconds)
        news = find_new(log, self.known, now_us)
        recording = Recording(keys=StatementKeyTable())
        new = NewEntries(news.found, recording)
        found = rows(recording, (chunk for stream in new.streams for chunk in stream.chunks))
        self.known = [*news.kept, *new.positions()]
        self.told = news.notes + recording.coverage.warnings
        self.read += found
        return found

    def all_of_it(self) -> Rows:
        """What one pass over all files reads."""
        recording = Recording(keys=StatementKeyTable())
        gathering = gather([str(self.folder)], ReadOptions(), recording)
        return rows(recording, (chunk for one in gathering.streams for chunk in one.chunks))


@pytest.mark.parametrize("pure", [False, True], ids=["native", "python"])
@pytest.mark.parametrize("form", FORMATS)
def test_all_nights_together_read_what_one_pass_reads(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch, *, pure: bool
) -> None:
    if pure:
        monkeypatch.setenv(PURE_PYTHON, "1")
    for seed in range(12):
        chance = seeded(f"{form} {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        log, reader = GrowingLog(folder, form, chance), Reader(folder)
        for _ in range(chance.randrange(4, 14)):
            log.step()
            if chance.random() < 0.6:
                reader.night()
        log.finish()
        reader.night()
        reader.settle_seconds = 0
        reader.night()
        assert reader.read == reader.all_of_it(), seed
        assert sum(reader.read.values()) > 20, seed
        assert not reader.night(), seed


def test_an_entry_that_is_being_written_is_left_for_the_next_night(tmp_path: Path) -> None:
    whole = written("stderr", 1, 30)
    for cut in range(len(whole) - 400, len(whole), 7):
        folder = tmp_path / str(cut)
        folder.mkdir()
        path, reader = folder / "app.log", Reader(folder)
        path.write_bytes(whole[:cut])
        reader.night()
        with path.open("ab") as file:
            file.write(whole[cut:])
        reader.settle_seconds = 0
        reader.night()
        assert reader.read == reader.all_of_it(), cut


def test_a_duration_finds_its_statement_of_the_night_before(tmp_path: Path) -> None:
    prefix = "2026-01-01 00:00:0{} UTC [{}] x@x "
    path, reader = tmp_path / "app.log", Reader(tmp_path)
    lines = [
        prefix.format(0, 7) + "LOG:  statement: SELECT 'early' FROM a\n",
        prefix.format(1, 8) + "LOG:  duration: 5.000 ms  statement: SELECT 1 FROM b\n",
        prefix.format(2, 8) + "LOG:  duration: 6.000 ms  statement: SELECT 2 FROM b\n",
        prefix.format(3, 7) + "LOG:  duration: 3000.000 ms\n",
        prefix.format(4, 8) + "LOG:  duration: 7.000 ms  statement: SELECT 3 FROM b\n",
    ]
    path.write_text("".join(lines[:3]))
    assert sum(reader.night().values()) == 1
    assert not reader.told
    with path.open("a") as file:
        file.writelines(lines[3:])
    late = reader.night()
    assert [row[2] for row in late] == [6.0, 3000.0]
    assert not reader.told
    reader.settle_seconds = 0
    reader.night()
    assert reader.read == reader.all_of_it()


def test_a_file_that_is_gone_with_unread_entries_is_told_once(tmp_path: Path) -> None:
    path, reader = tmp_path / "app.log", Reader(tmp_path)
    path.write_bytes(written("stderr", 2, 40))
    reader.night()
    unread = path.stat().st_size - reader.known[0].offset
    path.write_bytes(written("stderr", 3, 40))
    assert reader.night()  # another content, from its start
    assert f"{unread} bytes of it" in reader.told[0]
    assert "a copy that `paths` names" in reader.told[0]
    reader.night()
    assert not reader.told
    reader.night((REMEMBERED_DAYS + 2) * DAY_US)
    assert len(reader.known) == 1


def test_a_truncated_file_is_read_on_at_its_end(tmp_path: Path) -> None:
    path, reader = tmp_path / "app.log", Reader(tmp_path)
    data = written("stderr", 4, 200)
    path.write_bytes(data)
    reader.night()
    gone = reader.known[0].offset - 9000
    os.truncate(path, 9000)
    assert not reader.night()
    assert reader.told == [told for told in reader.told if f"{gone} bytes that were read" in told]
    with path.open("ab") as file:
        file.write(b"\n" + data[20000:])
    assert reader.night()


def test_a_folder_that_is_away_for_a_night_is_read_on_when_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "app.log").write_bytes(written("csvlog", 5, 60))
    reader = Reader(folder)
    reader.night()
    folder.rename(tmp_path / "away")
    assert not reader.night()
    (tmp_path / "away").rename(folder)
    reader.settle_seconds = 0
    reader.night()
    assert reader.read == reader.all_of_it()


def test_a_copy_beside_its_original_is_read_once(tmp_path: Path) -> None:
    path, reader = tmp_path / "app.log", Reader(tmp_path, 0)
    path.write_bytes(written("jsonlog", 6, 60))
    once = sum(reader.night().values())
    shutil.copy(path, tmp_path / "app.log.copy")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert not reader.night()
    assert len(reader.told) == 2
    assert all("which was read" in told for told in reader.told)
    assert sum(reader.read.values()) == once


def test_a_file_that_cannot_be_unpacked_keeps_its_position(tmp_path: Path) -> None:
    path, reader = tmp_path / "app.log", Reader(tmp_path, 0)
    data = written("stderr", 7, 300)
    path.write_bytes(data)
    reader.night()
    path.unlink()
    packed = gzip.compress(data)
    (tmp_path / "app.log.1.gz").write_bytes(packed[: len(packed) // 2])
    assert not reader.night()
    assert any("is cut" in told for told in reader.told)


def test_windows_line_ends(tmp_path: Path) -> None:
    data = written("stderr", 8, 60).replace(b"\n", b"\r\n")
    path, reader = tmp_path / "app.log", Reader(tmp_path)
    path.write_bytes(data[: len(data) // 2])
    reader.night()
    path.write_bytes(data)
    reader.settle_seconds = 0
    reader.night()
    assert reader.read == reader.all_of_it()


def test_names_that_change_while_they_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing and opening, and between openings, the log grows and is rotated."""
    racing: list[Callable[[], None]] = []
    look = contents._opened

    def opened(path: str, left: list[LogPosition]) -> object:
        for step in racing:
            step()
        return look(path, left)

    monkeypatch.setattr(contents, "_opened", opened)
    for seed in range(60):
        chance = seeded(f"racing {seed}")
        folder = tmp_path / str(seed)
        folder.mkdir()
        log, reader = GrowingLog(folder, FORMATS[seed % len(FORMATS)], chance), Reader(folder)
        for _ in range(8):
            log.grow(chance.randrange(1, 4), torn=True)  # so little that heads are short
            if chance.random() < 0.4:
                log.rotate()
            racing[:] = [partial(_race, log, chance)] if chance.random() < 0.7 else []
            reader.night()
            racing.clear()
        log.finish()
        reader.night()
        reader.settle_seconds = 0
        reader.night()
        assert reader.read == reader.all_of_it(), seed


def _race(log: GrowingLog, chance: random.Random) -> None:
    """What may happen to a log at any instant."""
    if chance.random() < 0.3:
        log.rotate()
    elif chance.random() < 0.3:
        log.grow(2, torn=True)
