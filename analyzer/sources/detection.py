"""What an input is, told from the bytes at its head, with the evidence in words."""

import csv
import io
import json
import re
from dataclasses import replace
from typing import BinaryIO, cast

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.applications import (
    JSON_LINES,
    OTEL_SPANS,
    PRISMA_EVENTS,
    READERS,
    TEXTS,
    text_format,
)
from analyzer.sources.applications.lines import parsed
from analyzer.sources.logs import FORMATS as LOG_FORMATS
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.csvlog import COLUMNS, RECORD_START
from analyzer.sources.logs.prefix import Prefix, compile_prefix
from analyzer.sources.logs.prefix_detection import detect_prefix, sample_lines
from analyzer.sources.logs.unwrapping import UNWRAPPERS, recognise_wrapping
from analyzer.sources.mapping import FieldMap
from analyzer.sources.options import ReadOptions
from analyzer.sources.plan_detection import PLAN_KEY, plan_format
from analyzer.sources.snapshot_file import is_snapshot

COUNTERS = "pg_stat_statements-"  # + csv, jsonl or json
SNAPSHOT = "pg95-snapshot"
PLAN = "explain-"  # + json, text, yaml or xml
SCHEMA_SQL = "schema-sql"
SCHEMA_PRISMA = "schema-prisma"
KNOWN = (
    "stderr, csvlog or jsonlog of PostgreSQL, plain or as syslog, journald and cloud providers "
    "wrap them, query logs of Prisma, Django, SQLAlchemy, Rails, TypeORM and Sequelize, OpenTelemetry "
    "spans, any JSON lines with --map, saved pg_stat_statements "
    "(CSV with header, JSON), pg95's snapshots, EXPLAIN plans, SQL with CREATE TABLE, schema.prisma"
)

_SAMPLE_LINES = 40
_APPLICATION_LINES = 400  # of which few may be of SQL
_ANY_TIME = regex(
    rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?"
)
_JSON_TIME = regex(rb'"timestamp"\s{0,9}:\s{0,9}"?([^",}]{1,64})')
_EVENT_KEYS = frozenset(("timestamp", "duration", "query"))
_COUNTER_KEYS = frozenset(("query", "calls"))
_SPAN_KEYS = frozenset(("traceId", "spanId", "startTime", "duration"))
_ENTRY_KEYS = frozenset(("timestamp", "error_severity", "message"))
_JSON_KINDS = (
    (_ENTRY_KEYS, "jsonlog"),
    (_EVENT_KEYS, PRISMA_EVENTS),
    (frozenset(("resourceSpans",)), OTEL_SPANS),
    (_SPAN_KEYS, OTEL_SPANS),
    (_COUNTER_KEYS, COUNTERS + "jsonl"),
)

# psql prints JSON bare, in CSV (quotes doubled) and in HTML.
_JSON_ENTRY = regex(rb'\A\s*\{"timestamp":".{0,60}?"error_severity":"|"error_severity":"[A-Z]')
_PRISMA_BLOCK = regex(
    rb"^[ \t]{0,20}(?:model|datasource|generator|enum|view|type)[ \t]{1,20}\w{1,100}[ \t]{0,20}\{",
    re.MULTILINE,
)
_PRISMA_LEADING = regex(rb"\A(?:\s+|//[^\n]*+)*+")
_DOCUMENT_START = regex(rb"\A\s*(?:\xef\xbb\xbf)?\s*(?:\[\s*\{|QUERY PLAN\b)")
_DUMP = b"-- PostgreSQL database dump"
_SQL_DEFINITION = regex(
    rb"^\s{0,20}(?:CREATE\s{1,9}(?:\w{1,9}\s{1,9}){0,2}(?:TABLE|INDEX)|ALTER\s{1,9}TABLE)\s",
    re.MULTILINE | re.IGNORECASE,
)
_SQL_LEADING = regex(rb"\A(?:\s+|--[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/|\\[^\n]*+)*")
_SQL_START = regex(
    rb"(?:CREATE|ALTER|SET|SELECT|BEGIN|START|COMMENT|DROP|INSERT|GRANT|REVOKE|DO|COPY|TRUNCATE)\b",
    re.IGNORECASE,
)


