"""Any cut of a log into ranges, read apart and folded, gives what one reader makes of all of it."""

import lzma
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from logs_strategy import EXAMPLES, PREFIX, WRITERS, Entry, entries
from twins import recognised, told

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk, joined
from analyzer.model.recording import Recording
from analyzer.sources.detection import Recognised
from analyzer.sources.logs import FORMATS, Reader, read_log
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import PURE_PYTHON
from analyzer.sources.logs.prefix import compile_prefix
from analyzer.sources.opening import open_input
from analyzer.sources.options import ReadOptions
from analyzer.sources.workers import cuts
from analyzer.sources.workers.child import read_range
from analyzer.sources.workers.folding import Folding
from analyzer.sources.workers.packing import opened, packed
from analyzer.sources.workers.parts import Part
from analyzer.sources.workers.replay import FoldedSink
from analyzer.sources.workers.ring import aligned
from analyzer.sources.workers.slots import Slots
from analyzer.sql.keys import StatementKeyTable

DATA = Path(__file__).parent.parent / "data"
FLUSH = 700  # bytes between two flushes here: logs of a test are small


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    with (
        mock.patch("analyzer.sources.logs.framing.CHUNK_BYTES", FLUSH),
        mock.patch("analyzer.sources.logs.native.driver.FLUSH_BYTES", FLUSH),
        mock.patch("analyzer.sources.workers.stretch.FLUSH_BYTES", FLUSH),
        mock.patch("analyzer.sql.keys.CHECK_EVERY", 3),
        mock.patch("analyzer.sources.logs.meaning.CHECK_EVERY", 3),
        mock.patch("analyzer.sources.logs.ordinary.CHECK_EVERY", 3),
        mock.patch("analyzer.sources.logs.native.driver.CHECK_EVERY", 3),
    ):
        yield


class Log:
    """Bytes in a file, and how they are read."""

    def __init__(self, path: Path, data: bytes, form: str, prefix: str | None) -> None:
        path.write_bytes(data)
        self.path, self.data = path, data
        compiled = None if prefix is None else compile_prefix(prefix)
        self.known = Recognised(form, "given", compiled, head=data[:4096])

    def sink(self) -> EntrySink:
        recording = Recording(keys=StatementKeyTable())
        coverage = SourceCoverage("log", self.known.format)
        recording.coverage.sources.append(coverage)
        return EntrySink(recording, coverage, 0, ReadOptions())

    def starts(self) -> list[int]:
        """Where the log may be cut."""
        begins = cuts.begins
        places = [n + 1 for n, byte in enumerate(self.data) if byte == ord("\n")]
        return [n for n in places if n < len(self.data) and begins(self.data, n, self.known)]


def serially(log: Log) -> dict[str, Any]:
    sink = log.sink()
    with open_input(str(log.path)) as stream:
        chunks = list(read_log(log.known.format, stream, sink, log.known.prefix))  # type: ignore[arg-type]
    return all_told(sink, chunks)


def all_told(sink: EntrySink, chunks: Sequence[ExecutionChunk]) -> dict[str, Any]:
    recording = sink.recording
    found = told(recording, joined(chunks))
    found["chunks"] = [len(chunk) for chunk in chunks if len(chunk)]
    found["tables"] = [
        table.texts for table in (recording.sessions, recording.names, recording.comments)
    ]
    found["entry_bytes"] = sink.entry_bytes
    found["checked"] = recording.keys.checked, recording.keys.disagreed
    found["settings"] = recording.coverage.logged_settings
    found["phases exactly"] = {
        recording.keys.texts[key]: one for (_, key), one in recording.phases.items()
    }
    return found


class KeptFolding(Folding):
    """Lets the sink be looked at, and counts the ranges that are read here."""

    read_here = 0

    def _part(
        self, number: int, part: Part, sink: FoldedSink, reader: Reader
    ) -> Iterator[ExecutionChunk]:
        self.sink = sink
        yield from super()._part(number, part, sink, reader)

    def _read_here(self, part: Part, sink: FoldedSink, reader: Reader) -> Iterator[ExecutionChunk]:
        self.read_here += 1
        yield from super()._read_here(part, sink, reader)


def folded(log: Log, starts: Sequence[int]) -> tuple[dict[str, Any], int]:
    """The log read in ranges that begin at `starts`; and how many of them were read again."""
    size, sink = len(log.data), log.sink()
    with open_input(str(log.path)) as stream, log.path.open("rb") as file:
        whole = Part("log", 0, sink.coverage, ReadOptions(), log.known, file.fileno())
        parts = [
            replace(whole, start=start, stop=stop, is_last=stop == size)
            for start, stop in pairwise([0, *starts, size])
        ]
        sent = [[sent_over(one) for one in read_range(part)] for part in parts]
        sent[0] = None if len(starts) % 2 else sent[0]  # a range that nobody else has read
        folding = KeptFolding(parts, lambda number: sent[number], sink.recording)
        chunks = list(folding.chunks(stream, sink))
    return all_told(folding.sink, chunks), folding.read_here - sent.count(None)


def sent_over(message: Any) -> Any:  # noqa: ANN401 - as it comes
    """A message as it comes out of a ring."""
    pieces = b"".join(bytes(p).ljust(aligned(len(p)), b"\0") for p in packed(*message))
    descriptor = Slots.made()
    slots = Slots(descriptor)
    os.close(descriptor)
    return opened(memoryview(pieces), slots)


