"""What auto_explain logs of a slow execution: a small plan with plausible figures, as text or JSON."""

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(slots=True)
class Node:
    """A plan node; `ms` is its time with its children's and `rows` what it returned, per loop."""

    kind: str
    ms: float
    rows: int
    cost: float
    table: str = ""
    condition: str = ""
    index: str = ""
    loops: int = 1
    children: list["Node"] = field(default_factory=list)


def plan_message(rng: Random, sql: str, table: str, ms: float, *, as_json: bool) -> str:
    """The message for one execution of `ms`; its text names `sql` and a scan of `table`."""
    root = _tree(rng, table or "orders", ms)
    if as_json:
        plan = json.dumps({"Query Text": sql, "Plan": _fields(root)}, indent=2, ensure_ascii=False)
    else:
        plan = "\n".join([f"Query Text: {sql}", *_lines(root, 0)])
    return f"duration: {ms:.3f} ms  plan:\n{plan}"


def _tree(rng: Random, table: str, ms: float) -> Node:
    """Sort over a join of a scan and an index lookup, or over the scan alone."""
    random = rng.random
    rows = 1 + int(random() * 5000)
    scan = Node(
        "Seq Scan", ms * (0.5 + random() * 0.4), rows, ms * 40, table, "(status = 'x'::text)"
    )
    if random() < 0.5:
        lookup = Node(
            "Index Scan", ms * 0.05 / rows, 1, 8.44, "users", "(id = a.user_id)", "users_pkey", rows
        )
        scan = Node("Nested Loop", ms * 0.95, rows, ms * 45, children=[scan, lookup])
    return Node("Sort", ms * 0.99, rows, ms * 50, children=[scan])


def _fields(node: Node) -> dict[str, Any]:
    fields: dict[str, Any] = {"Node Type": node.kind, "Parallel Aware": False}
    if node.index:
        fields |= {"Scan Direction": "Forward", "Index Name": node.index}
    if node.table:
        fields |= {"Relation Name": node.table, "Alias": node.table}
    fields |= {
        "Startup Cost": 0.0,
        "Total Cost": round(node.cost, 2),
        "Plan Rows": node.rows,
        "Plan Width": 64,
        "Actual Startup Time": round(node.ms / 2, 3),
        "Actual Total Time": round(node.ms, 3),
        "Actual Rows": node.rows,
        "Actual Loops": node.loops,
    }
    if node.index:
        fields["Index Cond"] = node.condition
    elif node.condition:
        fields |= {"Filter": node.condition, "Rows Removed by Filter": node.rows * 40}
    if node.children:
        fields["Plans"] = [_fields(child) for child in node.children]
    return fields


def _lines(node: Node, depth: int) -> list[str]:
    arrow = "      " * (depth - 1) + "  ->  " if depth else ""
    inner = "      " * depth + "  "
    target = f" using {node.index}" if node.index else ""
    target += f" on {node.table}" if node.table else ""
    estimated = f"(cost=0.00..{node.cost:.2f} rows={node.rows} width=64)"
    times = f"{node.ms / 2:.3f}..{node.ms:.3f}"
    actual = f"(actual time={times} rows={node.rows} loops={node.loops})"
    lines = [f"{arrow}{node.kind}{target}  {estimated} {actual}"]
    if node.index:
        lines.append(f"{inner}Index Cond: {node.condition}")
    elif node.condition:
        lines += [
            f"{inner}Filter: {node.condition}",
            f"{inner}Rows Removed by Filter: {node.rows * 40}",
        ]
    for child in node.children:
        lines += _lines(child, depth + 1)
    return lines
