"""pg_stat_statements as saved: CSV with a header, JSON lines, or a JSON array.

Any of these was made by psql --csv, COPY … CSV HEADER, row_to_json or json_agg. The columns of all
versions are read (total_time up to 12, total_exec_time from 13 on), whichever of them are there.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import BinaryIO, Literal, TypeAlias

from analyzer.model.coverage import SourceCoverage
from analyzer.model.statement import StatementCounters
from analyzer.records import changing, record

Form: TypeAlias = Literal["csv", "jsonl", "json"]

_MAX_RECORD_BYTES = 16 * 2**20
_SHOWN_CHARACTERS = 120
_HIDDEN_TEXT = "<insufficient privilege>"
_DELIMITERS = ",;\t|"

# A figure's column names: from version 13 on, before, and as people rename them.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "query_id": ("queryid", "query_id"),
    "total_ms": ("total_exec_time", "total_time"),
    "min_ms": ("min_exec_time", "min_time"),
    "max_ms": ("max_exec_time", "max_time"),
    "mean_ms": ("mean_exec_time", "mean_time"),
    "stddev_ms": ("stddev_exec_time", "stddev_time"),
    "planning_ms": ("total_plan_time",),
    "read_ms": ("shared_blk_read_time", "blk_read_time"),
    "database": ("datname", "database", "dbid"),
    "user": ("rolname", "usename", "username", "user", "userid"),
    "since": ("stats_since",),
}


class _BadRowError(Exception):
    """A row that is no row of pg_stat_statements; the message says why."""


@record
class _Piece:
    """A part of the input: where it starts (1-based line, 0-based byte) and its text."""

    line: int
    byte: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def read_counters(
    stream: BinaryIO, form: Form, source: int, coverage: SourceCoverage
) -> list[StatementCounters]:
    """Read saved counters; what is no row of them is counted as unparsed, never lost.

    Rows of one query for several users, or nested and top level, stay apart. `database` and
    `user` are names where the file has them, else the numbers dbid and userid.

    Args:
        stream: the input, uncompressed, read once to its end.
        form: how the rows are written.
        source: the input's number, for `StatementCounters.source`.
        coverage: its `bytes`, `entries`, `unparsed_lines`, `bytes_unparsed` and
            `first_unparsed` are filled in.
    """
    account = _Account(coverage)
    readers = {"csv": _read_csv, "jsonl": _read_json_lines, "json": _read_json_array}
    counters = list(readers[form](stream, source, account))
    coverage.entries += len(counters)
    return counters


@changing
class _Account:
    coverage: SourceCoverage

    def read(self, data: bytes) -> None:
        self.coverage.bytes += len(data)

    def refuse(self, piece: _Piece, reason: str) -> None:
        """Note a piece that could not be read; blank lines are no loss."""
        if not piece.data.strip():
            return
        self.coverage.bytes_unparsed += len(piece.data)
        self.coverage.unparsed_lines += piece.data.rstrip(b"\n").count(b"\n") + 1
        if self.coverage.first_unparsed is None:
            shown = " ".join(piece.text.split())[:_SHOWN_CHARACTERS]
            self.coverage.first_unparsed = (
                f"line {piece.line}, byte {piece.byte}: {shown} ({reason})"
            )


def _lines(stream: BinaryIO, account: _Account) -> Iterator[_Piece]:
    """The input's lines; one longer than any row of counters comes in pieces."""
    line, byte = 1, 0
    while data := stream.readline(_MAX_RECORD_BYTES):
        account.read(data)
        start = byte
        byte += len(data)
        # A byte order mark, as Windows programs write it, is not part of the first name.
        yield _Piece(line, start, data if start else data.removeprefix(b"\xef\xbb\xbf"))
        line += data.endswith(b"\n")


def _read_json_lines(
    stream: BinaryIO, source: int, account: _Account
) -> Iterator[StatementCounters]:
    for piece in _lines(stream, account):
        if not piece.data.strip():
            continue
        try:
            yield _counters(_object(json.loads(piece.text)), source)
        except (_BadRowError, ValueError, RecursionError) as error:
            account.refuse(piece, _reason(error))


def _read_json_array(
    stream: BinaryIO, source: int, account: _Account
) -> Iterator[StatementCounters]:
    """Read the elements one by one, so that a file cut short still gives those before the cut."""
    data = stream.read()
    account.read(data)
    text = data.decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder()
    position = _skip(text, 0, "\ufeff[")
    byte, line, counted = 0, 1, 0
    while position < len(text) and not text.startswith("]", position):
        byte += len(text[counted:position].encode("utf-8", "surrogateescape"))
        line += text.count("\n", counted, position)
        counted = position
        try:
            element, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            account.refuse(_Piece(line, byte, data[byte:]), _reason(error))
            return
        try:
            yield _counters(_object(element), source)
        except _BadRowError as error:
            piece = text[position:end].encode("utf-8", "surrogateescape")
            account.refuse(_Piece(line, byte, piece), _reason(error))
        position = _skip(text, end, ",")


def _skip(text: str, position: int, characters: str) -> int:
    while position < len(text) and (text[position].isspace() or text[position] in characters):
        position += 1
    return position


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _BadRowError("not a JSON object")
    return value


