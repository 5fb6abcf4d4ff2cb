"""The scoreboard of a nightly report: the four promises, each with its trend and the first thing to do."""

from typing import Any

from analyzer.report.formats import plural
from analyzer.report.sections._base import Section
from analyzer.report.values import Document


def prepare(document: Document) -> dict[str, Any] | None:
    """A row for each metric; None where no scoreboard was asked for."""
    board = document.get("scoreboard")
    if not board:
        return None
    rows = [{**one, "course": _course(one)} for one in board["metrics"]]
    missed = sum(1 for one in rows if one["verdict"] == "missed")
    return {"count": missed, "rows": rows, "warnings": board["warnings"]}


def _course(metric: dict[str, Any]) -> str:
    """What it was in earlier nights, in words."""
    trend = metric.get("trend") or []
    if not trend:
        return "the first night"
    met = sum(1 for one in trend if one["verdict"] == "met")
    return f"met in {met} of {plural(len(trend), 'night')}, {trend[-1]['verdict']} in the last"


SECTION = Section("scoreboard", "Promises", "sections/scoreboard.html.j2", prepare)
