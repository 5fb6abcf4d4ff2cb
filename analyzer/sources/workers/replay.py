"""What a range's reader took down, held against what was so and replayed on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.sources.logs import Reader
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.meaning import COMPLETE_MS, EntrySink
from analyzer.sources.logs.rows import Batch
from analyzer.sources.logs.sessions import Session
from analyzer.sources.workers.held import Held, HoldingBatch
from analyzer.sources.workers.packing import Added, Renumbering
from analyzer.sources.workers.recorder import (
    CONNECTIONS,
    NO_ENTRY,
    ORDINAL,
    UNTOLD,
    UNTOLD_KEY,
    Began,
    Noted,
    RangeEnd,
    SessionEnd,
)
from analyzer.sources.workers.stretch import StretchSink, is_clean

_SESSIONS = 100_000  # as every reader: then they begin to forget
_WARNINGS = 8  # of its clock, as Clock
_RECEIVED, _AUTHORIZED, _AUTHENTICATED = CONNECTIONS

Messages = Sequence[tuple[Added, ExecutionChunk | None]]


class FoldedSink(StretchSink):
    """The sink of an input whose ranges are put together."""

    def __init__(self, plain: EntrySink, recording: Recording, held: Held) -> None:
        """Prepare, for the input of a `plain` sink."""
        super().__init__(recording, plain.coverage, plain.source, plain.options)
        self._held = held
        self._told: set[str] = set()
        self.clock = Clock(plain.options.timezone, self.tell)

    def tell(self, message: str) -> None:
        """A warning of a clock: each range has one, and the input tells each thing once."""
        if message not in self._told and len(self._told) < _WARNINGS:
            self._told.add(message)
            self.warn(message)

    def holding(self, batch: Batch) -> Batch:
        """As in the base class."""
        return HoldingBatch(batch, self._held)

    def add_counts(self, end: RangeEnd, numbers: Renumbering) -> None:
        """What adds up over a range."""
        coverage, other = self.coverage, end.coverage
        self.entries += end.entries
        self.entry_bytes += end.entry_bytes
        self.minimum_ms = min(self.minimum_ms, end.minimum_ms)
        logged, together, bare = end.counts
        self._logged += logged
        self._joined += together
        self._bare += bare
        coverage.entries = self.entries
        for name in (
            *("executions", "parse", "bind", "plans", "truncated"),
            *("bytes_unparsed", "unparsed_lines"),
        ):
            setattr(coverage, name, getattr(coverage, name) + getattr(other, name))
        for key, totals in end.phases.items():
            self.phases(numbers.key(key)).add(totals)

    def renew(self, session: Session, generation: int) -> None:
        """The session is that backend of its process id now."""
        session.generation = generation
        session.name = backend(session.process, generation)
        session.number = self.recording.sessions.add(session.name)
        session.speaker = (session.number, *session.speaker[1:])


def backend(process: str, generation: int) -> str:
    """The name of the n-th backend that had a process id."""
    return process if generation == 1 else f"{process}#{generation}"


class Replay:
    """One range, on the state that the ranges before it led to."""

    def __init__(
        self,
        sink: FoldedSink,
        reader: Reader,
        held: Held,
        end: RangeEnd,
        numbers: Renumbering,
    ) -> None:
        """Prepare to replay what comes before `end` on the sink and the sessions of the reader."""
        self._sink = sink
        self._reader = reader
        # By bytes or by text: each reader has its kind of name.
        self._sessions = cast("dict[bytes | str, Session]", reader.sessions)
        self._end = end
        self._numbers = numbers
        self._entries = sink.entries
        self._minimum_ms = sink.minimum_ms
        self._row = held.next
        self._ends = {one.process: one for one in end.sessions}
        # The backend that each process id stands for from its first entry in the range on.
        self._first = {one.process: self._first_backend(one) for one in end.sessions}

    def _before(self, one: SessionEnd) -> Session | None:
        """The session as it was before the range; None if it had said nothing."""
        return self._sessions.get(one.name)

    def holds(self) -> bool:
        """Whether reading the range after all that was before would have given the same."""
        end = self._end
        return (
            end.is_sound
            and is_clean(self._reader)
            and len(self._sessions) + end.met <= _SESSIONS
            and all(self._session_holds(one) for one in end.sessions)
        )

    def _session_holds(self, one: SessionEnd) -> bool:
        session, head = self._before(one), self._end.heads.get(one.process)
        if session is None or one.row == NO_ENTRY:
            return True
        if session.waiting is not None and (head is None or not head.settles):
            return False
        if not one.renewable:
            return True
        if session.fresh and (head is None or head.connection == _AUTHENTICATED):
            return False
        renewed = self._first[one.process] != session.generation
        return not renewed or head is None or head.connection in (_RECEIVED, _AUTHORIZED)

    def _first_backend(self, one: SessionEnd) -> int:
        """As EntrySink tells the backends of one process id apart, from the first entry alone."""
        session, head = self._before(one), self._end.heads.get(one.process)
        if session is None:
            return 1
        connection = "" if head is None else head.connection
        renewed = session.ended or (
            session.used
            and (connection == _RECEIVED or (connection == _AUTHORIZED and not session.fresh))
        )
        return session.generation + (one.renewable and renewed and one.row != NO_ENTRY)

    def added(self, added: Added) -> Added:
        """What is new in a message, as it would have been."""
        plans = [
            replace(plan, line=self._line(plan.line), session=self._name(plan.session))
            for plan in added.plans
        ]
        sessions = [self._name(name) or name for name in added.sessions]
        prefix = f"{self._end.coverage.path}: "
        for warning in added.warnings:
            self._sink.tell(warning.removeprefix(prefix))
        return replace(
            added, plans=plans, sessions=sessions, warnings=[], settings={}, begun=[], noted=[]
        )

    def _line(self, line: int | None) -> int | None:
        return line if line is None or line < ORDINAL else line - ORDINAL + self._entries

    def _name(self, name: str | None) -> str | None:
        """A session's name in the range as its name in the input."""
        process, _, number = (name or "").partition("#")
        one = self._ends.get(process)
        if one is None or not one.renewable:
            return name
        return backend(process, self._first[process] + int(number or 1) - 1)

    def chunk(self, chunk: ExecutionChunk) -> ExecutionChunk:
        """Executions with the numbers that they would have had."""
        self._numbers.renumber(chunk)
        line = chunk.columns["line"]
        ordinal = line >= ORDINAL
        if ordinal.any():
            chunk.columns["line"] = line + ordinal * (self._entries - ORDINAL)
        return chunk

    def replay(self, noted: Sequence[Noted]) -> None:
        """Tell the reader of events what the range's was told."""
        events = self._sink.events
        for note in noted:
            one = self._ends[note.session]
            session = self._session(one)
            if note.what == "entry":
                self._entry(one, session, note)
                continue
            self._be(session, one, note.generation)
            if note.what == "statement":
                events.statement(session, note.text)
            else:
                events.detail(session, note.text)

    def _entry(self, one: SessionEnd, session: Session, note: Noted) -> None:
        is_head = note.row == NO_ENTRY
        if not is_head:
            self._be(session, one, note.generation)
        self._become(session, note.key, note.began)
        speaker = tuple(self._numbers.name(number) for number in note.speaker)
        session.speaker = (session.number, *speaker)
        session.event = None
        self._sink.events.entry(
            note.at_us,
            session,
            note.severity,
            note.code,
            note.text,
            after_execution=(session.row if is_head else note.row) >= 0,
            complete=min(self._minimum_ms, note.minimum_ms) < COMPLETE_MS,
        )
        if is_head and one.renewable and self._first[one.process] != session.generation:
            session.began = None
            self._be(session, one, note.generation)

    def _session(self, one: SessionEnd) -> Session:
        """The session of the input, new or known."""
        known = self._before(one)
        if known is None:
            known = self._sink.session(one.process, renewable=one.renewable)
            self._sessions[one.name] = known
        return known

    def _be(self, session: Session, one: SessionEnd, generation: int) -> None:
        """The session is the n-th backend that the range has of its process id."""
        wanted = self._first[one.process] + generation - 1
        if wanted != session.generation:
            self._sink.renew(session, wanted)

    def _become(self, session: Session, key: int, began: Began) -> None:
        """What became of a session since it was told last."""
        if key != UNTOLD_KEY:
            session.key = self._numbers.key(key)
        if began == UNTOLD:
            return
        if began is not None and isinstance(began[1], int):
            began = began[0], self._numbers.key(began[1])
        session.began = began

    def finish(self, lines: int) -> None:
        """The range is over; `lines` are those before it."""
        end, sink = self._end, self._sink
        sink.add_counts(end, self._numbers)
        if sink.coverage.first_unparsed is None and end.first_unparsed is not None:
            line, rest = end.first_unparsed
            sink.coverage.first_unparsed = f"line {lines + line},{rest}"
        for one in end.sessions:
            if one.row != NO_ENTRY:
                self._end_session(self._session(one), one)

    def _end_session(self, session: Session, one: SessionEnd) -> None:
        self._be(session, one, one.generation)
        self._become(session, one.key, one.began)
        session.used, session.fresh, session.ended = one.used, one.fresh, one.ended
        session.waiting = one.waiting
        session.row = one.row + self._row if one.row >= 0 else -1
        if not one.has_event:
            session.event = None
        session.who = session.text = None
        session.interned = (-1, None, None)