@record
class Recognised:
    """An input's format and why it was taken for it; `prefix` is an stderr log's.

    A log that is wrapped in another format has the name of that as `wrapping`, and is told by its
    unwrapped `head`.
    """

    format: str
    evidence: str
    prefix: Prefix | None = None
    wrapping: str | None = None
    head: bytes = b""

    @property
    def is_log(self) -> bool:
        """Whether it is a log of PostgreSQL's."""
        return self.format in LOG_FORMATS

    @property
    def is_calls(self) -> bool:
        """Whether it is a query log that an application wrote."""
        return self.format in READERS


def first_time(
    head: bytes, known: Recognised, clock: Clock, mapping: FieldMap | None = None
) -> int | None:
    """When a log that begins with `head` begins (µs, UTC); None where its head does not tell.

    Statements hold times, too: a time counts only where the format has its own.
    """
    if known.format == OTEL_SPANS:  # in the order in which requests ended
        return None
    if known.format == JSON_LINES:
        return _first_mapped(head, clock, mapping)
    if known.format in TEXTS:
        return _first_said(head, known.format, clock)
    for line in head.split(b"\n")[:_SAMPLE_LINES]:
        found: re.Match[bytes] | None
        if known.format == "stderr":
            found = known.prefix.entry.match(line) if known.prefix else None
            text = found["time"] if found else None
        elif known.format == "csvlog":
            text = line.partition(b",")[0] if RECORD_START.match(line) else None
        else:  # jsonlog, Prisma's events
            found = _JSON_TIME.search(line)
            text = found[1] if found else None
        at_us = clock.read(text.decode("ascii", "replace")) if text else None
        if at_us is not None:
            return at_us
    return None


def _first_said(head: bytes, name: str, clock: Clock) -> int | None:
    """The first time before a message of an application's log of text."""
    for prefix in text_format(name).before(_text_lines(head)):
        found = _ANY_TIME.search(prefix)
        at_us = clock.read(found[0].decode()) if found else None
        if at_us is not None:
            return at_us
    return None


def _first_mapped(head: bytes, clock: Clock, mapping: FieldMap | None) -> int | None:
    """The first time where --map says that records have theirs."""
    from analyzer.sources.applications import mapped  # noqa: PLC0415  # few runs need it

    records = (parsed(line) for line in head.split(b"\n")[:_SAMPLE_LINES])
    found = (record for record in records if record is not None)
    return None if mapping is None else mapped.first_time(found, mapping, clock)


def recognise(head: bytes, *, whole: bool, options: ReadOptions) -> Recognised | None:
    """The format of an input that begins with `head` (all of it if `whole`), None if unknown."""
    if is_snapshot(head):
        return Recognised(SNAPSHOT, "it begins as pg95 snapshot writes it")
    if options.log_format != "auto":
        return _told(head, whole=whole, options=options)
    if found := _json_lines(head, options):
        return found
    for look in (_csvlog, _counters_csv):
        if found := look(head):
            return found
    return (
        _wrapped(head, options)
        or _stderr(head, options)
        or _begun_document(head, whole=whole)
        or _application(head)
        or _document(head, whole=whole)
        or _mapped(head, options)
    )


def _told(head: bytes, *, whole: bool, options: ReadOptions) -> Recognised:
    """The user's word for logs; what is clearly no log (a plan, a schema) is read as what it is."""
    plain = ReadOptions(mapping=options.mapping)
    other = recognise(head, whole=whole, options=plain) if head else None
    if other is not None and not (other.is_log or other.is_calls):
        mapped = options.log_format == JSON_LINES and other.format == COUNTERS + "jsonl"
        if not mapped:  # any record with a statement and a count looks like those
            return other
    evidence = "--log-format"
    if options.log_format in UNWRAPPERS:
        return _unwrapped(options.log_format, evidence, head, options)
    if options.log_format != "stderr":
        return Recognised(options.log_format, evidence)
    found = _stderr(head, options) or Recognised("stderr", "no line begins as a log entry does")
    return Recognised("stderr", f"{evidence}; {found.evidence}", found.prefix)


