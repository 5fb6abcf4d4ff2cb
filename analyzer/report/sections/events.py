"""What the server itself reported: temporary files, lock waits, deadlocks, errors."""

from typing import Any

from analyzer.report.sections._base import Section
from analyzer.report.values import Document

_SHOWN = 100


def prepare(document: Document) -> dict[str, Any] | None:
    """The most frequent events."""
    events = document["events"]
    if not events:
        return None
    return {
        "count": len(events),
        "rows": events[:_SHOWN],
        "hidden": max(0, len(events) - _SHOWN),
    }


SECTION = Section("events", "Server events", "sections/events.html.j2", prepare)
