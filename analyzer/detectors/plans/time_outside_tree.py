"""Time that no node and no trigger accounts for.

What it finds
    An execution of which 20 % or more, and 5 % of the target, passed outside the plan's nodes.

Why it hurts
    No change of the plan makes it shorter.

How it decides
    Execution time less the root's elapsed time and that of triggers. Low
    at most: the plan does not tell what it was.

When it is wrong
    Tiny statements; a first run that loads libraries.

What to do
    Look for what runs at the start and end of an execution: locks that are waited for, compilation (JIT) of expressions,
    many partitions to open, deferred work of DML.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

SHARE = 0.2


@record
class OutsideFigures(PlanFigures):
    """Milliseconds of the execution, of the tree and of triggers."""

    execution_ms: float
    tree_ms: float
    trigger_ms: float


class TimeOutsideTree(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "time-outside-tree"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """An execution with time that nobody has."""
        outside_ms, execution_ms = view.plan.outside_ms, view.plan.execution_ms
        if outside_ms is None or execution_ms is None:
            return
        if outside_ms < view.floor_ms or outside_ms < SHARE * execution_ms:
            return
        tree_ms = view.plan.total_ms or 0.0
        yield Spot(
            node=view.plan.root,
            cost_ms=outside_ms,
            title=f"{outside_ms:.1f} ms of {execution_ms:.1f} ms pass outside the plan's nodes",
            reasons=(
                f"the nodes take {tree_ms:.1f} ms, triggers {view.plan.trigger_ms:.1f} ms",
                "start and end of the execution: locks, opening tables and indexes, compilation",
            ),
            figures=OutsideFigures(execution_ms, tree_ms, view.plan.trigger_ms),
            subject=("outside",),
            confidence=0.6,
            severity=Severity.LOW,
        )
