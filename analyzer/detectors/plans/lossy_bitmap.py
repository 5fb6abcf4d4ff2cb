"""Bitmaps that forgot rows and remember pages only.

What it finds
    A Bitmap Heap Scan with lossy pages, whose recheck threw away 1,000 rows or more, or as many as it
    kept.

Why it hurts
    With too little memory a bitmap keeps pages instead of rows: every row of such a page is read
    and compared again.

How it decides
    Lossy Heap Blocks > 0, and rows removed by the recheck x loops; the scan takes 5 % of the plan's time and
    5 % of the target. Lossy pages with few rows to recheck do no harm, and are passed over.

When it is wrong
    The scan would read most of the table anyway.

What to do
    SET LOCAL work_mem for this statement: the bitmap needs about 64 bytes for each page.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_remedies import work_mem
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

RECHECKED = 1_000
SHARE = 0.05
PAGE_BYTES = 64


@record
class BitmapFigures(PlanFigures):
    """Pages by what the bitmap knew of them, and rows that the recheck threw away."""

    exact_pages: float
    lossy_pages: float
    rows_rechecked_away: float
    rows_kept: float


class LossyBitmap(NodeRule):
    """The rule; see the module's docstring."""

    id = "lossy-bitmap"
    nodes: ClassVar = frozenset({"Bitmap Heap Scan"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A bitmap that lost rows, where that costs."""
        lossy, exact = number(node, "Lossy Heap Blocks"), number(node, "Exact Heap Blocks")
        rechecked, kept = node.rows_removed_by_recheck * node.loops, view.kept(node)
        cost_ms = view.own_ms(node)
        if lossy <= 0 or rechecked < min(RECHECKED, max(kept, 1.0)):
            return None
        if cost_ms < view.floor_ms or cost_ms < SHARE * view.whole_ms:
            return None
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"The bitmap of {node.relation} was lossy: {rechecked:,.0f} rows were read and thrown away again",
            reasons=(
                f"{lossy:,.0f} pages are lossy and {exact:,.0f} exact; {kept:,.0f} rows are kept",
                f"{cost_ms:.1f} ms in the scan, {view.share(cost_ms):.0%} of the plan's time",
            ),
            figures=BitmapFigures(exact, lossy, rechecked, kept),
            subject=(node.relation or "",),
            table=node.relation,
            condition=node.recheck_condition,
            remedies=(work_mem(2 * PAGE_BYTES * (lossy + exact) / 1024, "the bitmap"),),
            covers=frozenset({0}),
            spared=rechecked / (rechecked + kept) * 0.6,
        )
