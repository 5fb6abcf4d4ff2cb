"""PostgreSQL's csvlog: 23 columns (to 12), 24 (13: backend_type), 26 (14 on: leader, query_id).

A quoted field holds newlines, so a record ends where the number of quotes is even. Where a record
is broken (a cut file), reading begins again at the next line that can only be a record's start.
"""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from analyzer.model.executions import ExecutionChunk
from analyzer.patterns import regex
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, Block, blocks
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
from analyzer.sources.logs.text import text_of

COLUMNS = (23, 24, 26)
_TIME, _USER, _DATABASE, _PROCESS, _SESSION, _LINE = 0, 1, 2, 3, 5, 6
_SEVERITY, _CODE, _MESSAGE, _DETAIL, _STATEMENT, _APPLICATION = 11, 12, 13, 14, 19, 22
_QUERY_ID = 25
_SESSIONS = 100_000

# log_time, user, database, pid, host, session id, line: inside a quoted message the quotes of
# such text would be doubled.
RECORD_START = regex(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.]\d{3} [^,\"\n]{1,40},"
    rb'(?:"(?:[^"\n]|""){1,128}"|[^,"\n]{0,128}),(?:"(?:[^"\n]|""){1,128}"|[^,"\n]{0,128}),'
    rb'\d{0,10},(?:"[^"\n]{1,256}"|[^,"\n]{0,256}),[0-9a-f]{1,16}[.][0-9a-f]{1,8},\d{1,19},'
)
_NEXT_START = regex(rb"\n" + RECORD_START.pattern)


class CsvlogReader:
    """Reads one csvlog into a sink. `longest` bounds a record (bytes)."""

    def __init__(self, sink: EntrySink, longest: int = LONGEST_ENTRY_BYTES) -> None:
        """Prepare; `sink` receives everything."""
        self._sink = sink
        self._longest = longest
        self.sessions: dict[str, Session] = {}
        self.ends = True  # the input ends where the stream does
        self._lost = False  # behind an endless record: only a certain start will do
        self._pending: list[
            bytes
        ] = []  # pieces of a record that is not complete, each some whole lines
        self._pending_bytes = 0
        self._odd = 0  # whether the quotes in them are odd
        self._offset = 0  # of the pending record, or of the next
        self._line = 1
        self.last: Session | None = None  # who spoke last
        csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ENTRY_BYTES))

    def read(self, stream: BinaryIO, offset: int = 0) -> Iterator[ExecutionChunk]:
        """Read all of `stream`, which begins at `offset`; gives the executions of each block."""
        bulk = OrdinaryEntries(self._sink, self, ordinary_entries())
        for block in blocks(stream, tabs=False, longest=self._longest, offset=offset):
            bulk.block(block)
            yield from self._sink.flush()
        if self.ends:
            self.give_up()

    def block(self, block: Block) -> None:
        """Read one block; blocks come in order, each once."""
        if block.cut:
            self.give_up()
            self._sink.coverage.truncated += 1
            self._unparsed(block.data[:-1], dropped=block.length - len(block.data) + 1)
            self._lost = True
            return
        data, position = block.data, 0
        while position < len(data):
            if self._lost:
                position = self._found_again(block, position)
                continue
            # Inside a quoted field, lines matter only from the next quote on.
            quote = data.find(b'"', position) if self._odd else position
            end = data.find(b"\n", quote) + 1 if quote >= 0 else len(data)
            piece = data[position : end - 1]
            self._pending.append(piece)
            self._pending_bytes += end - position - (end == len(data) and not block.ended)
            self._odd ^= piece.count(b'"') & 1
            position = end
            if not self._odd:
                self._record()
            elif self._pending_bytes > self._longest:
                self._sink.coverage.truncated += 1
                self.give_up()
                self._lost = True

    def _found_again(self, block: Block, position: int) -> int:
        """The certain start of a record at or behind `position`; what lies before it is none."""
        data = block.data
        if RECORD_START.match(data, position):
            self._lost = False
            return position
        found = _NEXT_START.search(data, position)
        end = found.start() + 1 if found else len(data)
        size = end - position - (end == len(data) and not block.ended)
        self._unparsed(data[position : end - 1], dropped=size - (end - 1 - position))
        return end

    @property
    def is_ready(self) -> bool:
        """Whether the next byte begins a record."""
        return not self._pending and not self._lost

    @property
    def is_pending(self) -> bool:
        """Whether lines are held that do not make a record yet."""
        return bool(self._pending)

    @property
    def pending_bytes(self) -> int:
        """Bytes of the input that are held and do not make a record yet."""
        return self._pending_bytes

    @property
    def lines(self) -> int:
        """Lines read, from the input's first on."""
        return self._line - 1 + sum(piece.count(b"\n") + 1 for piece in self._pending)

    @property
    def is_lost(self) -> bool:
        """Whether what comes next is no record until a certain start of one."""
        return self._lost

    def place(self, lines: int, offset: int) -> None:
        """The next block begins behind that many lines and bytes, which another has read."""
        self._lost = False
        if not self._pending:
            self._line = lines + 1
            self._offset = offset

    def _record(self) -> None:
        """The pending lines have even quotes: one record, unless something was broken."""
        data = b"\n".join(self._pending) if len(self._pending) > 1 else self._pending[0]
        if self._entry(data):
            self._sink.entry_bytes += self._pending_bytes
            self._advance(data.count(b"\n") + 1, self._pending_bytes)
            self._clear()
        else:
            self._resume(keep=True)

    def give_up(self) -> None:
        """The pending lines will never be complete: take what records they hold."""
        if self._pending:
            self._resume(keep=False)

    def _resume(self, *, keep: bool) -> None:
        """Cut the pending lines at every certain start of a record, and take each on its own.

        With `keep`, a last piece that may go on stays pending.
        """
        data, size = b"\n".join(self._pending), self._pending_bytes
        self._clear()
        starts = [0, *(found.start() + 1 for found in _NEXT_START.finditer(data))]
        last_ended = len(data) < size
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            piece = data[start:] if end is None else data[start : end - 1]
            length = len(piece) + (end is not None or last_ended)
            odd = piece.count(b'"') & 1
            if odd and keep and start and end is None:
                self._pending, self._pending_bytes, self._odd = [piece], length, odd
            elif not odd and self._entry(piece):
                self._sink.entry_bytes += length
                self._advance(piece.count(b"\n") + 1, length)
            else:
                self._unparsed(piece, dropped=length - len(piece))

    def _unparsed(self, data: bytes, dropped: int) -> None:
        """Account for bytes that are no record, and `dropped` more behind them."""
        self._sink.unparsed(data, self._line, self._offset)
        self._sink.coverage.bytes_unparsed += dropped
        self._advance(data.count(b"\n") + 1, len(data) + dropped)

    def _advance(self, lines: int, size: int) -> None:
        self._line += lines
        self._offset += size

    def _clear(self) -> None:
        self._pending = []
        self._pending_bytes = 0
        self._odd = 0

    def _entry(self, data: bytes) -> bool:
        """Hand a record to the sink; False if it is none."""
        if data.endswith(b"\r"):  # written on Windows: all newlines are like this one
            data = data[:-1].replace(b"\r\n", b"\n")
        try:
            fields = next(csv.reader([text_of(data)], strict=True))
        except (csv.Error, StopIteration):
            return False
        if len(fields) not in COLUMNS:
            return False
        at_us = self._sink.clock.read(fields[_TIME])
        line = _integer(fields[_LINE])
        if at_us is None or line is None or not fields[_SEVERITY]:
            return False
        name = fields[_SESSION] or f"pid:{fields[_PROCESS][:20]}"
        session = self.last = self.session(name)
        who = (fields[_USER], fields[_DATABASE], fields[_APPLICATION])
        if session.who != who:
            session.who = who
            self._sink.speaks(session, *who)
        query_id = _integer(fields[_QUERY_ID]) if len(fields) > _QUERY_ID else 0
        code = fields[_CODE]
        self._sink.entry(
            at_us,
            session,
            fields[_SEVERITY],
            "" if code == "00000" else code,
            fields[_MESSAGE],
            query_id or 0,
            line,
        )
        if fields[_DETAIL]:
            self._sink.detail(session, fields[_DETAIL])
        if fields[_STATEMENT]:
            self._sink.statement(session, fields[_STATEMENT])
        return True

    def session(self, name: str) -> Session:
        """The session of that name."""
        session = self.sessions.get(name)
        if session is None:
            if len(self.sessions) >= _SESSIONS:
                self.sessions.clear()
            session = self.sessions[name] = self._sink.session(name)
        return session


