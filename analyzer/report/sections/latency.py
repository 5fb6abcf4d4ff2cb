"""Two drawings: how long executions take, and which statements take the time."""

from typing import Any

from analyzer.report.charts import distribution, ranking
from analyzer.report.formats import ms, percent, plural
from analyzer.report.layout import brief
from analyzer.report.sections._base import SHOWN_STATEMENTS, Section
from analyzer.report.values import Document

_TOP = 8
_LABEL = 56


def prepare(document: Document) -> dict[str, Any] | None:
    """The distribution (with executions) and the top statements (with any)."""
    target = document["target"]
    shape = distribution(target.get("histogram"), target["ms"])
    top = ranking([_bar(s) for s in _ours(document)[:_TOP]])
    if shape is None and top is None:
        return None
    client = bool(shape) and target["histogram"].get("clock") == "client"
    return {"distribution": shape, "top": top, "client": client}


def _ours(document: Document) -> list[dict[str, Any]]:
    """The shown statements of the application: no BEGIN, no health check."""
    return [
        statement
        for statement in document["statements"][:SHOWN_STATEMENTS]
        if statement["total_ms"] and statement.get("role", "workload") == "workload"
    ]


def _bar(statement: dict[str, Any]) -> dict[str, Any]:
    share = percent(statement["share"])
    return {
        "label": brief(statement["sql"], _LABEL),
        "value": statement["total_ms"],
        "note": share,
        "title": f"{ms(statement['total_ms'])}, {share}, {plural(statement['calls'], 'call')}",
        "anchor": f"q-{statement['shape_id']}",
    }


SECTION = Section("latency", "Where the time goes", "sections/latency.html.j2", prepare)
