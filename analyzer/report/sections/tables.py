"""Tables: size, reads and writes, indexes and their use, and the findings on each."""

from collections.abc import Callable
from typing import Any

from analyzer.report.formats import count, ms, percent, size
from analyzer.report.sections._base import Section
from analyzer.report.table_words import counted_sentence, vacuum_phrase
from analyzer.report.values import Document

# A column: its title, what it means, and its figure of a row in words and as a number.
_COLUMNS: tuple[tuple[str, str, Callable[[dict[str, Any]], Any], Callable[[object], str]], ...] = (
    ("Total", "", lambda row: row["t"].get("total_ms"), ms),
    ("Calls", "", lambda row: row["t"].get("calls"), count),
    ("Rows", "", lambda row: row["t"]["rows"], count),
    ("Size", "", lambda row: row["t"]["bytes"], size),
    ("Rows read", "", lambda row: row["t"]["reads"], count),
    ("Rows written", "", lambda row: row["t"]["writes"], count),
    ("Writes", "Share of writes among rows read and written", lambda row: row["ratio"], percent),
    ("HOT", "Share of updates that touched no index", lambda row: row["t"]["hot_ratio"], percent),
    ("By index", "Share of scans by an index", lambda row: row["by_index"], percent),
    ("Dead rows", "", lambda row: row["dead"], count),
    ("Hit", "Share of blocks found in the buffer pool", lambda row: row["hit"], percent),
)
_SHOWN = 100
_FINDINGS = 10
_NOTES = 20


def prepare(document: Document) -> dict[str, Any] | None:
    """The tables whose statements take most time; a column that knows nothing of any is left out."""
    tables = document["tables"]
    if not tables:
        return None
    rows = [_row(table) for table in tables[:_SHOWN]]
    told = [one for one in _COLUMNS if any(one[2](row) is not None for row in rows)]
    for row in rows:
        row["cells"] = [(one[2](row), one[3](one[2](row))) for one in told]
    return {
        "columns": [(title, hint) for title, hint, _, _ in told],
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
