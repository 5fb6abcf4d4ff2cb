"""Kept rows that are gone through again for each row outside.

What it finds
    A Materialize that was read 100 times or more for each process, 100,000 rows in all.

Why it hurts
    Keeping rows spares reading the table, not comparing: the join still looks at rows x rows.

How it decides
    Loops and rows x loops. The Materialize with the join above it is hot: 10 % of the plan's time and 5 % of the target.
    Low at most without an equality. Listed under join-filter, cartesian-product or misestimate where one of these is the cause.

When it is wrong
    The inner side is small, and the join an inequality that needs all pairs.

What to do
    A condition that can be hashed or looked up: an equality of bare columns of one type.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.patterns import regex
from analyzer.records import record

LOOPS = 100
ROWS = 100_000
_EQUALITY = regex(r"(?<![<>!=~])=(?![>=~])")


@record
class RescanFigures(PlanFigures):
    """How often the rows were gone through, and rows over all loops."""

    loops: float
    rows: float


class MaterializeRescans(NodeRule):
    """The rule; see the module's docstring."""

    id = "materialize-rescans"
    nodes: ClassVar = frozenset({"Materialize"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """Rows that are gone through again and again."""
        join = view.parent(node)
        if node.loops < LOOPS * node.processes or view.kept(node) < ROWS or join is None:
            return None
        cost_ms = view.own_ms(node) + view.own_ms(join)
        if join.type == "Merge Join" or not view.is_hot(cost_ms):
            return None
        tables = tuple(dict.fromkeys(one.relation for one in view.below(node) if one.relation))
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"The rows of {', '.join(tables) or 'a subquery'} are gone through {node.loops:,.0f} times",
            reasons=(
                f"{view.kept(node):,.0f} rows are looked at in all",
                f"{cost_ms:.1f} ms in it and its join, {view.share(cost_ms):.0%} of the plan's time",
            ),
            figures=RescanFigures(node.loops, view.kept(node)),
            subject=tables,
            table=tables[0] if tables else None,
            condition=join.join_filter,
            remedies=(
                Rewrite(
                    "Join by an equality that can be hashed",
                    "-- ON a.key = b.key, bare columns of one type; a range: join an interval type with && and GiST",
                    "Check that it means the same.",
                ),
            ),
            confidence=0.6,
            severity=None if _EQUALITY.search(join.join_filter or "") else Severity.LOW,
            spared=0.5,
        )
