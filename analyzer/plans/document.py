"""From a plan document (the keys of EXPLAIN (FORMAT JSON)) to a Plan with its tree of nodes."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.plans.figures import Figures, Timing, compute_figures
from analyzer.plans.found import Found, PlanProblemError

MAX_DEPTH = 250  # levels of nodes; walks over a tree may recurse
_FRACTION_DIGITS = 2  # of actual rows, from PostgreSQL 18 on

_TEXTS = {
    "Parent Relationship": "parent_relationship",
    "Subplan Name": "subplan_name",
    "Alias": "alias",
    "Index Name": "index",
    "Join Type": "join_type",
    "Filter": "filter",
    "Index Cond": "index_condition",
    "Recheck Cond": "recheck_condition",
    "Hash Cond": "hash_condition",
    "Merge Cond": "merge_condition",
    "Join Filter": "join_filter",
}
_NUMBERS = {
    "Startup Cost": "startup_cost",
    "Total Cost": "total_cost",
    "Plan Rows": "rows_estimated",
    "Actual Rows": "rows_actual",
    "Actual Startup Time": "actual_startup_ms",
    "Actual Total Time": "actual_total_ms",
    "Actual Loops": "loops",
    "Rows Removed by Filter": "rows_removed_by_filter",
    "Rows Removed by Join Filter": "rows_removed_by_join_filter",
    "Rows Removed by Index Recheck": "rows_removed_by_recheck",
}
_COUNTS = {
    "Plan Width": "width_bytes",
    "Workers Planned": "workers_planned",
    "Workers Launched": "workers_launched",
    "Shared Hit Blocks": "shared_hit_blocks",
    "Shared Read Blocks": "shared_read_blocks",
    "Temp Read Blocks": "temp_read_blocks",
    "Temp Written Blocks": "temp_written_blocks",
}
_OTHERS = {"Node Type", "Plans", "Relation Name", "Schema", "Sort Key", "Parallel Aware"}
_DOCUMENT_FIELDS = {
    *("Plan", "Query Text", "Query Parameters", "Settings", "Triggers", "JIT"),
    *("Planning Time", "Execution Time", "Total Runtime"),
}
_WITH_FIELD = {*_TEXTS, *_NUMBERS, *_COUNTS, *_OTHERS}


@dataclass(slots=True)
class _Draft:
    """A node on the way to a PlanNode: its keys, and who its parent and children are."""

    keys: Mapping[str, object]
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
    root = _assemble(drafts, figures)
    statement = document.get("Query Text")
    text = statement if isinstance(statement, str) else None
    return Plan(
        key=_key(root, text),
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
        if not isinstance(keys, Mapping) or not isinstance(keys.get("Node Type"), str):
            raise PlanProblemError(f'node {len(drafts)} of the plan has no "Node Type"')
        if depth > MAX_DEPTH:
            raise PlanProblemError(f"the plan is deeper than {MAX_DEPTH} nodes")
        number = len(drafts)
        drafts.append(_Draft(keys, parent, depth))
        if parent is not None:
            drafts[parent].children.append(number)
        below = keys.get("Plans", [])
        if not isinstance(below, list):
            raise PlanProblemError(f'"Plans" of node {number} ({keys["Node Type"]}) is no list')
        waiting.extend((child, number, depth + 1) for child in reversed(below))
    return drafts


def _timing(draft: _Draft) -> Timing:
    keys = draft.keys
    return Timing(
        type=str(keys["Node Type"]),
        parent=draft.parent,
        children=draft.children,
        relationship=_text(keys, "Parent Relationship"),
        subplan_name=_text(keys, "Subplan Name"),
        cte_name=_text(keys, "CTE Name"),
        single_copy=keys.get("Single Copy") is True,
        launched=_number(keys, "Workers Launched"),
        loops=_number(keys, "Actual Loops"),
        total_ms=_number(keys, "Actual Total Time"),
        keys=keys,
    )


def _assemble(drafts: list[_Draft], figures: list[Figures]) -> PlanNode:
    """PlanNodes from the leaves up: nodes are frozen and hold their children."""
    nodes: dict[int, PlanNode] = {}
    for number in range(len(drafts) - 1, -1, -1):
        draft = drafts[number]
        children = tuple(nodes.pop(child) for child in draft.children)
        nodes[number] = _node(number, draft, children, figures[number])
    return nodes[0]


def _node(number: int, draft: _Draft, children: tuple[PlanNode, ...], figures: Figures) -> PlanNode:
    keys = draft.keys
    known: dict[str, object] = {}
    for key, value in keys.items():
        if key in _TEXTS:
            known[_TEXTS[key]] = _text(keys, key)
        elif key in _NUMBERS:
            known[_NUMBERS[key]] = _number(keys, key)
        elif key in _COUNTS and value is not None:
            known[_COUNTS[key]] = int(_number(keys, key) or 0)
    return PlanNode(
        id=number,
        parent=draft.parent,
        type=str(keys["Node Type"]),
        children=children,
        relation=_relation(keys),
        sort_key=_texts(keys.get("Sort Key")),
        parallel_aware=keys.get("Parallel Aware") is True,
        processes=figures.processes,
        total_ms=figures.total_ms,
        self_ms=figures.self_ms,
        never_executed=keys.get("Actual Loops") == 0,
        payers=figures.payers,
        rows_digits=_FRACTION_DIGITS if isinstance(keys.get("Actual Rows"), float) else 0,
        extra={key: value for key, value in keys.items() if key not in _WITH_FIELD},
        **known,  # type: ignore[arg-type]  # the three tables above pair each key with its kind
    )


def _relation(keys: Mapping[str, object]) -> str | None:
    """The table's name as model/catalog.py spells it: schema public is left out."""
    name, schema = _text(keys, "Relation Name"), _text(keys, "Schema")
    return name if name is None or schema in (None, "public") else f"{schema}.{name}"


def _key(root: PlanNode, statement: str | None) -> str:
    """16 hex digits: the same for one plan wherever it was found, another for another run."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update((statement or "").strip().encode("utf-8", "replace"))
    for node in root.walk():
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
    if value is None:
        return default
    if type(value) is float and 0.0 <= value < math.inf:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PlanProblemError(f'"{key}" is no number')
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise PlanProblemError(f'"{key}" is out of range')
    return number


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _triggers(value: object) -> tuple[Mapping[str, object], ...]:
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, Mapping))
