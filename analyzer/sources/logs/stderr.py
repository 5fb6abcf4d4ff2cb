"""PostgreSQL's stderr log: lines that begin with log_line_prefix, continued by lines with a TAB.

DETAIL, STATEMENT, HINT and their like are lines with a prefix of their own that belong to the
entry before them in their session.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from analyzer.model.executions import ExecutionChunk
from analyzer.patterns import regex
from analyzer.sources.logs.framing import Block, blocks
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.ordinary import (
    PARAMETERS,
    REPEATS,
    Ordinary,
    OrdinaryEntries,
    duration,
    int64,
)
from analyzer.sources.logs.prefix import BELONGING, SEVERITIES, Prefix
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import text_of

_END = regex(rb"\n(?!\t)")  # of an entry; a block always has one
_VERBOSE = regex(r"([0-9A-Z]{5}): ")  # log_error_verbosity = verbose puts the SQLSTATE first
_KINDS = {name.encode(): name for name in ("statement", "execute", "bind", "parse", "plan")}
_SESSIONS = 100_000  # sessions remembered at a time


class StderrReader:
    """Reads one stderr log into a sink. `prefix` is how its lines begin."""

    def __init__(self, sink: EntrySink, prefix: Prefix) -> None:
        """Prepare; `sink` receives everything."""
        self._sink = sink
        self._prefix = prefix
        index = prefix.framed.groupindex
        self._groups = (*prefix.groups, index["duration"], index["kind"], index["message"])
        self.sessions: dict[str, Session] = {}
        self.lines = 0  # that were read
        self.crlf = False
        self.last: Session | None = None  # who spoke last

    def read(self, stream: BinaryIO, offset: int = 0) -> Iterator[ExecutionChunk]:
        """Read all of `stream`, which begins at `offset`; gives the executions of each block."""
        ordinary = ordinary_entries(self._prefix)
        bulk = None if ordinary is None else OrdinaryEntries(self._sink, self, ordinary)
        for block in blocks(stream, tabs=True, offset=offset):
            if block.offset == 0:
                self.crlf = is_crlf(block)
            (self if bulk is None or self.crlf else bulk).block(block)
            yield from self._sink.flush()

    @property
    def is_ready(self) -> bool:
        """Whether the next byte begins an entry: always, as blocks are cut."""
        return True

    def place(self, lines: int, _offset: int) -> None:
        """The next block begins behind that many lines and bytes, which another has read."""
        self.lines = lines

    def block(self, block: Block) -> None:
        """Read one block; blocks come in order, each once."""
        parsed, is_entry = self._entries(block)
        self._settle(block, parsed, entry_is_last=is_entry)

    def _entries(self, block: Block) -> tuple[int, bool]:
        """Entry after entry, one match each.

        Gives how many bytes were entries, and whether the last was one.
        """
        data, groups = block.data, self._groups
        match = self._prefix.framed.match
        sink, clock = self._sink, self._sink.clock
        last_time, at_us = b"", None
        position = parsed = 0
        found = None
        while position < len(data):
            found = match(data, position)
            if found is None:
                position = self._unframed(block, position)
                continue
            (time, process, name, number, user, database, application, query, code, severity,
             duration, kind, raw) = found.group(*groups)  # fmt: skip
            if time != last_time:
                last_time, at_us = time, clock.moment(time.decode("ascii", "replace"))
            if at_us is None:
                found = None
                position = self._unframed(block, position)
                continue
            start, position = position, found.end()
            if data.startswith(b"\t", position):  # more lines than the expression takes
                position = _end(data, position)
                raw = data[found.start("message") : position - 1]
            parsed += position - start
            session = self.session(name, process)
            if session.who != (user, database, application):
                self._speaker(session, user, database, application)
            self.last = session
            if severity in BELONGING:
                # What it begins with is text, whatever that says.
                whole = raw if duration is None else self._message(data[start:position])
                if self._is_wanted(session, severity):
                    self._belonging(session, severity, self._text(whole))
            elif duration is not None and severity == b"LOG":
                sink.timed(
                    at_us,
                    session,
                    float(duration),
                    _KINDS.get(kind, "") if kind else None,
                    self._text(raw),
                    int64(query) if query else 0,
                    int64(number) if number else sink.entries + 1,
                )
            else:
                whole = raw if duration is None else self._message(data[start:position])
                self._other(at_us, session, severity, code, self._text(whole), query, number)
        return parsed, found is not None

    def taken_apart(
        self,
        session: Session,
        at_us: int,
        severity: bytes,
        code: bytes,
        message: str,
        query: bytes,
        number: bytes,
        who: tuple[bytes, bytes, bytes],
    ) -> None:
        """An entry of `session` that another took apart; `who` is user, database and application."""
        if session.who != who:
            self._speaker(session, *who)
        self.last = session
        if severity == b"STATEMENT":  # a third of those that the scanner hands over
            if session.event is not None:
                self._sink.events.statement(session, message)
        elif severity not in BELONGING:
            self._other(at_us, session, severity, code, message, query, number)
        elif self._is_wanted(session, severity):
            self._belonging(session, severity, message)

    def _message(self, entry: bytes) -> bytes:
        """All that follows an entry's prefix and severity."""
        found = self._prefix.entry.match(entry)
        return entry[found.end() if found else 0 : -1]

    def _other(
        self,
        at_us: int,
        session: Session,
        severity: bytes,
        code: bytes | None,
        message: str,
        query: bytes | None,
        number: bytes | None,
    ) -> None:
        """An entry that does not begin with a duration."""
        if message[5:7] == ": " and (verbose := _VERBOSE.match(message)):
            code, message = verbose[1].encode(), message[verbose.end() :]
        self._sink.entry(
            at_us,
            session,
            severity.decode(),
            "" if code is None else code.decode(),
            message,
            int64(query) if query else 0,
            int64(number) if number else self._sink.entries + 1,
        )

    def _settle(self, block: Block, parsed: int, *, entry_is_last: bool) -> None:
        """Account for a block that was read, whose real length may differ from its data's."""
        self.lines += block.data.count(b"\n")
        extra = block.length - len(block.data)
        sink = self._sink
        sink.entry_bytes += parsed
        if not entry_is_last:
            sink.coverage.bytes_unparsed += extra
            return
        sink.entry_bytes += extra
        if (block.cut or not block.ended) and self.last is not None:
            sink.cut(self.last)

    def _unframed(self, block: Block, position: int) -> int:
        """Account for lines that are no entry; the position behind them."""
        end = _end(block.data, position)
        line = 0
        if self._sink.coverage.first_unparsed is None:
            line = self.lines + block.data.count(b"\n", 0, position) + 1
        self._sink.unparsed(block.data[position:end], line, block.offset + position)
        return end

    def session(self, name: bytes | None, process: bytes | None) -> Session:
        """The session of that name (%c), or of that process if it has none."""
        key = (name or process or b"").decode()
        known_already = self.sessions.get(key)
        if known_already is not None:
            return known_already
        if len(self.sessions) >= _SESSIONS:
            self.sessions.clear()
        if name is not None:
            session = self._sink.session(name.decode())
        else:
            known = f"pid:{int(process)}" if process is not None else "pid:0"
            session = self._sink.session(known, renewable=process is not None)
        self.sessions[key] = session
        return session

    def _speaker(
        self,
        session: Session,
        user: bytes | None,
        database: bytes | None,
        application: bytes | None,
    ) -> None:
        session.who = (user, database, application)
        self._sink.speaks(
            session, text_of(user or b""), text_of(database or b""), text_of(application or b"")
        )

    def _is_wanted(self, session: Session, severity: bytes) -> bool:
        """Whether a line that belongs to an entry tells something of it; asked once for each."""
        if severity == b"DETAIL":  # most belong to bind, whose execute repeats them
            return session.row >= 0 or session.waiting is not None or session.event is not None
        return severity == b"STATEMENT" and session.event is not None

    def _belonging(self, session: Session, severity: bytes, text: str) -> None:
        (self._sink.detail if severity == b"DETAIL" else self._sink.statement)(session, text)

    def _text(self, raw: bytes) -> str:
        """A message with its continuation lines: each had a TAB put before it."""
        if b"\n" in raw or self.crlf:
            if self.crlf:
                raw = raw.removesuffix(b"\r").replace(b"\r\n", b"\n")
            raw = raw.replace(b"\n\t", b"\n")
        return raw.decode() if raw.isascii() and b"\0" not in raw else text_of(raw)


