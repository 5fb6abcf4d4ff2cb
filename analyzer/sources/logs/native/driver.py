"""Drives the native scanner: answers its questions and takes over what it declines.

The scanner holds sessions of its own, by number. Whenever it declines an entry, the session's
state goes to the Python reader's session before, and back after, so that the two act as one.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import PhaseTotals
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.framing import FLUSH_BYTES, LONGEST_ENTRY_BYTES, Block
from analyzer.sources.logs.jsonlog import JsonlogReader
from analyzer.sources.logs.meaning import COMPLETE_MS, EntrySink
from analyzer.sources.logs.native import _scan
from analyzer.sources.logs.native.batch import NativeBatch
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.stderr import StderrReader
from analyzer.sql.keys import CHECK_EVERY

if TYPE_CHECKING:
    import io

BUFFER_BYTES = 256 << 10  # stays in the processor's cache, from the kernel's copy to the scan

_Reader = StderrReader | CsvlogReader | JsonlogReader


class NativeReader:
    """Reads one log natively, and through `reader` what the scanner leaves to it."""

    def __init__(self, name: str, sink: EntrySink, reader: _Reader) -> None:
        """Prepare; the sink's executions are from now on added to the scanner's columns."""
        number = _scan.FORMATS[name]
        self._scanner = _scan.Scanner(number, sink.since_us, sink.until_us, CHECK_EVERY)
        self._scanner.entries = sink.entries
        self._sink = sink
        self._reader = reader
        self._sessions: list[Session] = []
        self._lines = 0
        sink.batch = NativeBatch(self._scanner, sink.source)
        sink.events.key_of = self._key_of
        sink.events.comments_of = self._comments_of
        sink.plan_kept = self._plan_kept
        self._answers: dict[int, Callable[[], None]] = {
            _scan.TIME: self._time,
            _scan.SESSION: self._session,
            _scan.SPEAKER: self._speaker,
            _scan.KEY: self._key,
            _scan.TEXT: self._text,
            _scan.COMMENT: self._comment,
            _scan.NOTES: self._notes,
            _scan.CHECK: self._check,
        }

    def read(self, stream: BinaryIO, offset: int = 0, lines: int = 0) -> Iterator[ExecutionChunk]:
        """Read all of `stream`, which begins at `offset`, behind so many `lines`, in the input.

        Gives the executions up to each multiple of FLUSH_BYTES in the input.
        """
        buffer, filled = bytearray(BUFFER_BYTES), 0
        self._lines = lines
        while True:
            end = offset + filled
            room = min(len(buffer), filled + FLUSH_BYTES - end % FLUSH_BYTES)
            view = memoryview(buffer)[filled:room]
            count = cast("io.RawIOBase", stream).readinto(view) or 0
            filled += count
            is_strange = filled > LONGEST_ENTRY_BYTES or (not offset and _is_crlf(buffer))
            if is_strange:
                first, buffer = bytes(memoryview(buffer)[:filled]), bytearray()
                yield from self._rest(first, stream, offset)
                break
            used = self._buffer(memoryview(buffer)[:filled], offset, last=not count)
            if count and (offset + filled) % FLUSH_BYTES == 0:
                yield from self._flush()
            if not count:
                self._tail(bytes(buffer[used:filled]), offset + used)
                break
            offset += used
            filled -= used
            if used:
                buffer[:filled] = buffer[used : used + filled]
            elif filled == len(buffer):
                buffer = buffer + bytearray(len(buffer))
        self._finish()

    def begin_at(self, row: int) -> None:
        """The number that the first execution gets, before anything is read."""
        self._scanner.begin_at(row)

    def settle(self) -> None:
        """The Python reader's sessions become what they are behind all that was read."""
        self._before()
        self._forget()

    @property
    def lines(self) -> int:
        """Lines read, from the input's first on."""
        return self._lines

    def _buffer(self, view: memoryview, offset: int, *, last: bool) -> int:
        """Scan a buffer; how many of its bytes were used."""
        scanner = self._scanner
        scanner.set_block(view, last)
        while (asked := self._scan()) != _scan.END:
            start = scanner.position
            end = self._end_of_declined(asked, view, start, scanner.entry_end)
            if end <= start:  # it may go on behind the buffer
                break
            if not self._entry(end - start):
                self._hand_over(bytes(view[start:end]), offset + start, end - start)
            scanner.position = end
        used = scanner.position
        scanner.set_block(b"", last=False)
        return used

    def _entry(self, _size: int) -> bool:
        """Python handles a declined entry that the scanner took apart; False if it did not."""
        return False

    def _end_of_declined(self, _asked: int, _view: memoryview, _start: int, end: int) -> int:
        """Up to where Python is to read on; `end` is the declined entry's."""
        return end

    def _hand_over(self, data: bytes, offset: int, length: int) -> None:
        """Python reads whole lines, in which other sessions than the scanner's may speak."""
        self._count()
        self._before()
        self._reader.place(self._lines, offset)
        self._reader.block(Block(data, offset, length))
        self._lines += data.count(b"\n")
        self._after()

    def _tail(self, data: bytes, offset: int) -> None:
        """The input's end, without a newline."""
        if data:
            ended = data.endswith(b"\n")
            self._hand_over(data if ended else data + b"\n", offset, len(data))

    def _rest(self, first: bytes, stream: BinaryIO, offset: int) -> Iterator[ExecutionChunk]:
        """Python reads all that follows: lines of Windows, or behind an endless entry."""
        self._count()
        self._before()
        self._reader.place(self._lines, offset)
        yield from self._reader.read(cast("BinaryIO", Chained(first, stream)), offset)
        self._after()

    def _finish(self) -> None:
        """At the input's end."""
        self._count()
        for key, *figures in self._scanner.phases():
            self._sink.phases(key).add(PhaseTotals(*figures))

    def _flush(self) -> list[ExecutionChunk]:
        self._count()
        return self._sink.flush()

    def _count(self) -> None:
        """Add to the sink's account what the scanner counted, and took note of."""
        self._tell()
        sink, scanner = self._sink, self._scanner
        entry_bytes, lines, parses, binds, outside, plans = scanner.counts()
        self._lines += lines
        sink.entries = scanner.entries
        sink.entry_bytes += entry_bytes
        sink.coverage.parse += parses
        sink.coverage.bind += binds
        sink.outside += outside
        sink.coverage.plans += plans
        sink.recording.plans.left_out += plans
        sink.minimum_ms = min(sink.minimum_ms, scanner.minimum_ms)

    def _scan(self) -> int:
        """Scan on, answering questions, until there is one about an entry, or the block's end."""
        scanner, answers = self._scanner, self._answers
        while True:
            asked = scanner.run()
            answer = answers.get(asked)
            if answer is None:
                return asked
            answer()

    # Answers.

    def _time(self) -> None:
        self._scanner.set_time(
            self._sink.clock.read(self._scanner.ask().decode("ascii", "replace"))
        )

    def _session(self) -> None:
        known = len(self._reader.sessions)
        session = self._named(self._scanner.ask())
        if len(self._reader.sessions) < known:  # the reader began to forget; so does the scanner
            self._forget()
        session.slot = self._scanner.set_session(session)
        self._sessions.append(session)

    def _named(self, name: bytes) -> Session:
        raise NotImplementedError

    def _forget(self) -> None:
        self._tell()
        for session in self._sessions:
            session.slot = -1
        self._sessions.clear()
        self._scanner.clear_sessions()

    def _speaker(self) -> None:
        scanner = self._scanner
        session = self._sessions[scanner.session]
        session.who = None  # what the Python reader knew of it is no longer so
        self._sink.speaks(session, *(scanner.ask(place).decode() for place in range(3)))
        scanner.set_speaker(*session.speaker[1:])

    def _key(self) -> None:
        self._scanner.set_key(self._sink.intern(self._scanner.ask().decode())[0])

    def _key_of(self, text: str) -> int:
        """The key of a statement that an event or a plan names: most were executed before."""
        known = self._scanner.known_key(text)
        return self._sink.intern(text)[0] if known < 0 else known

    def _comments_of(self, text: str) -> str | None:
        """The comments of a statement, None if it has none."""
        found = _scan.safe_key(text.encode("utf-8", "surrogatepass"))
        if found is None or found[2] is None:  # of a text that is its own key it does not tell
            return self._sink.intern(text)[2]
        return found[2].decode("utf-8", "surrogatepass")

    def _text(self) -> None:
        key, literals, comments = self._sink.intern(self._scanner.ask().decode())
        comment, trace = (-1, 0) if comments is None else self._sink.comment(comments)
        given = None if literals is None else literals.encode("utf-8", "surrogatepass")
        self._scanner.set_text(key, comment, trace, given)

    def _comment(self) -> None:
        self._scanner.set_comment(*self._sink.comment(self._scanner.ask().decode()))

    def _check(self) -> None:
        text, key = self._scanner.check()
        self._sink.recording.keys.check(text.decode(), key)

    def _notes(self) -> None:
        """Tell what waits to be told; the last note may have made its session another."""
        scanner = self._scanner
        slot = scanner.note_slot(scanner.note_count - 1)
        self._tell()
        scanner.take_back(slot, self._sessions[slot])

    def _tell(self) -> None:
        """Python judges the entries that the scanner took note of, in their order."""
        scanner, sink, sessions = self._scanner, self._sink, self._sessions
        for number in range(scanner.note_count):
            kind = scanner.note_kind(number)
            if kind == _scan.FILE and sink.events.takes_files:
                self._told_file(number)
                continue
            if kind == _scan.PLAN:
                self._told_plan(number)
                continue
            session, at_us, severity, code, message, detail, key, row, minimum_ms = scanner.note(
                number, sessions
            )
            if kind != _scan.BELONGING:
                if minimum_ms < sink.minimum_ms:  # noqa: PLR1730 - min() costs a call
                    sink.minimum_ms = minimum_ms
                sink.untimed(at_us, session, severity, code, message, row=row)
            if detail:
                sink.detail(session, detail)
            if key >= -1:
                self._told_statement(session, key, number)
        scanner.forget_notes()

    def _told_statement(self, session: Session, key: int, number: int) -> None:
        """The statement that a session's last entry came from: most often its key tells enough."""
        events = self._sink.events
        if key < 0:
            events.statement(session, self._scanner.note_statement(number))
        elif events.needs_text(session):
            events.came_from(session, key, self._scanner.note_statement(number))
        else:
            events.came_from(session, key)

    def _told_file(self, number: int) -> None:
        """A temporary file, whose STATEMENT has a key that is known."""
        sink, events = self._sink, self._sink.events
        session, at_us, size, key, row, minimum_ms = self._scanner.note_file(number, self._sessions)
        if minimum_ms < sink.minimum_ms:  # noqa: PLR1730 - min() costs a call
            sink.minimum_ms = minimum_ms
        complete = sink.minimum_ms < COMPLETE_MS
        events.file(at_us, session, size, key, after_execution=row >= 0, complete=complete)
        if session.renewable:
            sink.follow(session, "temporary file: ")

    def _told_plan(self, number: int) -> None:
        scanner, sink = self._scanner, self._sink
        session, at_us, duration_ms, text, key, line = scanner.note_plan(number, self._sessions)
        if key < 0:
            key = sink.events.key_of(scanner.note_statement(number))
        sink.planned(at_us, session, duration_ms, text, key, line)

    def _plan_kept(self, key: int) -> None:
        """Plans of the statement may have become so many that faster ones are let go of."""
        if key >= 0:
            self._scanner.set_plan_floor(key, self._sink.recording.plans.floor(key))

    # Entries that are declined.

    def _before(self) -> None:
        """Python is to handle an entry: it learns what the scanner did with its session."""
        scanner, sink = self._scanner, self._sink
        if scanner.note_count:
            self._tell()
        sink.entries = scanner.entries
        if scanner.minimum_ms < sink.minimum_ms:  # noqa: PLR1730 - min() costs a call
            sink.minimum_ms = scanner.minimum_ms
        slot = scanner.session
        if slot >= 0:
            scanner.hand_out(slot, self._sessions[slot])
            return
        for number, session in enumerate(self._sessions):
            scanner.hand_out(number, session)

    def _after(self) -> None:
        """Python handled entries: the scanner learns what became of their sessions."""
        scanner = self._scanner
        scanner.entries = self._sink.entries
        last = self._reader.last
        if scanner.session < 0:
            for session in self._sessions:
                if session.slot >= 0:
                    scanner.take_back(session.slot, session)
        elif last is not None and last.slot >= 0:
            scanner.take_back(last.slot, last)


def _is_crlf(buffer: bytearray) -> bool:
    """Whether the first line ends as on Windows."""
    first = buffer.find(b"\n")
    return first > 0 and buffer[first - 1] == ord("\r")


class Chained:
    """What was read of a stream, and then the rest of it."""

    def __init__(self, first: bytes, rest: BinaryIO) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        if self._first:
            piece, self._first = self._first[:size], self._first[size:]
            return piece
        return self._rest.read(size)
