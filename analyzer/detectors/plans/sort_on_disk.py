"""Sorts that do not fit into memory.

What it finds
    A Sort (or a group of an Incremental Sort) that wrote its rows to disk.

Why it hurts
    All rows are written and read again, once or several times, and other sessions wait for the disk.

How it decides
    "Sort Space Type: Disk" in the plan, in the leader or a worker, and the sort itself is hot: 10 %
    of the plan's time and 5 % of the target. A sort that was made for few rows by a wrong estimate
    is listed under misestimate. The memory proposed is 2.5 times what was written: rows take more
    place in memory than on disk.

When it is wrong
    A report that runs once a night and may take its time.

What to do
    SET LOCAL work_mem in the transaction of this statement, an index that delivers the order, fewer
    columns in the sorted rows.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from analyzer.detectors._plan_keys import number, text, worker_number, workers
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures

MEMORY_PER_DISK = 2.5


@dataclass(frozen=True, slots=True)
class SortFigures(PlanFigures):
    """`disk_bytes` is what the largest of the processes wrote; `rows` went through the sort."""

    disk_bytes: int
    rows: float
    work_mem: str | None


class SortOnDisk(NodeRule):
    """The rule; see the module's docstring."""

    id = "sort-on-disk"
    nodes: ClassVar = frozenset({"Sort", "Incremental Sort"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A sort that wrote to disk."""
        disk_kb = _disk_kb(node)
        if disk_kb <= 0:
            return None
        tables = tuple(one.relation for one in view.below(node) if one.relation)
        setting = _size(view.plan.settings.get("work_mem"))
        return Spot(
            node=node,
            cost_ms=view.own_ms(node),
            title=f"A sort of {view.kept(node):,.0f} rows needs {disk_kb / 1024:,.1f} MB of disk",
            reasons=(
                f"{view.own_ms(node):.1f} ms in the sort itself, {view.share(view.own_ms(node)):.0%} of the plan's time",
                f"work_mem is {setting}"
                if setting
                else "work_mem is not in the plan (the default is 4MB)",
            ),
            figures=SortFigures(round(disk_kb * 1024), view.kept(node), setting),
            subject=(node.type, *dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            condition=", ".join(node.sort_key) or None,
            remedies=(work_mem(MEMORY_PER_DISK * disk_kb, "the sort"),),
            covers=frozenset({0}),
            spared=0.4,
        )


def _size(setting: str | None) -> str | None:
    """A setting that is an amount of memory; of a plan from elsewhere it could be any text."""
    return setting if setting and re.fullmatch(r"\d{1,12} ?[kMGT]?B?", setting) else None


def _disk_kb(node: PlanNode) -> float:
    """Kilobytes on disk of the process that wrote most, 0 where all stayed in memory."""
    most = number(node, "Sort Space Used") if text(node, "Sort Space Type") == "Disk" else 0.0
    for worker in workers(node):
        if worker.get("Sort Space Type") == "Disk":
            most = max(most, worker_number(worker, "Sort Space Used"))
    for groups in ("Full-sort Groups", "Pre-sorted Groups"):
        group = node.extra.get(groups)
        space = group.get("Sort Space Disk") if isinstance(group, dict) else None
        peak = space.get("Peak Sort Space Used") if isinstance(space, dict) else None
        most = max(most, float(peak) if isinstance(peak, int | float) else 0.0)
    return most
