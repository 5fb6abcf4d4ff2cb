"""PostgreSQL's jsonlog (15 on): one JSON object per line."""

import json
from typing import BinaryIO

from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, Block, blocks, lines
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import safe, text_of

_SESSIONS = 100_000
_INT64 = 1 << 63


class JsonlogReader:
    """Reads one jsonlog into a sink. `longest` bounds a line (bytes)."""

    def __init__(self, sink: EntrySink, longest: int = LONGEST_ENTRY_BYTES) -> None:
        """Prepare; `sink` receives everything."""
        self._sink = sink
        self._longest = longest
        self._sessions: dict[str, Session] = {}
        self._line = 0

    def read(self, stream: BinaryIO) -> None:
        """Read all of `stream`."""
        for block in blocks(stream, tabs=False, longest=self._longest):
            if block.cut:
                self._line += 1
                self._sink.coverage.truncated += 1
                self._sink.unparsed(block.data[:-1], self._line, block.offset)
                self._sink.coverage.bytes_unparsed += block.length - len(block.data) + 1
            else:
                self._block(block)
            self._sink.flush()

    def _block(self, block: Block) -> None:
        for line, offset, size in lines(block):
            self._line += 1
            record = _parsed(line)
            if record is not None and self._entry(record):
                self._sink.entry_bytes += size
            else:
                self._sink.unparsed(line, self._line, offset)
                self._sink.coverage.bytes_unparsed += size - len(line)

    def _entry(self, record: dict[str, object]) -> bool:
        """Hand a record to the sink; False if it is no log entry."""
        time, severity = record.get("timestamp"), record.get("error_severity")
        if not isinstance(time, str) or not isinstance(severity, str):
            return False
        at_us = self._sink.clock.read(time)
        if at_us is None:
            return False
        session = self._session(record)
        sink = self._sink
        sink.entry(
            at_us,
            session,
            severity,
            _text(record, "state_code"),
            _text(record, "message"),
            _integer(record.get("query_id"), 0),
            _integer(record.get("line_num"), sink.entries + 1),
        )
        if detail := _text(record, "detail"):
            sink.detail(session, detail)
        if statement := _text(record, "statement"):
            sink.statement(session, statement)
        return True

    def _session(self, record: dict[str, object]) -> Session:
        name = _text(record, "session_id") or f"pid:{_integer(record.get('pid'), 0)}"
        session = self._sessions.get(name)
        if session is None:
            if len(self._sessions) >= _SESSIONS:
                self._sessions.clear()
            session = self._sessions[name] = self._sink.session(name)
        who = (_text(record, "user"), _text(record, "dbname"), _text(record, "application_name"))
        if session.who != who:
            session.who = who
            self._sink.speaks(session, *who)
        return session


def _parsed(line: bytes) -> dict[str, object] | None:
    """The JSON object on a line, None if there is none."""
    try:
        record = json.loads(text_of(line))
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _text(record: dict[str, object], name: str) -> str:
    """A text of the record, "" if it has none of that name."""
    value = record.get(name)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() and "\0" not in value else safe(value)


def _integer(value: object, otherwise: int) -> int:
    """A number that fits 64 bits."""
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return int(value)
    return otherwise