def _end(data: bytes, position: int) -> int:
    """Where the entry ends in which `position` is, behind its last newline."""
    found = _END.search(data, position)
    return found.end() if found else len(data)


def is_crlf(block: Block) -> bool:
    """Whether the first line of an input's first block ends as on Windows."""
    first = block.data.find(b"\n")
    return block.data[first - 1 : first] == b"\r"


def ordinary_entries(prefix: Prefix) -> Ordinary | None:
    """What ordinary entries look like with that prefix; None if they cannot be told apart.

    A DETAIL follows its entry and repeats its prefix, but for the line number (%l).
    """
    whole = prefix.whole.decode("latin-1")
    if "session" not in prefix.fields:
        whole = whole.replace("(?P<process>", "(?P<session>")
    if "(?P<session>" not in whole or prefix.text.startswith("\t"):
        return None
    before, line, after = whole.partition(r"(?P<line>\d{1,19})")
    head = f"(?P<before>{before})"
    again = "(?P=before)"
    if line:
        head += rf"(?P<line>\d{{1,18}})(?P<after>{after})"
        again += r"\d{1,19}(?P=after)"
    severities = SEVERITIES.decode()
    begins = duration(r"[^:\n]")
    text = rf"[^\n]*+(?:\n\t[^\n]*+){{0,{REPEATS}}}"
    pattern = re.compile(
        # What the prefix matches does not depend on what follows it, as in StderrReader.
        rf"(?>{head}(?:{severities}):  ?)(?<=LOG:  ){begins}"
        rf"(?P<text>{text})\n(?!\t)"
        rf"(?:{again}DETAIL:  {PARAMETERS}(?P<parameters>{text})\n(?!\t))?"
        rf"|[^\n]*+\n(?:\t[^\n]*+\n){{0,{REPEATS}}}|(?P<absent>(?!))",
        re.ASCII,
    )
    return Ordinary(pattern, "\n", _plain, _name)


def _plain(raw: str) -> str:
    """A message, matched as Latin-1, with its continuation lines."""
    return text_of(raw.replace("\n\t", "\n").encode("latin-1"))


def _name(raw: str) -> str:
    return text_of(raw.encode("latin-1"))
