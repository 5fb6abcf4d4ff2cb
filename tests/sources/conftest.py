"""What the tests of reading inputs share: reading into a fresh recording, and making logs."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.model.coverage import SourceCoverage
from analyzer.model.recording import Recording
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable

DATA = Path(__file__).parent.parent / "data"
TIME = "2026-11-22 08:45:20.123 UTC"


class Read:
    """What was read: the recording, its only source, and its executions as rows of text."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.keys: StatementKeyTable = recording.keys

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
        return [self.keys.texts[key] for key in self.recording.executions.key]

    @property
    def parameters(self) -> list[str | None]:
        recording = self.recording
        return [recording.parameters.get(n) for n in recording.executions.parameters]

    @property
    def sessions(self) -> list[str | None]:
        recording = self.recording
        return [recording.sessions.get(n) for n in recording.executions.session]

    def events(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for (_, kind, code), event in self.recording.events.items():
            found[kind, code] = found.get((kind, code), 0) + event.count
        return found


@pytest.fixture
def data() -> Path:
    return DATA


@pytest.fixture
def read() -> Callable[..., Read]:
    """Gather paths with options (as keywords) into a fresh recording."""

    def reading(*paths: Path | str, **options: object) -> Read:
        recording = Recording(keys=StatementKeyTable())
        gather([str(path) for path in paths], ReadOptions(**options), recording)  # type: ignore[arg-type]
        return Read(recording)

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
