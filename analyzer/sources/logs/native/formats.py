"""The native readers of each format, and what each does differently."""

from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.jsonlog import JsonlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.native import _scan
from analyzer.sources.logs.native.driver import NativeReader
from analyzer.sources.logs.prefix import Prefix, native_steps
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.stderr import StderrReader


class NativeStderr(NativeReader):
    """stderr."""

    _reader: StderrReader

    def __init__(
        self,
        sink: EntrySink,
        prefix: Prefix,
        steps: list[tuple[str, str, bytes]],
        reader: StderrReader,
    ) -> None:
        """Prepare; `steps` are those of `prefix` (see native_steps)."""
        super().__init__("stderr", sink, reader)
        self._named_by_session = "session" in prefix.fields
        for escape, field, literal in steps:
            if not self._scanner.add_prefix(escape, _scan.FIELDS.get(field, -1), literal):
                raise ValueError(literal)

    def _entry(self, size: int) -> bool:
        scanner = self._scanner
        found = scanner.taken_apart()
        if found is None:
            return False
        self._before()
        at_us, severity, code, message, query, number, who, _, _ = found
        session = self._sessions[scanner.session]
        self._reader.taken_apart(session, at_us, severity, code, message, query, number, who)
        self._sink.entry_bytes += size
        self._lines += scanner.entry_lines
        self._after()
        return True

    def _named(self, name: bytes) -> Session:
        if self._named_by_session:
            return self._reader.session(name, None)
        return self._reader.session(None, name)


class _NativeRecords(NativeReader):
    """The formats whose entries are records with a field for everything."""

    _reader: CsvlogReader | JsonlogReader

    def _entry(self, size: int) -> bool:
        scanner, sink = self._scanner, self._sink
        found = scanner.taken_apart()
        number = self._line_number(found[5]) if found is not None else None
        if found is None or number is None:
            return False
        at_us, severity, code, message, query, _, (user, database, application), *more = found
        self._before()
        session = self._reader.last = self._sessions[scanner.session]
        who = (user.decode(), database.decode(), application.decode())
        if session.who != who:
            session.who = who
            sink.speaks(session, *who)
        query_id = _int64(query)
        sink.entry(
            at_us,
            session,
            severity.decode(),
            code.decode(),
            message,
            0 if query_id is None else query_id,
            number,
        )
        detail, statement = more
        if detail:
            sink.detail(session, detail)
        if statement:
            sink.statement(session, statement)
        sink.entry_bytes += size
        self._lines += scanner.entry_lines
        self._after()
        return True

    def _line_number(self, digits: bytes) -> int | None:
        """The entry's number in its session; None where the Python reader has to say."""
        return _int64(digits)

    def _named(self, name: bytes) -> Session:
        return self._reader.session(name.decode())


def _int64(digits: bytes) -> int | None:
    """A number as PostgreSQL writes it, None if it is none that fits."""
    if not digits.removeprefix(b"-").isdigit() or len(digits) > len(str(-(1 << 63))):
        return None
    number = int(digits)
    return number if -(1 << 63) <= number < 1 << 63 else None


class NativeJsonlog(_NativeRecords):
    """jsonlog, line by line."""

    def _line_number(self, digits: bytes) -> int:
        number = _int64(digits)
        return self._scanner.entries + 1 if number is None else number

    _reader: JsonlogReader

    def __init__(self, sink: EntrySink, reader: JsonlogReader) -> None:
        """Prepare."""
        super().__init__("jsonlog", sink, reader)


class NativeCsvlog(_NativeRecords):
    """csvlog. Where no record begins, the Python reader goes on until it has found its feet."""

    _reader: CsvlogReader

    def __init__(self, sink: EntrySink, reader: CsvlogReader) -> None:
        """Prepare."""
        super().__init__("csvlog", sink, reader)

    def _entry(self, size: int) -> bool:
        return not self._reader.is_pending and super()._entry(size)

    def _buffer(self, view: memoryview, offset: int, *, last: bool) -> int:
        if not self._reader.is_pending:
            return super()._buffer(view, offset, last=last)
        self._scanner.set_block(b"", last=False)
        end = _last_line(view)
        if end:
            self._hand_over(bytes(view[:end]), offset, end)
        return end

    def _end_of_declined(self, asked: int, view: memoryview, start: int, end: int) -> int:
        if asked == _scan.LOST or self._reader.is_pending:
            return max(start, _last_line(view))
        return end

    def _finish(self) -> None:
        self._before()
        if self._reader.ends:
            self._reader.give_up()
        self._after()
        super()._finish()


def _last_line(view: memoryview) -> int:
    """Where the last whole line of a buffer ends."""
    return bytes(view).rfind(b"\n") + 1


def reader_for(
    sink: EntrySink, prefix: Prefix | None, reader: StderrReader | CsvlogReader | JsonlogReader
) -> NativeReader | None:
    """See analyzer.sources.logs.native.native_reader."""
    if isinstance(reader, CsvlogReader):
        return NativeCsvlog(sink, reader)
    if isinstance(reader, JsonlogReader):
        return NativeJsonlog(sink, reader)
    steps = None if prefix is None else native_steps(prefix.text)
    if prefix is None or steps is None:
        return None
    return NativeStderr(sink, prefix, steps, reader)
