"""Rows that are read in order and skipped by OFFSET.

What it finds
    A LIMIT whose input gave ten times as many rows as were returned, and 1,000 or more. Where offset-pagination
    found the statement's executions in a log, that speaks of it instead.

Why it hurts
    OFFSET reads what it skips: each page costs all pages before it.

How it decides
    Rows of the Limit's child against those of the Limit; what is skipped is that part of the child's time, and it is
    hot: 10 % of the plan's time and 5 % of the target. Silent below a Gather, whose workers run ahead, and for one row or none.

When it is wrong
    Nobody turns pages that far but this time.

What to do
    Keyset pagination: WHERE (order columns, id) > (the last row's) ORDER BY … LIMIT n.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

ROWS = 1_000
TIMES = 10


@record
class SkippedFigures(PlanFigures):
    """Rows skipped and rows returned."""

    rows_skipped: float
    rows_returned: float


class SkippedRows(NodeRule):
    """The rule; see the module's docstring."""

    id = "skipped-rows"
    nodes: ClassVar = frozenset({"Limit"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A Limit that passes most of its input over."""
        child = node.children[0] if node.children else None
        if child is None or child.type in GATHERS:
            return None
        given, returned = view.kept(child), view.kept(node)
        if given < ROWS or given < TIMES * returned or returned <= node.loops:
            return None
        cost_ms = view.total_ms(child) * (1 - returned / given)
        if not view.is_hot(cost_ms):
            return None
        tables = tuple(one.relation for one in view.below(node) if one.relation)
        name = tables[0] if tables else "a result"
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"OFFSET skips {given - returned:,.0f} rows of {name} to return {returned:,.0f}",
            reasons=(
                f"{cost_ms:.1f} ms for the rows skipped, {view.share(cost_ms):.0%} of the plan's time",
            ),
            figures=SkippedFigures(given - returned, returned),
            subject=tuple(dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            remedies=(
                Rewrite(
                    "Go on behind the last row instead of counting from the first",
                    "-- SELECT … WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT 20;",
                    "The order needs a unique column at its end; pages can be reached one after the other only.",
                ),
            ),
            confidence=0.9,
            spared=0.9,
        )
