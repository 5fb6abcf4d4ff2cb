"""`pg95 diff` for people: as tables for a terminal, and as Markdown."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import count, moment, ms, one_line, plural, quantile_name
from analyzer.report.layout import brief
from analyzer.report.views.markdown import code, escape
from analyzer.report.wording import method, state, value

_SHOWN = 20
_SQL = 160
_KINDS = ("new", "gone", "ongoing", "acknowledged", "unknown")
_UNKNOWN = "Of these findings the second side cannot tell: what they hang on did not run, or nobody could judge."
_STYLES = {"met": "green", "missed": "red", "unknown": "yellow"}

Rows = Sequence[Sequence[str]]


def show(document: dict[str, Any], width: int) -> list[RenderableType]:
    """A difference as renderables for a terminal so wide."""
    parts: list[RenderableType] = [Text(headline(document), style="bold"), _sides(document)]
    for title, columns, rows, more in _tables(document, 2 * width):
        table = Table(
            title=Text(title, style="bold"),
            title_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )
        for place, column in enumerate(columns):
            last = place == len(columns) - 1
            table.add_column(column, overflow="fold", justify="left" if last else "right")
        for row in rows:
            table.add_row(*(Text(one_line(cell)) for cell in row))
        parts.append(table)
        parts += [Text(f"{plural(more, 'more statement')} in --format json")] if more else []
    for name in _KINDS:
        found = document["findings"][name]
        parts += [Text(f"Findings {name}: {len(found)}", style="bold")] if found else []
        parts += [Text(_UNKNOWN, style="dim")] if found and name == "unknown" else []
        for one in found[:_SHOWN]:
            parts.append(Text(f"  [{one['severity']}] {one_line(one['title'])} ({one['key']})"))
    return parts


def render(document: dict[str, Any]) -> str:
    """A difference as Markdown, for a comment or a ticket."""
    name = quantile_name(document["after"]["target"]["quantile"])
    lines = [f"# {escape(headline(document))}", "", f"| | {name} | verdict | executions | method |"]
    lines.append("|---|---:|---|---:|---|")
    for side in ("before", "after"):
        cells = _side(document, side)
        lines.append("| " + " | ".join(escape(cell) for cell in cells) + " |")
    for title, columns, rows, more in _tables(document, _SQL):
        lines += ["", f"## {title}", "", "| " + " | ".join(columns) + " |"]
        lines.append("|" + "---:|" * (len(columns) - 1) + "---|")
        for row in rows:
            cells = (*(escape(cell) for cell in row[:-1]), code(row[-1], cell=True))
            lines.append("| " + " | ".join(cells) + " |")
        lines += ["", f"{plural(more, 'more statement')} in `--format json`"] if more else []
    for name in _KINDS:
        found = document["findings"][name]
        lines += ["", f"## Findings {name}", ""] if found else []
        lines += [_UNKNOWN, ""] if found and name == "unknown" else []
        for one in found[:_SHOWN]:
            lines.append(
                f"- {escape(one['severity'])}: {escape(one['title'])} ({code(one['key'])})"
            )
    return "\n".join(lines) + "\n"


def headline(document: dict[str, Any]) -> str:
    """What became of the target, in a sentence."""
    before, after = document["before"]["target"], document["after"]["target"]
    name, limit = quantile_name(after["quantile"]), ms(after["ms"])
    slower = len(document["statements"]["slower"])
    new = len(document["findings"]["new"])
    return (
        f"{name} {value(before)} ({state(before)}) before, {value(after)} ({state(after)}) after, target {limit}: "
        f"{plural(slower, 'statement')} slower, {plural(new, 'new finding')}"
    )


def _sides(document: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    name = quantile_name(document["after"]["target"]["quantile"])
    for column in ("", name, "Verdict", "Executions", "Method"):
        table.add_column(column, overflow="fold")
    for side in ("before", "after"):
        cells = [Text(one_line(cell)) for cell in _side(document, side)]
        cells[2].stylize(_STYLES.get(cells[2].plain, ""))
        table.add_row(*cells)
    return table


def _side(document: dict[str, Any], side: str) -> tuple[str, ...]:
    told = document[side]
    span = f" ({moment(told['from'])} to {moment(told['to'])})" if told["from"] else ""
    target = told["target"]
    named = f"{side}: {told['name']}{span if ' to ' not in told['name'] else ''}"
    measured = (value(target), state(target), count(target["executions"]))
    return (named, *measured, method(target["method"]))


def _tables(
    document: dict[str, Any], sql_width: int
) -> list[tuple[str, tuple[str, ...], Rows, int]]:
    """(title, columns, rows, how many more there are) of what there is of each kind."""
    made: list[tuple[str, tuple[str, ...], Rows, int]] = []
    statements = document["statements"]
    for kind in ("slower", "faster"):
        found = statements[kind]
        rows = [
            (
                ms(one["before_ms"]),
                ms(one["after_ms"]),
                f"{one['ratio']:g}×",
                count(one["after_calls"]),
                brief(one["sql"], sql_width),
            )
            for one in found[:_SHOWN]
        ]
        columns = ("Before", "After", "Factor", "Calls", "Statement")
        made.append((f"Statements {kind}", columns, rows, max(0, len(found) - _SHOWN)))
    for kind in ("new", "gone"):
        found = statements[kind]
        rows_of_one = [
            (
                count(one["calls"]),
                ms(one["total_ms"]),
                ms(one["p95_ms"]),
                brief(one["sql"], sql_width),
            )
            for one in found[:_SHOWN]
        ]
        columns_of_one = ("Calls", "Total", "P95", "Statement")
        more = max(0, len(found) - _SHOWN)
        made.append((f"Statements {kind}", columns_of_one, rows_of_one, more))
    return [one for one in made if one[2]]
