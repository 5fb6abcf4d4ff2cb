"""If the loops were fixed: requests by route, before and after."""

from typing import Any

from analyzer.report.sections._base import Section
from analyzer.report.values import Document
from analyzer.report.wording import if_fixed

_SHOWN = 50


def prepare(document: Document) -> dict[str, Any] | None:
    """What changes for all requests, and for the routes that gain most."""
    lines = if_fixed(document)
    if not lines:
        return None
    routes = document["savings"]["routes"]
    return {
        "count": len(routes),
        "lines": lines,
        "rows": routes[:_SHOWN],
        "hidden": max(0, len(routes) - _SHOWN),
    }


SECTION = Section("savings", "If fixed", "sections/savings.html.j2", prepare)
