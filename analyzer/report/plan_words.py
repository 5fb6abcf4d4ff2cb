"""What all views say of a plan's nodes, from the document alone; reports of older versions lack some keys."""

from typing import Any

from analyzer.report.formats import count, ms, plural

_MANY_ROWS = 100  # below, a wrong estimate changes no plan
_WRONG = 10.0
_ROWLESS = frozenset(("BitmapAnd", "BitmapOr", "ModifyTable"))  # they print no rows
_BLOCKING = frozenset(("Sort", "Hash", "Aggregate", "SetOp"))  # they take all rows first
_BLOCKS = {
    "shared_hit": "hit",
    "shared_read": "read",
    "shared_dirtied": "dirtied",
    "shared_written": "written",
    "local_hit": "local hit",
    "local_read": "local read",
    "local_dirtied": "local dirtied",
    "local_written": "local written",
    "temp_read": "temp read",
    "temp_written": "temp written",
}


def name_of(node: dict[str, Any]) -> str:
    """A node as TEXT has it: "CTE x: Parallel Seq Scan on orders o"."""
    name = str(node.get("label") or node["type"])
    if node.get("subplan"):
        name = f"{node['subplan']}: {name}"
    if node["index"]:
        name += f" using {node['index']}"
    if node["relation"]:
        name += f" on {node['relation']}"
    alias = node.get("alias")
    if alias and not node["relation"] and node["type"].endswith("Scan"):
        name += f" on {alias}"
    elif alias and node["relation"] and alias != node["relation"].rpartition(".")[2]:
        name += f" {alias}"
    return f"{name} (never executed)" if node["never_executed"] else name


def bar_share(node: dict[str, Any], plan: dict[str, Any]) -> float:
    """The node's own part (0 to 1) of the plan's time."""
    whole = plan["total_ms"] or 0.0
    share = (node["self_ms"] or 0.0) / whole if whole else 0.0
    return float(min(max(share, 0.0), 1.0))


def estimate_error(node: dict[str, Any]) -> float:
    """By which factor rows were misjudged, either way; 1 where that is not known."""
    estimated, actual = node["rows_estimated"], node["rows_actual"]
    if estimated is None or actual is None or node["never_executed"]:
        return 1.0
    return float(max(estimated, actual, 1.0) / max(min(estimated, actual), 1.0))


def wrong_nodes(plan: dict[str, Any]) -> set[int]:
    """Nodes (by id) whose estimate is a decade off, of rows that matter.

    What something above stopped before its end did not come, which says nothing of the estimate.
    """
    nodes = {node["id"]: node for node in plan["nodes"]}
    return {
        node["id"]
        for node in plan["nodes"]
        if estimate_error(node) >= _WRONG
        and max(node["rows_estimated"] or 0.0, node["rows_actual"] or 0.0) * node["loops"]
        >= _MANY_ROWS
        and node["type"] not in _ROWLESS
        and not (node["rows_estimated"] > node["rows_actual"] and _stopped(node, nodes))
    }


def _stopped(node: dict[str, Any], nodes: dict[int, dict[str, Any]]) -> bool:
    """Whether a LIMIT, an EXISTS, or a join that is done may have stopped a node before its end."""
    while node["parent"] in nodes:
        above = nodes[node["parent"]]
        label = str(above.get("label") or above["type"])
        if node.get("subplan"):
            return not str(node["subplan"]).startswith("CTE ")
        if above["type"] in ("Limit", "Merge Join") or (
            above["type"] == "Nested Loop" and label.endswith(("Semi Join", "Anti Join"))
        ):
            return True
        if above["type"] in _BLOCKING:
            return False
        node = above
    return False


def blocks_of(node: dict[str, Any]) -> str:
    """What a node read and wrote itself, in blocks."""
    own = node.get("self_buffers") or {}
    return ", ".join(f"{word} {count(own[key])}" for key, word in _BLOCKS.items() if own.get(key))


def plan_notes(plan: dict[str, Any]) -> list[str]:
    """What is beside the tree: planning, triggers, JIT, settings, and how good the plan is."""
    notes = []
    times = (
        ("planning", plan["planning_ms"]),
        ("triggers", plan.get("trigger_ms")),
        ("JIT", plan.get("jit_ms")),
        ("outside the tree", plan.get("outside_ms")),
    )
    told = [f"{name} {ms(value)}" for name, value in times if value]
    if told:
        notes.append(", ".join(told))
    if not plan["analyzed"]:
        notes.append("estimated only: the statement was not run")
    if plan.get("truncated"):
        notes.append("cut off: the text ended before the plan did")
    if plan.get("wrapped"):
        notes.append("lines were broken by a terminal and put together again")
    settings = plan.get("settings") or {}
    if settings:
        notes.append(
            "settings: " + ", ".join(f"{name} = {value}" for name, value in settings.items())
        )
    hidden = sum(node["never_executed"] for node in plan["nodes"])
    if hidden:
        notes.append(f"{plural(hidden, 'node')} never executed")
    return notes