def _wrapped(head: bytes, options: ReadOptions) -> Recognised | None:
    found = recognise_wrapping(head)
    return _unwrapped(*found, head, options) if found else None


def _unwrapped(name: str, evidence: str, head: bytes, options: ReadOptions) -> Recognised:
    """A wrapped log; what is in it is told from its unwrapped head."""
    unwrapper = UNWRAPPERS[name](cast("BinaryIO", io.BytesIO(head)), timezone=options.timezone)
    inner = unwrapper.peek(len(head))
    if unwrapper.inner != "stderr":
        return Recognised(unwrapper.inner, evidence, wrapping=name, head=inner)
    plain = replace(options, log_format="stderr")
    found = _stderr(inner, plain)
    if found is None and (calls := _calls(inner, options)):
        evidence = f"{evidence}; {calls.evidence}"
        return Recognised(calls.format, evidence, wrapping=name, head=inner)
    known = found or Recognised("stderr", "no line in it begins as an entry does")
    return Recognised("stderr", f"{evidence}; {known.evidence}", known.prefix, name, inner)


def _calls(head: bytes, options: ReadOptions) -> Recognised | None:
    """Query logs of any kind that applications write."""
    found = _json_lines(head, options)
    if found is not None and found.is_calls:
        return found
    return _application(head) or _mapped(head, options)


def _application(head: bytes) -> Recognised | None:
    """Query logs of text that applications write."""
    lines = _text_lines(head)
    for name in TEXTS:
        if evidence := text_format(name).evidence(lines):
            return Recognised(name, evidence)
    return None


def _text_lines(head: bytes) -> list[bytes]:
    """The lines by which a log of text is told."""
    lines = [line for line in head.split(b"\n") if line.strip()]
    if b"\n" in head and not head.endswith(b"\n"):
        lines = lines[:-1]  # cut
    return lines[:_APPLICATION_LINES]


def _mapped(head: bytes, options: ReadOptions) -> Recognised | None:
    """With --map, JSON lines that nothing else explains: a path that is wrong is told by the reader."""
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]
    if options.mapping is None or parsed(first) is None:
        return None
    return Recognised(JSON_LINES, "JSON lines, and --map is given")


def _json_lines(head: bytes, options: ReadOptions) -> Recognised | None:
    """Formats with a JSON object per line, by the keys of the first lines."""
    counts: dict[str, int] = {}
    lines = [line for line in head.split(b"\n") if line.strip()][:_SAMPLE_LINES]
    for line in lines:
        name = _json_kind(line, options)
        if name:
            counts[name] = counts.get(name, 0) + 1
    if counts:
        name = max(counts, key=lambda key: counts[key])
        return Recognised(name, f"{counts[name]} of {len(lines)} sample lines have its JSON keys")
    if b"\n" not in head and head.startswith(b"{") and _JSON_ENTRY.search(head):
        return Recognised("jsonlog", "a long first line has its JSON keys")
    return None


def _json_kind(line: bytes, options: ReadOptions) -> str | None:
    if not line.lstrip(b"\xef\xbb\xbf \t").startswith(b"{"):
        return None
    record = parsed(line)
    if record is None:
        return None
    for keys, name in _JSON_KINDS:
        if record.keys() >= keys:
            return name
    if options.mapping is not None and isinstance(options.mapping.of("sql", record), str):
        return JSON_LINES
    return PLAN + "json" if "Plan" in record else None


def _csvlog(head: bytes) -> Recognised | None:
    lines = head.split(b"\n")
    first = next((n for n, line in enumerate(lines) if RECORD_START.match(line)), None)
    if first is None:
        return None
    for end in range(first + 1, len(lines)):
        record = b"\n".join(lines[first:end])
        if record.count(b'"') % 2 == 0:
            fields = next(csv.reader([record.decode("utf-8", "replace")]), [])
            known = "" if len(fields) in COLUMNS else ", which no PostgreSQL up to 18 writes"
            return Recognised("csvlog", f"its first record has {len(fields)} columns{known}")
    return Recognised("csvlog", "a long first record begins as csvlog does")


