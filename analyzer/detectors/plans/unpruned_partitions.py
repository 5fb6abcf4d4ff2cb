"""Statements that read all partitions of a table.

What it finds
    An Append over five partitions or more of one table, all of which were read under a filter.

Why it hurts
    Partitions are made so that most of them need not be read. A condition without the partition key reads them all, and each
    adds to planning, too.

How it decides
    Children that are partitions (their aliases are numbered), none removed, none "never executed", each with a
    condition. The Append is hot with all below it: 10 % of the plan's time and 5 % of the target. Silent without any condition: then the
    whole table is wanted.

When it is wrong
    The condition cannot name the key: the rows may lie anywhere.

What to do
    Add the partition key to the condition, in its own type and with constants or parameters; check
    enable_partition_pruning.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.patterns import regex
from analyzer.records import record

PARTITIONS = 5
_NUMBERED = regex(r"(?P<name>.+)_\d+\Z")


@record
class PartitionFigures(PlanFigures):
    """Partitions read, and rows that came of them."""

    partitions: int
    rows: float


class UnprunedPartitions(NodeRule):
    """The rule; see the module's docstring."""

    id = "unpruned-partitions"
    nodes: ClassVar = frozenset({"Append", "Merge Append"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"selective-seq-scan", "index-filter", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """An Append that left no partition out."""
        if len(node.children) < PARTITIONS or number(node, "Subplans Removed") > 0:
            return None
        scans = [_scan(child) for child in node.children]
        names = {_base(scan) for scan in scans}
        if None in names or len(names) != 1 or any(child.never_executed for child in node.children):
            return None
        conditions = [
            scan.filter or scan.index_condition or scan.recheck_condition for scan in scans if scan
        ]
        if not all(conditions) or not view.is_hot(view.total_ms(node)):
            return None
        table = names.pop() or ""
        found = sum(1 for scan in scans if scan and view.kept(scan) > 0)
        if found == len(scans):
            return None
        cost_ms = view.total_ms(node)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"All {len(scans)} partitions of {table} are read, and {found} of them have rows",
            reasons=(f"{cost_ms:.1f} ms in them, {view.share(cost_ms):.0%} of the plan's time",),
            figures=PartitionFigures(len(scans), view.kept(node)),
            subject=(table,),
            table=table,
            condition=conditions[0],
            remedies=(
                Rewrite(
                    "Say which partitions are meant",
                    "-- … AND partition_key >= $1 AND partition_key < $2, values of the key's own type",
                    "Rows outside that range are no longer found.",
                ),
            ),
            confidence=0.75,
            covers=frozenset(one.id for one in view.below(node)),
            spared=1 - max(found, 1) / len(scans),
        )


def _scan(node: PlanNode) -> PlanNode | None:
    """The scan of a partition, below a Sort or the like."""
    while node.relation is None and len(node.children) == 1:
        node = node.children[0]
    return node if node.relation else None


def _base(scan: PlanNode | None) -> str | None:
    """The partitioned table's alias, from that of a partition."""
    match = _NUMBERED.fullmatch(scan.alias or "") if scan is not None else None
    return match["name"] if match is not None else None
