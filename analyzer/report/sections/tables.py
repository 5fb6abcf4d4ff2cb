"""Tables: size, reads and writes, indexes and their use, and the findings on each."""

from typing import Any

from analyzer.report.sections._base import Section
from analyzer.report.values import Document

_SHOWN = 100
_FINDINGS = 10


def prepare(document: Document) -> dict[str, Any] | None:
    """The tables whose statements take most time."""
    tables = document["tables"]
    if not tables:
        return None
    rows = [
        {"t": table, "findings": table["findings"][:_FINDINGS], "ratio": _ratio(table)}
        for table in tables[:_SHOWN]
    ]
    return {"count": len(tables), "rows": rows, "hidden": max(0, len(tables) - _SHOWN)}


def _ratio(table: dict[str, Any]) -> float | None:
    """The share of writes among rows read and written."""
    reads, writes = table["reads"], table["writes"]
    if reads is None or writes is None or reads + writes == 0:
        return None
    return float(writes / (reads + writes))


SECTION = Section("tables", "Tables", "sections/tables.html.j2", prepare)
