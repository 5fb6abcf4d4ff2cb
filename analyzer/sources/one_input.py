"""One input: opened, recognised by content, read by whoever knows its format, accounted for."""

import io
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO, cast

from analyzer.errors import InputError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk
from analyzer.model.lines import form_of
from analyzer.model.plan import RecordedPlan
from analyzer.model.recording import Recording
from analyzer.records import changing
from analyzer.sources import detection
from analyzer.sources.applications import READERS, CallSink
from analyzer.sources.applications.lines import parsed
from analyzer.sources.detection import Recognised, first_time, recognise
from analyzer.sources.increments.portion import MovedError, Portion
from analyzer.sources.logs import FORMATS, read_log
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.text import shown, text_of
from analyzer.sources.logs.unwrapping import UNWRAPPERS, Unwrapper
from analyzer.sources.mapping import EXAMPLE
from analyzer.sources.opening import InputStream, Progress, open_input
from analyzer.sources.options import ReadOptions
from analyzer.sources.snapshot_file import read_snapshot
from analyzer.sources.workers.parts import Part

LARGEST_DOCUMENT_BYTES = 64 << 20  # plans and schemas are read whole
SKIPPED = "skipped"
MOVED = "was rotated or truncated while this run began; the next run reads what is new in it"
_HEAD_SHOWN = 4096  # bytes of a log's beginning that a message may show
_PROSE = (".md", ".rst")  # a README beside logs is listed in the coverage, and no reason to warn


@changing
class ExecutionStream:
    """The executions of one input, read as `chunks` is iterated over.

    `first_us` is the time of its first entry (None: not known before it is read). `part` is what
    another process would read it by, None if no other can; `divide` gives chunks that are read from
    the input, opened, in another way.
    """

    first_us: int | None
    chunks: Iterator[ExecutionChunk]
    part: Part | None = None
    divide: "Callable[[InputStream, Divided], Iterator[ExecutionChunk]] | None" = None


Divided = Callable[[InputStream, EntrySink], Iterator[ExecutionChunk]]


