"""What the tests of reading inputs share: reading into a fresh recording, and making logs.

Test folders are no packages, so that modules beside the tests are found is done here.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk, joined
from analyzer.model.recording import Recording
from analyzer.sources import one_input
from analyzer.sources.applications import READERS, CallSink
from analyzer.sources.inputs import gather
from analyzer.sources.logs import FORMATS
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import PURE_PYTHON, is_available
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "sql")]

DATA = Path(__file__).parent.parent / "data"
TIME = "2026-11-22 08:45:20.123 UTC"


class Executions:
    """The columns of all executions read, as lists, with the texts of their numbers."""

    def __init__(self, chunk: ExecutionChunk) -> None:
        self.parameters: list[str | None] = [
            chunk.parameters[number] if number >= 0 else None
            for number in chunk.columns["parameters"].tolist()
        ]
        self._columns = {name: column.tolist() for name, column in chunk.columns.items()}

    def __getattr__(self, name: str) -> list[Any]:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self.parameters)


class Read:
    """What was read: the recording, its only source, and its executions as rows of text."""

    def __init__(self, recording: Recording, chunks: list[ExecutionChunk]) -> None:
        self.recording = recording
        self.keys = recording.keys
        self.executions = Executions(joined(chunks))

    @property
    def source(self) -> SourceCoverage:
        (source,) = self.recording.coverage.sources
        return source

    @property
    def warnings(self) -> list[str]:
        return self.recording.coverage.warnings

    @property
    def statements(self) -> list[str]:
        """The text first seen with each execution's key."""
        return [self.keys.texts[key] for key in self.executions.key]

    @property
    def parameters(self) -> list[str | None]:
        return self.executions.parameters

    @property
    def sessions(self) -> list[str | None]:
        return [self.recording.sessions.get(n) for n in self.executions.session]

    def events(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for (_, kind, code), event in self.recording.events.items():
            found[kind, code] = found.get((kind, code), 0) + event.count
        return found


@pytest.fixture
def data() -> Path:
    return DATA


def assert_accounted(sink: EntrySink) -> None:
    """Every byte that was read is in an entry, or counted as none."""
    one = sink.coverage
    assert one.reader == ("native" if is_available() else "python")
    if one.format in FORMATS:  # else the sink counts what was unwrapped
        assert one.bytes == sink.entry_bytes + one.bytes_unparsed + one.foreign_bytes


@pytest.fixture(params=["native", "python"])
def read(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Read]:
    """Gather paths with options (as keywords) into a fresh recording; with either reader."""
    monkeypatch.setenv(PURE_PYTHON, "1" if request.param == "python" else "")
    sinks: list[EntrySink] = []

    class KeptSink(EntrySink):
        def __init__(self, *given: Any) -> None:  # noqa: ANN401 - handed on
            super().__init__(*given)
            sinks.append(self)

    calls: list[CallSink] = []

    class KeptCallSink(CallSink):
        def __init__(self, *given: Any) -> None:  # noqa: ANN401 - handed on
            super().__init__(*given)
            calls.append(self)

    monkeypatch.setattr(one_input, "EntrySink", KeptSink)
    monkeypatch.setattr(one_input, "CallSink", KeptCallSink)

    def reading(*paths: Path | str, **options: object) -> Read:
        recording = Recording(keys=StatementKeyTable())
        gathering = gather([str(path) for path in paths], ReadOptions(**options), recording)  # type: ignore[arg-type]
        chunks = [chunk for stream in gathering.streams for chunk in stream.chunks]
        gathering.finish()
        for sink in sinks:
            assert_accounted(sink)
        for one in calls:
            account = one.coverage
            counted = one.entry_bytes + account.bytes_unparsed + account.foreign_bytes
            assert account.bytes == counted or account.format not in READERS  # what was unwrapped
        sinks.clear()
        calls.clear()
        return Read(recording, chunks)

    return reading


@pytest.fixture
def read_text(tmp_path: Path, read: Callable[..., Read]) -> Callable[..., Read]:
    """Write bytes or text to a file and gather it."""

    def reading(text: str | bytes, *, name: str = "input.log", **options: object) -> Read:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path, **options)

    return reading


@pytest.fixture
def stderr_log() -> Callable[..., str]:
    """Entries of Debian's prefix; each is (severity, message) or (severity, message, pid)."""

    def making(*entries: tuple[str, str] | tuple[str, str, int]) -> str:
        lines = []
        for severity, message, *pid in entries:
            text = message.replace("\n", "\n\t")
            lines.append(f"{TIME} [{pid[0] if pid else 77}] ann@shop {severity}:  {text}\n")
        return "".join(lines)

    return making
