"""Hash aggregates that do not fit into memory.

What it finds
    A HashAggregate (also of DISTINCT) that wrote groups to disk.

Why it hurts
    Rows of groups that found no place in memory are written, read again and grouped again.

How it decides
    More than one HashAgg batch or any disk usage in the plan (leader or a worker), and the aggregate itself
    is hot: 10 % of the plan's time and 5 % of the target. Where too few groups were expected, it is
    listed under misestimate.

When it is wrong
    A report over everything that may take its time.

What to do
    SET LOCAL work_mem or hash_mem_multiplier for this statement; aggregate before joining; statistics on
    the grouped columns, so that the planner expects the groups that come.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import number, over_processes
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record


@record
class AggregateFigures(PlanFigures):
    """Groups that came out, batches, and bytes on disk and in memory of the largest process."""

    groups: float
    batches: int
    disk_bytes: int
    memory_bytes: int


class AggregateSpill(NodeRule):
    """The rule; see the module's docstring."""

    id = "aggregate-spill"
    nodes: ClassVar = frozenset({"Aggregate"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """An aggregate that wrote to disk."""
        batches = max(number(node, "HashAgg Batches"), over_processes(node, "HashAgg Batches"))
        disk_kb = over_processes(node, "Disk Usage")
        if batches <= 1 and disk_kb <= 0:
            return None
        peak_kb = over_processes(node, "Peak Memory Usage")
        tables = tuple(one.relation for one in view.below(node) if one.relation)
        own_ms = view.own_ms(node)
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"Grouping into {view.kept(node):,.0f} groups needs {disk_kb / 1024:,.1f} MB of disk",
            reasons=(
                f"{own_ms:.1f} ms in the aggregate itself, {view.share(own_ms):.0%} of the plan's time",
                f"{batches:,.0f} batches, {node.rows_estimated or 0:,.0f} groups expected",
            ),
            figures=AggregateFigures(
                view.kept(node), round(batches), round(disk_kb * 1024), round(peak_kb * 1024)
            ),
            subject=tuple(dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            remedies=(work_mem(peak_kb + 2 * disk_kb, "the groups"),),
            covers=frozenset({0}),
            spared=0.4,
        )
