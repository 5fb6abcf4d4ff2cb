"""Takes note, while a range is read, of what only who knows the ranges before can judge.

What an entry means may depend on entries before it. A range is read as if its sessions had said
nothing before; what is assumed is written down, to be held against what was so (folding.py). Server
events are counted by the order of a whole log: they are taken down here and counted there.
"""

from typing import TYPE_CHECKING, NamedTuple

from analyzer.model.recording import PhaseTotals
from analyzer.records import changing, record
from analyzer.sources.logs.events import FAILURES, EventReader
from analyzer.sources.logs.meaning import LOGGED
from analyzer.sources.logs.stderr import StderrReader
from analyzer.sources.workers.stretch import StretchSink

if TYPE_CHECKING:
    from analyzer.model.coverage import SourceCoverage
    from analyzer.model.recording import Recording
    from analyzer.sources.logs.sessions import Session
    from analyzer.sources.options import ReadOptions

ORDINAL = 1 << 50  # entries are counted from here on: their number in the input is not known yet
NO_ENTRY = -2  # the row of a session that has said nothing in this range
UNTOLD_KEY = -3  # the key of one that has executed nothing since it was told last
UNTOLD = (0, "")  # as what it began, by identity
CONNECTIONS = ("connection received: ", "connection authorized: ", "connection authenticated: ")

Began = tuple[int, int | str] | None


class Head(NamedTuple):
    """A session's first entry in a range, if it has no duration.

    `connection` is how it begins if it tells of a connection, else ""; `settles` says that no
    statement that was logged before waits for its duration any more.
    """

    connection: str
    settles: bool


class Noted(NamedTuple):
    """An entry for the EventReader, or what belongs to one.

    `what` is entry, detail or statement, `session` the session's process and `generation` which of
    its backends. Of an entry: `row` that of the session's entry before (NO_ENTRY: before the range),
    `key` and `began` what became of the session since it was told last (UNTOLD: nothing), `speaker` its
    database, user and application.
    """

    what: str
    session: str
    generation: int
    text: str
    at_us: int = 0
    severity: str = ""
    code: str = ""
    row: int = -1
    minimum_ms: float = 0.0
    key: int = UNTOLD_KEY
    began: Began = UNTOLD
    speaker: tuple[int, ...] = ()


@record
class SessionEnd:
    """A session at the end of a range; `name` is what its reader knows it by."""

    name: bytes | str
    process: str
    renewable: bool
    generation: int
    used: bool
    fresh: bool
    ended: bool
    row: int
    has_event: bool
    waiting: tuple[str, str | None] | None
    key: int
    began: Began


@changing
class RangeEnd:
    """What adds up over a range, and what was assumed when it was read."""

    coverage: "SourceCoverage"
    phases: dict[int, PhaseTotals]
    sessions: list[SessionEnd]
    heads: dict[str, Head]
    met: int  # sessions
    is_sound: bool  # it depends on nothing that cannot be told, and ends where an entry does
    position: int
    lines: int
    entries: int
    entry_bytes: int
    minimum_ms: float
    counts: tuple[int, int, int]
    first_unparsed: tuple[int, str] | None  # line in the range, and the rest of what is told


class RangeSink(StretchSink):
    """The sink of a range whose sessions' pasts are not known."""

    events: "EventRecorder"

    def __init__(
        self,
        recording: "Recording",
        coverage: "SourceCoverage",
        source: int,
        options: "ReadOptions",
    ) -> None:
        """Prepare for one range."""
        super().__init__(recording, coverage, source, options)
        self.entries = ORDINAL
        self.events = EventRecorder(self)
        self.heads: dict[str, Head] = {}
        self.met = 0
        self.orphans = 0  # lines that belong to entries before the range
        self.first_unparsed: tuple[int, str] | None = None

    def session(self, name: str, *, renewable: bool = False) -> "Session":
        """As in the base class."""
        session = super().session(name, renewable=renewable)
        session.row, session.key, session.began = NO_ENTRY, UNTOLD_KEY, UNTOLD
        self.met += 1
        return session

    def untimed(
        self,
        at_us: int,
        session: "Session",
        severity: str,
        code: str,
        message: str,
        *,
        row: int,
    ) -> None:
        """As in the base class."""
        if row == NO_ENTRY:
            connection = next((one for one in CONNECTIONS if message.startswith(one)), "")
            settles = severity in FAILURES or LOGGED.match(message) is not None
            self.heads[session.process] = Head(connection, settles)
        self.events.row = row
        super().untimed(at_us, session, severity, code, message, row=row)

    def unparsed(self, data: bytes, line: int, offset: int) -> None:
        """As in the base class."""
        super().unparsed(data, line, offset)
        if self.first_unparsed is None and self.coverage.first_unparsed is not None:
            self.first_unparsed = line, self.coverage.first_unparsed.partition(",")[2]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Statements logged, of those joined with their duration, and durations alone."""
        return self._logged, self._joined, self._bare


class EventRecorder(EventReader):
    """Takes down what an EventReader is told.

    It counts, too, so that texts get their numbers where they would and events are known as such;
    those counts are let go.
    """

    takes_files = False

    def __init__(self, sink: RangeSink) -> None:
        """Prepare for the range of a sink."""
        super().__init__(sink.recording, sink.coverage, sink.source)
        self._sink = sink
        self.row = -1
        self.noted: list[Noted] = []

    def entry(
        self,
        at_us: int,
        session: "Session",
        severity: str,
        code: str,
        message: str,
        *,
        after_execution: bool,
        complete: bool,
    ) -> None:
        """As in the base class."""
        noted = Noted("entry", session.process, session.generation, message, at_us, severity, code)
        self.noted.append(
            noted._replace(
                row=self.row,
                minimum_ms=self._sink.minimum_ms,
                key=session.key,
                began=session.began,
                speaker=session.speaker[1:],
            )
        )
        super().entry(
            at_us,
            session,
            severity,
            code,
            message,
            after_execution=after_execution,
            complete=complete,
        )
        session.key, session.began = UNTOLD_KEY, UNTOLD

    def came_from(self, session: "Session", key: int, text: str = "") -> None:
        """As in the base class."""
        if session.event is not None:
            self.noted.append(Noted("statement", session.process, session.generation, text))
        super().came_from(session, key, text)

    def needs_text(self, session: "Session") -> bool:  # noqa: ARG002 - as the base class
        """Always: it is taken down."""
        return True

    def detail(self, session: "Session", text: str) -> None:
        """As in the base class."""
        self.noted.append(Noted("detail", session.process, session.generation, text))
        super().detail(session, text)


class RangeStderrReader(StderrReader):
    """Sees lines that belong to an entry before the range."""

    _sink: RangeSink

    def _is_wanted(self, session: "Session", severity: bytes) -> bool:
        if session.row == NO_ENTRY and severity in (b"DETAIL", b"STATEMENT"):
            self._sink.orphans += 1
        return super()._is_wanted(session, severity)
