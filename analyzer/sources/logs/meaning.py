"""What a log entry means: the one place where messages of any format become facts.

A format's reader frames entries and takes their fields apart; it hands each to an `EntrySink`,
which knows executions, phases, plans, parameters, errors and server events by PostgreSQL's
message texts (src/backend/tcop/postgres.c, contrib/auto_explain). Statement texts can contain
anything, so a message is only ever judged by how it begins.
"""

import re

from analyzer.model.coverage import SourceCoverage
from analyzer.model.plan import RecordedPlan
from analyzer.model.recording import Event, PhaseTotals, Recording
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.rows import RowBatch
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import shown
from analyzer.sources.options import ReadOptions

# The name of a prepared statement or portal stands between the kind and ": ".
_DURATION = re.compile(
    r"duration: ([0-9]{1,12}(?:\.[0-9]{1,9})?) ms(?:  ([a-z]+)(?: [^\n]*?)?:(?: |(?=\r?\n)|\Z))?"
)
_LOGGED = re.compile(r"(?:statement|execute(?: [^\n]*?)?): ")
_PARAMETERS = re.compile(r"[Pp]arameters: ")
_TEMPORARY_FILE = re.compile(r'temporary file: path ".*", size (\d{1,18})', re.DOTALL)
_LOCK_WAIT = re.compile(r"process \d+ still waiting for (\w+) on ")
_YAML_PLAN = re.compile(r"^(?:- )?Plan: *$", re.MULTILINE)

_FAILURES = frozenset(("ERROR", "FATAL", "PANIC"))
_DEADLOCK = "40P01"
_EVENTS = (  # how a message begins, the event's kind and code
    ("connection received: ", "connection", "received"),
    ("connection authorized: ", "connection", "authorized"),
    ("disconnection: ", "connection", "disconnected"),
    ("checkpoint complete: ", "checkpoint", ""),
    ("restartpoint complete: ", "checkpoint", "restartpoint"),
    ("automatic analyze of table ", "autovacuum", "analyze"),
    ("automatic vacuum of table ", "autovacuum", "vacuum"),
    ("automatic aggressive vacuum ", "autovacuum", "vacuum"),
)
_NOBODY = ("", "[unknown]")
_ALWAYS_US = 1 << 62