def _read_csv(stream: BinaryIO, source: int, account: _Account) -> Iterator[StatementCounters]:
    header: Sequence[str] | None = None
    delimiter = ","
    for piece in _csv_records(_lines(stream, account)):
        if header is None:
            header, delimiter = _header(piece.text)
            if header is None:
                account.refuse(piece, "no header with the columns query and calls yet")
            continue
        if not piece.data.strip():
            continue
        try:
            yield _counters(_csv_row(piece.text, header, delimiter), source)
        except _BadRowError as error:
            account.refuse(piece, _reason(error))


def _csv_records(lines: Iterator[_Piece]) -> Iterator[_Piece]:
    """Join the lines of a quoted field; one that never closes ends at the size of a record."""
    parts: list[bytes] = []
    first: _Piece | None = None
    quotes, size = 0, 0
    for piece in lines:
        first = first or piece
        parts.append(piece.data)
        quotes += piece.data.count(b'"')
        size += len(piece.data)
        if quotes % 2 == 0 or size > _MAX_RECORD_BYTES:
            yield _Piece(first.line, first.byte, b"".join(parts))
            parts, first, quotes, size = [], None, 0, 0
    if first is not None:
        yield _Piece(first.line, first.byte, b"".join(parts))


def _header(text: str) -> tuple[Sequence[str] | None, str]:
    for delimiter in _DELIMITERS:
        try:
            names = [str(name).strip().lower() for name in _csv_fields(text, delimiter)]
        except _BadRowError:
            continue
        if "query" in names and "calls" in names:
            return names, delimiter
    return None, ","


def _csv_row(text: str, header: Sequence[str], delimiter: str) -> Mapping[str, object]:
    fields = _csv_fields(text, delimiter)
    if len(fields) != len(header):
        raise _BadRowError(f"{len(fields)} fields where the header has {len(header)}")
    return dict(zip(header, fields, strict=True))


def _csv_fields(text: str, delimiter: str) -> list[str | None]:
    """The fields of one CSV record; an empty unquoted one is NULL."""
    text = text.rstrip("\r\n")
    fields: list[str | None] = []
    position = 0
    while True:
        if text.startswith('"', position):
            value, position = _quoted_field(text, position + 1)
            fields.append(value)
            if position < len(text) and text[position] != delimiter:
                raise _BadRowError("text after a closing quote")
        else:
            end = text.find(delimiter, position)
            end = len(text) if end < 0 else end
            fields.append(text[position:end] or None)
            position = end
        if position >= len(text):
            return fields
        position += 1


def _quoted_field(text: str, position: int) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        end = text.find('"', position)
        if end < 0:
            raise _BadRowError("a quote is not closed")
        parts.append(text[position:end])
        if not text.startswith('"', end + 1):
            return '"'.join(parts), end + 1
        position = end + 2


def _counters(row: Mapping[str, object], source: int) -> StatementCounters:
    query = row.get("query")
    if not isinstance(query, str) or not query:
        raise _BadRowError("no query text")
    if query == _HIDDEN_TEXT:
        raise _BadRowError("the role that saved it lacks pg_read_all_stats")
    calls = _count(row, "calls")
    if calls is None or calls < 0:
        raise _BadRowError("no calls")
    total_ms, mean_ms = _number(row, "total_ms"), _number(row, "mean_ms")
    if total_ms is None and mean_ms is not None:
        total_ms = mean_ms * calls
    if total_ms is None:
        raise _BadRowError("no total_exec_time")
    if mean_ms is None:
        mean_ms = total_ms / calls if calls else 0.0
    return StatementCounters(
        query=query,
        query_id=_text(row, "query_id"),
        calls=calls,
        total_ms=total_ms,
        min_ms=_number(row, "min_ms"),
        max_ms=_number(row, "max_ms"),
        mean_ms=mean_ms,
        stddev_ms=_number(row, "stddev_ms"),
        rows=_count(row, "rows"),
        planning_ms=_number(row, "planning_ms"),
        database=_text(row, "database"),
        user=_text(row, "user"),
        toplevel=_text(row, "toplevel") not in ("f", "false", "False", "0"),
        shared_blocks_hit=_count(row, "shared_blks_hit"),
        shared_blocks_read=_count(row, "shared_blks_read"),
        temp_blocks_written=_count(row, "temp_blks_written"),
        wal_bytes=_count(row, "wal_bytes"),
        source=source,
        read_ms=_number(row, "read_ms"),
        since_us=_since(row),
    )


def _text(row: Mapping[str, object], name: str) -> str | None:
    for column in _NAMES.get(name, (name,)):
        value = row.get(column)
        if value is not None:
            return str(value)
    return None


def _number(row: Mapping[str, object], name: str) -> float | None:
    text = _text(row, name)
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise _BadRowError(f"{name} is not a figure")
    return number


def _count(row: Mapping[str, object], name: str) -> int | None:
    text = _text(row, name)
    try:
        return int(text) if text is not None else None
    except ValueError:
        number = _number(row, name)  # some tools write 12.0, or 1e+06
        return None if number is None else round(number)


def _since(row: Mapping[str, object]) -> int | None:
    text = _text(row, "since")
    try:
        since = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None  # a date style that does not say which of its figures is the month
    if since is None:
        return None
    aware = since if since.tzinfo else since.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
