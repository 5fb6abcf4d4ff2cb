"""Indexes to drop, and notes on those that exist, for a terminal, as SQL and as Markdown.

What only a review can decide is never a statement that runs: in SQL it is a comment.
"""

from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from analyzer.report.formats import neutralise, one_line, size
from analyzer.report.values import Document

_REVIEW = "to be reviewed first"


def parts(document: Document) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The drops and the notes of a document; one of an earlier pg95 has none of the latter."""
    advice = document["indexes"] or {}
    return advice.get("drop") or [], advice.get("notes") or []


def is_sure(drop: dict[str, Any]) -> bool:
    """Whether a drop is advised, and not only to be thought about."""
    return bool(drop.get("action", "drop") == "drop")


def terminal_lines(document: Document) -> list[RenderableType]:
    """Each drop with its reason, what it gives back and the way back; then the notes."""
    drops, notes = parts(document)
    lines: list[RenderableType] = []
    for drop in drops:
        head = Text(_statement(drop), style="bold")
        if not is_sure(drop):
            head.append(f"  [{_REVIEW}]", style="yellow not bold")
        lines += [head, *(_indented(text) for text in _said(drop)), Text("")]
    for note in notes:
        lines.append(Text(f"note: {one_line(note['text'])}"))
        lines += [_indented(_statement(note))] if note.get("sql") else []
    return lines


def _said(drop: dict[str, Any]) -> list[str]:
    said = [f"why: {one_line(drop['reason'])}"]
    if drop.get("verification"):
        said.append(f"measured: {one_line(drop['verification'])}")
    if drop.get("risk"):
        said.append(f"risk: {one_line(drop['risk'])}")
    back = f"gives back {size(drop.get('bytes'))}"
    if drop.get("rollback"):
        back += f"; back again: {one_line(drop['rollback'])}"
    return [*said, back]


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2))


def _statement(entry: dict[str, Any]) -> str:
    return " ".join(neutralise(line) for line in str(entry["sql"]).splitlines())


def sql_lines(document: Document) -> list[str]:
    """One statement to a line, what is to be said of it as comments before it."""
    drops, notes = parts(document)
    lines = []
    for drop in drops:
        back = "" if drop.get("bytes") is None else f"; gives back {size(drop['bytes'])}"
        lines.append(f"-- {one_line(drop['reason'])}{back}")
        if drop.get("verification"):
            lines.append(f"-- measured: {one_line(drop['verification'])}")
        if drop.get("risk"):
            lines.append(f"-- risk: {one_line(drop['risk'])}")
        if drop.get("rollback"):
            lines.append(f"-- back again: {one_line(drop['rollback'])}")
        lines.append(_statement(drop) if is_sure(drop) else f"-- {_REVIEW}: {_statement(drop)}")
    for note in notes:
        lines.append(f"-- note: {one_line(note['text'])}")
        lines += [f"-- {_statement(note)}"] if note.get("sql") else []
    return lines
