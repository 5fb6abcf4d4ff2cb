"""What a log entry means: the one place where messages of any format become facts.

A format's reader frames entries and takes their fields apart; it hands each to an `EntrySink`,
which knows executions, phases, plans and parameters by PostgreSQL's message texts
(src/backend/tcop/postgres.c, contrib/auto_explain), and hands errors and server events to an
`EventReader`. Statement texts can contain anything, so a message is only ever judged by how it begins.
"""

from typing import TYPE_CHECKING

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk
from analyzer.model.plan import RecordedPlan
from analyzer.model.recording import NANOSECONDS, PhaseTotals, Recording
from analyzer.patterns import regex
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.events import FAILURES, EventReader
from analyzer.sources.logs.plan_texts import plan_format, statement_of
from analyzer.sources.logs.rows import Batch, RowBatch
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import safe, shown
from analyzer.sources.options import ReadOptions
from analyzer.sql.comments import split_trace
from analyzer.sql.keys import CHECK_EVERY, is_checked

if TYPE_CHECKING:
    from collections.abc import Callable

# The name of a prepared statement or portal stands between the kind and ": ".
_DURATION = regex(
    r"duration: ([0-9]{1,12}(?:\.[0-9]{1,9})?) ms(?:  ([a-z]+)(?: [^\n]*?)?:(?: |(?=\r?(?:\n|\Z))))?"
)
LOGGED = regex(r"(?:statement|execute(?: [^\n]*?)?): ")
_LOGGED = ("statement", "execute")  # how what LOGGED matches begins: quicker than the expression
_CONNECTIONS = ("connection ", "disconnection: ")
_PARAMETERS = regex(r"[Pp]arameters: ")

_NOBODY = ("", "[unknown]")
_ALWAYS_US = 1 << 62
COMPLETE_MS = 1.0  # log_min_duration_statement is whole: faster entries show that it is 0


def _nobody_asks(_key: int) -> None:
    """Told of a plan that was kept, where nobody wants to know."""


