"""Read everything the user names: expand, recognise by content, dispatch, account.

Each input gets a SourceCoverage. One that gives nothing says why there, with the remedy, and as a
warning; only when no input gives anything is it an error.
"""

import glob
import io
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from analyzer.errors import InputError
from analyzer.model.coverage import SourceCoverage
from analyzer.model.plan import RecordedPlan
from analyzer.model.recording import Recording
from analyzer.sources import detection
from analyzer.sources.applications.prisma import PrismaEventReader
from analyzer.sources.detection import Recognised, recognise
from analyzer.sources.logs import FORMATS, read_log
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.logs.text import shown, text_of
from analyzer.sources.opening import InputStream, Progress, open_input
from analyzer.sources.options import ReadOptions

LARGEST_DOCUMENT_BYTES = 64 << 20  # plans and schemas are read whole
_SKIPPED = "skipped"
_PROSE = (".md", ".rst")  # a README beside logs is listed in the coverage, and no reason to warn


def gather(
    inputs: Sequence[str],
    options: ReadOptions,
    recording: Recording,
    progress: Progress | None = None,
) -> None:
    """Read all `inputs` (files, folders, globs, "-") into `recording`.

    Args:
        inputs: as the user gave them.
        options: how to read.
        recording: is filled; its coverage gets one source for each input read or refused.
        progress: told (path, bytes read, size in bytes or None) as reading goes on.

    Raises:
        InputError: no input gave anything; the message has the first reason and its remedy.
        UsageError: an option has no meaning (no such time zone, a prefix without a time).
    """
    first = len(recording.coverage.sources)
    seen: set[str] = set()
    for path, found in _expand(inputs):
        identity = _identity(path)
        if identity in seen:
            recording.coverage.warnings.append(f"{path}: named twice, read once")
            continue
        seen.add(identity)
        coverage = SourceCoverage(path)
        recording.coverage.sources.append(coverage)
        _Input(recording, coverage, options, found=found).read(progress)
    sources = recording.coverage.sources[first:]
    if not any(source.failure is None and source.format != _SKIPPED for source in sources):
        raise InputError(_nothing(sources))


def _identity(path: str) -> str:
    """What two names of one file share."""
    return path if path == "-" or "\0" in path else os.path.realpath(path)


def _nothing(sources: Sequence[SourceCoverage]) -> str:
    """Why nothing could be read: the first reasons."""
    reasons = [source.failure for source in sources if source.failure]
    if not reasons:
        paths = ", ".join(source.path for source in sources[:3])
        return f"no input that can be read ({paths or 'no file'}); known are {detection.KNOWN}"
    more = f"\n({len(sources) - 3} more inputs gave nothing either)" if len(sources) > 3 else ""  # noqa: PLR2004  # a few are enough
    return "\n".join(reasons[:3]) + more


