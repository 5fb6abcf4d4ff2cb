"""`pg95 history` in a terminal: sparklines against the target, and the days as a table."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from analyzer.report.formats import (
    NOTHING,
    count,
    is_number,
    moment,
    ms,
    one_line,
    plural,
    quantile_name,
)
from analyzer.report.layout import brief

_BLOCKS = "▁▂▃▄▅▆▇█"
_ROWS = 31
_FINDINGS = 30
_STYLES = {"met": "green", "missed": "red", "unknown": "yellow"}


def sparkline(values: Sequence[float | None], top: float) -> str:
    """A block for each value between 0 and `top`; a dot where there is none."""
    last = len(_BLOCKS) - 1
    return "".join(
        "·" if value is None else _BLOCKS[min(max(int(value / top * len(_BLOCKS)), 0), last)]
        for value in values
    )


def show(document: dict[str, Any], width: int) -> list[RenderableType]:
    """What `history/overview.py` gave, as renderables for a terminal so wide."""
    if document["finding"] is not None:
        return _finding(document, width)
    parts: list[RenderableType] = []
    if document["statement"] is not None:
        parts += [Text(brief(document["statement"]["sql"], 2 * width)), Text()]
    parts += _days(document, width)
    return parts + _findings(document.get("findings", []))


def _days(document: dict[str, Any], width: int) -> list[RenderableType]:
    rows, target = document["trend"], document["target"]
    name, limit = quantile_name(target["quantile"]), ms(target["ms"])
    if not rows:
        return [
            Text(f"Nothing since {moment(document['from'])} in {one_line(document['history'])}.")
        ]
    shown = rows[-max(width - 2, 1) :]
    values = [row["p95_ms"] for row in shown]
    top = max([target["ms"], *(value for value in values if value is not None)])
    missed = [row["verdict"] == "missed" for row in shown]
    span = f"{str(shown[0]['from'])[:10]} to {str(shown[-1]['from'])[:10]}"
    parts: list[RenderableType] = [
        Text(f"{name} by day, {span}; target {limit}, a full block is {ms(top)}", style="bold"),
        Text(sparkline(values, top)),
    ]
    if any(missed):
        parts.append(Text("".join("▲" if over else " " for over in missed), style="red"))
        parts.append(Text(f"▲ over the target: {plural(sum(missed), 'day')} of {len(shown)}"))
    if document["shift"]:
        shift = document["shift"]
        times = f"from about {ms(shift['before_ms'])} to {ms(shift['after_ms'])}"
        parts.append(Text(f"The level changed on {str(shift['from'])[:10]}, {times}."))
    return [*parts, Text(), _table(rows[-_ROWS:], name)]


def _table(rows: Sequence[dict[str, Any]], name: str) -> Table:
    table = _grid("Day", "Calls", name, "At least", "At most", "Verdict")
    for row in rows:
        table.add_row(
            Text(str(row["from"])[:10]),
            *(Text(cell) for cell in (count(row["calls"]), ms(row["p95_ms"]), ms(row["low_ms"]))),
            Text(ms(row["high_ms"])),
            Text(row["verdict"], style=_STYLES.get(row["verdict"], "")),
        )
    return table


def _grid(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    for name in names:
        left = name in (
            "Day",
            "Run",
            "Verdict",
            "Severity",
            "Status",
            "Finding",
            "Key",
            "Last seen",
        )
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    return table


def _findings(findings: Sequence[dict[str, Any]]) -> list[RenderableType]:
    if not findings:
        return []
    table = _grid("Status", "Severity", "Finding", "Last seen", "Key")
    for one in findings[:_FINDINGS]:
        cells = (one["status"], one["severity"], one["title"], str(one["last_seen"])[:10])
        table.add_row(*(Text(one_line(str(cell))) for cell in (*cells, one["key"])))
    more = len(findings) - _FINDINGS
    return [
        table,
        *([Text(f"{plural(more, 'more finding')} in --format json")] if more > 0 else []),
    ]


def _finding(document: dict[str, Any], width: int) -> list[RenderableType]:
    finding, rows = document["finding"], document["sightings"]
    state = f"{finding['status']}; first seen {moment(finding['first_seen'])}, last {moment(finding['last_seen'])}"
    parts: list[RenderableType] = [
        Text(one_line(finding["title"]), style="bold"),
        Text(f"{state}{', gone ' + moment(finding['gone']) if finding['gone'] else ''}"),
    ]
    times = [row["total_ms"] for row in rows[-max(width - 2, 1) :]]
    known = [value for value in times if is_number(value)]
    if known and max(known) > 0:
        parts += [
            Text(f"Time in it, run by run; a full block is {ms(max(known))}"),
            Text(sparkline(times, max(known))),
        ]
    table = _grid("Run", "Severity", "Occurrences", "Executions", "Time", "Saving")
    for row in rows[-_ROWS:]:
        figures = (count(row["occurrences"]), count(row["executions"]))
        cells = (*figures, ms(row["total_ms"]), ms(row["saving_ms"]))
        when = moment(row["to"]) if row["to"] else NOTHING
        table.add_row(Text(when), Text(row["severity"]), *(Text(cell) for cell in cells))
    return [*parts, table]