def assert_same(log: Log, starts: Sequence[int], *, chunks: bool = False) -> int:
    """The same but for how it is divided into chunks, which depends on where the log is cut."""
    expected = serially(log)
    found, again = folded(log, starts)
    if not chunks:
        del expected["chunks"]
    for name, value in expected.items():
        assert found[name] == value, name
    return again


@pytest.fixture(params=["native", "python"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PURE_PYTHON, "1" if request.param == "python" else "")


RELAXED = settings(
    max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("form", sorted(FORMATS))
@RELAXED
@given(made=st.lists(entries(), min_size=1, max_size=2), data=st.data())
def test_generated_logs(
    tmp_path: Path, form: str, made: list[list[Entry]], data: st.DataObject
) -> None:
    whole = [entry for part in made for entry in part]
    log = Log(tmp_path / "log", WRITERS[form](whole), form, PREFIX if form == "stderr" else None)
    starts = data.draw(st.sets(st.sampled_from(log.starts() or [0]), max_size=4))
    assert_same(log, sorted(starts - {0}))


def entry(message: str, *, severity: str = "LOG", session: int = 7, detail: str = "") -> Entry:
    return Entry(0, session, severity, message, detail)


BACKENDS = [
    entry("connection received: host=a"),
    entry("connection authorized: user=a"),
    entry("duration: 2.5 ms  statement: SELECT 1"),
    entry("disconnection: session time: 0:00"),
    entry("duration: 3.5 ms  statement: SELECT 2"),  # of the next one with this process id
    entry("connection authorized: user=b"),
    entry("duration: 4.5 ms  bind a: SELECT $1", detail="parameters: $1 = '1'"),
    entry("canceling statement due to statement timeout", severity="ERROR"),
    entry('temporary file: path "base/pgsql_tmp/1", size 5000'),
]


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_cut(tmp_path: Path, form: str) -> None:
    """What tells backends, timeouts and files apart lies on both sides of some of them."""
    log = Log(tmp_path / "log", WRITERS[form](BACKENDS), form, PREFIX if form == "stderr" else None)
    for start in log.starts():
        assert assert_same(log, [start]) == 0, start
    assert_same(log, log.starts())


def test_what_depends_on_the_range_before_is_read_again(tmp_path: Path) -> None:
    logged = [entry("statement: SELECT 1"), entry("duration: 2.5 ms")]
    log = Log(tmp_path / "log", WRITERS["stderr"](logged), "stderr", PREFIX)
    assert assert_same(log, log.starts()) == 1
    inner = WRITERS["csvlog"]([entry("duration: 1.5 ms  statement: SELECT 2")]).decode()
    quoting = [entry(f"duration: 2.5 ms  statement: SELECT $$\n{inner}\n$$"), *BACKENDS]
    log = Log(tmp_path / "log", WRITERS["csvlog"](quoting), "csvlog", None)
    assert assert_same(log, log.starts()[:2]) == 2  # both ends of the false cut


def test_lines_that_belong_to_an_entry_before_the_range(tmp_path: Path) -> None:
    """Two backends wrote at once: a DETAIL stands behind another's entry."""
    head = "2026-11-22 08:00:00.123 UTC [{}] app@db web "
    first = head.format(7) + "LOG:  duration: 1.5 ms  execute a: SELECT $1\n"
    other = head.format(8) + "LOG:  duration: 2.5 ms  statement: SELECT 2\n"
    detail = head.format(7) + "DETAIL:  parameters: $1 = '5'\n"
    data = (first + other + detail + other).encode()
    log = Log(tmp_path / "log", data, "stderr", PREFIX)
    assert assert_same(log, [len(first)]) == 1
    assert folded(log, [len(first)])[0]["parameters"][0] == "$1 = '5'"


@pytest.mark.parametrize("ending", ["log", "csv", "json"])
def test_a_capture_in_ranges(tmp_path: Path, ending: str) -> None:
    data = lzma.decompress((DATA / "logs" / f"mixed.{ending}.xz").read_bytes())
    (tmp_path / "log").write_bytes(data)
    _, form, prefix = recognised(tmp_path / "log")
    log = Log(tmp_path / "log", data, form, prefix)
    with (
        mock.patch("analyzer.sources.logs.framing.CHUNK_BYTES", 1 << 15),
        mock.patch("analyzer.sources.logs.native.driver.FLUSH_BYTES", 1 << 15),
        mock.patch("analyzer.sources.workers.stretch.FLUSH_BYTES", 1 << 15),
        log.path.open("rb") as file,
    ):
        ranges = cuts.ranges_of(file.fileno(), len(data), log.known, 1 << 17)
        assert len(ranges) == -(-len(data) // (1 << 17))
        assert assert_same(log, [start for start, _ in ranges[1:]], chunks=True) == 0


def test_a_file_that_is_truncated_meanwhile(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", WRITERS["stderr"](BACKENDS), "stderr", PREFIX)
    size, sink = len(log.data), log.sink()
    with open_input(str(log.path)) as stream, log.path.open("rb+") as file:
        whole = Part("log", 0, sink.coverage, ReadOptions(), log.known, file.fileno())
        parts = [
            replace(whole, start=start, stop=stop, is_last=stop == size)
            for start, stop in pairwise([0, *log.starts(), size])
        ]
        file.truncate(log.starts()[2] + 10)
        sent = [list(read_range(part)) for part in parts]
        list(Folding(parts, lambda number: sent[number], sink.recording).chunks(stream, sink))
        assert stream.bytes_read == log.starts()[2] + 10
        assert any("truncated" in note for note in stream.notes)
