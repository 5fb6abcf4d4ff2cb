"""Index scans that fetch many rows and throw most away.

What it finds
    An index, index-only or bitmap scan whose filter removes 90 % or more of the rows that the index
    found: 100 in each loop, or 1,000 in all.

Why it hurts
    Each row that is thrown away was fetched from the table first, a page at a time and out of order.
    The index finds by one condition what another condition then rejects.

How it decides
    Rows found = (kept + removed by the filter) x loops. The scan is hot: 10 % of the plan's time and
    5 % of the target. Silent where no column is compared in the filter, under a LIMIT that such an
    index serves in the wrong order (wrong-index-for-limit), and for nearest-neighbour searches.
    Saving: the scan's time x the part removed.

When it is wrong
    The filter's column changes all the time, so that an index on it costs more than it saves. The
    values of this run are rare ones.

What to do
    An index on the columns of both conditions, those compared for equality first; or a partial index
    where the filter compares with the same value always.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared, is_system
from analyzer.detectors._plan_keys import text
from analyzer.detectors._plan_remedies import wanted_index
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

REMOVED = 0.9
PER_LOOP = 100
IN_ALL = 1_000


@record
class IndexFilterFigures(PlanFigures):
    """Rows over all loops: what the index found and what the filter kept of it."""

    rows_found: float
    rows_kept: float
    index_condition: str | None


class IndexFilter(NodeRule):
    """The rule; see the module's docstring."""

    id = "index-filter"
    nodes: ClassVar = frozenset({"Index Scan", "Index Only Scan", "Bitmap Heap Scan"})
    explains: ClassVar = frozenset({"nested-loop-inner", "correlated-subplan", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan that removes most of what its index found."""
        removed, kept = view.removed(node), view.kept(node)
        many = removed >= IN_ALL or node.rows_removed_by_filter >= PER_LOOP
        if not many or removed < REMOVED * (removed + kept) or is_system(node.relation):
            return None
        known = compared(node, node.filter, view.catalog)
        if text(node, "Order By") or not known.conditions:
            return None
        cost_ms = view.own_ms(node)
        searched = compared(node, node.index_condition or node.recheck_condition, view.catalog)
        wanted = wanted_index(node, view, (*searched.conditions, *known.conditions), cost_ms)
        columns = ", ".join(known.columns)
        name = node.index or "an index"
        loop = view.loop_of(node)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=(
                f"{name} finds {removed + kept:,.0f} rows of {node.relation}, and the filter on "
                f"{columns} throws {removed / (removed + kept):.1%} of them away"
            ),
            reasons=(
                f"{kept:,.0f} rows are kept in {node.loops:,.0f} loops",
                f"the index does not know {columns}",
            ),
            figures=IndexFilterFigures(removed + kept, kept, node.index_condition),
            subject=(node.relation or "", *known.columns),
            table=node.relation,
            condition=node.filter,
            remedies=(wanted,) if wanted else (),
            confidence=0.9 if known.sargable else 0.7,
            covers=frozenset({0, loop.id}) if loop else frozenset({0}),
            spared=removed / (removed + kept),
        )