def _integer(text: str) -> int | None:
    """A number that fits 64 bits, None if it is none."""
    if not text.removeprefix("-").isdecimal() or len(text) > len(str(-(1 << 63))):
        return None
    number = int(text)
    return number if -(1 << 63) <= number < 1 << 63 else None


def ordinary_entries() -> Ordinary:
    """What ordinary entries look like: records as PostgreSQL writes them, with as few quotes."""
    text = rf'[^"]*+(?:""[^"]*+){{0,{REPEATS}}}'
    begins = duration(r'[^:"\n]')
    bare = r'[^",\n\r]*+'
    word = rf'(?:"[^"\n\r]*+"|{bare})'
    field = rf'(?:"{text}"|{bare})'
    pattern = re.compile(
        rf"(?P<time>{TIME} [^,\"\n\r]{{1,40}}),(?P<user>{word}),(?P<database>{word}),{bare},{word},"
        rf"(?P<session>[0-9a-f.]{{1,40}}),(?P<line>[0-9]{{1,18}}),{word},{bare},{bare},{bare},"
        rf'LOG,{bare},"{begins}(?P<text>{text})",(?:"{PARAMETERS}(?P<parameters>{text})")?,'
        # From HINT to location: most have none of it.
        rf"(?:,,,,,,,|(?:{field},){{7}})(?P<application>{word})"
        rf"(?:,{word}(?:,{bare},(?P<query_id>-?[0-9]{{1,19}}))?)?\n"
        rf'|[^"\n]*+(?:"[^"]*+"[^"\n]*+){{0,{REPEATS}}}\n|[\s\S]+|(?P<absent>(?!))',
        re.ASCII,
    )
    rest = rf'[^"]*+"[^"\n]*+(?:"[^"]*+"[^"\n]*+){{0,{REPEATS}}}\n'
    return Ordinary(pattern, '"', _plain, _name, re.compile(rest.encode()))


def _plain(raw: str) -> str:
    """What stands in quotes, matched as Latin-1."""
    return text_of(raw.replace('""', '"').encode("latin-1"))


def _name(raw: str) -> str:
    return _plain(raw.removeprefix('"').removesuffix('"'))
