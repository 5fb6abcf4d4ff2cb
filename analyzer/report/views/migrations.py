"""`pg95 migrations` for people: what became of migrations, and what may go wrong with the next."""

from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from analyzer.report.formats import neutralise, one_line, plural
from analyzer.report.views.drift import states, states_markdown
from analyzer.report.views.markdown import block, code, escape

_STYLES = {"high": "bold red", "medium": "yellow", "low": "dim"}


def headline(document: dict[str, Any]) -> str:
    """What there is to do, in a sentence."""
    found, checked = document["dangers"], len(document["checked"])
    high = sum(one["severity"] == "high" for one in found)
    broken = document["migrations_in_order"] is False
    of_checked = f"{plural(checked, 'migration')} checked"
    if not found:
        said = f"{of_checked}: nothing to fear." if checked else "No migration to check."
    else:
        said = f"{of_checked}: {plural(len(found), 'danger')}, {high} of them high."
    return f"Migrations are not in order. {said}" if broken else said


def show(document: dict[str, Any], _width: int) -> list[RenderableType]:
    """The document as renderables for a terminal."""
    parts: list[RenderableType] = [Text(headline(document), style="bold")]
    parts += states(document["migrations"])
    for one in document["dangers"]:
        place = f"{one['migration']}/migration.sql:{one['line']}"
        parts += [
            Text(),
            Text(f"[{one['severity']}] {one_line(one['title'])}", style=_STYLES[one["severity"]]),
            Text(f"    {one_line(place)} ({one['rule']}, {one['source']})", style="dim"),
            Padding(Text(one_line(one["why"])), (0, 0, 0, 4)),
        ]
        if one["evidence"]:
            parts.append(Padding(Text(one_line(one["evidence"])), (0, 0, 0, 4)))
        for file in one["safe"]:
            parts.append(Text(f"    → {one_line(file['path'])}", style="cyan"))
            parts.append(Padding(Text(neutralise(file["text"].rstrip("\n"))), (0, 0, 0, 6)))
    return parts


def render(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    lines = [f"# {escape(headline(document))}", "", *states_markdown(document["migrations"]), ""]
    for one in document["dangers"]:
        lines += [
            f"## {escape(one['severity'])}: {escape(one['title'])}",
            "",
            f"{code(one['migration'])}, line {one['line']} ({escape(one['rule'])}, {escape(one['source'])})",
            "",
            escape(one["why"], 1_000),
            "",
        ]
        lines += [escape(one["evidence"]), ""] if one["evidence"] else []
        for file in one["safe"]:
            lines += [code(file["path"]), "", block(file["text"].rstrip("\n"), "sql")]
    return "\n".join(lines).rstrip("\n") + "\n"
