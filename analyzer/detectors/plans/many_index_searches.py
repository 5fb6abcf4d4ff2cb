"""One condition that makes an index be searched many times.

What it finds
    An index scan with ten searches or more for each loop (PostgreSQL 18 tells), or a BitmapOr of five arms
    or more.

Why it hurts
    Each search descends from the root. A skip scan over a leading column with many values, or a long OR, does that
    hundreds of times.

How it decides
    Index Searches (a total) against loops, or arms of the BitmapOr. Silent where every other search finds a
    row: then a list of keys is wanted. The node is hot (a BitmapOr with
    what is below it): 10 % of the plan's time and 5 % of the target.

When it is wrong
    The alternatives are needed, and no one index covers them.

What to do
    An index that begins with the column compared; = ANY (array) instead of a long OR.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_remedies import wanted_index
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

SEARCHES = 10
ARMS = 5


@record
class SearchFigures(PlanFigures):
    """Descents of the index, and loops that they were for."""

    searches: float
    loops: float


class ManyIndexSearches(NodeRule):
    """The rule; see the module's docstring."""

    id = "many-index-searches"
    nodes: ClassVar = frozenset({"Index Scan", "Index Only Scan", "Bitmap Index Scan", "BitmapOr"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """An index that is searched again and again."""
        arms = node.type == "BitmapOr"
        if not arms and "Index Searches" not in node.extra:
            return None  # before PostgreSQL 18
        searches = len(node.children) * node.loops if arms else number(node, "Index Searches")
        cost_ms = view.total_ms(node) if arms else view.own_ms(node)
        least = ARMS if arms else SEARCHES
        if searches < least * node.loops or not view.is_hot(cost_ms):
            return None
        if not arms and view.kept(node) >= searches / 2:
            return None
        owner = node
        while owner.relation is None and owner.parent is not None:
            owner = view.nodes[owner.parent]
        known = compared(owner, node.index_condition or owner.recheck_condition, view.catalog)
        index = wanted_index(owner, view, known.conditions, cost_ms)
        names = tuple(dict.fromkeys(one.index for one in view.below(node) if one.index))
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"{', '.join(names[:3])} is searched {searches:,.0f} times in {node.loops:,.0f} loops",
            reasons=(f"{cost_ms:.1f} ms in it, {view.share(cost_ms):.0%} of the plan's time",),
            figures=SearchFigures(searches, node.loops),
            subject=(owner.relation or "", *names),
            table=owner.relation,
            condition=node.index_condition or owner.recheck_condition,
            remedies=(index,) if index and not arms else (),
            confidence=0.6,
            spared=0.4,
        )
