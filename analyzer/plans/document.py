"""From a plan document (the keys of EXPLAIN (FORMAT JSON)) to a Plan with its tree of nodes."""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.plans.fields import draft_of, figure
from analyzer.plans.figures import fill_in_times
from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.nodes import finish

MAX_DEPTH = 250  # levels of nodes; walks over a tree may recurse

_DOCUMENT_FIELDS = {
    *("Plan", "Query Text", "Query Parameters", "Settings", "Triggers", "JIT"),
    *("Planning Time", "Execution Time", "Total Runtime"),
}


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
    nodes = _drafts(document["Plan"])
    fill_in_times(nodes)
    finish(nodes)
    statement = document.get("Query Text")
    text = statement if isinstance(statement, str) else None
    return Plan(
        key=_key(nodes, text),
        root=nodes[0],
        origin=recorded.origin,
        format=recorded.format,
        analyzed="Actual Loops" in _mapping(document["Plan"]),
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


def _drafts(root: object) -> list[Any]:
    """All nodes depth first, as EXPLAIN prints them; each knows its parent and its children."""
    drafts: list[Any] = []
    waiting: list[tuple[object, Any, int]] = [(root, None, 1)]
    while waiting:
        keys, above, depth = waiting.pop()
        if type(keys) is not dict or type(keys.get("Node Type")) is not str:
            raise PlanProblemError(f'node {len(drafts)} of the plan has no "Node Type"')
        if depth > MAX_DEPTH:
            raise PlanProblemError(f"the plan is deeper than {MAX_DEPTH} nodes")
        draft = draft_of(keys)
        draft.id = len(drafts)
        drafts.append(draft)
        if above is not None:
            draft.parent = above.id
            above.children.append(draft)
        below = draft.children
        if below:
            draft.children = []
            waiting += [(child, draft, depth + 1) for child in reversed(below)]
    for draft in drafts:
        draft.children = tuple(draft.children)
    return drafts


def _key(nodes: Sequence[PlanNode], statement: str | None) -> str:
    """16 hex digits: the same for one plan wherever it was found, another for another run."""
    texts = [(statement or "").strip()]
    numbers: list[float | None] = []
    for node in nodes:
        texts += (
            node.type, node.relation or "", node.alias or "", node.index or "", node.filter or "",
            node.index_condition or "", node.hash_condition or "",
        )  # fmt: skip
        numbers += (
            node.parent, node.rows_estimated, node.total_cost,
            node.rows_actual, node.loops, node.actual_total_ms,
        )  # fmt: skip
    known = [-1.0 if one is None else one for one in numbers]
    digest = hashlib.blake2b("\0".join(texts).encode("utf-8", "replace"), digest_size=8)
    digest.update(struct.pack(f"<{len(known)}d", *known))
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
