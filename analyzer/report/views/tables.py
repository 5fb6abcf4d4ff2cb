"""`pg95 tables`: for a terminal, as Markdown and as CSV."""

import csv
import io
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import count, cut, ms, one_line, percent, plural, size
from analyzer.report.layout import brief
from analyzer.report.table_words import counted_sentence, vacuum_phrase
from analyzer.report.values import Document
from analyzer.report.views._markdown_text import code, escape
from analyzer.report.views.csv import cell

_ROOMY = 100
_SHOWN = 40
_TOLD = 15
_STATEMENTS = 3
_INDEXES = 12
_NOTES = 12
_CSV_USE = (
    "seq_scans", "seq_rows", "index_scans", "index_rows", "inserted", "updated", "deleted", "dead_rows",
    "modified", "heap_bytes", "index_bytes", "xid_age", "hit_ratio", "vacuumed", "analyzed",
)  # fmt: skip
_CSV_OWN = (
    "name", "rows", "bytes", "reads", "writes", "counted_by", "hot_ratio", "calls", "total_ms", "share",
)  # fmt: skip


def terminal_lines(document: Document, width: int) -> list[RenderableType]:
    """All tables in a grid, those that stand out at length."""
    tables = document["tables"]
    if not tables:
        return [Text("No table in the input: give --dsn, snapshots, a log, or --schema FILE.")]
    lines: list[RenderableType] = [Text(counted_sentence(document)), _grid(tables, width)]
    left = len(tables) - _SHOWN
    lines += [Text(f"{plural(left, 'more table')} in --format json")] if left > 0 else []
    told = [table for table in tables if _has_much_to_say(table)]
    for table in told[:_TOLD]:
        lines += _table(table, document, width)
    if len(told) > _TOLD:
        more = plural(len(told) - _TOLD, "more table")
        lines.append(Text(f"{more} with something to say in --format json"))
    return lines


def _has_much_to_say(table: dict[str, Any]) -> bool:
    return bool(table["notes"] or table["findings"] or table["statements"])


def _grid(tables: list[dict[str, Any]], width: int) -> Table:
    names = ["Rows", "Size", "Reads", "Writes", "Share", "Notes"]
    if width >= _ROOMY:
        names = [
            "Rows",
            "Size",
            "Reads",
            "Writes",
            "HOT",
            "Index scans",
            "Dead",
            "Hit",
            "Share",
            "Notes",
        ]
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    grid.add_column("Table", overflow="fold", ratio=1)
    for name in names:
        grid.add_column(name, justify="right", no_wrap=True)
    for table in tables[:_SHOWN]:
        cells = figures(table)
        grid.add_row(Text(one_line(table["name"])), *(Text(cells[name]) for name in names))
    return grid


def figures(table: dict[str, Any]) -> dict[str, str]:
    """The figures of a table by their heading, as text."""
    use = table.get("use") or {}
    scans = (use.get("seq_scans") or 0) + (use.get("index_scans") or 0)
    by_index = use["index_scans"] / scans if scans else None
    return {
        "Rows": count(table["rows"]),
        "Size": size(table["bytes"]),
        "Reads": count(table["reads"]),
        "Writes": count(table["writes"]),
        "HOT": percent(table["hot_ratio"]),
        "Index scans": percent(by_index),
        "Dead": count(use.get("dead_rows")),
        "Hit": percent(use.get("hit_ratio")),
        "Share": percent(table.get("share")),
        "Notes": str(len(table.get("notes") or ()) + len(table["findings"]) or ""),
    }


def index_phrase(index: dict[str, Any]) -> str:
    """An index with its size and use in a line."""
    marks = [
        name
        for name, holds in (
            ("primary key", index["primary"]),
            ("unique", index["unique"] and not index["primary"]),
            ("NOT VALID", not index.get("valid", True)),
        )
        if holds
    ]
    facts = [*marks, *([size(index["bytes"])] if index["bytes"] is not None else [])]
    if index["scans"] is not None:
        facts.append(plural(index["scans"], "scan"))
    columns = ", ".join(index["columns"])
    named = f"{index['name'] or 'unnamed'} ({columns})"
    return f"{named}: {', '.join(facts)}" if facts else named


