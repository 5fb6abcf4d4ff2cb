"""Nested loops whose inner side is the time of the plan.

What it finds
    The inner side of a nested loop that runs 1,000 times or more and takes 30 % of the plan's time.

Why it hurts
    The planner chose the loop for few rows. What is cheap once is not cheap a hundred thousand times.

How it decides
    Loops and elapsed time of the inner side: 30 % of the plan's time and 10 % of the target. Silent
    where a lookup takes 0.01 ms or less (then the plan is good, there are just many rows), and
    with Memoize; kept rows are materialize-rescans'. Listed under its cause where there is one: too few rows expected outside
    (misestimate), a sequential scan (seq-scan-in-loop), a filter that throws rows away (index-filter).

When it is wrong
    So many rows are wanted, each of them by key, and a hash join would read far more.

What to do
    Index what the inner side is looked up by. Have the outer side's estimate right: ANALYZE. To see
    what a hash join would take, SET LOCAL enable_nestloop = off for one EXPLAIN ANALYZE.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView, side
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Setting
from analyzer.records import record

LOOPS = 1_000
SHARE = 0.3
FLOORS = 2.0  # twice what makes a node hot: 10 % of the target
QUICK_MS = 0.01
_CACHES = frozenset({"Memoize", "Materialize"})


@record
class InnerFigures(PlanFigures):
    """The outer side's rows as expected and as they came, and the inner side's time a loop."""

    loops: float
    outer_rows_expected: float
    outer_rows: float
    loop_ms: float


class NestedLoopInner(NodeRule):
    """The rule; see the module's docstring."""

    id = "nested-loop-inner"
    nodes: ClassVar = frozenset({"Nested Loop"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """The inner side, where it takes the time."""
        outer, inner = side(node, "Outer"), side(node, "Inner")
        if outer is None or inner is None or inner.loops < LOOPS or inner.type in _CACHES:
            return None
        cost_ms = view.total_ms(inner)
        each_ms = cost_ms / inner.loops * inner.processes
        if (
            cost_ms < SHARE * view.whole_ms
            or cost_ms < FLOORS * view.floor_ms
            or each_ms <= QUICK_MS
        ):
            return None
        what = f"{inner.type} on {inner.relation}" if inner.relation else inner.type
        expected = (outer.rows_estimated or 0.0) * outer.loops
        return Spot(
            node=inner,
            cost_ms=cost_ms,
            title=f"The inner side of a nested loop runs {inner.loops:,.0f} times: {what}",
            reasons=(
                f"{cost_ms:.1f} ms in it, {view.share(cost_ms):.0%} of the plan's time, {each_ms:.3f} ms a loop",
                f"the outer side was expected to have {expected:,.0f} rows and has {view.kept(outer):,.0f}",
            ),
            figures=InnerFigures(inner.loops, expected, view.kept(outer), each_ms),
            subject=tuple(one.relation for one in view.below(inner) if one.relation),
            table=next((one.relation for one in view.below(inner) if one.relation), None),
            condition=inner.index_condition or inner.filter,
            remedies=(
                Setting(
                    "enable_nestloop",
                    "off",
                    "See what another join takes: without nested loops, for this one transaction",
                    "A comparison, no fix: other joins of the statement lose their loops, too.",
                ),
            ),
            confidence=0.7,
            spared=0.5,
        )
