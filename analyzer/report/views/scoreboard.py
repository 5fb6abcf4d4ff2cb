"""`pg95 scoreboard` for people: four promises, each with its first thing to do."""

from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import one_line
from analyzer.report.views.markdown import escape

_STYLES = {"met": "bold green", "missed": "bold red", "unknown": "bold yellow"}


def headline(document: dict[str, Any]) -> str:
    """How many promises are kept."""
    verdicts = [one["verdict"] for one in document["metrics"]]
    parts = [f"{verdicts.count('met')} of {len(verdicts)} promises kept"]
    parts += [
        f"{verdicts.count(name)} {name}" for name in ("missed", "unknown") if name in verdicts
    ]
    return ", ".join(parts) + "."


def show(document: dict[str, Any], _width: int) -> list[RenderableType]:
    """The document as renderables for a terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("Promise", "Target", "Value", "Verdict", "First thing to do"):
        table.add_column(name, overflow="fold")
    for one in document["metrics"]:
        table.add_row(
            one["name"],
            one["target"],
            f"{one_line(one['shown'])}\n{one_line(one['method'])}",
            Text(one["verdict"], style=_STYLES[one["verdict"]]),
            Text(one_line(one["first"] or "nothing")),
        )
    return [Text(headline(document), style="bold"), table]


def render(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    lines = [
        f"# {escape(headline(document))}",
        "",
        "| promise | target | value | verdict | method | first |",
    ]
    lines.append("|---|---|---:|---|---|---|")
    for one in document["metrics"]:
        cells = (
            one["name"],
            one["target"],
            one["shown"],
            one["verdict"],
            one["method"],
            one["first"] or "",
        )
        lines.append("| " + " | ".join(escape(cell, 400) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
