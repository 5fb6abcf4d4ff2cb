"""An index walked in order until a filter has found enough.

What it finds
    A LIMIT over an index scan that delivers the order, whose filter threw away 1,000 rows or more, and
    100 for each that it kept.

Why it hurts
    The planner bets that matching rows come soon. Where they are rare, or lie at the other end, it
    walks most of the index, row by row and out of order.

How it decides
    Rows removed by the filter x loops, with nothing between Limit and scan that needs all rows. The scan is hot:
    10 % of the plan's time and 5 % of the target.

When it is wrong
    It is right for the values that are asked for mostly: this was a rare one. Then the index below
    helps, too.

What to do
    An index on the filter's columns followed by those of the order. As a trial: ORDER BY an
    expression of the column, so that the planner cannot walk the index.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_keys import text
from analyzer.detectors._plan_remedies import for_order, wanted_index
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

REMOVED = 1_000
TIMES_KEPT = 100
_PASSING = GATHERS | {"Subquery Scan", "Result", "LockRows", "Append", "Merge Append", "ProjectSet"}


@record
class WalkFigures(PlanFigures):
    """Rows that the scan walked over and those it kept."""

    rows_walked: float
    rows_kept: float


class WrongIndexForLimit(NodeRule):
    """The rule; see the module's docstring."""

    id = "wrong-index-for-limit"
    nodes: ClassVar = frozenset({"Index Scan", "Index Only Scan"})
    explains: ClassVar = frozenset({"index-filter", "nested-loop-inner", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan that walks far under a LIMIT."""
        removed, kept = view.removed(node), view.kept(node)
        if removed < REMOVED or removed < TIMES_KEPT * max(kept, 1.0) or text(node, "Order By"):
            return None
        if not _under_limit(node, view):
            return None
        known = compared(node, node.filter, view.catalog)
        columns = ", ".join(known.columns) or "its filter"
        cost_ms = view.own_ms(node)
        order = _order(node, view)
        index = (
            wanted_index(node, view, for_order(known, order), cost_ms) if known.conditions else None
        )
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=(
                f"{node.index} is walked over {removed + kept:,.0f} rows of {node.relation} "
                f"to find {kept:,.0f} by {columns}"
            ),
            reasons=(
                "the planner expected to meet enough matching rows soon",
                f"{cost_ms:.1f} ms in the walk, {view.share(cost_ms):.0%} of the plan's time",
            ),
            figures=WalkFigures(removed + kept, kept),
            subject=(node.relation or "", *known.columns),
            table=node.relation,
            condition=node.filter,
            remedies=(index,) if index else (),
            confidence=0.85,
            covers=frozenset({0}),
            spared=0.9,
        )


def _under_limit(node: PlanNode, view: PlanView) -> bool:
    for child, parent in view.above(node):
        if parent.type == "Limit":
            return True
        outer = parent.type == "Nested Loop" and child.parent_relationship == "Outer"
        if not outer and parent.type not in _PASSING:
            return False
    return False


def _order(node: PlanNode, view: PlanView) -> tuple[str, ...]:
    """The columns of the order: what the statement sorts by, else the index's own."""
    if view.statement is not None and view.statement.facts.order_by:
        tables = {table for table, _ in view.statement.facts.order_by}
        if tables <= {node.relation, None}:
            return tuple(column for _, column in view.statement.facts.order_by)
    table = view.catalog.table(node.relation) if view.catalog is not None else None
    for index in table.indexes if table is not None else ():
        if index.name == node.index:
            return tuple(column for column in index.columns if column.isidentifier())[:2]
    return ()
