"""Tables with more pages than rows.

What it finds
    A sequential scan that read two pages or more for each row in the table, and 1,000 pages or more.

Why it hurts
    Deleted and updated rows have left empty space that every scan reads through. VACUUM makes it usable
    again, and gives back only what lies at the end.

How it decides
    Pages of the scan against rows kept and removed. The scan is hot: 10 % of the plan's time and 5 % of the target.

When it is wrong
    Rows of several pages' size, or a table that fills and empties all day (a queue).

What to do
    VACUUM FULL (locks the table) or pg_repack, and autovacuum sooner from then on.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import is_system
from analyzer.detectors._plan_keys import pages
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Vacuum
from analyzer.records import record

PAGES = 1_000
PER_ROW = 2.0


@record
class SparseFigures(PlanFigures):
    """Pages read and rows found on them."""

    pages: int
    rows: float


class SparsePages(NodeRule):
    """The rule; see the module's docstring."""

    id = "sparse-pages"
    nodes: ClassVar = frozenset({"Seq Scan"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan of a table that is mostly empty."""
        read, rows = pages(node) or 0, view.kept(node) + view.removed(node)
        if (
            read < PAGES
            or read < PER_ROW * rows
            or is_system(node.relation)
            or view.stops_early(node)
        ):
            return None
        own_ms = view.own_ms(node)
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"{node.relation} has {read:,} pages for {rows:,.0f} rows",
            reasons=(f"{own_ms:.1f} ms to read them, {view.share(own_ms):.0%} of the plan's time",),
            figures=SparseFigures(read, rows),
            subject=(node.relation or "",),
            table=node.relation,
            remedies=(
                Vacuum(node.relation or "", "so that empty pages are given back", full=True),
            ),
            confidence=0.75,
            spared=0.8,
        )
