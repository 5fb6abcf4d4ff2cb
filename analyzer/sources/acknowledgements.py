"""`.pg95/acknowledged.toml`: findings that the team accepts, for people to review in git.

One table per key, sorted, always written the same way:

    [n-plus-one-0123456789ab]
    reason = "nightly export, one row at a time on purpose"
    ticket = "SHOP-123"
    until = 2027-01-31
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from analyzer.errors import InputError, UsageError
from analyzer.model.acknowledgement import Acknowledgement
from analyzer.patterns import regex

NAME = Path(".pg95") / "acknowledged.toml"
_HEAD = """\
# Findings that are known and accepted: `pg95 ack --help`. One table per finding's key, sorted.
# pg95 writes this file anew, comments do not stay.
"""
_BARE = regex(r"[A-Za-z0-9_-]+\Z")
_AT = regex(r"\(at (?:line (\d+), column (\d+)|end of document)\)")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_FIELDS = ("reason", "ticket", "until")
_LARGEST = 1 << 20  # bytes; thousands of entries


def find(start: Path) -> Path | None:
    """The file of a folder or the nearest one above it, None without any."""
    for folder in (start, *start.parents):
        if (folder / NAME).is_file():
            return folder / NAME
    return None


def place_for_new(start: Path) -> Path:
    """Where a new file goes: the top of the git checkout that a folder is in, else the folder."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder / NAME
    return start / NAME


def read(path: Path) -> dict[str, Acknowledgement]:
    """The acknowledgements of a file by key; a file that is not there has none.

    Raises:
        InputError: it cannot be read or understood; the message has file, line and remedy.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > _LARGEST:
        raise InputError(f"{path}: more than 1 MB, which no list of acknowledgements is")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error
    return {key: _entry(key, fields, text, path) for key, fields in _tables(text, path).items()}


def _tables(text: str, path: Path) -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415 - only who has such a file pays for it

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line = found[1] if found and found[1] else text.count("\n") + 1
        what = _AT.sub("", str(error)).strip()
        raise InputError(
            f"{path}:{line}: no TOML: {what}. Correct the line, or write the entry with `pg95 ack`"
        ) from error
    except RecursionError as error:
        raise InputError(f"{path}: TOML nested too deeply; it has one table per key") from error


def _entry(key: str, fields: object, text: str, path: Path) -> Acknowledgement:
    line = _line_of(key, text)
    where = f"{path}:{line}: {key}"
    if not isinstance(fields, dict):
        raise InputError(f'{where} is no table; write [{key}] and below it reason = "…"')
    unknown = sorted(set(fields) - set(_FIELDS))
    if unknown:
        raise InputError(f"{where}: unknown field {unknown[0]!r}; there are {', '.join(_FIELDS)}")
    reason, ticket, until = (fields.get(name) for name in _FIELDS)
    if not isinstance(reason, str) or not reason.strip():
        raise InputError(f'{where}: a reason is missing; add reason = "why this is accepted"')
    if ticket is not None and not isinstance(ticket, str):
        raise InputError(f'{where}: ticket must be text; write ticket = "{ticket}"')
    return Acknowledgement(key, reason, _date(until, where), ticket, origin=str(path), line=line)


def _date(value: object, where: str) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(f"{where}: until is no date; write until = 2027-01-31") from error


def _line_of(key: str, text: str) -> int:
    """Where a table's head stands; 1 where it is written in another way."""
    heads = {f"[{key}]", f"[{_quoted(key)}]", f"['{key}']"}
    for number, line in enumerate(text.split("\n"), 1):
        if line.partition("#")[0].strip().replace(" ", "") in heads or line.strip() in heads:
            return number
    return 1


def write(path: Path, entries: Iterable[Acknowledgement]) -> None:
    """Write a file anew: sorted by key, one table each, the same bytes for the same entries.

    Raises:
        InputError: it cannot be written.
    """
    tables = [_table(entry) for entry in sorted(entries, key=lambda one: one.key)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f"{path.name}.new")
        beside.write_text("\n".join([_HEAD, *tables]), encoding="utf-8")
        beside.replace(path)  # whoever reads it meanwhile sees the old or the new
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def _table(entry: Acknowledgement) -> str:
    key = entry.key if _BARE.match(entry.key) else _quoted(entry.key)
    lines = [f"[{key}]", f"reason = {_quoted(entry.reason)}"]
    lines += [f"ticket = {_quoted(entry.ticket)}"] if entry.ticket else []
    lines += [f"until = {entry.until.isoformat()}"] if entry.until else []
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    """A TOML basic string."""
    made = "".join(
        _ESCAPES.get(c) or (f"\\u{ord(c):04x}" if c < " " or c == "\x7f" else c) for c in text
    )
    return f'"{made}"'


def checked(key: str, reason: str, until: str | None, ticket: str | None) -> Acknowledgement:
    """What the command line says, as an entry.

    Raises:
        UsageError: the key or the reason is empty or holds control characters, or the date is none.
    """
    for name, value in (("KEY", key), ("--reason", reason), ("--ticket", ticket or "-")):
        if not value.strip() or any(c < " " and c != "\t" for c in value) or not _storable(value):
            raise UsageError(f"{name} {value!r}: give a text of one line")
    try:
        last = date.fromisoformat(until) if until else None
    except ValueError as error:
        raise UsageError(f"--until {until!r} is no date: write 2027-01-31") from error
    return Acknowledgement(key.strip(), reason.strip(), last, ticket.strip() if ticket else None)


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
