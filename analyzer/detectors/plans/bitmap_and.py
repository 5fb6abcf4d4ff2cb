"""Two indexes combined where one on both columns would do.

What it finds
    A BitmapAnd that takes 10 % of the plan's time and 5 % of the target.

Why it hurts
    Each index is read for all rows of its condition, and most are dropped when the bitmaps meet.

How it decides
    Elapsed time of the BitmapAnd with the index scans below it.

When it is wrong
    Users filter by any mix of columns, and no index fits all of them.

What to do
    One index on both columns, those compared for equality first.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_remedies import wanted_index
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record


@record
class BitmapAndFigures(PlanFigures):
    """The indexes, rows that each found, and rows left."""

    indexes: tuple[str, ...]
    rows_found: tuple[float, ...]
    rows_left: float


class BitmapAnd(NodeRule):
    """The rule; see the module's docstring."""

    id = "bitmap-and"
    nodes: ClassVar = frozenset({"BitmapAnd"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A combination that takes time."""
        cost_ms = view.total_ms(node)
        heap = view.parent(node)
        while heap is not None and heap.type != "Bitmap Heap Scan":
            heap = view.parent(heap)
        if heap is None or not view.is_hot(cost_ms):
            return None
        arms = [one for one in view.below(node) if one.index]
        conditions = [
            c for arm in arms for c in compared(heap, arm.index_condition, view.catalog).conditions
        ]
        index = wanted_index(heap, view, conditions, cost_ms)
        names = tuple(arm.index or "" for arm in arms)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"{' and '.join(names)} are read whole for their conditions and combined",
            reasons=(
                f"{cost_ms:.1f} ms in the indexes, {view.share(cost_ms):.0%} of the plan's time",
                f"they find {', '.join(f'{view.kept(arm):,.0f}' for arm in arms)} rows, and {view.kept(heap):,.0f} are wanted",
            ),
            figures=BitmapAndFigures(names, tuple(view.kept(arm) for arm in arms), view.kept(heap)),
            subject=(heap.relation or "", *sorted(names)),
            table=heap.relation,
            condition=heap.recheck_condition,
            remedies=(index,) if index else (),
            confidence=0.8,
            spared=0.7,
        )
