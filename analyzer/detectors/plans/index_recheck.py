"""Indexes whose answers have to be checked, and mostly fail.

What it finds
    A scan whose recheck threw away 1,000 rows or more that its index had found, without lossy pages.

Why it hurts
    Trigram, GIN and GiST indexes give candidates. Where most fail the recheck, the table is read for nothing.

How it decides
    Rows removed by the index recheck x loops, more than are kept. The scan is hot: 10 % of the plan's time and 5 %
    of the target.

When it is wrong
    The operator class works like that, and this pattern is an unusually short or frequent one.

What to do
    A longer pattern, a more exact index (a btree for prefixes, jsonb_path_ops for containment), or one with
    another column in front (btree_gin).
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

RECHECKED = 1_000


@record
class RecheckFigures(PlanFigures):
    """Rows over all loops."""

    rows_rechecked_away: float
    rows_kept: float


class IndexRecheck(NodeRule):
    """The rule; see the module's docstring."""

    id = "index-recheck"
    nodes: ClassVar = frozenset({"Bitmap Heap Scan", "Index Scan"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan whose candidates mostly fail."""
        removed, kept = node.rows_removed_by_recheck * node.loops, view.kept(node)
        if removed < max(RECHECKED, kept) or number(node, "Lossy Heap Blocks") > 0:
            return None
        condition = node.recheck_condition or node.index_condition
        columns = compared(node, condition, view.catalog).columns
        own_ms = view.own_ms(node)
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"Of {removed + kept:,.0f} candidates that an index gave of {node.relation}, {removed:,.0f} fail the recheck",
            reasons=(
                f"{own_ms:.1f} ms in the scan, {view.share(own_ms):.0%} of the plan's time",
                f"it searches by {', '.join(columns) or 'an expression'}",
            ),
            figures=RecheckFigures(removed, kept),
            subject=(node.relation or "", *columns),
            table=node.relation,
            condition=condition,
            remedies=(
                Rewrite(
                    "Give the index more to go by",
                    "-- LIKE '%abc%': three characters at least, longer is better; begins with: LIKE 'abc%' and a btree\n-- jsonb @>: an index with jsonb_path_ops; several columns: btree_gin",
                    "Another index has to be built beside the present one before that is dropped.",
                ),
            ),
            confidence=0.6,
            spared=0.5,
        )
