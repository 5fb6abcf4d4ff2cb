"""Plans: the slowest ones as trees to open and close, with estimates beside what came."""

from typing import Any

from analyzer.report.charts import rounded
from analyzer.report.plan_words import (
    bar_share,
    blocks_of,
    estimate_error,
    name_of,
    plan_notes,
    wrong_nodes,
)
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document

_SHOWN = 15
_WITH_TEXT = 8  # plans with their text to copy, and those of no known statement
_NODES = 150
_DEEPEST = 24
_CONDITION = 400
_BAR = 60.0
_TEXT = 20_000  # characters of a plan's text on the page


def prepare(document: Document) -> dict[str, Any] | None:
    """The slowest plans."""
    plans = document["plans"]
    if not plans:
        return None
    links = StatementLinks(document)
    return {
        "count": len(plans),
        "plans": [
            _plan(plan, links, text=place < _WITH_TEXT) for place, plan in enumerate(plans[:_SHOWN])
        ],
        "hidden": max(0, len(plans) - _SHOWN),
    }


def _plan(plan: dict[str, Any], links: StatementLinks, *, text: bool) -> dict[str, Any]:
    nodes = plan["nodes"][:_NODES]
    raw = plan.get("text") if text or plan["shape_id"] is None else None
    return {
        "p": plan,
        "statement": links.link(plan["shape_id"]),
        "rows": _rows(nodes, plan),
        "left_out": max(0, len(plan["nodes"]) - _NODES),
        "marked": any(node["findings"] for node in plan["nodes"]),
        "notes": plan_notes(plan),
        "parameters": plan.get("parameters"),
        "sql": plan.get("sql"),
        "text": None if raw is None else {"text": raw[:_TEXT], "hidden": max(0, len(raw) - _TEXT)},
    }


def _rows(nodes: list[dict[str, Any]], plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Nodes with how many elements close after each: nodes that are deeper than the page nests are flat."""
    wrong = wrong_nodes(plan)
    levels = [min(node["depth"], _DEEPEST) for node in nodes]
    rows = []
    for place, node in enumerate(nodes):
        below = levels[place + 1] if place + 1 < len(nodes) else 0
        row = _node(node, plan, wrong)
        row["closes"] = range(
            levels[place] - below + 1 if place + 1 < len(nodes) else levels[place] + 1
        )
        rows.append(row)
    return rows


def _node(node: dict[str, Any], plan: dict[str, Any], wrong: set[int]) -> dict[str, Any]:
    conditions = node["conditions"].items()
    return {
        "n": node,
        "name": name_of(node),
        "conditions": [(name.replace("_", " "), text[:_CONDITION]) for name, text in conditions],
        "wrong": estimate_error(node) if node["id"] in wrong else None,
        "blocks": blocks_of(node),
        "details": " · ".join(node.get("details", ())),
        "bar": rounded(bar_share(node, plan) * _BAR),
    }


SECTION = Section("plans", "Plans", "sections/plans.html.j2", prepare)
