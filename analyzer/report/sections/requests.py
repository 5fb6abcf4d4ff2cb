"""Requests by route: their P95 and the round trips that a statement's own P95 does not show."""

from typing import Any

from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document

_SHOWN = 100
_STATEMENTS = 5


def prepare(document: Document) -> dict[str, Any] | None:
    """The routes with most database time."""
    requests = document["requests"]
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
    return {"count": len(requests), "rows": rows, "hidden": max(0, len(requests) - _SHOWN)}


SECTION = Section("requests", "Requests", "sections/requests.html.j2", prepare)
