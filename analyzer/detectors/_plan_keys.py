"""Keys of a plan node that have no field of their own, by their names in EXPLAIN (FORMAT JSON)."""

from collections.abc import Mapping

from analyzer.model.plan import PlanNode

BLOCK_BYTES = 8192


def number(node: PlanNode, key: str) -> float:
    """A figure of a node, 0 where it has none."""
    value = node.extra.get(key)
    return float(value) if type(value) is int or type(value) is float else 0.0


def text(node: PlanNode, key: str) -> str:
    """A text of a node, empty where it has none."""
    value = node.extra.get(key)
    return value if isinstance(value, str) else ""


def is_true(node: PlanNode, key: str) -> bool:
    """Whether a node says so."""
    return node.extra.get(key) is True


def workers(node: PlanNode) -> tuple[Mapping[str, object], ...]:
    """What a node says of each of its workers (VERBOSE, or Sort and Hash below a Gather)."""
    value = node.extra.get("Workers")
    items = value if isinstance(value, list | tuple) else ()
    return tuple(item for item in items if isinstance(item, Mapping))


def worker_number(worker: Mapping[str, object], key: str) -> float:
    """A figure of a worker, 0 where it has none."""
    value = worker.get(key)
    return float(value) if type(value) is int or type(value) is float else 0.0


def over_processes(node: PlanNode, key: str) -> float:
    """The largest of a figure over the leader and all workers."""
    return max([number(node, key), *(worker_number(worker, key) for worker in workers(node))])


def pages(node: PlanNode) -> int | None:
    """Blocks of tables that a node and all below it read or hit, None without BUFFERS."""
    if node.shared_hit_blocks is None and node.shared_read_blocks is None:
        return None
    return (node.shared_hit_blocks or 0) + (node.shared_read_blocks or 0)