class Input:
    """One input while it is read. `found` tells that it was met in a folder, not named."""

    def __init__(
        self,
        path: str,
        recording: Recording,
        coverage: SourceCoverage,
        options: ReadOptions,
        *,
        found: bool,
        portion: Portion | None = None,
    ) -> None:
        """Prepare to read `path`, or a portion of it; `coverage`, the recording's last source, is its account."""
        self._path = path
        self._recording = recording
        self._coverage = coverage
        self._options = options
        self._found = found
        self._portion = portion
        self.source = len(recording.coverage.sources) - 1
        self.divided: Divided | None = None  # reads it another way: in parts

    def open(self, progress: Progress | None) -> ExecutionStream | None:
        """Open and recognise it: a document is read, of a log its stream is given.

        What goes wrong is written down.
        """
        try:
            stream = open_input(self._path)
            known = self._recognise(stream)
            if known is None:
                stream.close()
            elif known.is_log or known.is_calls:
                return self._stream(known, stream, progress)
            else:
                with stream:
                    stream.progress = progress
                    self._document(known, stream)
        except InputError as error:
            self._refused(error)
        except MovedError:
            self._warn(MOVED)
        return None

    def _recognise(self, stream: InputStream) -> Recognised | None:
        coverage, head = self._coverage, stream.head
        if not head and self._portion is not None:
            stream.close()
            raise MovedError
        if not head:
            why = stream.damage or "is empty"
            self._fail(f"{coverage.path}: {why}; nothing to analyse in it")
            return None
        known = recognise(head, whole=stream.whole, options=self._options)
        if known is None:
            self._unknown(stream)
            return None
        coverage.format = known.wrapping or known.format
        coverage.detected_by = known.evidence
        if stream.compression:
            coverage.detected_by += f" ({stream.compression})"
        return known if known.head else replace(known, head=head)

    def _stream(
        self, known: Recognised, stream: InputStream, progress: Progress | None
    ) -> ExecutionStream:
        """A log's stream. A file is opened again when its turn comes: there may be thousands."""
        clock = Clock(self._options.timezone, _no_warning)
        if self._portion is not None:
            with stream:
                head = self._portion.begin(stream, known) if known.wrapping is None else b""
            first_us = first_time(head, known, clock, self._options.mapping)
            return ExecutionStream(first_us, self.chunks(known, None, progress), self._part(known))
        first_us = first_time(known.head, known, clock, self._options.mapping)
        if stream.size is None:
            return ExecutionStream(first_us, self.chunks(known, stream, progress))
        stream.close()
        part = self._part(known)

        def divide(opened: InputStream, divided: Divided) -> Iterator[ExecutionChunk]:
            self.divided = divided
            return self.chunks(known, opened, progress)

        return ExecutionStream(first_us, self.chunks(known, None, progress), part, divide)

    def _part(self, known: Recognised) -> Part:
        """What a worker is told, to read it in this one's place."""
        shown_head = replace(known, head=known.head[:_HEAD_SHOWN])
        return Part(
            self._path,
            self.source,
            self._coverage,
            self._options,
            shown_head,
            portion=self._portion,
        )

    def chunks(
        self, known: Recognised, opened: InputStream | None, progress: Progress | None
    ) -> Iterator[ExecutionChunk]:
        """The executions of a log that was recognised, and maybe `opened`; what goes wrong is written down."""
        try:
            with opened or open_input(self._path) as stream:
                stream.progress = progress
                if self._portion is not None and not self._portion.begin(stream, known):
                    self._account(stream)
                    self._portion.end(stream)
                    return
                try:
                    yield from self._executions(known, stream)
                finally:
                    self._account(stream)
                if self._portion is not None and self._coverage.failure is None:
                    self._portion.end(stream)
        except InputError as error:
            self._refused(error)
        except MovedError:
            self._warn(MOVED)

    def _account(self, stream: InputStream) -> None:
        """Write down how much of the input was read, and what could not be."""
        coverage = self._coverage
        coverage.bytes = stream.bytes_read
        if coverage.failure is not None:
            return
        if coverage.unparsed_lines:
            self._warn(
                f"{coverage.unparsed_lines} lines ({coverage.bytes_unparsed} bytes) could not be "
                f"read; first: {coverage.first_unparsed}"
            )
        if stream.damage is not None:
            self._warn(f"{stream.damage}; what came before it was read")
        for note in stream.notes:
            self._warn(note)

    def _executions(self, known: Recognised, stream: InputStream) -> Iterator[ExecutionChunk]:
        data = cast("BinaryIO", stream)
        if known.wrapping is None:
            yield from self._entries(known, data)
            return
        unwrapper = UNWRAPPERS[known.wrapping](data, timezone=self._options.timezone)
        try:
            yield from self._entries(known, cast("BinaryIO", unwrapper))
        finally:
            self._unwrapped(unwrapper)

    def _entries(self, known: Recognised, data: BinaryIO) -> Iterator[ExecutionChunk]:
        """What a log holds; one that was wrapped comes unwrapped."""
        if known.format in FORMATS:
            yield from self._log(known, data)
            return
        reader = READERS[known.format](
            CallSink(self._recording, self._coverage, self.source, self._options)
        )
        yield from reader.read(data)
        self._check(f"is not given as {reader.WHAT}")

    def _unwrapped(self, unwrapper: Unwrapper) -> None:
        """Add what the outer format's reader could not use, or passed over."""
        coverage = self._coverage
        coverage.bytes_unparsed += unwrapper.bytes_unparsed
        coverage.unparsed_lines += unwrapper.unparsed_lines
        coverage.foreign_bytes += unwrapper.foreign_bytes
        coverage.first_unparsed = unwrapper.first_unparsed or coverage.first_unparsed
        for note in unwrapper.notes:
            self._warn(note)

    def _document(self, known: Recognised, stream: InputStream) -> None:
        try:
            if known.format.startswith(detection.COUNTERS):
                self._counters(known, stream)
            elif known.format == detection.SNAPSHOT:
                self._snapshot(stream)
            elif known.format.startswith(detection.PLAN):
                self._plan(known, stream)
            else:
                self._schema(known, stream)
        finally:
            self._account(stream)

    def _log(self, known: Recognised, stream: BinaryIO) -> Iterator[ExecutionChunk]:
        if known.format == "stderr" and known.prefix is None:
            line = shown(known.head)
            self._coverage.first_unparsed = f"line 1, byte 0: {line}"
            self._fail(
                f"{self._coverage.path}: {known.evidence}; {self._first_unparsed()}\n"
                "give --log-line-prefix as the server's SHOW log_line_prefix prints it"
            )
            return
        sink = EntrySink(self._recording, self._coverage, self.source, self._options)
        if self.divided is not None and isinstance(stream, InputStream):
            yield from self.divided(stream, sink)
        elif self._portion is not None and isinstance(stream, InputStream):
            yield from self._portion.read(known, stream, sink)
        else:
            yield from read_log(known.format, stream, sink, known.prefix)
        remedy = "leave --log-format out to have the format detected"
        if self._options.log_format == "auto":
            remedy = "give --log-format"
        if self._options.log_line_prefix is not None:
            remedy = (
                "leave --log-line-prefix out to have it detected, or give it as the server's "
                "SHOW log_line_prefix prints it"
            )
        self._check(
            f"has no entry of a {known.wrapping or known.format} log ({known.evidence})", remedy
        )

    def _check(self, reason: str, remedy: str = "give --log-format if it is a log") -> None:
        """Nothing read from an input that has something is a failure."""
        coverage = self._coverage
        is_rest = self._portion is not None and self._portion.found.before.offset > 0
        if coverage.entries == 0 and not is_rest:
            self._fail(
                f"{coverage.path}: {reason}; first unparsable: {self._first_unparsed()}\n{remedy}"
            )

    def _counters(self, known: Recognised, stream: InputStream) -> None:
        from analyzer.sources.statistics import Form, read_counters  # noqa: PLC0415  # few runs need it

        form = cast("Form", known.format.removeprefix(detection.COUNTERS))
        buffered = io.BufferedReader(stream, 1 << 20)
        try:
            rows = read_counters(buffered, form, self.source, self._coverage)
        finally:
            buffered.detach()
        self._recording.counters.extend(rows)
        self._check("has no row of pg_stat_statements", "save it with psql --csv and its header")

    def _snapshot(self, stream: InputStream) -> None:
        snapshot = read_snapshot(self._text(stream), self._coverage.path)
        self._coverage.entries = len(snapshot.counters)
        self._recording.snapshots.append((self.source, snapshot))

    def _plan(self, known: Recognised, stream: InputStream) -> None:
        text = self._text(stream)
        self._coverage.entries = self._coverage.plans = 1
        self._recording.plans.append(
            RecordedPlan(
                text=text,
                format=known.format.removeprefix(detection.PLAN),
                origin=self._coverage.path,
                source=self.source,
                line=1,
            )
        )

    def _schema(self, known: Recognised, stream: InputStream) -> None:
        from analyzer.sources.schema import prisma, sql  # noqa: PLC0415  # few runs need them

        text = self._text(stream)
        reader = prisma if known.format == detection.SCHEMA_PRISMA else sql
        catalog = reader.read_schema(text, self._coverage.path)
        self._coverage.entries = len(catalog.tables)
        if not catalog.tables:
            self._fail(
                f"{self._coverage.path}: no table in it; give the output of pg_dump --schema-only"
            )
            return
        known_already = self._recording.catalog
        if known_already is not None:
            catalog = known_already.completed_by(catalog)
        self._recording.catalog = catalog

    def _text(self, stream: InputStream) -> str:
        """All of the input as text."""
        data = stream.read(LARGEST_DOCUMENT_BYTES + 1)
        while len(data) <= LARGEST_DOCUMENT_BYTES and (more := stream.read(1 << 20)):
            data += more
        if len(data) > LARGEST_DOCUMENT_BYTES:
            raise InputError(
                f"{self._coverage.path}: is larger than {LARGEST_DOCUMENT_BYTES >> 20} MiB, too "
                f"large for {self._coverage.format}; give its parts (pg_dump --schema-only, "
                "one plan to a file)"
            )
        return text_of(data.removeprefix(b"\xef\xbb\xbf"))

    def _first_unparsed(self) -> str:
        """Where the first line is that could not be read, and what it looks like."""
        first = self._coverage.first_unparsed or ""
        place, colon, line = first.partition(": ")
        return first if self._options.show_values else place + colon + form_of(line)

    def _unknown(self, stream: InputStream) -> None:
        """Not recognised: passed over if met in a folder, a failure if named."""
        coverage, head = self._coverage, stream.head
        kind = "binary data" if _binary(head) else "not recognised"
        coverage.bytes = coverage.bytes_unparsed = _size(stream)
        coverage.first_unparsed = f"line 1, byte 0: {shown(head)}"
        if self._found:
            coverage.format = SKIPPED
            coverage.detected_by = f"{kind} in a folder"
            if not coverage.path.lower().endswith(_PROSE):
                self._warn(f"{kind} as an input, skipped")
            return
        if parsed(head.partition(b"\n")[0]) is not None:
            kind = f"JSON lines of no known kind: name their fields with {EXAMPLE}"
        self._fail(
            f"{coverage.path}: {kind}; {self._first_unparsed()}\n"
            f"known are {detection.KNOWN}; for a log of another kind give --log-format "
            "(and --log-line-prefix, as SHOW log_line_prefix prints it)"
        )

    def _refused(self, error: InputError) -> None:
        """It cannot be opened or read; a file that held something when it was found, and is away, was moved."""
        if self._portion is not None and not os.path.lexists(self._path.partition("!")[0]):
            self._warn(MOVED)
        else:
            self._fail(str(error))

    def _warn(self, message: str) -> None:
        self._recording.coverage.warnings.append(f"{self._coverage.path}: {message}")

    def _fail(self, message: str) -> None:
        self._coverage.failure = message
        self._recording.coverage.warnings.append(message)


def _binary(head: bytes) -> bool:
    """Whether bytes are no text: a tenth of them are control characters."""
    control = sum(head.count(bytes((code,))) for code in range(32) if code not in b"\t\n\r\x1b\f")
    return control * 10 > len(head)


def _size(stream: InputStream) -> int:
    """Bytes of an input that is not read on: its head's if it is packed or a pipe."""
    return len(stream.head) if stream.compression or stream.size is None else stream.size


def _no_warning(_message: str) -> None:
    """For looking ahead: whoever reads the input warns."""
