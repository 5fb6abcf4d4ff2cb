"""Index advice as a change of a Prisma project, for a terminal: the patch, and what is not in it."""

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from analyzer.report.formats import neutralise, one_line
from analyzer.report.index_words import prisma_head, prisma_others
from analyzer.report.values import Document

_STYLES = {"+": "green", "-": "red", "@": "cyan", "d": "bold"}


def terminal_lines(document: Document) -> list[RenderableType]:
    """The patch with all files, then what it leaves out and what is to be known; nothing without --prisma."""
    made = (document["indexes"] or {}).get("prisma")
    if made is None:
        return []
    parts: list[RenderableType] = [Text(prisma_head(made), style="bold"), Text("")]
    parts += [
        Text(neutralise(line), style=_STYLES.get(line[:1], ""), overflow="fold")
        for line in made["patch"].split("\n")[:-1]
    ]
    for one in prisma_others(made):
        parts.append(_indented(one["text"]))
        parts += [_indented(line) for line in one["sql"].splitlines()]
    return [*parts, Text("")]


def _indented(text: str) -> Padding:
    return Padding(Text(one_line(text)), (0, 0, 0, 2))
