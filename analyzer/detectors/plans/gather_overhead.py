"""Parallel workers for a statement that is quick without them.

What it finds
    A Gather that itself takes 30 % of a plan of less than 10 % of the target, or more than the work that it gathers.

Why it hurts
    Starting workers takes some milliseconds for each execution, and takes processes away from statements that
    need them.

How it decides
    Own time of the Gather against the plan's and against the elapsed time below it; it takes 2 % of the target or more.
    Low at most: how long workers take to start depends on the machine's load at that moment.

When it is wrong
    Caches were cold, or the machine was busy when the workers started.

What to do
    SET LOCAL max_parallel_workers_per_gather = 0 for the statement; raise min_parallel_table_scan_size or
    parallel_setup_cost for the server.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Setting
from analyzer.records import record

SHARE = 0.3
QUICK_FLOORS = 2.0  # 10 % of the target
LEAST_FLOORS = 0.4  # 2 %


@record
class GatherFigures(PlanFigures):
    """Milliseconds of the Gather itself and of the work below it."""

    gather_ms: float
    work_ms: float


class GatherOverhead(NodeRule):
    """The rule; see the module's docstring."""

    id = "gather-overhead"
    nodes: ClassVar = GATHERS
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A Gather that costs more than it brings."""
        own_ms, launched = view.own_ms(node), node.workers_launched or 0
        work_ms = sum(view.total_ms(child) for child in node.children)
        quick = view.whole_ms < QUICK_FLOORS * view.floor_ms
        dear = (quick and own_ms >= SHARE * view.whole_ms) or own_ms > work_ms
        if not launched or not view.measured or not dear or own_ms < LEAST_FLOORS * view.floor_ms:
            return None
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"Starting and gathering {launched} workers takes {own_ms:.1f} ms, their work {work_ms:.1f} ms",
            reasons=(f"{view.share(own_ms):.0%} of the plan's {view.whole_ms:.1f} ms",),
            figures=GatherFigures(own_ms, work_ms),
            subject=("gather",),
            remedies=(
                Setting(
                    "max_parallel_workers_per_gather",
                    "0",
                    "Run the statement without workers",
                    "With more rows than now it may take longer than with workers.",
                ),
            ),
            confidence=0.6,
            severity=Severity.LOW,
            spared=0.5,
        )
