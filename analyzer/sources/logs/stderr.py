"""PostgreSQL's stderr log: lines that begin with log_line_prefix, continued by lines with a TAB.

DETAIL, STATEMENT, HINT and their like are lines with a prefix of their own that belong to the
entry before them in their session.
"""

import re
from typing import BinaryIO

from analyzer.sources.logs.framing import Block, blocks
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.prefix import BELONGING, Prefix
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import text_of

_UNFRAMED = re.compile(rb"[^\n]*+(?:\n\t[^\n]*+)*\n")
_VERBOSE = re.compile(r"([0-9A-Z]{5}): ")  # log_error_verbosity = verbose puts the SQLSTATE first
_KINDS = {name.encode(): name for name in ("statement", "execute", "bind", "parse", "plan")}
_SECONDS = 10_000  # seconds remembered at a time
_SESSIONS = 100_000  # sessions remembered at a time


class StderrReader:
    """Reads one stderr log into a sink. `prefix` is how its lines begin."""

    def __init__(self, sink: EntrySink, prefix: Prefix) -> None:
        """Prepare; `sink` receives everything."""
        self._sink = sink
        self._prefix = prefix
        index = prefix.framed.groupindex
        self._groups = (*prefix.groups, index["duration"], index["kind"], index["message"])
        self._seconds: dict[bytes, int] = {}
        self._sessions: dict[bytes, Session] = {}
        self._lines = 0
        self._crlf = False
        self._last: Session | None = None

    def read(self, stream: BinaryIO) -> None:
        """Read all of `stream`."""
        for block in blocks(stream, tabs=True):
            if block.offset == 0:
                first = block.data.find(b"\n")
                self._crlf = block.data[first - 1 : first] == b"\r"
            self._block(block)
            self._lines += block.data.count(b"\n")
            self._sink.flush()

    def _block(self, block: Block) -> None:
        """The hot path: entry after entry, one match each."""
        data, groups = block.data, self._groups
        match = self._prefix.framed.match
        sink, sessions = self._sink, self._sessions
        timed, text_from, time_of = sink.timed, self._text, self._time
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
                last_time, at_us = time, time_of(time)
            if at_us is None:
                found = None
                position = self._unframed(block, position)
                continue
            start, position = position, found.end()
            parsed += position - start
            session = sessions.get(name or process)
            if session is None:
                session = self._session(name, process)
            if session.who != (user, database, application):
                self._speaker(session, user, database, application)
            self._last = session
            if duration is not None:
                timed(
                    at_us,
                    session,
                    float(duration),
                    _KINDS.get(kind, "") if kind else None,
                    text_from(raw),
                    _int64(query) if query else 0,
                    _int64(number) if number else sink.entries + 1,
                )
            elif severity in BELONGING:
                self._belonging(session, severity, raw)
            else:
                self._other(at_us, session, severity, code, raw, query, number)
        self._settle(block, parsed, entry_is_last=found is not None)

    def _other(
        self,
        at_us: int,
        session: Session,
        severity: bytes,
        code: bytes | None,
        raw: bytes,
        query: bytes | None,
        number: bytes | None,
    ) -> None:
        """An entry that does not begin with a duration."""
        message = self._text(raw)
        if verbose := _VERBOSE.match(message):
            code, message = verbose[1].encode(), message[verbose.end() :]
        self._sink.entry(
            at_us,
            session,
            severity.decode(),
            "" if code is None else code.decode(),
            message,
            _int64(query) if query else 0,
            _int64(number) if number else self._sink.entries + 1,
        )

    def _settle(self, block: Block, parsed: int, *, entry_is_last: bool) -> None:
        """Account for a block whose real length differs from its data's."""
        extra = block.length - len(block.data)
        sink = self._sink
        sink.entry_bytes += parsed
        if not entry_is_last:
            sink.coverage.bytes_unparsed += extra
            return
        sink.entry_bytes += extra
        if (block.cut or not block.ended) and self._last is not None:
            sink.cut(self._last)

    def _unframed(self, block: Block, position: int) -> int:
        """Account for lines that are no entry; the position behind them."""
        found = _UNFRAMED.match(block.data, position)
        end = found.end() if found else len(block.data)
        line = 0
        if self._sink.coverage.first_unparsed is None:
            line = self._lines + block.data.count(b"\n", 0, position) + 1
        self._sink.unparsed(block.data[position:end], line, block.offset + position)
        return end

    def _time(self, text: bytes) -> int | None:
        """Microseconds of a timestamp; its second is looked up, its milliseconds added."""
        if text[19:20] != b".":
            return self._sink.clock.read(text.decode("ascii", "replace"))
        second = text[:19] + text[23:]
        base_us = self._seconds.get(second)
        if base_us is None:
            base_us = self._sink.clock.read(second.decode("ascii", "replace"))
            if base_us is None:
                return None
            if len(self._seconds) >= _SECONDS:
                self._seconds.clear()
            self._seconds[second] = base_us
        return base_us + int(text[20:23]) * 1000

    def _session(self, name: bytes | None, process: bytes | None) -> Session:
        if len(self._sessions) >= _SESSIONS:
            self._sessions.clear()
        if name is not None:
            session = self._sink.session(name.decode())
        else:
            known = f"pid:{int(process)}" if process is not None else "pid:0"
            session = self._sink.session(known, renewable=process is not None)
        self._sessions[name or process or b""] = session
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

    def _belonging(self, session: Session, severity: bytes, raw: bytes) -> None:
        if severity == b"DETAIL":
            # Most belong to bind, whose execute repeats them.
            if session.row >= 0 or session.waiting is not None:
                self._sink.detail(session, self._text(raw))
        elif severity == b"STATEMENT" and session.event is not None:
            self._sink.statement(session, self._text(raw))

    def _text(self, raw: bytes) -> str:
        """A message with its continuation lines: each had a TAB put before it."""
        if b"\n" in raw or self._crlf:
            if self._crlf:
                raw = raw.removesuffix(b"\r").replace(b"\r\n", b"\n")
            raw = raw.replace(b"\n\t", b"\n")
        return raw.decode() if raw.isascii() and b"\0" not in raw else text_of(raw)


def _int64(digits: bytes) -> int:
    """A number that fits its column; 0 where it does not (PostgreSQL writes none such)."""
    number = int(digits)
    return number if -(1 << 63) <= number < 1 << 63 else 0
