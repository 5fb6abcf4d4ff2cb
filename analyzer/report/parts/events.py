"""The key `events`: what the server said beside executions, by kind and code."""

from typing import TYPE_CHECKING, Any

from analyzer.report.redaction import Redactor
from analyzer.report.sqlstates import class_name, condition_name
from analyzer.report.values import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.model.event import Event, Hours, Tallies, Tally
    from analyzer.model.statement import Statement
    from analyzer.model.workload import Workload

_HOUR_US = 3_600_000_000
_MESSAGES = ("message", "text")  # of PostgreSQL's own; and unknown ones, which may hold values


def events_part(workload: "Workload", redactor: Redactor) -> list[dict[str, Any]]:
    """Server events, most frequent first.

    `figures` are sums and maxima by measure; `hours` counts by hour (of UTC; `hour_step` hours
    each); `statements` and `by` what they are of, heaviest first, where a name of None is what
    was not kept apart. An error's `messages` are without the values that they quoted; the text of
    one that is not PostgreSQL's own is None unless values may be shown.
    """
    events = sorted(workload.events.values(), key=lambda e: (-e.count, e.kind, e.code))
    return [_event(event, workload.event_statements, redactor) for event in events]


def _event(
    event: "Event", statements: "Mapping[int, Statement]", redactor: Redactor
) -> dict[str, Any]:
    entry = {"kind": event.kind, "code": event.code, **_tally(event)}
    entry["total_bytes"] = event.total_bytes
    if event.kind == "error":
        entry |= {
            "name": condition_name(event.code),
            "class": event.code[:2] or None,
            "class_name": class_name(event.code),
            "derived": event.derived,
            "messages": _messages(event, statements, redactor),
        }
    return entry | {
        "hour_step": event.hours.step,
        "hours": _hours(event.hours),
        "statements": _statements(event.statements, statements),
        "by": {
            what: _named(tallies, redactor)
            for what, tallies in sorted(event.parts.items())
            if what not in _MESSAGES
        },
    }


def _tally(tally: "Tally") -> dict[str, Any]:
    """Count, time and figures of what was counted."""
    figures = {
        name: {
            "count": measure.count,
            "total": _number(name, measure.total),
            "max": _number(name, measure.largest),
        }
        for name, measure in sorted(tally.measures.items())
    }
    entry: dict[str, Any] = {"count": tally.count, "from": iso(tally.first_us)}
    return entry | {"to": iso(tally.last_us), "figures": figures}


def _number(name: str, value: float) -> float | int:
    return round(value, 3) if name.endswith("_ms") else int(value)


def _hours(hours: "Hours") -> list[dict[str, Any]]:
    return [
        {"from": iso(hour * _HOUR_US), "count": count}
        for hour, count in sorted(hours.counts.items())
    ]


def _named(tallies: "Tallies[str]", redactor: Redactor) -> list[dict[str, Any]]:
    entries = [{"name": redactor.name(name), **_tally(tally)} for name, tally in tallies.ranked()]
    rest = tallies.other
    return [*entries, {"name": None, **_tally(rest)}] if rest.count else entries


def _statements(
    tallies: "Tallies[int] | None", statements: "Mapping[int, Statement]"
) -> list[dict[str, Any]]:
    if tallies is None:
        return []
    entries = []
    for key, tally in tallies.ranked():
        statement = statements[key]
        names = {"shape_id": statement.shape_id, "fingerprint": statement.fingerprint}
        entries.append({**names, "sql": statement.sql, **_tally(tally)})
    if tallies.other.count:
        nobody = {"shape_id": None, "fingerprint": None, "sql": None}
        entries.append({**nobody, **_tally(tallies.other)})
    return entries


def _messages(
    event: "Event", statements: "Mapping[int, Statement]", redactor: Redactor
) -> list[dict[str, Any]]:
    """The texts of an error, most frequent first."""
    entries = []
    for what in _MESSAGES:
        tallies = event.parts.get(what)
        if tallies is None:
            continue
        shown = what == "message" or redactor.shows_values
        rows = [(text if shown else None, tally) for text, tally in tallies.ranked()]
        if tallies.other.count:
            rows.append((None, tallies.other))
        entries += [
            {"text": text, **_tally(tally), "shape_ids": _shapes(tally, statements)}
            for text, tally in rows
        ]
    return sorted(entries, key=lambda entry: -entry["count"])


def _shapes(tally: "Tally", statements: "Mapping[int, Statement]") -> list[str]:
    ranked = [] if tally.statements is None else tally.statements.ranked()
    return [statements[key].shape_id for key, _ in ranked]
