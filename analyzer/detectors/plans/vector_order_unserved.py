"""Searches by distance that no vector index can serve as they are written.

What it finds
    A distance that is computed with (`1 - (a <=> b)`), sorted by descending, without a LIMIT, or compared in
    WHERE, over a scan of 1,000 rows or more.

Why it hurts
    hnsw and ivfflat answer one form alone: ORDER BY column <op> value, ascending, with a LIMIT. Anything else
    compares with every row, whether the index is there or not.

How it decides
    The sort key or the filter of a sequential scan holds a distance in another form. The scan with its sort is
    hot: 10 % of the plan's time and 5 % of the target.

When it is wrong
    All rows within a distance are wanted, in any order and number. Farthest rows are meant.

What to do
    ORDER BY the bare distance with a LIMIT in a subquery; compute the similarity and apply the
    threshold outside.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_vectors import Distance, distance_in
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record
from analyzer.sql.quoting import quote_identifier, quote_table

ROWS = 1_000
_NEAREST = """\
SELECT * FROM (
  SELECT t.*, t.{column} {operator} $1 AS distance
  FROM {table} t
  ORDER BY t.{column} {operator} $1
  LIMIT 50
) nearest
WHERE distance < $2;"""


@record
class OrderFigures(PlanFigures):
    """Rows compared, the operator, and why no index serves."""

    rows_compared: float
    operator: str
    obstacle: str


class VectorOrderUnserved(NodeRule):
    """The rule; see the module's docstring."""

    id = "vector-order-unserved"
    nodes: ClassVar = frozenset({"Seq Scan"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset(
        {"vector-seq-scan", "top-n-sort", "selective-seq-scan", "cold-reads"}
    )

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan for distances in a form that no index knows."""
        rows = view.kept(node) + view.removed(node)
        if rows < ROWS:
            return None
        sort = view.parent(node)
        distance, obstacle = None, ""
        if sort is not None and sort.type == "Sort" and sort.sort_key:
            distance = distance_in(sort.sort_key[0])
            obstacle = _obstacle(distance, sort, view)
        if not obstacle and node.filter:
            distance = distance_in(node.filter)
            obstacle = "it is compared in WHERE" if distance else ""
        top = sort if sort is not None and sort.type == "Sort" else node
        cost_ms = view.total_ms(top)
        if distance is None or not obstacle or not view.is_hot(cost_ms):
            return None
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"No vector index can serve this search of {node.relation}.{distance.column}: {obstacle}",
            reasons=(
                f"{rows:,.0f} rows are compared one by one: {cost_ms:.1f} ms, {view.share(cost_ms):.0%} of the plan's time",
                f"an index serves ORDER BY {distance.column} {distance.operator} value LIMIT n, and nothing else",
            ),
            figures=OrderFigures(rows, distance.operator, obstacle),
            subject=(node.relation or "", distance.column),
            table=node.relation,
            condition=top.sort_key[0] if top.sort_key else node.filter,
            remedies=(_rewrite(node, distance),),
            confidence=0.9,
            covers=frozenset({0, top.id}),
            spared=0.8,
        )


def _obstacle(distance: Distance | None, sort: PlanNode, view: PlanView) -> str:
    if distance is None:
        return ""
    limited = any(parent.type == "Limit" for _, parent in view.above(sort))
    if not distance.plain:
        return "the order is by an expression of the distance"
    if distance.down:
        return "the order is descending"
    return "" if limited else "there is no LIMIT"


def _rewrite(node: PlanNode, distance: Distance) -> Rewrite:
    table, column = quote_table(node.relation or "t"), quote_identifier(distance.column)
    return Rewrite(
        title="Order by the bare distance with a LIMIT, and compute with it outside",
        text=_NEAREST.format(table=table, column=column, operator=distance.operator),
        risk="Only the nearest 50 are looked at: the LIMIT decides how many can pass the threshold.",
    )
