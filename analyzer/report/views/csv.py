"""The statements as CSV for spreadsheets: one row each, no cell that a spreadsheet would execute."""

import csv
import io
from typing import Any

from analyzer.report.formats import cut, one_line
from analyzer.report.values import Document

COLUMNS = (
    "shape_id",
    "fingerprint",
    "lineage",
    "kind",
    "tables",
    "calls",
    "total_ms",
    "share",
    "mean_ms",
    "min_ms",
    "max_ms",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "method",
    "parse_ms",
    "bind_ms",
    "rows",
    "requests",
    "calls_per_request_p95",
    "sources",
    "sql",
)
_FORMULA = ("=", "+", "-", "@", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CELL = 32_000  # what a spreadsheet's cell holds, less a little


def render(document: Document) -> str:
    """A header and one row per statement; lists are joined by a space, unknown is empty."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(COLUMNS)
    for statement in document["statements"]:
        writer.writerow([cell(statement.get(name)) for name in COLUMNS])
    return output.getvalue()


def cell(value: Any) -> Any:  # noqa: ANN401 - any value of a document, to any that csv writes
    """A value as a cell: a number as it is, a text that no spreadsheet executes."""
    if value is None:
        return ""
    if isinstance(value, (int, float)):
        return value
    text = " ".join(str(item) for item in value) if isinstance(value, list) else str(value)
    return _harmless(cut(one_line(text), _CELL))


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe goes before what starts one."""
    return f"'{text}" if text.startswith(_FORMULA) else text