class EntrySink:
    """Takes the entries of one input and fills `recording` and the input's `coverage`.

    Readers call `entry` for each entry, then `detail` and `statement` for what belongs to it, and
    `unparsed` for bytes that are no entry; `close` at the end. `source` is the input's position
    in `recording.coverage.sources`; `entry_bytes` counts the bytes that readers found to be entries.
    """

    def __init__(
        self, recording: Recording, coverage: SourceCoverage, source: int, options: ReadOptions
    ) -> None:
        """Prepare for one input."""
        self.recording = recording
        self.options = options
        self.coverage = coverage
        self.source = source
        self.clock = Clock(options.timezone, self.warn)
        self.since_us = -_ALWAYS_US if options.since_us is None else options.since_us
        self.until_us = _ALWAYS_US if options.until_us is None else options.until_us
        self.intern = recording.keys.add
        self._phases: dict[int, PhaseTotals] = {}
        self.minimum_ms = float("inf")
        self.entries = 0
        self.entry_bytes = 0
        self.outside = 0
        self._logged = 0
        self._joined = 0
        self._bare = 0
        self.batch: Batch = RowBatch(source)
        self.events = EventReader(recording, coverage, source)
        self.plan_kept: Callable[[int], None] = _nobody_asks

    def warn(self, message: str) -> None:
        """Add a warning about this input to the run's coverage."""
        self.recording.coverage.warnings.append(f"{self.coverage.path}: {message}")

    def session(self, name: str, *, renewable: bool = False) -> Session:
        """A session called `name`; a `renewable` one is known by its process id only."""
        return Session(name, self.recording.sessions.add(name), renewable=renewable)

    def speaks(self, session: Session, user: str, database: str, application: str) -> None:
        """From now on the session's entries are of this user, database and application."""
        add = self.recording.names.add
        session.speaker = (
            session.number,
            -1 if database in _NOBODY else add(database),
            -1 if user in _NOBODY else add(user),
            -1 if application in _NOBODY else add(application),
        )

    def entry(
        self,
        at_us: int,
        session: Session,
        severity: str,
        code: str,
        message: str,
        query_id: int,
        line: int,
    ) -> None:
        """One entry. `at_us` is its log time, `code` its SQLSTATE ("" unknown), `query_id` 0 none.

        `line` is the entry's number in its session, or in the file where that is not known.
        """
        # At any other level it is a text that a function chose to RAISE.
        is_timed = severity == "LOG" and message.startswith("duration: ")
        if is_timed and (found := _DURATION.match(message)):
            duration, kind = found.groups()
            text = message[found.end() :]
            self.timed(at_us, session, float(duration), kind, text, query_id, line)
            return
        self.entries += 1
        row = session.row
        session.row = -1
        session.event = None
        if at_us < self.since_us or at_us >= self.until_us:
            self.outside += 1
            session.waiting = None
            return
        self.untimed(at_us, session, severity, code, message, row=row)

    def timed(
        self,
        at_us: int,
        session: Session,
        duration_ms: float,
        kind: str | None,
        text: str,
        query_id: int,
        line: int,
    ) -> None:
        """An entry whose message begins with a duration, for readers that took it apart.

        `kind` is what the duration is of: statement, execute, bind, parse, plan, or None where
        nothing follows; `text` is the message behind it.
        """
        self.entries += 1
        session.row = -1
        session.event = None
        if at_us < self.since_us or at_us >= self.until_us:
            self.outside += 1
            session.waiting = None
            return
        if session.ended:
            self._renew(session)
        session.used = True
        if kind == "execute" or kind == "statement":  # noqa: PLR1714  # quicker so
            self._execution(at_us, session, duration_ms, text, query_id, line)
        elif kind == "bind" or kind == "parse":  # noqa: PLR1714  # as above
            self._phase(session, kind, duration_ms, text)
            if is_checked(at_us, duration_ms):
                self.recording.keys.check(text, session.interned[0])
            session.began = (at_us, session.interned[0])
            session.key = -1
        elif kind == "plan":
            self._plan(at_us, session, duration_ms, text, line)
            return
        elif kind is None:
            self._join(at_us, session, duration_ms, query_id, line)
        if duration_ms < self.minimum_ms:  # noqa: PLR1730  # min() costs a call on the hot path
            self.minimum_ms = duration_ms

    def _join(
        self, at_us: int, session: Session, duration_ms: float, query_id: int, line: int
    ) -> None:
        """A duration alone (log_duration): of the statement that the session logged before it."""
        if session.waiting is None:
            self._bare += 1
            return
        text, parameters = session.waiting
        session.waiting = None
        self._joined += 1
        self._execution(at_us, session, duration_ms, text, query_id, line)
        if parameters is not None:
            self.detail(session, parameters)

    def _execution(
        self,
        at_us: int,
        session: Session,
        duration_ms: float,
        text: str,
        query_id: int,
        line: int,
    ) -> None:
        # A statement repeated in its session (parse, bind, execute; a loop) is looked up once.
        if text != session.text:
            session.text = text
            session.interned = self.intern(text)
        key, literals, comments = session.interned
        if not (at_us // 1000 + int(duration_ms * 1000.0 + 0.5)) % CHECK_EVERY:  # as is_checked
            self.recording.keys.check(text, key)
        session.key = key
        session.began = None  # what had begun has ended with it
        comment, trace = (-1, 0) if comments is None else self.comment(comments)
        row = session.row = self.batch.add(
            at_us - int(duration_ms * 1000.0 + 0.5),
            at_us,
            duration_ms,
            key,
            line,
            query_id,
            comment,
            trace,
            session.speaker,
        )
        if literals is not None:
            self.batch.describe(row, literals)

    def comment(self, comments: str) -> tuple[int, int]:
        """The number of a comment without its trace, and the trace's."""
        rest, trace = split_trace(comments)
        return self.recording.comments.add(rest), trace

    def _phase(self, session: Session, kind: str, duration_ms: float, text: str) -> None:
        if text != session.text:
            session.text = text
            session.interned = self.intern(text)
        self.count_phase(session.interned[0], kind, duration_ms)

    def count_phase(self, key: int, kind: str, duration_ms: float) -> None:
        """Count the parse or bind of a statement's key."""
        totals = self._phases.get(key)
        if totals is None:
            totals = self._phases[key] = self.phases(key)
        took_ns = int(duration_ms * NANOSECONDS + 0.5)
        if kind == "bind":
            self.coverage.bind += 1
            totals.binds += 1
            totals.bind_ns += took_ns
        else:
            self.coverage.parse += 1
            totals.parses += 1
            totals.parse_ns += took_ns

    def phases(self, key: int) -> PhaseTotals:
        """The parse and bind figures of a statement's key."""
        return self.recording.phases.setdefault((self.source, key), PhaseTotals())

    def _plan(self, at_us: int, session: Session, duration_ms: float, text: str, line: int) -> None:
        text = text.lstrip("\r\n")
        statement = statement_of(text, plan_format(text))
        key = -1 if statement is None else self.events.key_of(safe(statement))
        self.planned(at_us, session, duration_ms, text, key, line)

    def planned(
        self, at_us: int, session: Session, duration_ms: float, text: str, key: int, line: int
    ) -> None:
        """A plan whose statement is known by its key (-1: it is not)."""
        self.coverage.plans += 1
        plans = self.recording.plans
        if plans.turns_away(key, duration_ms, self.source, text):
            self.plan_kept(key)  # a reader of this input may not know yet
            return
        plans.append(
            RecordedPlan(
                text=text,
                format=plan_format(text),
                origin=self.coverage.path,
                source=self.source,
                line=line,
                at_us=at_us,
                duration_ms=duration_ms,
                session=self.recording.sessions.get(session.number),
                statement_key=key,
            )
        )
        self.plan_kept(key)

    def untimed(
        self,
        at_us: int,
        session: Session,
        severity: str,
        code: str,
        message: str,
        *,
        row: int,
    ) -> None:
        """An entry without a duration, which is counted; `row` is that of the session's before it, if any."""
        if message.startswith(_LOGGED) and (logged := LOGGED.match(message)):
            text = message[logged.end() :]
            session.waiting = (text, None)
            session.began = (at_us, text)
            self._logged += 1
        else:
            if severity in FAILURES:
                session.waiting = None
            self.events.entry(
                at_us,
                session,
                severity,
                code,
                message,
                after_execution=row >= 0,
                complete=self.minimum_ms < COMPLETE_MS,
            )
        if session.renewable:
            self.follow(session, message)

    def follow(self, session: Session, message: str) -> None:
        """Tell apart the backends that had one process id, by what is logged of connections."""
        if not session.ended and not message.startswith(_CONNECTIONS):  # most entries
            session.used = True
            session.fresh = False
            return
        received = message.startswith("connection received: ")
        authorized = message.startswith("connection authorized: ") and not session.fresh
        if session.ended or ((received or authorized) and session.used):
            self._renew(session)
        session.used = True
        session.fresh = received or (
            session.fresh and message.startswith("connection authenticated: ")
        )
        session.ended = message.startswith("disconnection: ")

    def _renew(self, session: Session) -> None:
        session.renew()
        session.number = self.recording.sessions.add(session.name)
        session.speaker = (session.number, *session.speaker[1:])

    def expect(self, statements: int) -> None:
        """So many more durations of logged statements are to come here than were logged here.

        Less (negative) where a log is read on later: those will come then.
        """
        self._logged += statements

    def detail(self, session: Session, text: str) -> None:
        """The DETAIL of the session's last entry: what an execution was called with."""
        if session.event is not None:
            self.events.detail(session, text)
            return
        found = _PARAMETERS.match(text)
        if not found:
            return
        if session.row >= self.batch.oldest:
            self.batch.describe(session.row, text[found.end() :])
        elif session.waiting is not None:
            session.waiting = (session.waiting[0], text)

    def statement(self, session: Session, text: str) -> None:
        """The STATEMENT that the session's last entry, an event, came from."""
        self.events.statement(session, text)

    def cut(self, session: Session) -> None:
        """The session's last entry was too long and lost its end."""
        self.coverage.truncated += 1
        if session.row >= self.batch.oldest:
            self.batch.mark_truncated(session.row)

    def unparsed(self, data: bytes, line: int, offset: int) -> None:
        """Bytes that are no entry, from `offset` in the input, beginning at its `line` (1-based)."""
        self.coverage.bytes_unparsed += len(data)
        self.coverage.unparsed_lines += data.count(b"\n") + (not data.endswith(b"\n"))
        if self.coverage.first_unparsed is None:
            self.coverage.first_unparsed = f"line {line}, byte {offset}: {shown(data)}"

    def flush(self, *, last: bool = False) -> list[ExecutionChunk]:
        """The executions that are complete; readers call it between blocks and hand them on."""
        self.coverage.entries = self.entries
        chunks = self.batch.take(last=last)
        self.coverage.executions += sum(map(len, chunks))
        return chunks

    def close(self) -> list[ExecutionChunk]:
        """The last executions; writes down what was counted, and warns about what is no use."""
        chunks = self.flush(last=True)
        self.events.close()
        if self.minimum_ms != float("inf"):
            self.coverage.minimum_ms = self.minimum_ms
        if self.outside and self.outside == self.entries:
            self.warn(f"all {self.outside} entries lie outside --since and --until")
        if self._bare:
            self.warn(
                f"{self._bare} durations came without their statement (log_duration alone); "
                "log_min_duration_statement = 0 logs both together"
            )
        untimed = self._logged - self._joined
        if untimed:
            self.warn(
                f"{untimed} statements came without a duration (log_statement alone); "
                "log_min_duration_statement = 0 logs both together"
            )
        return chunks
