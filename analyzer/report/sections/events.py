"""What the server itself reported, a table for each kind of event that happened."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from analyzer.report.formats import cut, ms, one_line, plural, size
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document

_SHOWN = 10  # rows of a table
_BRIEF = 110
_SPARK = (120, 18)
_SPARK_BARS = 60

Entry = dict[str, Any]
# A column: its title, and the value of a row. The first column is the row's name or statement.
Column = tuple[str, Callable[[Entry], Any], str]

_COUNT: Column = ("Count", lambda row: row["count"], "count")
_FIRST: Column = ("First", lambda row: row["from"], "moment")
_LAST: Column = ("Last", lambda row: row["to"], "moment")


def _figure(title: str, measure: str, what: str, unit: str) -> Column:
    return (title, lambda row: _of(row, measure, what), unit)


def _of(row: Entry, measure: str, what: str = "total") -> Any:  # noqa: ANN401 - a document's value
    return row.get("figures", {}).get(measure, {}).get(what)


_SIZES = (
    _figure("Size", "temp_bytes", "total", "size"),
    _figure("Largest", "temp_bytes", "max", "size"),
)
_WAITS = (
    _figure("Waited", "waited_ms", "total", "ms"),
    _figure("Longest", "waited_ms", "max", "ms"),
)
_AT_LEAST = (_figure("Took at least", "at_least_ms", "max", "ms"),)
_VACUUM = (
    _figure("Elapsed", "elapsed_ms", "total", "ms"),
    _figure("Longest", "elapsed_ms", "max", "ms"),
    _figure("Rows removed", "tuples_removed", "total", "count"),
    _figure("Dead, kept", "tuples_dead", "max", "count"),
    _figure("WAL", "wal_bytes", "total", "size"),
)
_CHECKPOINTS = (
    _figure("Total", "total_ms", "total", "ms"),
    _figure("Longest", "total_ms", "max", "ms"),
    _figure("Write", "write_ms", "total", "ms"),
    _figure("Sync", "sync_ms", "total", "ms"),
    _figure("Buffers", "buffers", "total", "count"),
    _figure("WAL distance", "distance_bytes", "total", "size"),
)
_SESSIONS = (
    _figure("Session time", "session_ms", "total", "ms"),
    _figure("Longest", "session_ms", "max", "ms"),
)
# Kind, title, what its codes are, columns of the codes, columns of the statements, other tables.
_KINDS: tuple[
    tuple[str, str, str, tuple[Column, ...], tuple[Column, ...], tuple[str, ...]], ...
] = (
    ("error", "Errors", "SQLSTATE", (_COUNT, _FIRST, _LAST), (_COUNT,), ()),
    (
        "cancelled",
        "Cancelled and timed out",
        "By",
        (_COUNT, *_AT_LEAST, _LAST),
        (_COUNT, *_AT_LEAST),
        (),
    ),
    ("deadlock", "Deadlocks", "", (_COUNT, _FIRST, _LAST), (_COUNT,), ()),
    ("lock-wait", "Lock waits", "Lock", (_COUNT, *_WAITS), (_COUNT, *_WAITS), ("object",)),
    ("temp-file", "Temporary files", "", (_COUNT, *_SIZES), (_COUNT, *_SIZES), ()),
    ("checkpoint", "Checkpoints", "Sort", (_COUNT, *_CHECKPOINTS), (), ("cause",)),
    ("autovacuum", "Autovacuum", "Sort", (_COUNT, *_VACUUM), (), ("table",)),
    ("connection", "Connections", "Sort", (_COUNT, *_SESSIONS), (), ("database", "user")),
    ("server", "The server", "Sort", (_COUNT, _FIRST, _LAST), (), ("parameter",)),
)


def prepare(document: Document) -> dict[str, Any] | None:
    """A group of tables for each kind that happened, None if none did."""
    events = document["events"]
    links = StatementLinks(document)
    groups = []
    for kind, title, label, columns, of_statements, parts in _KINDS:
        found = [event for event in events if event["kind"] == kind]
        if found:
            tables = [_codes(found, label, columns)] if label else []
            if kind == "error":
                tables.append(_messages(found, links))
            tables.append(_statements(found, of_statements, links))
            tables += [_part(found, part, columns) for part in parts]
            shown = [table for table in tables if table["rows"]]
            groups.append({"id": kind, "title": title, "tables": shown, **_summary(kind, found)})
    return {"count": len(events), "groups": groups} if groups else None


def _summary(kind: str, found: list[Entry]) -> dict[str, Any]:
    number = sum(event["count"] for event in found)
    words = {
        "temp-file": f"{plural(number, 'file')}, {size(_sum(found, 'temp_bytes'))} in all, "
        f"the largest {size(max(_of(event, 'temp_bytes', 'max') or 0 for event in found))}.",
        "deadlock": f"{plural(number, 'deadlock')}; statements of every side that is told.",
        "lock-wait": f"{plural(number, 'wait')}, {ms(_sum(found, 'waited_ms'))} in all.",
        "cancelled": "A time is shown where the log tells since when the statement had run.",
        "autovacuum": f"{plural(number, 'run')}, {ms(_sum(found, 'elapsed_ms'))} in all.",
        "error": f"{plural(number, 'error')}{_derived(found)}.",
    }
    return {"sentence": words.get(kind, ""), "spark": _spark(found)}


def _derived(found: list[Entry]) -> str:
    number = sum(event.get("derived", 0) for event in found)
    return f"; the SQLSTATE of {plural(number, 'error')} is told by the text" if number else ""


def _sum(found: list[Entry], measure: str) -> float:
    return sum(_of(event, measure) or 0 for event in found)


def _codes(found: list[Entry], label: str, columns: tuple[Column, ...]) -> dict[str, Any]:
    rows = [_row(event, columns, name=_name(event)) for event in found]
    return _table(label, columns, rows)


def _name(event: Entry) -> str:
    name = event.get("name") or (event.get("class_name") if event["code"] else None)
    if event["kind"] == "error":
        return f"{event['code'] or 'unknown'} {name or ''}".strip()
    return event["code"] or str(event["kind"])


def _messages(found: list[Entry], links: StatementLinks) -> dict[str, Any]:
    columns = (_COUNT, _LAST)
    messages = [
        (message, event["code"]) for event in found for message in event.get("messages", ())
    ]
    messages.sort(key=lambda pair: -pair[0]["count"])
    rows = []
    for message, code in messages:
        name = cut(
            one_line(message["text"] or f"{code or 'unknown'}: a text that is not shown"), _BRIEF
        )
        refs = [ref for shape in message["shape_ids"][:3] if (ref := links.link(shape))]
        rows.append(_row(message, columns, name=name) | {"refs": refs})
    return _table("Message", columns, rows)


def _statements(
    found: list[Entry], columns: tuple[Column, ...], links: StatementLinks
) -> dict[str, Any]:
    """One row for a statement over all codes, largest of the last column first."""
    merged: dict[str, Entry] = {}
    for event in found:
        for entry in event.get("statements", ()):
            if entry["shape_id"] is not None:
                _add(
                    merged.setdefault(entry["shape_id"], {**entry, "count": 0, "figures": {}}),
                    entry,
                )
    rows = [
        _row(entry, columns, ref=links.link(shape, None if links.link(shape) else entry["sql"]))
        for shape, entry in merged.items()
    ]
    rows.sort(
        key=lambda row: [-(cell["value"] or 0) for cell in row["cells"][1:2] + row["cells"][:1]]
    )
    return _table("Statement", columns, rows if columns else [])


def _add(total: Entry, entry: Entry) -> None:
    total["count"] += entry["count"]
    for name, figure in entry.get("figures", {}).items():
        known = total["figures"].setdefault(name, {"count": 0, "total": 0, "max": 0})
        known["count"] += figure["count"]
        known["total"] += figure["total"]
        known["max"] = max(known["max"], figure["max"])


def _part(found: list[Entry], part: str, columns: tuple[Column, ...]) -> dict[str, Any]:
    merged: dict[str | None, Entry] = {}
    several = part == "table"  # one table is vacuumed and analyzed: its runs stay apart
    ended = {"disconnected"}  # were counted as authorized
    for event in found:
        for entry in event.get("by", {}).get(part, ()):
            name = entry["name"] if entry["name"] is not None else "others"
            key = f"{name}, {event['code']}" if several else name
            total = merged.setdefault(key, {**entry, "name": key, "count": 0, "figures": {}})
            _add(total, {**entry, "count": 0} if event["code"] in ended else entry)
    rows = [_row(entry, columns, name=entry["name"]) for entry in merged.values()]
    rows.sort(
        key=lambda row: [-(cell["value"] or 0) for cell in row["cells"][1:2] + row["cells"][:1]]
    )
    return _table(part.capitalize(), columns, rows)


def _row(
    entry: Entry, columns: Iterable[Column], *, name: str | None = None, ref: Entry | None = None
) -> dict[str, Any]:
    cells = []
    for _, value_of, unit in columns:
        value = value_of(entry)
        number = value if isinstance(value, (int, float)) else None
        cells.append({"value": number, "shown": value, "unit": unit})
    return {"name": name, "ref": ref, "refs": [], "cells": cells}


def _table(label: str, columns: tuple[Column, ...], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A table without the columns that say nothing in any row."""
    told = [
        n for n in range(len(columns)) if any(row["cells"][n]["shown"] is not None for row in rows)
    ]
    shown = [{**row, "cells": [row["cells"][n] for n in told]} for row in rows[:_SHOWN]]
    titles = [(columns[n][0], columns[n][2]) for n in told]
    hidden = max(0, len(rows) - _SHOWN)
    return {"label": label, "titles": titles, "rows": shown, "hidden": hidden}


