"""The four promises for people, each with its first thing to do: of `pg95 scoreboard`, and within a report."""

from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import one_line
from analyzer.report.promise_words import course
from analyzer.report.views._markdown_text import escape

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
    told = _has_trend(document)
    before = ("Before",) if told else ()
    for name in ("Promise", "Target", "Value", "Verdict", *before, "First thing to do"):
        table.add_column(name, overflow="fold")
    for one in document["metrics"]:
        table.add_row(
            one_line(one["name"]),
            one_line(one["target"]),
            f"{one_line(one['shown'])}\n{one_line(one['method'])}",
            Text(one_line(one["verdict"]), style=_STYLES.get(one["verdict"], "")),
            *([Text(one_line(course(one)))] if told else []),
            Text(one_line(one["first"] or "nothing")),
        )
    return [Text(headline(document), style="bold"), table]


def render(document: dict[str, Any]) -> str:
    """The document as Markdown."""
    return "\n".join([f"# {escape(headline(document))}", "", *_rows(document)]) + "\n"


def board_text(board: dict[str, Any] | None) -> str:
    """The promises as a part of a report in Markdown, "" where no scoreboard was asked for."""
    if not board:
        return ""
    warnings = [f"- {escape(warning, 400)}" for warning in board["warnings"]]
    beside = ["", *warnings] if warnings else []
    return "\n".join(
        ["## Promises", "", f"{escape(headline(board))}", "", *_rows(board), *beside, ""]
    )


def _rows(document: dict[str, Any]) -> list[str]:
    before = [" before |", "---|"] if _has_trend(document) else ["", ""]
    lines = [
        f"| promise | target | value | verdict | method |{before[0]} first |",
        f"|---|---|---:|---|---|{before[1]}---|",
    ]
    for one in document["metrics"]:
        cells = (
            one["name"],
            one["target"],
            one["shown"],
            one["verdict"],
            one["method"],
            *([course(one)] if before[0] else []),
            one["first"] or "",
        )
        lines.append("| " + " | ".join(escape(cell, 400) for cell in cells) + " |")
    return lines


def _has_trend(document: dict[str, Any]) -> bool:
    """Whether a history was asked what the metrics were before."""
    return any("trend" in one for one in document["metrics"])
