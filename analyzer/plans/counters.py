"""What a node did itself, of the counters that PostgreSQL prints with all below included.

Blocks (hit, read, dirtied, written; shared, local, temp), WAL and I/O time are sums over all loops
and processes, and a node's contain those of the nodes it waits for. As with times, a CTE's belong to
the scans that read it and an InitPlan's to the node that asks for it (`PlanNode.payers`).
"""

from collections.abc import Sequence

from analyzer.model.plan import PlanNode

_FIELDS = {
    "Shared Hit Blocks": "shared_hit_blocks",
    "Shared Read Blocks": "shared_read_blocks",
    "Temp Read Blocks": "temp_read_blocks",
    "Temp Written Blocks": "temp_written_blocks",
}
IO_TIMES = (
    *("I/O Read Time", "I/O Write Time"),  # before PostgreSQL 17
    *("Shared I/O Read Time", "Shared I/O Write Time"),
    *("Local I/O Read Time", "Local I/O Write Time"),
    *("Temp I/O Read Time", "Temp I/O Write Time"),
)


def has_field(name: str) -> bool:
    """Whether a counter is a field of a node; the others are in its `extra`, if it has them."""
    return name in _FIELDS


def counter(node: PlanNode, name: str) -> float:
    """A counter of a node by its name in FORMAT JSON ("Shared Dirtied Blocks", "WAL Bytes"), 0 if it has none."""
    field = _FIELDS.get(name)
    value = node.extra.get(name) if field is None else getattr(node, field)
    return value if isinstance(value, int | float) else 0


def exclusive(nodes: Sequence[PlanNode], name: str) -> list[float]:
    """A counter of each node less what is counted below it; never negative.

    Args:
        nodes: all of one plan (`list(plan.root.walk())`); the figures are in the same order.
        name: the counter, as for `counter`.

    Where several scans read a CTE, the first to have counted enough is taken to have filled it, as
    scans that come later only read what is there.
    """
    whole = [counter(node, name) for node in nodes]
    own = list(whole)
    place_of = {node.id: place for place, node in enumerate(nodes)}
    for place, node in enumerate(nodes):
        left = whole[place]
        payers = [place_of[payer] for payer in node.payers if payer in place_of]
        for payer in sorted(payers, key=lambda number: -whole[number]):
            amount = min(left, whole[payer])
            own[payer] -= amount
            left -= amount
    return [max(0.0, figure) for figure in own]


def io_ms(node: PlanNode) -> float:
    """Milliseconds that a node and all below it waited for reads and writes (track_io_timing)."""
    return sum(counter(node, name) for name in IO_TIMES if name in node.extra)