def _expand(inputs: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """The files that the user's words stand for, and whether each was found in a folder."""
    for name in inputs:
        if name != "-" and Path(name).is_dir():
            yield from ((path, True) for path in _walk(name))
        elif name != "-" and not Path(name).exists() and glob.has_magic(name):
            matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  # absolute patterns too
            for match in matches or [name]:
                if Path(match).is_dir():
                    yield from ((path, True) for path in _walk(match))
                else:
                    yield match, False
        else:
            yield name, False


def _walk(folder: str) -> Iterator[str]:
    """All files below a folder, in the order of their names; hidden ones are left out."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(root, name)) for name in sorted(files) if not name.startswith("."))


class _Input:
    """One input while it is read. `found` tells that it was met in a folder, not named."""

    def __init__(
        self, recording: Recording, coverage: SourceCoverage, options: ReadOptions, *, found: bool
    ) -> None:
        self._recording = recording
        self._coverage = coverage
        self._options = options
        self._found = found
        self._source = len(recording.coverage.sources) - 1

    def read(self, progress: Progress | None) -> None:
        """Open, recognise and read it; what goes wrong is written down."""
        coverage = self._coverage
        try:
            with open_input(coverage.path) as stream:
                stream.progress = progress
                self._recognise(stream)
                if stream.damage is not None and coverage.failure is None:
                    self._warn(f"{stream.damage}; what came before it was read")
        except InputError as error:
            self._fail(str(error))

    def _recognise(self, stream: InputStream) -> None:
        coverage, head = self._coverage, stream.head
        if not head:
            damage = f"; {stream.damage}" if stream.damage else ""
            self._fail(f"{coverage.path}: is empty{damage}; nothing to analyse in it")
            return
        known = recognise(head, whole=stream.whole, options=self._options)
        if known is None:
            self._unknown(stream)
            return
        coverage.format = known.format
        coverage.detected_by = known.evidence
        if stream.compression:
            coverage.detected_by += f" ({stream.compression})"
        try:
            self._dispatch(known, stream)
        finally:
            coverage.bytes = stream.bytes_read
        if coverage.failure is None and coverage.unparsed_lines:
            self._warn(
                f"{coverage.unparsed_lines} lines ({coverage.bytes_unparsed} bytes) could not be "
                f"read; first: {coverage.first_unparsed}"
            )

    def _dispatch(self, known: Recognised, stream: InputStream) -> None:
        data = cast("BinaryIO", stream)
        if known.format in FORMATS:
            self._log(known, data)
        elif known.format == detection.PRISMA_EVENTS:
            reader = PrismaEventReader(self._recording, self._coverage, self._source, self._options)
            reader.read(data)
            self._check("is not given as Prisma's query events")
        elif known.format.startswith(detection.COUNTERS):
            self._counters(known, stream)
        elif known.format.startswith(detection.PLAN):
            self._plan(known, stream)
        else:
            self._schema(known, stream)

    def _log(self, known: Recognised, stream: BinaryIO) -> None:
        if known.format == "stderr" and known.prefix is None:
            line = shown(cast("InputStream", stream).head)
            self._coverage.first_unparsed = f"line 1, byte 0: {line}"
            self._fail(
                f"{self._coverage.path}: {known.evidence}; {self._coverage.first_unparsed}\n"
                "give --log-line-prefix as the server's SHOW log_line_prefix prints it"
            )
            return
        sink = EntrySink(self._recording, self._coverage, self._source, self._options)
        read_log(known.format, stream, sink, known.prefix)
        remedy = "leave --log-format out to have the format detected"
        if self._options.log_format == "auto":
            remedy = "give --log-format"
        if self._options.log_line_prefix is not None:
            remedy = (
                "leave --log-line-prefix out to have it detected, or give it as the server's "
                "SHOW log_line_prefix prints it"
            )
        self._check(f"has no entry of a {known.format} log ({known.evidence})", remedy)

    def _check(self, reason: str, remedy: str = "give --log-format if it is a log") -> None:
        """Nothing read from an input that has something is a failure."""
        coverage = self._coverage
        if coverage.entries == 0:
            self._fail(
                f"{coverage.path}: {reason}; first unparsable: {coverage.first_unparsed}\n{remedy}"
            )

    def _counters(self, known: Recognised, stream: InputStream) -> None:
        from analyzer.sources.statistics import Form, read_counters  # noqa: PLC0415  # few runs need it

        form = cast("Form", known.format.removeprefix(detection.COUNTERS))
        buffered = io.BufferedReader(stream, 1 << 20)
        try:
            rows = read_counters(buffered, form, self._source, self._coverage)
        finally:
            buffered.detach()
        self._recording.counters.extend(rows)
        self._check("has no row of pg_stat_statements", "save it with psql --csv and its header")

    def _plan(self, known: Recognised, stream: InputStream) -> None:
        text = self._text(stream)
        self._coverage.entries = self._coverage.plans = 1
        self._recording.plans.append(
            RecordedPlan(
                text=text,
                format=known.format.removeprefix(detection.PLAN),
                origin=self._coverage.path,
                source=self._source,
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

    def _unknown(self, stream: InputStream) -> None:
        """Not recognised: passed over if met in a folder, a failure if named."""
        coverage, head = self._coverage, stream.head
        kind = "binary data" if _binary(head) else "not recognised"
        coverage.bytes = coverage.bytes_unparsed = _size(stream)
        coverage.first_unparsed = f"line 1, byte 0: {shown(head)}"
        if self._found:
            coverage.format = _SKIPPED
            coverage.detected_by = f"{kind} in a folder"
            if not coverage.path.lower().endswith(_PROSE):
                self._warn(f"{kind} as an input, skipped")
            return
        self._fail(
            f"{coverage.path}: {kind}; {coverage.first_unparsed}\n"
            f"known are {detection.KNOWN}; for a log of another kind give --log-format "
            "(and --log-line-prefix, as SHOW log_line_prefix prints it)"
        )

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