def plan_format(text: str) -> str:
    """How an EXPLAIN output is written: json, xml, yaml or text."""
    start = text[:256].lstrip()
    if start.startswith(("{", "[")):
        return "json"
    if start.startswith("<"):
        return "xml"
    if _YAML_PLAN.search(text) and "Node Type:" in text:
        return "yaml"
    return "text"


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
        self.coverage = coverage
        self.source = source
        self.clock = Clock(options.timezone, self.warn)
        self._since_us = -_ALWAYS_US if options.since_us is None else options.since_us
        self._until_us = _ALWAYS_US if options.until_us is None else options.until_us
        self._intern = recording.keys.add
        self._phases: dict[int, PhaseTotals] = {}
        self._minimum_ms = float("inf")
        self.entries = 0
        self.entry_bytes = 0
        self._outside = 0
        self._logged = 0
        self._joined = 0
        self._bare = 0
        self._batch = RowBatch(recording.executions, source)

    def warn(self, message: str) -> None:
        """Add a warning about this input to the run's coverage."""
        self.recording.coverage.warnings.append(f"{self.coverage.path}: {message}")

    def session(self, name: str, *, renewable: bool = False) -> Session:
        """A session called `name`; a `renewable` one is known by its process id only."""
        return Session(name, self.recording.sessions.add(name), renewable=renewable)

    def speaks(self, session: Session, user: str, database: str, application: str) -> None:
        """From now on the session's entries are of this user, database and application."""
        add = self.recording.names.add
        numbers = (add(None if name in _NOBODY else name) for name in (database, user, application))
        session.speaker = (session.number, *numbers)

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
        found = _DURATION.match(message)
        if found is not None:
            duration, kind = found.groups()
            text = message[found.end() :]
            self.timed(at_us, session, float(duration), kind, text, query_id, line)
            return
        self.entries += 1
        session.row = -1
        session.event = None
        if at_us < self._since_us or at_us >= self._until_us:
            self._outside += 1
            session.waiting = None
            return
        self._untimed(at_us, session, severity, code, message)

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
        if at_us < self._since_us or at_us >= self._until_us:
            self._outside += 1
            session.waiting = None
            return
        if session.ended:
            self._renew(session)
        session.used = True
        if kind == "execute" or kind == "statement":  # noqa: PLR1714  # quicker so
            self._execution(at_us, session, duration_ms, text, query_id, line)
        elif kind == "bind" or kind == "parse":  # noqa: PLR1714  # as above
            self._phase(session, kind, duration_ms, text)
        elif kind == "plan":
            self._plan(at_us, session, duration_ms, text, line)
            return
        elif kind is None:
            self._join(at_us, session, duration_ms, query_id, line)
        if duration_ms < self._minimum_ms:  # noqa: PLR1730  # min() costs a call on the hot path
            self._minimum_ms = duration_ms

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
            session.interned = self._intern(text)
        key, literals, comments = session.interned
        batch = self._batch
        session.row = batch.base + len(batch.rows)
        batch.rows.append(
            (
                at_us - int(duration_ms * 1000.0 + 0.5),
                at_us,
                duration_ms,
                key,
                line,
                query_id,
                -1 if literals is None else self.recording.parameters.add(literals),
                -1 if comments is None else self.recording.comments.add(comments),
                session.speaker,
            )
        )

    def _phase(self, session: Session, kind: str, duration_ms: float, text: str) -> None:
        if text != session.text:
            session.text = text
            session.interned = self._intern(text)
        key = session.interned[0]
        totals = self._phases.get(key)
        if totals is None:
            totals = self._phases[key] = PhaseTotals()
            self.recording.phases[self.source, key] = totals
        if kind == "bind":
            self.coverage.bind += 1
            totals.binds += 1
            totals.bind_ms += duration_ms
        else:
            self.coverage.parse += 1
            totals.parses += 1
            totals.parse_ms += duration_ms

    def _plan(self, at_us: int, session: Session, duration_ms: float, text: str, line: int) -> None:
        self.coverage.plans += 1
        text = text.lstrip("\r\n")
        self.recording.plans.append(
            RecordedPlan(
                text=text,
                format=plan_format(text),
                origin=self.coverage.path,
                source=self.source,
                line=line,
                at_us=at_us,
                duration_ms=duration_ms,
                session=self.recording.sessions.get(session.number),
            )
        )

    def _untimed(
        self, at_us: int, session: Session, severity: str, code: str, message: str
    ) -> None:
        logged = _LOGGED.match(message)
        if logged:
            session.waiting = (message[logged.end() :], None)
            self._logged += 1
        elif severity in _FAILURES:
            self.coverage.errors += 1
            session.waiting = None
            session.event = self._count(at_us, "error", code)
            if code == _DEADLOCK or message.startswith("deadlock detected"):
                self._count(at_us, "deadlock", _DEADLOCK)
        else:
            self._server_event(at_us, session, message)
        if session.renewable:
            self._follow(session, message)

    def _server_event(self, at_us: int, session: Session, message: str) -> None:
        event = None
        for start, kind, code in _EVENTS:
            if message.startswith(start):
                event = self._count(at_us, kind, code)
                break
        else:
            if found := _TEMPORARY_FILE.match(message):
                event = self._count(at_us, "temp-file", "")
                event.total_bytes += int(found[1])
            elif found := _LOCK_WAIT.match(message):
                event = self._count(at_us, "lock-wait", found[1])
        if event is not None:
            self.coverage.events += 1
            session.event = event

    def _count(self, at_us: int, kind: str, code: str) -> Event:
        identity = (self.source, kind, code)
        event = self.recording.events.get(identity)
        if event is None:
            event = self.recording.events[identity] = Event(kind, code)
        event.count += 1
        event.first_us = at_us if event.first_us is None else min(event.first_us, at_us)
        event.last_us = at_us if event.last_us is None else max(event.last_us, at_us)
        return event

    def _follow(self, session: Session, message: str) -> None:
        """Tell apart the backends that had one process id, by what is logged of connections."""
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

    def detail(self, session: Session, text: str) -> None:
        """The DETAIL of the session's last entry: what an execution was called with."""
        found = _PARAMETERS.match(text)
        if not found:
            return
        if session.row >= 0:
            number = self.recording.parameters.add(text[found.end() :])
            self._batch.set_parameters(session.row, number)
        elif session.waiting is not None:
            session.waiting = (session.waiting[0], text)

    def statement(self, session: Session, text: str) -> None:
        """The STATEMENT that the session's last entry, an event, came from."""
        if session.event is not None:
            key = self._intern(text)[0]
            counts = session.event.statements
            counts[key] = counts.get(key, 0) + 1

    def cut(self, session: Session) -> None:
        """The session's last entry was too long and lost its end."""
        self.coverage.truncated += 1
        if session.row >= 0:
            self._batch.mark_truncated(session.row)

    def unparsed(self, data: bytes, line: int, offset: int) -> None:
        """Bytes that are no entry, from `offset` in the input, beginning at its `line` (1-based)."""
        self.coverage.bytes_unparsed += len(data)
        self.coverage.unparsed_lines += data.count(b"\n") + (not data.endswith(b"\n"))
        if self.coverage.first_unparsed is None:
            self.coverage.first_unparsed = f"line {line}, byte {offset}: {shown(data)}"

    def flush(self) -> None:
        """Move executions into the recording's columns; readers call it between blocks."""
        self.coverage.executions += self._batch.flush()
        self.coverage.entries = self.entries

    def close(self) -> None:
        """Write down what was counted on the way, and warn about what could not be used."""
        self.flush()
        if self._minimum_ms != float("inf"):
            self.coverage.minimum_ms = self._minimum_ms
        if self._outside and self._outside == self.entries:
            self.warn(f"all {self._outside} entries lie outside --since and --until")
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
