"""The verdict over everything that was measured, and how it stands beside earlier nights, in words.

report.json's verdict is that of statements. A reader in the morning needs one line for all clocks:
statements may meet the target while requests, which are many of them, do not.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from analyzer.report.formats import is_number, ms, percent, quantile_name
from analyzer.report.values import Document
from analyzer.report.wording import state, value

PARTLY = "partly"
_ALIKE = 0.05  # a change below is none: nights differ by that much without a cause
_LAST_NIGHT = timedelta(hours=36)  # from the end of a window to the begin of the next
_NAMES = {
    "statements": "statements",
    "request": "requests",
    "client": "calls on the client's clock",
}


def measured_parts(document: Document) -> list[tuple[str, dict[str, Any]]]:
    """What was measured against the target: statements, and requests and the client's clock if known."""
    target = document["target"]
    parts = [("statements", target), ("request", target["request"]), ("client", target["client"])]
    return [(name, part) for name, part in parts if part is not None]


def overall_state(document: Document) -> str:
    """met, missed, unknown, or partly: where some meet the target and others do not."""
    states = {state(part) for _, part in measured_parts(document)}
    if "missed" in states:
        return PARTLY if "met" in states else "missed"
    return "unknown" if "unknown" in states else "met"


def overall_headline(document: Document) -> str:
    """One sentence for all that was measured: "Statements meet P95 < 100 ms, requests do not"."""
    target = document["target"]
    promise = f"{quantile_name(target['quantile'])} < {ms(target['ms'])}"
    named: dict[str, list[str]] = {"met": [], "missed": [], "unknown": []}
    for name, part in measured_parts(document):
        if name != "client" or not named[state(part)]:  # it is told in its own line, too
            named[state(part)].append(_NAMES[name])
    met, missed, unknown = (_all_of(named[name]) for name in ("met", "missed", "unknown"))
    if not met and not missed:
        return f"It cannot be said whether {unknown} meet {promise}"
    line = f"{met} meet {promise}" if met else f"{missed} miss {promise}"
    line += f", {missed} do not" if met and missed else ""
    line += f"; of {unknown} it cannot be said" if unknown else ""
    return line[:1].upper() + line[1:]


def verdict_line(document: Document) -> str:
    """The headline with its figures, where nothing else tells them: an alert, a ticket, a last line."""
    return f"{overall_headline(document)} ({short_figures(document)})."


def short_figures(document: Document) -> str:
    """The figures for a title: "statements 14 ms, requests 176 ms"."""
    parts = measured_parts(document)[:2]
    return ", ".join(f"{_NAMES[name]} {value(part)}" for name, part in parts)


def _all_of(names: Sequence[str]) -> str:
    *most, last = names or [""]
    return f"{', '.join(most)} and {last}" if most else last


def comparisons(document: Document, part: str) -> list[dict[str, Any]]:
    """A part's figure beside the last night, the same weekday and the week: `trend`, `text`.

    `trend` is better, worse or same. Nothing where the figure, or an earlier one, is not known.
    """
    now: Any = dict(measured_parts(document)).get(part, {}).get("value_ms")
    found = []
    for row in _told(document.get("earlier") or []):
        before: Any = (row.get(part) or {}).get("value_ms")
        if is_number(now) and is_number(before):
            found.append(_comparison(now, before, _when(document, row)))
    return found


def _told(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The last run, and the week's median; the same weekday where the week has too few runs."""
    has_week = any(row.get("what") == "week" for row in rows)
    return [row for row in rows if row.get("what") != "weekday" or not has_week]


def nothing_to_compare(document: Document) -> str:
    """Why there is no comparison with earlier nights, and what would make one; else nothing."""
    if document.get("earlier"):
        return ""
    if "earlier" in document:
        return "The history has no earlier run of these logs to compare with."
    return "No earlier night kept: run pg95 nightly or --save-history."


def _comparison(now: float, before: float, when: str) -> dict[str, Any]:
    change = (now - before) / before if before else 0.0
    if abs(change) < _ALIKE:
        return {"trend": "same", "text": f"about the same as {when}"}
    worse = change > 0
    sign = "+" if worse else "\N{MINUS SIGN}"
    size = f"{sign}{ms(abs(now - before))}, {sign}{percent(round(abs(change), 2))}"
    word = "slower" if worse else "faster"
    return {"trend": "worse" if worse else "better", "text": f"{word} than {when}: {size}"}


def _when(document: Document, row: dict[str, Any]) -> str:
    what = row.get("what")
    if what == "week":
        return "the week's median"
    if what == "weekday":
        return "the same weekday"
    if row.get("kind") == "nightly" and _is_last_night(document["window"]["from"], row.get("to")):
        return "last night"
    return f"the run before, of {str(row.get('to'))[:10]}"


def _is_last_night(begin: object, end: object) -> bool:
    try:
        gap = datetime.fromisoformat(str(begin)) - datetime.fromisoformat(str(end))
    except (ValueError, TypeError):  # a document's texts are anybody's
        return False
    return gap <= _LAST_NIGHT


def status_counts(document: Document) -> list[tuple[str, int]]:
    """How many findings are new, ongoing and gone; nothing where no history was asked."""
    known = [one.get("status") for one in document["findings"]]
    names = ("new", "ongoing", "gone")
    if "earlier" not in document and not any(name in known for name in names):
        return []
    return [(name, known.count(name)) for name in names]
