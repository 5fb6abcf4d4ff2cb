"""From a plan document (the keys of EXPLAIN (FORMAT JSON)) to a Plan with its tree of nodes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.plans.fields import figure, sorted_fields
from analyzer.plans.figures import Figures, Timing, compute_figures
from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.nodes import make_node

MAX_DEPTH = 250  # levels of nodes; walks over a tree may recurse

_DOCUMENT_FIELDS = {
    *("Plan", "Query Text", "Query Parameters", "Settings", "Triggers", "JIT"),
    *("Planning Time", "Execution Time", "Total Runtime"),
}


@dataclass(slots=True)
class _Draft:
    """A node on the way to a PlanNode: its keys, the fields made of them, parent and children."""

    keys: Mapping[str, object]
    fields: dict[str, object]
    parent: int | None
    depth: int
    children: list[int] = field(default_factory=list)


def build_plan(found: Found, recorded: RecordedPlan) -> Plan:
    """The plan of a document.

    Args:
        found: its document has "Plan"; "Query Text", "Planning Time", "Execution Time", "Settings",
            "Triggers" and "JIT" are read where present.
        recorded: where the text was found.

    Raises:
        PlanProblemError: a key has a value of the wrong kind, or the tree is too deep.
    """
    document = found.document
    drafts = _flatten(document["Plan"])
    figures = compute_figures([_timing(draft) for draft in drafts])
    nodes = _assemble(drafts, figures)
    root = nodes[0]
    statement = document.get("Query Text")
    text = statement if isinstance(statement, str) else None
    return Plan(
        key=_key(nodes, text),
        root=root,
        origin=recorded.origin,
        format=recorded.format,
        analyzed="Actual Loops" in drafts[0].keys,
        statement=text,
        duration_ms=found.duration_ms if recorded.duration_ms is None else recorded.duration_ms,
        execution_ms=_number(document, "Execution Time", _number(document, "Total Runtime")),
        planning_ms=_number(document, "Planning Time"),
        settings={key: str(value) for key, value in _mapping(document.get("Settings")).items()},
        triggers=_triggers(document.get("Triggers")),
        jit=_mapping(document.get("JIT")),
        raw=found.raw,
        statement_key=recorded.statement_key,
        truncated=found.truncated,
        wrapped=found.wrapped,
        parameters=_text(document, "Query Parameters"),
        extra={key: value for key, value in document.items() if key not in _DOCUMENT_FIELDS},
    )


def _flatten(root: object) -> list[_Draft]:
    """All nodes depth first, as EXPLAIN prints them."""
    drafts: list[_Draft] = []
    waiting: list[tuple[object, int | None, int]] = [(root, None, 1)]
    while waiting:
        keys, parent, depth = waiting.pop()
        if not isinstance(keys, dict) or not isinstance(keys.get("Node Type"), str):
            raise PlanProblemError(f'node {len(drafts)} of the plan has no "Node Type"')
        if depth > MAX_DEPTH:
            raise PlanProblemError(f"the plan is deeper than {MAX_DEPTH} nodes")
        number = len(drafts)
        drafts.append(_Draft(keys, sorted_fields(keys), parent, depth))
        if parent is not None:
            drafts[parent].children.append(number)
        below = keys.get("Plans", [])
        if not isinstance(below, list):
            raise PlanProblemError(f'"Plans" of node {number} ({keys["Node Type"]}) is no list')
        waiting.extend((child, number, depth + 1) for child in reversed(below))
    return drafts


def _timing(draft: _Draft) -> Timing:
    """What the figures of a node are computed from."""
    keys, fields = draft.keys, draft.fields
    cte = keys.get("CTE Name")
    return Timing(
        fields["type"],  # type: ignore[arg-type]  # fields.py has checked each
        draft.parent,
        draft.children,
        fields.get("parent_relationship"),  # type: ignore[arg-type]
        fields.get("subplan_name"),  # type: ignore[arg-type]
        cte if isinstance(cte, str) else None,
        keys.get("Single Copy") is True,
        fields.get("workers_launched"),  # type: ignore[arg-type]
        fields.get("loops"),  # type: ignore[arg-type]
        fields.get("actual_total_ms"),  # type: ignore[arg-type]
        keys,
    )


def _assemble(drafts: list[_Draft], figures: Figures) -> list[PlanNode]:
    """PlanNodes from the leaves up: nodes are frozen and hold their children."""
    nodes: list[PlanNode] = []
    last = len(drafts) - 1
    for number in range(last, -1, -1):
        draft = drafts[number]
        fields = draft.fields
        fields["id"] = number
        fields["parent"] = draft.parent
        if draft.children:
            fields["children"] = tuple([nodes[last - child] for child in draft.children])
        fields["processes"] = figures.processes[number]
        fields["total_ms"] = figures.total_ms[number]
        fields["self_ms"] = figures.self_ms[number]
        fields["payers"] = figures.payers[number]
        nodes.append(make_node(fields))
    nodes.reverse()
    return nodes


def _key(nodes: list[PlanNode], statement: str | None) -> str:
    """16 hex digits: the same for one plan wherever it was found, another for another run."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update((statement or "").strip().encode("utf-8", "replace"))
    for node in nodes:
        facts = (
            node.type, node.parent, node.relation, node.alias, node.index, node.filter,
            node.index_condition, node.hash_condition, node.rows_estimated, node.total_cost,
            node.rows_actual, node.loops, node.actual_total_ms,
        )  # fmt: skip
        digest.update(repr(facts).encode("utf-8", "replace"))
    return digest.hexdigest()


def _text(keys: Mapping[str, object], key: str) -> str | None:
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value
    raise PlanProblemError(f'"{key}" of a {keys.get("Node Type")} node is no text')


def _number(keys: Mapping[str, object], key: str, default: float | None = None) -> float | None:
    value = keys.get(key)
    return default if value is None else figure(key, value)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _triggers(value: object) -> tuple[Mapping[str, object], ...]:
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, Mapping))
