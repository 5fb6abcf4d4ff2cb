"""The scoreboard of a nightly report: the four promises, each with its trend and the first thing to do."""

from typing import Any

from analyzer.report.promise_words import course
from analyzer.report.sections._base import Section
from analyzer.report.values import Document


def prepare(document: Document) -> dict[str, Any] | None:
    """A row for each metric; None where no scoreboard was asked for."""
    board = document.get("scoreboard")
    if not board:
        return None
    rows = [{**one, "course": course(one)} for one in board["metrics"]]
    missed = sum(1 for one in rows if one["verdict"] == "missed")
    return {"count": missed, "rows": rows, "warnings": board["warnings"]}


SECTION = Section("scoreboard", "Promises", "sections/scoreboard.html.j2", prepare)
