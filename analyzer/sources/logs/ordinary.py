"""Takes ordinary entries in bulk for the Python readers: executions, parses and binds.

A format gives one expression that matches either a whole ordinary entry, with its fields and its
parameters, or whatever else stands there up to the next entry. An entry is ordinary if it begins
with the duration of a statement, execute, bind or parse, is written as PostgreSQL writes it, and
its session is known and waits for nothing. All others are handed over to the format's reader, in
their place, neighbours together: an entry's meaning depends on what its session said before.

So this is a shortcut through `EntrySink.timed` and `EntrySink.detail`, and has to end in the same
state. What an expression does not match costs time, never a result.

Blocks are matched as Latin-1: a byte is a character, so nothing is decoded that is not kept, and
places in the text are places in the input.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from analyzer.records import record
from analyzer.sources.logs.framing import CHUNK_BYTES, Block
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.rows import RowBatch, with_literals
from analyzer.sources.logs.sessions import Session
from analyzer.sql.keys import CHECK_EVERY

if TYPE_CHECKING:
    import re

# The groups of an expression; those that a format does not give are None.
FIELDS = (
    *("time", "session", "line", "user", "database", "application", "query_id"),
    *("duration", "kind", "text", "parameters"),
)
TIME = r"\d{4}-[\d :-]{14}[.]\d{3}"
PARAMETERS = "[Pp]arameters: "
REPEATS = 1000  # of a group within one entry: each costs the expression memory
_LONGEST_BLOCK = 2 * CHUNK_BYTES
_NEWLINE = 10
_CACHED_TEXTS = 10_000  # bounds, with the next, the memory; cleared when full
_LONGEST_CACHED = 8192  # characters

# A statement's key, its literals, the comment's number and the trace's.
_Known = tuple[int, str | None, int, int]


def duration(name: str) -> str:
    """The expression of a message up to its text; `name`: characters of a portal's name, but colons."""
    return (
        r"duration: (?P<duration>\d{1,12}(?:\.\d{1,9})?) ms"
        rf"  (?P<kind>execute|statement|bind|parse)(?: {name}*+)?: "
    )


def int64(digits: str | bytes) -> int:
    """A number that fits its column; 0 where it does not (PostgreSQL writes none such)."""
    number = int(digits)
    return number if -(1 << 63) <= number < 1 << 63 else 0


class Reader(Protocol):
    """The reader of a format, as far as it is needed here."""

    sessions: dict[str, Session]

    @property
    def is_ready(self) -> bool:
        """Whether the next byte begins an entry."""
        ...

    @property
    def lines(self) -> int:
        """Lines read, from the input's first on."""
        ...

    def place(self, lines: int, offset: int, /) -> None:
        """The next block begins behind that many lines and bytes, which another has read."""
        ...

    def block(self, block: Block, /) -> None:
        """Read a block."""
        ...


@record
class Ordinary:
    """What ordinary entries of a format look like.

    `pattern` has groups called as FIELDS. A text with `mark` in it, or with more than ASCII, has to
    go through `plain`; names of users and the like always go through `name`. Where blocks can end
    within an entry, `rest` matches up to its end.
    """

    pattern: "re.Pattern[str]"
    mark: str
    plain: Callable[[str], str]
    name: Callable[[str], str]
    rest: "re.Pattern[bytes] | None" = None


