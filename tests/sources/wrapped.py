"""One real run in stderr, csvlog and jsonlog, and ways to wrap it: what tests of unwrapping share."""

import csv
import io
import json
import lzma
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from analyzer.sources.logs.unwrapping import UNWRAPPERS, Unwrapper, recognise_wrapping

DATA = Path(__file__).parent.parent / "data"
FOLDER = DATA / "logs/wrapped"
HEAD = 64 * 1024
COLUMNS = [
    "log_time",
    "user_name",
    "database_name",
    "process_id",
    "connection_from",
    "session_id",
    "session_line_num",
    "command_tag",
    "session_start_time",
    "virtual_transaction_id",
    "transaction_id",
    "error_severity",
    "sql_state_code",
    "message",
    "detail",
    "hint",
    "internal_query",
    "internal_query_pos",
    "context",
    "query",
    "query_pos",
    "location",
    "application_name",
    "backend_type",
    "leader_pid",
    "query_id",
]

Wrap = Callable[[Iterable[Any]], bytes]


def content(name: str) -> bytes:
    return lzma.decompress((FOLDER / f"{name}.xz").read_bytes())


STDERR = content("numbered.stderr.log")
ENTRIES = re.findall(rb"[^\n]*(?:\n\t[^\n]*)*\n", STDERR)
JSONLOG = [json.loads(line) for line in content("numbered.json").splitlines()]
CSVLOG = [
    {name: value for name, value in zip(COLUMNS, row, strict=True) if value}
    for row in csv.reader(io.StringIO(content("numbered.csv").decode(), newline=""))
]


def lines(records: Iterable[object]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def compact(records: Iterable[object]) -> bytes:
    return json.dumps(list(records), separators=(",", ":")).encode()


def pretty(records: Iterable[object]) -> bytes:
    return json.dumps(list(records), indent=2).encode() + b"\n"


def utf8_array_of_lines(records: Iterable[object]) -> bytes:
    rows = ",\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    return b"\xef\xbb\xbf[\n" + rows.encode() + b"\n]\n"


LAYOUTS: Mapping[str, Wrap] = {
    "lines": lines,
    "compact": compact,
    "pretty": pretty,
    "array of lines": utf8_array_of_lines,
}


def in_list(name: str) -> Wrap:
    return lambda records: json.dumps({name: list(records), "error": None}).encode()


def opened(data: bytes, expected: str) -> Unwrapper:
    wrapping = recognise_wrapping(data[:HEAD])
    assert wrapping is not None
    assert wrapping[0] == expected
    assert wrapping[1]
    return UNWRAPPERS[expected](io.BytesIO(data))  # type: ignore[arg-type]


def check_stderr(data: bytes, kind: str, expected: bytes = STDERR) -> Unwrapper:
    unwrapper = opened(data, kind)
    assert unwrapper.read() == expected
    assert unwrapper.inner == "stderr"
    assert (unwrapper.bytes_unparsed, unwrapper.first_unparsed) == (0, None)
    return unwrapper
