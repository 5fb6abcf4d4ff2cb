"""Plans: the slowest ones as indented trees, with estimates beside what came."""

from typing import Any

from analyzer.report.charts import rounded
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document

_SHOWN = 20
_NODES = 150
_DEEPEST = 24
_CONDITION = 400
_BAR = 60.0
_MANY_ROWS = 100  # below, a wrong estimate changes no plan


def prepare(document: Document) -> dict[str, Any] | None:
    """The slowest plans."""
    plans = document["plans"]
    if not plans:
        return None
    links = StatementLinks(document)
    return {
        "count": len(plans),
        "plans": [_plan(plan, links) for plan in plans[:_SHOWN]],
        "hidden": max(0, len(plans) - _SHOWN),
    }


def _plan(plan: dict[str, Any], links: StatementLinks) -> dict[str, Any]:
    nodes = plan["nodes"]
    whole_ms = plan["total_ms"] or 0.0
    return {
        "p": plan,
        "statement": links.link(plan["shape_id"]),
        "rows": [_node(node, whole_ms) for node in nodes[:_NODES]],
        "left_out": max(0, len(nodes) - _NODES),
        "marked": any(node["findings"] for node in nodes),
    }


def _node(node: dict[str, Any], whole_ms: float) -> dict[str, Any]:
    depth = min(node["depth"], _DEEPEST)
    estimated, actual = node["rows_estimated"], node["rows_actual"]
    wrong = None
    if estimated is not None and actual is not None:
        larger, smaller = max(estimated, actual, 1.0), max(min(estimated, actual), 1.0)
        wrong = larger / smaller if larger * node["loops"] >= _MANY_ROWS else None
    share = (node["self_ms"] or 0.0) / whole_ms if whole_ms else 0.0
    return {
        "n": node,
        "indent": "\u00a0\u00a0" * max(0, depth - 1) + ("└ " if depth else ""),
        "conditions": [
            (name.replace("_", " "), text[:_CONDITION]) for name, text in node["conditions"].items()
        ],
        "wrong": wrong if wrong is not None and wrong >= 10 else None,  # noqa: PLR2004 - a decade off
        "bar": rounded(min(max(share, 0.0), 1.0) * _BAR),
    }


SECTION = Section("plans", "Plans", "sections/plans.html.j2", prepare)