def _spark(found: list[Entry]) -> dict[str, Any] | None:
    """How many over time, as a path; None where all are of one hour."""
    hours: dict[int, int] = {}
    for event in found:
        for hour in event.get("hours", ()):
            number = _hour(hour["from"])
            if number is not None:
                hours[number] = hours.get(number, 0) + hour["count"]
    if len(hours) <= 1:
        return None
    first, last = min(hours), max(hours)
    bars = min(last - first + 1, _SPARK_BARS)
    counts = [0] * bars
    for hour, count in hours.items():
        counts[(hour - first) * bars // (last - first + 1)] += count
    width, height = _SPARK
    step = width / bars
    path = ""
    for position, count in enumerate(counts):
        if count:
            tall = max(1.0, count / max(counts) * height)
            path += f"M{position * step:.1f} {height}v{-tall:.1f}h{step * 0.8:.1f}v{tall:.1f}z"
    return {"path": path, "width": width, "height": height}


def _hour(moment: object) -> int | None:
    """The hour since the epoch of an ISO 8601 time, None if it is none."""
    if not isinstance(moment, str):
        return None
    try:
        return int(datetime.fromisoformat(moment).timestamp() // 3600)
    except (ValueError, OverflowError):
        return None


SECTION = Section("events", "Server events", "sections/events.html.j2", prepare)
