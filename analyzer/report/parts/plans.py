"""The key `plans`: each plan's nodes in a flat list, depth first, with the findings on them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from analyzer.plans.counters import counter, exclusive, has_field, io_ms
from analyzer.report.parts.plan_details import details_of

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
# Counters by their names in FORMAT JSON, with their keys here and whether each node has them.
_BUFFERS = tuple(
    (f"{scope} {what} Blocks", f"{scope}_{what}".lower(), has_field(f"{scope} {what} Blocks"))
    for scope in ("Shared", "Local", "Temp")
    for what in ("Hit", "Read", "Dirtied", "Written")
)
_WITH_TEXT = 50  # plans that bring their own text along, and those with findings


def plans_part(
    plans: Sequence["Plan"], findings: Sequence["Finding"], redactor: "Redactor"
) -> list[dict[str, Any]]:
    """Plans, slowest first; those without a time come last."""
    marks = _marks(findings)
    marked = {getattr(finding.evidence, "plan_key", None) for finding in findings}
    ranked = sorted(plans, key=lambda plan: (-(plan.total_ms or -1.0), plan.key))
    return [
        _plan(plan, marks, redactor, text=place < _WITH_TEXT or plan.key in marked)
        for place, plan in enumerate(ranked)
    ]


def _marks(findings: Sequence["Finding"]) -> dict[tuple[str, int], list[str]]:
    """Finding keys by the plan and nodes that show them, or what follows from them."""
    marks: dict[tuple[str, int], list[str]] = {}
    for finding in findings:
        for place in dict.fromkeys(finding.places or _place(finding)):
            marks.setdefault(place, []).append(finding.key)
    return marks


def _place(finding: "Finding") -> list[tuple[str, int]]:
    """The node that a finding's evidence is about."""
    key = getattr(finding.evidence, "plan_key", None)
    node = getattr(finding.evidence, "node_id", None)
    return [(key, node)] if isinstance(key, str) and isinstance(node, int) else []


def _plan(
    plan: "Plan",
    marks: Mapping[tuple[str, int], list[str]],
    redactor: "Redactor",
    *,
    text: bool,
) -> dict[str, Any]:
    from analyzer.report.plan_settings import shown_settings  # noqa: PLC0415 - few reports have plans
    from analyzer.report.plan_text import shown_text  # noqa: PLC0415 - few reports have plans

    nodes = list(plan.root.walk())
    own = _own_buffers(nodes)
    return {
        "key": plan.key,
        "shape_id": plan.shape_id,
        "source": plan.origin,
        "format": plan.format,
        "analyzed": plan.analyzed,
        "truncated": plan.truncated,
        "wrapped": plan.wrapped,
        "total_ms": plan.total_ms,
        "planning_ms": plan.planning_ms,
        "execution_ms": plan.execution_ms,
        "duration_ms": plan.duration_ms,
        "trigger_ms": plan.trigger_ms,
        "jit_ms": plan.jit_ms,
        "outside_ms": plan.outside_ms,
        "sql": None if plan.statement is None else redactor.text(plan.statement),
        "parameters": None if plan.parameters is None else redactor.text(plan.parameters),
        "settings": shown_settings(plan.settings, redactor),
        "text": shown_text(plan, redactor) if text else None,
        "nodes": [
            {
                **_node(node, depth, redactor),
                "self_buffers": {key: int(figures[place]) for key, figures in own.items()},
                "findings": sorted(marks.get((plan.key, node.id), ())),
            }
            for place, (node, depth) in enumerate(_walk(plan.root))
        ],
    }


def _own_buffers(nodes: Sequence["PlanNode"]) -> dict[str, list[float]]:
    """What each node read and wrote itself, of the counters that any node has."""
    told = set().union(*(node.extra for node in nodes))
    return {
        key: exclusive(nodes, name)
        for name, key, is_field in _BUFFERS
        if (is_field or name in told) and any(counter(node, name) for node in nodes)
    }


def _walk(root: "PlanNode") -> Iterator[tuple["PlanNode", int]]:
    """Nodes depth first with their depth; plans are input, so no recursion on their depth."""
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(node.children))


def _node(node: "PlanNode", depth: int, redactor: "Redactor") -> dict[str, Any]:
    conditions = {name: text for name in _CONDITIONS if (text := getattr(node, name))}
    if node.sort_key:
        conditions["sort_key"] = ", ".join(node.sort_key)
    return {
        "id": node.id,
        "parent": node.parent,
        "depth": depth,
        "type": node.type,
        "label": _label(node),
        "subplan": node.subplan_name,
        "relation": node.relation,
        "alias": node.alias,
        "index": node.index,
        "loops": node.loops,
        "processes": node.processes,
        "rows_estimated": node.rows_estimated,
        "rows_actual": node.rows_actual,
        "rows_total": node.rows_total,
        "rows_removed_by_filter": node.rows_removed_by_filter,
        "cost": node.total_cost,
        "self_ms": node.self_ms,
        "total_ms": node.total_ms,
        "io_ms": io_ms(node),
        "never_executed": node.never_executed,
        "buffers": _buffers(node),
        "details": details_of(node),
        "conditions": {name: redactor.text(text) for name, text in conditions.items()},
    }


def _buffers(node: "PlanNode") -> dict[str, int]:
    """Blocks with all below included; hits, reads and temporary ones also where there were none."""
    known = {
        "shared_hit": node.shared_hit_blocks,
        "shared_read": node.shared_read_blocks,
        "temp_read": node.temp_read_blocks,
        "temp_written": node.temp_written_blocks,
    }
    found: dict[str, int] = {}
    for name, key, is_field in _BUFFERS:
        if is_field:
            if known[key] is not None:
                found[key] = int(counter(node, name))
        elif name in node.extra and (count := counter(node, name)):
            found[key] = int(count)
    return found


def _label(node: "PlanNode") -> str:
    """What TEXT calls a node: "Parallel Hash Left Join", "Partial HashAggregate", "Update"."""
    name, extra = node.type, node.extra
    if name == "Aggregate":
        name = _AGGREGATES.get(str(extra.get("Strategy")), name)
    elif name == "ModifyTable":
        name = str(extra.get("Operation", name))
    elif name == "Custom Scan" and "Custom Plan Provider" in extra:
        name = f"Custom Scan ({extra['Custom Plan Provider']})"
    elif node.join_type not in (None, "Inner"):
        name = f"{name.removesuffix(' Join')} {node.join_type} Join"
    if extra.get("Partial Mode") in ("Partial", "Finalize"):
        name = f"{extra['Partial Mode']} {name}"
    return f"Parallel {name}" if node.parallel_aware else name


_AGGREGATES = {"Sorted": "GroupAggregate", "Hashed": "HashAggregate", "Mixed": "MixedAggregate"}
