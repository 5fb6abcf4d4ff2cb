"""Statements that take longer to plan than to run.

What it finds
    Planning of 10 % of the target or more, and longer than the execution.

Why it hurts
    It is paid for each execution, and no index makes it shorter.

How it decides
    Planning time and execution time of the plan (of auto_explain, planning is not known). Silent where
    planning read pages from disk: then it was the first in its session, and the catalog cold.

When it is wrong
    The first statement of a new session. A pool that keeps sessions pays that once.

What to do
    Prepared statements, whose generic plan is kept; fewer partitions, or a condition that prunes
    them at planning; fewer joins; no unused indexes.
"""

from collections.abc import Iterator, Mapping

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

FLOORS = 2.0  # 10 % of the target


@record
class PlanningFigures(PlanFigures):
    """Milliseconds of planning and of the execution, and how many tables the plan reads."""

    planning_ms: float
    execution_ms: float
    relations: int


class PlanningTime(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "planning-time"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan that was dear to make."""
        planning_ms, execution_ms = view.plan.planning_ms or 0.0, view.plan.execution_ms
        if execution_ms is None or planning_ms < FLOORS * view.floor_ms:
            return
        if planning_ms <= execution_ms or _reads(view):
            return
        relations = len({node.alias or node.relation for node in view.nodes if node.relation})
        yield Spot(
            node=view.plan.root,
            cost_ms=planning_ms,
            title=f"Planning takes {planning_ms:.1f} ms, running {execution_ms:.1f} ms",
            reasons=(f"the plan reads {relations:,} tables or partitions",),
            figures=PlanningFigures(planning_ms, execution_ms, relations),
            subject=("planning",),
            remedies=(
                Rewrite(
                    title="Prepare the statement, so that its plan is kept",
                    text=(
                        "PREPARE kept AS SELECT 1; -- the statement with $1, $2 … instead; drivers do that for you\n"
                        "SET LOCAL plan_cache_mode = force_generic_plan; -- to try the plan for all values"
                    ),
                    risk="A generic plan knows no values: with skewed data it can be a worse one.",
                    kind="setting",
                ),
            ),
            confidence=0.7,
            spared=0.8,
        )


def _reads(view: PlanView) -> bool:
    """Whether planning had to read pages, as the first statement of a session does."""
    planning = view.plan.extra.get("Planning")
    return isinstance(planning, Mapping) and bool(planning.get("Shared Read Blocks"))
