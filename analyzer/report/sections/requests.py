"""Requests by route: their P95 and the round trips that a statement's own P95 does not show."""

from typing import Any

from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document

UNITS = {"burst": "bursts of a session", "trace": "traces"}
_SHOWN = 100
_STATEMENTS = 5


def prepare(document: Document) -> dict[str, Any] | None:
    """The routes with most database time; all requests together where none has a route."""
    requests = document["requests"] or _together(document["target"]["request"])
    if not requests:
        return None
    links = StatementLinks(document)
    rows = [
        {
            "r": request,
            "route": request.get("route") or request.get("tag"),
            "over": (request["p95_ms"] or 0) >= document["target"]["ms"],
            "statements": [links.link(shape) for shape in request["statements"][:_STATEMENTS]],
            "more": max(0, len(request["statements"]) - _STATEMENTS),
        }
        for request in requests[:_SHOWN]
    ]
    known = len(document["requests"])
    return {"count": known or None, "rows": rows, "hidden": max(0, len(requests) - _SHOWN)}


def _together(measured: dict[str, Any] | None) -> list[dict[str, Any]]:
    """A row for units of work that carry neither route nor tag: traces, transactions or bursts."""
    if measured is None or not measured["requests"]:
        return []
    unit = UNITS.get(measured["unit"], f"{measured['unit']}s")
    return [
        {
            "route": f"all {unit}, which carry no route",
            "count": measured["requests"],
            "p50_ms": None,
            "p95_ms": measured["value_ms"],
            "round_trips_p95": measured["round_trips_p95"],
            "statements": [],
        }
    ]


SECTION = Section("requests", "Requests", "sections/requests.html.j2", prepare)
