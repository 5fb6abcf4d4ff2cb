"""Index advice as a change of a Prisma project, for a terminal: the patch, and what is not in it."""

from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from analyzer.report.formats import neutralise, one_line, plural
from analyzer.report.values import Document

_STYLES = {"+": "green", "-": "red", "@": "cyan", "d": "bold"}


def terminal_lines(document: Document) -> list[RenderableType]:
    """The patch with all files, then what it leaves out and what is to be known; nothing without --prisma."""
    made = (document["indexes"] or {}).get("prisma")
    if made is None:
        return []
    parts: list[RenderableType] = [Text(_head(made), style="bold"), Text("")]
    parts += [
        Text(neutralise(line), style=_STYLES.get(line[:1], ""), overflow="fold")
        for line in made["patch"].split("\n")[:-1]
    ]
    for one in made["left_out"]:
        statement = " ".join(neutralise(line) for line in str(one["sql"]).splitlines())
        parts += [Text(f"not in the patch: {statement}"), _indented(one["reason"])]
    parts += [_indented(f"note: {note}") for note in made["notes"]]
    if made["checked_by"]:
        parts.append(_indented(f"{made['checked_by']}'s own parser finds the changed schema valid"))
    return [*parts, Text("")]


def _head(made: dict[str, Any]) -> str:
    if not made["patch"]:
        return "For the Prisma project: no change."
    count = plural(len(made["migrations"]), "migration")
    return f"For the Prisma project, as a patch (--format patch | git apply) with {count}, applied by nobody yet:"


def _indented(text: str) -> Padding:
    return Padding(Text(one_line(text)), (0, 0, 0, 2))
