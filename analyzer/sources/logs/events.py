"""What the server says beside executions: errors, temporary files, lock waits and the like.

`EventReader` takes the entries whose message begins with neither a duration nor a logged statement,
knows them by PostgreSQL's message texts, and counts them in the recording.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, ClassVar

from analyzer.model.cancelled import MOST_KEPT, Cancelled
from analyzer.model.event import Event, Tally
from analyzer.patterns import regex
from analyzer.records import changing
from analyzer.sources.logs.error_texts import shortened
from analyzer.sources.logs.event_texts import happening, temporary_file
from analyzer.sources.logs.failures import failure_of
from analyzer.sources.logs.lock_waits import LockWaits, Wait, came_from, lock_wait
from analyzer.sources.logs.setting_texts import logged_setting
from analyzer.sql.comments import split_trace

if TYPE_CHECKING:
    from analyzer.model.coverage import SourceCoverage
    from analyzer.model.recording import Recording
    from analyzer.sources.logs.sessions import Session

FAILURES = frozenset(("ERROR", "FATAL", "PANIC"))
_HARMLESS = frozenset(("LOG", "INFO", "NOTICE", "WARNING", "DEBUG", "STATEMENT"))
_CODES = 300  # SQLSTATEs told apart; PostgreSQL has about 260
_MESSAGES = 50  # texts kept of each SQLSTATE, up to twice as many while counting
_OF_MESSAGE = 8  # statements kept of each text, as above
_DEADLOCK = "40P01"
_REFUSED = "53300"
_PROCESS = regex(r"^Process (\d{1,10}): ", re.MULTILINE)
_SERVER_CLASSES = ("53", "57P", "58", "F0", "XX")  # a FATAL of these is the server's trouble


@changing
class Occurrence:
    """The last event of a session, for what follows it: its DETAIL and its STATEMENT.

    `tallies` count by statement, `messages` do so for one message. `bounds` are the times that a
    cancelled statement of `speaker` is known to have taken at least, each with the statement's text or
    key, and whether it is from its beginning on.
    """

    at_us: int
    tallies: list[Event]
    amounts: Mapping[str, float] = field(default_factory=dict)
    message: Tally | None = None
    deadlock: Event | None = None
    cancelled: Event | None = None
    speaker: tuple[int, ...] = ()
    bounds: tuple[tuple[str | int, float, bool], ...] = ()
    wait: Wait | None = None
    otherwise: int | None = None  # the statement's key if no STATEMENT follows


class EventReader:
    """Counts the events of one input, number `source` of the recording."""

    takes_files: ClassVar[bool] = True  # `file` may be called, where no more is needed of the entry

    def __init__(self, recording: "Recording", coverage: "SourceCoverage", source: int) -> None:
        """Prepare for one input."""
        self.recording = recording
        self._coverage = coverage
        self.source = source
        self.key_of: Callable[[str], int] = lambda text: recording.keys.add(text)[0]
        self.comments_of: Callable[[str], str | None] = lambda text: recording.keys.add(text)[2]
        self.waits = LockWaits()
        self._codes = 0
        self._unsettled: Occurrence | None = None
        self._last_file: tuple[int, int] | None = None  # session, and key of its last statement

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
        """One entry that is no execution, phase, plan or logged statement.

        `after_execution`: the session's entry before this one was an execution. `complete`:
        executions and phases are logged however short they are.
        """
        behind = self._begins(session, after_execution=after_execution, complete=complete)
        if severity in FAILURES or (code and severity not in _HARMLESS and code[:2] > "02"):
            self._failure(at_us, session, severity, code, message)
        elif message.startswith("temporary file: "):
            self._temporary_file(at_us, session, message, behind=behind)
        elif found := lock_wait(message, at_us, session.number):
            wait = self.waits.take(found, self._event)
            session.event = Occurrence(at_us, [], wait=wait)
            self._coverage.events += 1
        else:
            self._server_event(at_us, session, message)

    def file(
        self,
        at_us: int,
        session: "Session",
        size: int,
        key: int,
        *,
        after_execution: bool,
        complete: bool,
    ) -> None:
        """A temporary file of so many bytes, and the key of its STATEMENT: `entry` and `came_from` in one."""
        behind = self._begins(session, after_execution=after_execution, complete=complete)
        event, amounts = self._event("temp-file", ""), {"temp_bytes": size}
        self._coverage.events += 1
        event.happened(at_us, amounts)
        self._last_file = self._file_of(session, behind=behind)
        session.event = None
        event.statement(key, at_us, amounts)

    def _begins(self, session: "Session", *, after_execution: bool, complete: bool) -> bool:
        """Another entry begins; whether it may be of an execution that the session has just ended."""
        if self._unsettled is not None:
            self.settle()
        if after_execution or not (complete or session.began is None or _is_logged(session)):
            session.began = None
        return after_execution and complete

    def _file_of(self, session: "Session", *, behind: bool) -> tuple[int, int] | None:
        """The session and the statement that a temporary file is of where no STATEMENT says it."""
        statement = session.number, session.key
        return statement if session.key >= 0 and (behind or statement == self._last_file) else None

    def statement(self, session: "Session", text: str) -> None:
        """The STATEMENT that the session's last entry came from."""
        if session.event is not None:
            self.came_from(session, self.key_of(text), text)

    def needs_text(self, session: "Session") -> bool:
        """Whether the text of the STATEMENT of a session's last entry is needed, beside its key."""
        return session.event is not None and session.event.cancelled is not None

    def came_from(self, session: "Session", key: int, text: str = "") -> None:
        """As `statement`, where the statement's key is known, and its text may not be needed."""
        event = session.event
        if event is None:
            return
        session.event = None
        if event is self._unsettled:
            self._unsettled = None
        self._came_from(event, key, text)

    def detail(self, session: "Session", text: str) -> None:
        """The DETAIL of the session's last entry: what the other sides of a deadlock ran."""
        if session.event is None or session.event.deadlock is None:
            return
        pieces = _PROCESS.split(text[:100_000])[1:]
        sides = list(zip(pieces[::2], pieces[1::2], strict=True))
        for _process, statement in sides[1:20]:  # the first is the one that failed
            key = self.key_of(statement.strip())
            session.event.deadlock.statement(key, session.event.at_us, {"survived": 1})

    def follow(self, later: "EventReader", rename: Callable[[int], int]) -> None:
        """Take in what a reader of the bytes behind these counted, before either is closed.

        `rename` turns the other's statement keys into this one's.
        """
        self.settle()
        later.settle()
        for (source, kind, code), event in later.recording.events.items():
            if source == later.source:
                self._event(kind, code).merge_event(event, rename)
        for name, setting in later.recording.coverage.logged_settings.items():
            self.recording.coverage.note_setting(name, setting)
        self.recording.cancelled += [
            replace(one, key=rename(one.key)) for one in later.recording.cancelled
        ]
        self.waits.follow(later.waits, self._event, rename)

    def close(self) -> None:
        """The input was read: count what waited for more."""
        self.settle()
        self.waits.finish(self._event)

    def _failure(
        self,
        at_us: int,
        session: "Session",
        severity: str,
        code: str,
        message: str,
    ) -> None:
        self._coverage.errors += 1
        failure = failure_of(shortened(message), severity, code)
        code = failure.code
        event = self._count(at_us, "error", self._bounded(code))
        event.derived += failure.derived
        event.part("severity", severity if severity in FAILURES else "other").add(at_us, {})
        shown = event.part(failure.what, failure.text, _MESSAGES)
        shown.add(at_us, {})
        occurrence = session.event = Occurrence(at_us, [event], message=shown)
        wait = self.waits.failed(session.number)
        if code == _DEADLOCK:
            occurrence.deadlock = self._count(at_us, "deadlock", _DEADLOCK)
            occurrence.tallies.append(occurrence.deadlock)
        elif code == _REFUSED:
            self._count(at_us, "connection", "refused")
        if failure.cancelled_by:
            occurrence.cancelled = self._count(at_us, "cancelled", failure.cancelled_by)
            occurrence.bounds = _bounds(at_us, session, wait)
            occurrence.speaker = session.speaker
        elif severity == "PANIC" or (severity == "FATAL" and code.startswith(_SERVER_CLASSES)):
            self._count(at_us, "server", severity.lower())

    def _bounded(self, code: str) -> str:
        """An error's code, or "other" where there are more codes than PostgreSQL has."""
        if code and (self.source, "error", code) not in self.recording.events:
            if self._codes >= _CODES:
                return "other"
            self._codes += 1
        return code

    def _server_event(self, at_us: int, session: "Session", message: str) -> None:
        found = happening(message)
        if found is None:
            return
        kind, code, amounts, parts, only_parts = found
        self._coverage.events += 1
        if code == "parameter" and (setting := logged_setting(message, at_us)):
            self.recording.coverage.note_setting(*setting)
        event = self._event(kind, code)
        if not only_parts:
            event.happened(at_us, amounts)
        for what, name in parts.items():
            event.part(what, name).add(at_us, amounts)
        session.event = Occurrence(at_us, [event], amounts)

    def _temporary_file(
        self, at_us: int, session: "Session", message: str, *, behind: bool
    ) -> None:
        """In the extended protocol a file is told of behind its execution, without STATEMENT."""
        size = temporary_file(message)
        if size is None:
            return
        self._coverage.events += 1
        event = self._event("temp-file", "")
        amounts = {"temp_bytes": size}
        event.happened(at_us, amounts)
        found = session.event = Occurrence(at_us, [event], amounts)
        self._last_file = self._file_of(session, behind=behind)
        if self._last_file is not None:
            found.otherwise = session.key
            self._unsettled = found

    def settle(self) -> None:
        """No STATEMENT follows any more the event that could do without."""
        event, self._unsettled = self._unsettled, None
        if event is not None and event.otherwise is not None:
            self._came_from(event, event.otherwise, "")

    def _came_from(self, event: Occurrence, key: int, text: str) -> None:
        if event.wait is not None:
            came_from(event.wait, key, self._event)
        for tally in event.tallies:
            tally.statement(key, event.at_us, event.amounts)
        if event.message is not None:
            event.message.statement(key, event.at_us, {}, _OF_MESSAGE)
        if event.cancelled is not None:
            bounds = [(ms, whole) for of, ms, whole in event.bounds if of in (text, key) and ms > 0]
            amounts = {"at_least_ms": max(bounds)[0]} if bounds else {}
            for name, value in amounts.items():
                event.cancelled.measure(name).add(value)
            event.cancelled.statement(key, event.at_us, amounts)
            if len(self.recording.cancelled) < MOST_KEPT:
                self._keep(
                    event, event.cancelled.code, key, text, max(bounds, default=(0.0, False))
                )

    def _keep(
        self, event: Occurrence, reason: str, key: int, text: str, bound: tuple[float, bool]
    ) -> None:
        """A cancelled execution, which counts with at least its time, and for who asked for it."""
        may_comment = "--" in text or "/*" in text  # else a look for comments tells nothing
        comments = self.comments_of(text) if may_comment else None
        comment = -1 if comments is None else self.recording.comments.add(split_trace(comments)[0])
        self.recording.cancelled.append(
            Cancelled(self.source, event.at_us, event.speaker, key, comment, reason, *bound)
        )

    def _event(self, kind: str, code: str) -> Event:
        """The event of a kind and code, new or known; not counted."""
        identity = (self.source, kind, code)
        event = self.recording.events.get(identity)
        if event is None:
            event = self.recording.events[identity] = Event(kind=kind, code=code)
        return event

    def _count(self, at_us: int, kind: str, code: str) -> Event:
        event = self._event(kind, code)
        event.happened(at_us, {})
        return event


def _is_logged(session: "Session") -> bool:
    """Whether what is known of the session's last statement is its text that was logged."""
    return session.began is not None and isinstance(session.began[1], str)


def _bounds(
    at_us: int, session: "Session", wait: Wait | None
) -> tuple[tuple[str | int, float, bool], ...]:
    """The times, each with its statement's text or key, that a failed statement took at least.

    It took longer than from its bind or its logged text to now, and longer than the lock wait that
    it was in. That is the client's time: between bind and execution it may have thought itself.
    """
    bounds: list[tuple[str | int, float, bool]] = []
    if session.began is not None:
        began_us, statement = session.began
        bounds.append((statement, _between_ms(began_us, at_us), True))
    if wait is not None and wait.key is not None:
        waited_ms = wait.waited_ms + max(_between_ms(wait.at_us, at_us), 0.0)
        bounds.append((wait.key, waited_ms, False))
    return tuple(bounds)


def _between_ms(first_us: int, last_us: int) -> float:
    """How long, at least, lies between two log times, which were cut to milliseconds or seconds."""
    whole = first_us % 1_000_000 == 0 and last_us % 1_000_000 == 0
    return (last_us - first_us) / 1e3 - (1000.0 if whole else 1.0)
