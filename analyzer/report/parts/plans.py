"""The key `plans`: each plan's nodes in a flat list, depth first, with the findings on them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.finding import Finding
    from analyzer.model.plan import Plan, PlanNode
    from analyzer.report.redaction import Redactor

_CONDITIONS = (
    "filter",
    "index_condition",
    "recheck_condition",
    "hash_condition",
    "merge_condition",
    "join_filter",
)
_BUFFERS = ("shared_hit", "shared_read", "temp_read", "temp_written")


def plans_part(
    plans: Sequence["Plan"], findings: Sequence["Finding"], redactor: "Redactor"
) -> list[dict[str, Any]]:
    """Plans, slowest first; those without a time come last."""
    marks = _marks(findings)
    ranked = sorted(plans, key=lambda plan: (-(plan.total_ms or -1.0), plan.key))
    return [_plan(plan, marks, redactor) for plan in ranked]


def _marks(findings: Sequence["Finding"]) -> dict[tuple[str, int], list[str]]:
    """Finding keys by the plan and nodes that their evidence, or a consequence, points at."""
    marks: dict[tuple[str, int], list[str]] = {}
    for finding in findings:
        key = getattr(finding.evidence, "plan_key", None)
        node = getattr(finding.evidence, "node_id", None)
        if isinstance(key, str) and isinstance(node, int):
            below = getattr(finding.evidence, "consequences", ())
            for place in {node, *(one.node_id for one in below)}:
                marks.setdefault((key, place), []).append(finding.key)
    return marks


def _plan(
    plan: "Plan", marks: Mapping[tuple[str, int], list[str]], redactor: "Redactor"
) -> dict[str, Any]:
    return {
        "key": plan.key,
        "shape_id": plan.shape_id,
        "source": plan.origin,
        "format": plan.format,
        "analyzed": plan.analyzed,
        "total_ms": plan.total_ms,
        "planning_ms": plan.planning_ms,
        "duration_ms": plan.duration_ms,
        "nodes": [
            _node(node, depth, sorted(marks.get((plan.key, node.id), ())), redactor)
            for node, depth in _walk(plan.root)
        ],
    }


def _walk(root: "PlanNode") -> Iterator[tuple["PlanNode", int]]:
    """Nodes depth first with their depth; plans are input, so no recursion on their depth."""
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(node.children))


def _node(node: "PlanNode", depth: int, keys: list[str], redactor: "Redactor") -> dict[str, Any]:
    conditions = {name: getattr(node, name) for name in _CONDITIONS if getattr(node, name)}
    buffers = {name: getattr(node, f"{name}_blocks") for name in _BUFFERS}
    return {
        "id": node.id,
        "parent": node.parent,
        "depth": depth,
        "type": node.type,
        "relation": node.relation,
        "index": node.index,
        "loops": node.loops,
        "rows_estimated": node.rows_estimated,
        "rows_actual": node.rows_actual,
        "rows_total": node.rows_total,
        "rows_removed_by_filter": node.rows_removed_by_filter,
        "self_ms": node.self_ms,
        "total_ms": node.total_ms,
        "never_executed": node.never_executed,
        "buffers": {name: blocks for name, blocks in buffers.items() if blocks is not None},
        "conditions": {name: redactor.text(text) for name, text in conditions.items()},
        "findings": keys,
    }
