"""Subqueries that run again for each row.

What it finds
    A SubPlan that ran 100 times or more and takes 10 % of the plan's time.

Why it hurts
    It is a loop inside one statement: its time is rows x time of the subquery, and no other way of
    joining can be chosen.

How it decides
    Elapsed time of the subplan over all its loops: 10 % of the plan's time and 5 % of the target.
    Silent for hashed subplans (they run once) and where a run takes 0.01 ms or less: an index lookup.

When it is wrong
    The subquery is a lookup by key and so many rows are wanted.

What to do
    Write it as a join: LEFT JOIN of the aggregated table, or LEFT JOIN LATERAL where a LIMIT is in
    it. If it stays, index what it looks up by.
"""

from collections.abc import Iterator
from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

CALLS = 100
QUICK_MS = 0.01


@record
class SubplanFigures(PlanFigures):
    """How often it ran, and what one run took."""

    subplan_calls: float
    call_ms: float


class CorrelatedSubplan(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "correlated-subplan"
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"nested-loop-inner"})

    def of(self, view: PlanView) -> Iterator[Spot]:
        """Subplans that run again and again."""
        for node in view.nodes:
            if node.parent_relationship != "SubPlan" or node.loops < CALLS or node.never_executed:
                continue
            cost_ms = view.total_ms(node)
            each_ms = cost_ms / node.loops * node.processes
            if each_ms <= QUICK_MS or not view.is_hot(cost_ms):
                continue
            tables = tuple(one.relation for one in view.below(node) if one.relation)
            yield Spot(
                node=node,
                cost_ms=cost_ms,
                title=f"A subquery on {', '.join(dict.fromkeys(tables)) or 'no table'} runs {node.loops:,.0f} times, once for each row",
                reasons=(
                    f"{each_ms:.3f} ms a run, {view.share(cost_ms):.0%} of the plan's time",
                    f"it is {node.subplan_name or 'a SubPlan'}, and not hashed",
                ),
                figures=SubplanFigures(node.loops, each_ms),
                subject=tables,
                table=tables[0] if tables else None,
                condition=node.filter or node.index_condition,
                remedies=(
                    Rewrite(
                        title="Compute it once for all rows and join",
                        text=(
                            "-- SELECT t.*, s.total FROM t\n"
                            "-- LEFT JOIN (SELECT key, sum(x) AS total FROM s GROUP BY key) s ON s.key = t.id;\n"
                            "-- with a LIMIT in the subquery: LEFT JOIN LATERAL (SELECT … WHERE s.key = t.id ORDER BY … LIMIT n) s ON true"
                        ),
                        risk="Where the outer side has few rows, aggregating the whole table costs more than the loop.",
                    ),
                ),
                confidence=0.85,
                covers=frozenset(one.id for one in view.below(node)),
                spared=0.7,
            )