class OrdinaryEntries:
    """Takes the ordinary entries of one log into `sink` and hands the others to `reader`."""

    def __init__(self, sink: EntrySink, reader: Reader, ordinary: Ordinary) -> None:
        """Prepare."""
        self._sink = sink
        self._reader = reader
        self._ordinary = ordinary
        groups = ordinary.pattern.groupindex
        self._groups = tuple(groups.get(name, groups["absent"]) for name in FIELDS)
        self._known: dict[str, _Known] = {}
        self._lines = reader.lines  # before the block
        self._counted = 0  # bytes of the block whose lines are in `_lines`
        self._handed = 0  # bytes of the block that the reader took

    def block(self, block: Block) -> None:
        """Read one block of whole lines; blocks come in order."""
        self._counted = self._handed = 0
        reader, batch = self._reader, self._sink.batch
        whole = block.ended and not block.cut and len(block.data) <= _LONGEST_BLOCK
        end = 0
        if whole and b"\0" not in block.data and isinstance(batch, RowBatch):
            if reader.is_ready:
                end = self._entries(block, batch, 0)
            elif (rest := self._ordinary.rest) and (found := rest.match(block.data)):
                end = found.end()
                if self._hand_over(block, 0, end):
                    end = self._entries(block, batch, end)
        if end < len(block.data):
            self._hand_over(block, end, len(block.data))
        self._count_lines(block, len(block.data))
        self._sink.entry_bytes += len(block.data) - self._handed
        if reader.is_ready:  # as above; whoever asks for its lines is told all that were read
            reader.place(self._lines, block.offset + block.length)

    def _count_lines(self, block: Block, end: int) -> None:
        size = end - self._counted
        bytes_of = np.frombuffer(block.data, dtype="u1", count=size, offset=self._counted)
        self._lines += int(np.count_nonzero(bytes_of == _NEWLINE))  # several times quicker
        self._counted = end

    def _entries(self, block: Block, batch: RowBatch, end: int) -> int:  # noqa: C901, PLR0912, PLR0915  # a call for an entry costs more than it hides
        """The hot path: entry after entry from `end` on, one match each; where the last one ends."""
        sink, reader, groups = self._sink, self._reader, self._groups
        plain, mark, speaks = self._ordinary.plain, self._ordinary.mark, self._speaks
        known_texts, sessions, count_phase = self._known, reader.sessions, sink.count_phase
        rows, base, add_parameters = batch.rows, batch.base, batch.parameters.append
        last_time = at_us = None
        entries = sink.entries
        for found in self._ordinary.pattern.finditer(block.data.decode("latin-1"), end):
            (time, name, line, user, database, application, query_id,
             duration, kind, raw, parameters) = found.group(*groups)  # fmt: skip
            if kind is None:
                continue
            start, stop = found.span()
            if start > end:
                sink.entries = entries
                if not self._hand_over(block, end, start):
                    return start
                entries = sink.entries
            end = start
            if time != last_time:
                last_time, at_us = time, self._time(time)
            session = sessions.get(name)
            if at_us is None or session is None or session.ended or session.waiting is not None:
                continue
            end = stop
            if session.who != (user, database, application):
                speaks(session, user, database, application)
            key, literals, comment, trace = known_texts.get(raw) or self._learn(raw)
            duration_ms = float(duration)
            took_us = int(duration_ms * 1000.0 + 0.5)
            if not (at_us // 1000 + took_us) % CHECK_EVERY:  # as is_checked
                sink.recording.keys.check(self._text(raw), key)
            entries += 1
            if duration_ms < sink.minimum_ms:  # noqa: PLR1730  # min() costs a call on the hot path
                sink.minimum_ms = duration_ms
            session.event = None
            session.used = True
            if kind == "bind" or kind == "parse":  # noqa: PLR1714  # quicker so
                session.row = session.key = -1
                session.began = (at_us, key)
                count_phase(key, kind, duration_ms)
                continue
            rows.append((
                at_us - took_us, at_us, duration_ms, key,
                int(line) if line else entries,
                int64(query_id) if query_id else 0,
                comment, trace, session.speaker,
            ))  # fmt: skip
            if parameters is None:
                parameters = literals
            else:
                if mark in parameters or not parameters.isascii():
                    parameters = plain(parameters)
                if literals is not None:
                    parameters = with_literals(parameters, literals)
            add_parameters(parameters)
            session.row = base + len(rows) - 1
            session.key = key
            session.began = None
        sink.entries = entries
        return end

    def _hand_over(self, block: Block, start: int, end: int) -> bool:
        """The reader takes these bytes of the block; whether an entry begins behind them."""
        offset = block.offset + start
        self._count_lines(block, start)
        self._handed += end - start
        reader = self._reader
        if reader.is_ready:  # else it goes on where it was, and knows why
            reader.place(self._lines, offset)
        if start == 0 and end == len(block.data):
            reader.block(block)
        else:
            size = min(end, block.length) - start
            reader.block(Block(block.data[start:end], offset, size))
        return reader.is_ready

    def _time(self, text: str) -> int | None:
        """Microseconds of a timestamp; None if it is none, or outside --since and --until."""
        sink = self._sink
        at_us = sink.clock.moment(text)
        return at_us if at_us is not None and sink.since_us <= at_us < sink.until_us else None

    def _speaks(self, session: Session, *who: str | None) -> None:
        session.who = who
        name = self._ordinary.name
        self._sink.speaks(session, *(name(one or "") for one in who))

    def _learn(self, raw: str) -> _Known:
        """What there is to know of a statement's text that was not seen lately."""
        key, literals, comments = self._sink.recording.keys.add_new(self._text(raw))
        comment, trace = (-1, 0) if comments is None else self._sink.comment(comments)
        known = key, literals, comment, trace
        if len(raw) <= _LONGEST_CACHED:
            if len(self._known) >= _CACHED_TEXTS:
                self._known.clear()
            self._known[raw] = known
        return known

    def _text(self, raw: str) -> str:
        ordinary = self._ordinary
        return raw if raw.isascii() and ordinary.mark not in raw else ordinary.plain(raw)
