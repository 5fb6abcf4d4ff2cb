"""Snapshots as files: JSON with a row to a line, packed where the name ends in .zst."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.model.snapshot import Snapshot
from analyzer.model.snapshot_form import FORM_KEY, as_plain, from_plain
from analyzer.model.statement import StatementCounters
from analyzer.patterns import regex
from analyzer.sql.redact import normalise, with_shown_comments

# Of these pg_stat_statements took the values out; of others (CREATE ROLE … PASSWORD) it did not.
_NORMALISED = regex(
    r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*+\*/)*+(?:select|insert|update|delete|with|values|merge|table)\b",
    re.IGNORECASE,
)
_HEAD = regex(rb"\A(?:\xef\xbb\xbf)?\s{0,20}\{\s{0,20}\"" + FORM_KEY.encode() + rb"\"\s{0,20}:")


def is_snapshot(head: bytes) -> bool:
    """Whether a file that begins so is a snapshot."""
    return _HEAD.match(head) is not None


def write_snapshot(snapshot: Snapshot, path: Path) -> int:
    """Write a snapshot that only the user can read (mode 0600); gives the bytes written.

    Values that pg_stat_statements leaves in utility statements are taken out, and those in comments. The file is replaced as
    a whole, or not at all.

    Raises:
        InputError: it cannot be written.
    """
    data = "".join(_lines(as_plain(replace(snapshot, counters=_without_values(snapshot)))))
    packed = data.encode("utf-8", "surrogateescape")
    if path.suffix == ".zst":
        import zstandard  # noqa: PLC0415 - only packed ones need it

        packed = zstandard.compress(packed)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(packed)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise InputError(f"-o {path}: cannot be written ({error.strerror})") from error
    return len(packed)


def read_snapshot(text: str, name: str) -> Snapshot:
    """The snapshot in a file's text.

    Raises:
        InputError: it is cut, edited, or of a newer form; the message names the place.
    """
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(
            f"{name}: a snapshot that cannot be read ({why}); it was cut or edited, take another: "
            "pg95 snapshot -o FILE"
        ) from None
    return from_plain(plain, name)


def _without_values(snapshot: Snapshot) -> list[StatementCounters]:
    return [
        replace(row, query=with_shown_comments(row.query))
        if _NORMALISED.match(row.query)
        else replace(row, query=normalise(row.query))
        for row in snapshot.counters
    ]


def _lines(plain: dict[str, Any]) -> Iterator[str]:
    """The document with a line for each key, and for each row of a list."""
    before = "{"
    for key, value in plain.items():
        yield f"{before}{json.dumps(key)}: "
        before = ",\n"
        if isinstance(value, list) and value:
            yield "[\n" + ",\n".join(_text(row) for row in value) + "\n]"
        else:
            yield _text(value)
    yield "}\n"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