def _counters_csv(head: bytes) -> Recognised | None:
    header = head.partition(b"\n")[0].decode("utf-8-sig", "replace").lower()
    names = {name.strip(' "\r') for name in re.split(r"[,;\t|]", header)}
    if names >= _COUNTER_KEYS:
        return Recognised(COUNTERS + "csv", "its header has the columns query and calls")
    return None


def _stderr(head: bytes, options: ReadOptions) -> Recognised | None:
    given = options.log_line_prefix
    lines = sample_lines(head)
    if given is not None:
        if not lines and options.log_format == "auto":
            return None
        prefix = compile_prefix(given)
        matching = sum(prefix.entry.match(line) is not None for line in lines)
        evidence = f"log_line_prefix {given!r} given: it explains {matching} of {len(lines)} lines"
        return Recognised("stderr", evidence, prefix)
    if not lines:
        return None
    detected = detect_prefix(head)
    if detected is None:
        entries = sum(line[:1] not in (b"", b"\t") for line in head.split(b"\n"))
        if len(lines) * 2 <= entries:  # some text that mentions a severity here and there
            return None
        evidence = f"{len(lines)} lines have a severity, but no log_line_prefix explains them"
        return Recognised("stderr", evidence)
    return Recognised("stderr", detected.evidence, detected.prefix)


def _begun_document(head: bytes, *, whole: bool) -> Recognised | None:
    """What is a document from its first word on, whatever logs its comments and texts quote."""
    if _DOCUMENT_START.match(head) and (found := _document(head, whole=whole)):
        return found
    return _begun_schema(head)


def _document(head: bytes, *, whole: bool) -> Recognised | None:
    """What is read as one text: plans, counters in a JSON array, schemas."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        counters = _counters_array(head, whole=whole)
        if counters:
            return counters
    return _plan(head) or _schema(head)


def _counters_array(head: bytes, *, whole: bool) -> Recognised | None:
    evidence = "a JSON array of objects with query and calls"
    if whole:
        try:
            rows = json.loads(head.decode("utf-8-sig", "backslashreplace"))
        except (ValueError, RecursionError):
            return None
        good = bool(rows) and isinstance(rows, list) and isinstance(rows[0], dict)
        good = good and rows[0].keys() >= _COUNTER_KEYS
    else:
        good = b'"query"' in head and b'"calls"' in head and not PLAN_KEY.search(head)
    return Recognised(COUNTERS + "json", evidence) if good else None


def _plan(head: bytes) -> Recognised | None:
    found = plan_format(head, defines_tables=bool(_SQL_DEFINITION.search(head)))
    return None if found is None else Recognised(PLAN + found[0], found[1])


def _begun_schema(head: bytes) -> Recognised | None:
    """A schema that has nothing but comments before its first definition or statement."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    leading = _PRISMA_LEADING.match(head)
    if leading and _PRISMA_BLOCK.match(head, leading.end()):
        return _prisma(head)
    leading = _SQL_LEADING.match(head)
    start = leading.end() if leading else 0
    if _DUMP in head[:start]:
        return Recognised(SCHEMA_SQL, "pg_dump's header")
    if _SQL_START.match(head, start) and _SQL_DEFINITION.search(head):
        return Recognised(SCHEMA_SQL, "SQL that defines tables")
    return None


def _schema(head: bytes) -> Recognised | None:
    if _PRISMA_BLOCK.search(head) and b"=" not in head.partition(b"{")[0]:
        return _prisma(head)
    return Recognised(SCHEMA_SQL, "pg_dump's header") if _DUMP in head else None


def _prisma(head: bytes) -> Recognised:
    blocks = _PRISMA_BLOCK.findall(head)
    return Recognised(SCHEMA_PRISMA, f"{len(blocks)} blocks such as {_word(blocks[0])} {{ … }}")


def _word(block: bytes) -> str:
    return block.split()[0].decode("ascii", "replace")