def _table(table: dict[str, Any], document: Document, width: int) -> list[RenderableType]:
    lines: list[RenderableType] = [Text(""), Text(one_line(table["name"]), style="bold")]
    phrase = vacuum_phrase(table)
    said = [phrase] if phrase else []
    for note in table["notes"][:_NOTES]:
        said.append(f"{note['severity']}: {note['text']}")
        said += [f"  {note['sql']}"] if note["sql"] else []
    said += [f"finding {key}: {title}" for key, title in titles(table, document)]
    said += [f"index {index_phrase(index)}" for index in table["indexes"][:_INDEXES]]
    said += [
        f"{ms(one['total_ms'])} in {plural(one['calls'], 'call')}: {brief(one['sql'], width)}"
        for one in statements(table, document)
    ]
    return [*lines, *(Padding(Text(one_line(line)), (0, 0, 0, 2)) for line in said)]


def statements(table: dict[str, Any], document: Document) -> list[dict[str, Any]]:
    """The statements that name a table and take most time."""
    known = {one["shape_id"]: one for one in document["statements"]}
    return [known[shape] for shape in table["statements"][:_STATEMENTS] if shape in known]


def titles(table: dict[str, Any], document: Document) -> list[tuple[str, str]]:
    """Keys and titles of a table's findings."""
    known = {finding["key"]: finding["title"] for finding in document["findings"]}
    return [(key, known[key]) for key in table["findings"] if key in known]


def markdown_text(document: Document) -> str:
    """The tables in a grid, and of each that stands out what is to be said."""
    tables = document["tables"]
    heads = ("Rows", "Size", "Reads", "Writes", "HOT", "Index scans", "Dead", "Hit", "Share")
    lines = ["# Tables", "", escape(counted_sentence(document), 600), ""]
    lines += [f"| Table | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}"]
    for table in tables[:_SHOWN]:
        cells = figures(table)
        row = " | ".join(escape(cells[head]) for head in heads)
        lines.append(f"| {code(table['name'], cell=True)} | {row} |")
    left = len(tables) - _SHOWN
    lines += [f"\n*{plural(left, 'more table')} in report.json.*"] if left > 0 else []
    for table in [one for one in tables if _has_much_to_say(one)][:_SHOWN]:
        lines += ["", f"## {code(table['name'])}", ""]
        phrase = vacuum_phrase(table)
        lines += [f"{escape(phrase)}.", ""] if phrase else []
        for note in table["notes"][:_NOTES]:
            statement = f": {code(cut(note['sql'], 500))}" if note["sql"] else ""
            lines.append(f"- {escape(note['severity'])}: {escape(note['text'], 600)}{statement}")
        lines += [
            f"- finding {code(key)}: {escape(title)}" for key, title in titles(table, document)
        ]
        lines += [f"- index {escape(index_phrase(one))}" for one in table["indexes"][:_INDEXES]]
        lines += [
            f"- {ms(one['total_ms'])}, {percent(one['share'])}: {code(brief(one['sql'], 200))}"
            for one in statements(table, document)
        ]
    return "\n".join(lines) + "\n"


def csv_text(document: Document) -> str:
    """A header and one row per table; unknown is empty."""
    output = io.StringIO()
    writer = csv.writer(output, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([*_CSV_OWN, *_CSV_USE, "indexes", "statements", "findings", "notes"])
    for table in document["tables"]:
        use = table.get("use") or {}
        row = [table.get(name) for name in _CSV_OWN] + [use.get(name) for name in _CSV_USE]
        row += [len(table["indexes"]), len(table["statements"]), table["findings"]]
        row.append("; ".join(note["text"] for note in table["notes"]))
        writer.writerow([cell(value) for value in row])
    return output.getvalue()
