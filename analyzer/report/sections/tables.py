"""Tables: size, reads and writes, indexes and their use, and the findings on each."""

from typing import Any

from analyzer.report.sections._base import Section
from analyzer.report.table_words import counted_sentence, vacuum_phrase
from analyzer.report.values import Document

_SHOWN = 100
_FINDINGS = 10
_NOTES = 20


def prepare(document: Document) -> dict[str, Any] | None:
    """The tables whose statements take most time."""
    tables = document["tables"]
    if not tables:
        return None
    rows = [_row(table) for table in tables[:_SHOWN]]
    return {
        "count": len(tables),
        "rows": rows,
        "hidden": max(0, len(tables) - _SHOWN),
        "counted": counted_sentence(document),
        "noted": [row for row in rows if row["notes"]],
    }


def _row(table: dict[str, Any]) -> dict[str, Any]:
    use = table.get("use") or {}
    scans = (use.get("seq_scans") or 0) + (use.get("index_scans") or 0)
    return {
        "t": table,
        "dead": use.get("dead_rows"),
        "hit": use.get("hit_ratio"),
        "findings": table["findings"][:_FINDINGS],
        "ratio": _ratio(table),
        "by_index": use["index_scans"] / scans if scans else None,
        "vacuum": vacuum_phrase(table),
        "notes": (table.get("notes") or [])[:_NOTES],
    }


def _ratio(table: dict[str, Any]) -> float | None:
    """The share of writes among rows read and written."""
    reads, writes = table["reads"], table["writes"]
    if reads is None or writes is None or reads + writes == 0:
        return None
    return float(writes / (reads + writes))


SECTION = Section("tables", "Tables", "sections/tables.html.j2", prepare)
