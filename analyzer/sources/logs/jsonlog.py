"""PostgreSQL's jsonlog (15 on): one JSON object per line."""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from analyzer.model.executions import ExecutionChunk
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, Block, blocks, lines
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.ordinary import (
    PARAMETERS,
    REPEATS,
    TIME,
    Ordinary,
    OrdinaryEntries,
    duration,
)
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.text import json_text_of, safe

_SESSIONS = 100_000
_INT64 = 1 << 63


class JsonlogReader:
    """Reads one jsonlog into a sink. `longest` bounds a line (bytes)."""

    def __init__(self, sink: EntrySink, longest: int = LONGEST_ENTRY_BYTES) -> None:
        """Prepare; `sink` receives everything."""
        self._sink = sink
        self._longest = longest
        self.sessions: dict[str, Session] = {}
        self._number = 0  # of the line read last
        self.last: Session | None = None  # who spoke last

    def read(self, stream: BinaryIO, offset: int = 0) -> Iterator[ExecutionChunk]:
        """Read all of `stream`, which begins at `offset`; gives the executions of each block."""
        bulk = OrdinaryEntries(self._sink, self, ordinary_entries())
        for block in blocks(stream, tabs=False, longest=self._longest, offset=offset):
            bulk.block(block)
            yield from self._sink.flush()

    @property
    def is_ready(self) -> bool:
        """Whether the next byte begins an entry: always, as an entry is a line."""
        return True

    def place(self, lines: int, _offset: int) -> None:
        """The next block begins behind that many lines and bytes, which another has read."""
        self._number = lines

    @property
    def lines(self) -> int:
        """Lines read, from the input's first on."""
        return self._number

    def block(self, block: Block) -> None:
        """Read one block; blocks come in order, each once."""
        if block.cut:
            self._number += 1
            self._sink.coverage.truncated += 1
            self._sink.unparsed(block.data[:-1], self._number, block.offset)
            self._sink.coverage.bytes_unparsed += block.length - len(block.data) + 1
        else:
            for line, offset, size in lines(block):
                self._number += 1
                record = _parsed(line)
                if record is not None and self._entry(record):
                    self._sink.entry_bytes += size
                else:
                    self._sink.unparsed(line, self._number, offset)
                    self._sink.coverage.bytes_unparsed += size - len(line)

    def _entry(self, record: dict[str, object]) -> bool:
        """Hand a record to the sink; False if it is no log entry."""
        time, severity = record.get("timestamp"), record.get("error_severity")
        if not isinstance(time, str) or not isinstance(severity, str):
            return False
        at_us = self._sink.clock.read(time)
        if at_us is None:
            return False
        session = self.last = self.session(
            _text(record, "session_id") or f"pid:{_integer(record.get('pid'), 0)}"
        )
        who = (_text(record, "user"), _text(record, "dbname"), _text(record, "application_name"))
        if session.who != who:
            session.who = who
            self._sink.speaks(session, *who)
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

    def session(self, name: str) -> Session:
        """The session of that name."""
        session = self.sessions.get(name)
        if session is None:
            if len(self.sessions) >= _SESSIONS:
                self.sessions.clear()
            session = self.sessions[name] = self._sink.session(name)
        return session


def _parsed(line: bytes) -> dict[str, object] | None:
    """The JSON object on a line, None if there is none."""
    try:
        record = json.loads(json_text_of(line))
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


def ordinary_entries() -> Ordinary:
    """What ordinary entries look like: the keys in the order in which PostgreSQL writes them.

    Values that are of no use here may be any that is valid JSON for sure.
    """
    # No control characters, and no \u: its pairs and halves are left to the JSON parser.
    word = r'[^"\\\x00-\x1f]*+'
    text = rf'{word}(?:\\["\\/bfnrt]{word}){{0,{REPEATS}}}'
    begins = duration(r'[^:"\\\x00-\x1f]')
    number = "(?:0|-?[1-9][0-9]{0,18})"

    def other(*names: str) -> str:
        """These keys, each once or not at all."""
        return "".join(f'(?:,"{name}":(?:{number}|"{word}"))?' for name in names)

    pattern = re.compile(
        rf'{{"timestamp":"(?P<time>{TIME} [^"\\\x00-\x1f]{{1,40}})"'
        rf'(?:,"user":"(?P<user>{word})")?(?:,"dbname":"(?P<database>{word})")?'
        rf"{other('pid', 'remote_host', 'remote_port')}"
        r',"session_id":"(?P<session>[0-9a-f.]{1,40})","line_num":(?P<line>0|[1-9][0-9]{0,17})'
        rf'{other("ps", "session_start", "vxid", "txid")},"error_severity":"LOG"'
        rf'{other("state_code")},"message":"{begins}(?P<text>{text})"'
        rf'(?:,"detail":"{PARAMETERS}(?P<parameters>{text})")?(?:,"context":"{text}")?'
        rf'(?:,"application_name":"(?P<application>{word})")?'
        rf'{other("backend_type", "leader_pid")}(?:,"query_id":(?P<query_id>{number}))?}}\n'
        r"|[^\n]*+\n|(?P<absent>(?!))",
        re.ASCII,
    )
    return Ordinary(pattern, "\\", _plain, _plain)


def _plain(raw: str) -> str:
    """A string of JSON, matched as Latin-1, without its quotes."""
    value: str = json.loads(f'"{json_text_of(raw.encode("latin-1"))}"')
    return value
