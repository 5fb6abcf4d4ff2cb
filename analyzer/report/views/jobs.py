"""Jobs for people: a table in a terminal, the same in Markdown."""

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.job_words import COLUMNS, cells, jobs_of, notes, untold
from analyzer.report.values import Document
from analyzer.report.views._markdown_text import escape

_SHOWN = 30


def show(document: Document, width: int) -> list[RenderableType]:  # noqa: ARG001 - as focused views are called
    """The jobs as renderables for a terminal."""
    jobs = jobs_of(document)
    parts: list[RenderableType] = []
    if jobs:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="left" if name == "Job" else "right", overflow="fold")
        for job in jobs[:_SHOWN]:
            table.add_row(*(Text(cell) for cell in cells(job)))
        parts.append(table)
    for job in jobs[:_SHOWN]:
        said = notes(job, document)
        if said:
            parts.append(Text(cells(job)[0], style="bold"))
            parts += [Text(f"  {line}") for line in said]
    if untold(document):
        parts.append(Text(untold(document), style="dim"))
    return parts


def jobs_text(document: Document) -> str:
    """The jobs as a part of a report in Markdown, "" without any."""
    jobs = jobs_of(document)
    if not jobs:
        return ""
    lines = ["## Jobs", "", f"| {' | '.join(COLUMNS)} |", f"|---|{'---:|' * (len(COLUMNS) - 1)}"]
    lines += [f"| {' | '.join(escape(cell) for cell in cells(job))} |" for job in jobs[:_SHOWN]]
    lines.append("")
    for job in jobs[:_SHOWN]:
        lines += [
            f"- {escape(cells(job)[0])}: {escape(line, 600)}" for line in notes(job, document)
        ]
    more = untold(document)
    return "\n".join([*lines, *(["", escape(more, 600)] if more else []), ""])


def render(document: Document) -> str:
    """The jobs alone, as Markdown."""
    return jobs_text(document) or f"{escape(untold(document), 600)}\n"
