"""Nearest neighbours found by comparing with every row.

What it finds
    ORDER BY a distance with a LIMIT, answered by reading and sorting the whole table, where an hnsw or ivfflat
    index of that distance could answer.

Why it hurts
    Each search computes the distance to each row: its time grows with the table.

How it decides
    A top-N sort by nothing but a distance, ascending, over a scan of 1,000 rows or more; scan and sort are
    hot: 10 % of the plan's time and 5 % of the target. Where the catalog shows an index of another operator
    class, it is vector-operator-mismatch's.

When it is wrong
    The answer must be exact. The filter leaves few rows (then an index on the filter's column serves better). More
    than 2,000 dimensions need halfvec or a smaller model.

What to do
    CREATE INDEX … USING hnsw (column operator_class). Check recall with your data, and set hnsw.ef_search.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_vectors import class_of, dimensions_in, distance_in, vector_indexes
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import VectorIndex
from analyzer.records import record

ROWS = 1_000


@record
class VectorScanFigures(PlanFigures):
    """Rows compared and rows wanted, and the operator class that an index needs."""

    rows_compared: float
    rows_wanted: float
    operator_class: str


class VectorSeqScan(NodeRule):
    """The rule; see the module's docstring."""

    id = "vector-seq-scan"
    nodes: ClassVar = frozenset({"Sort"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"top-n-sort", "selective-seq-scan", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A sort of all rows by distance."""
        distance = distance_in(node.sort_key[0]) if len(node.sort_key) == 1 else None
        limit = view.parent(node)
        while limit is not None and limit.type in GATHERS:
            limit = view.parent(limit)
        if distance is None or not distance.plain or distance.down:
            return None
        scan = node.children[0] if node.children else None
        if limit is None or limit.type != "Limit" or scan is None or scan.type != "Seq Scan":
            return None
        rows, cost_ms = view.kept(scan), view.total_ms(node)
        if rows < ROWS or not view.is_hot(cost_ms):
            return None
        there = vector_indexes(scan, view, distance.column)
        if any(class_of(index) != distance.operator_class for index in there):
            return None
        made = VectorIndex(
            scan.relation or "",
            distance.column,
            distance.operator_class,
            rows,
            in_table=rows + view.removed(scan),
            wanted=view.kept(limit),
            dimensions=dimensions_in(node.sort_key[0]),
            filtered_by=compared(scan, scan.filter, view.catalog).columns,
        )
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"Nearest neighbours in {scan.relation}.{distance.column} are found by comparing all {rows:,.0f} rows",
            reasons=(
                f"{cost_ms:.1f} ms to compare and sort, {view.share(cost_ms):.0%} of the plan's time",
                f"{there[0].name} is there and was not used"
                if there
                else f"an index of {distance.operator_class} orders by {distance.operator}",
            ),
            figures=VectorScanFigures(rows, view.kept(limit), distance.operator_class),
            subject=(scan.relation or "", distance.column),
            table=scan.relation,
            condition=node.sort_key[0],
            remedies=() if there else (made,),
            confidence=0.7 if scan.filter or there else 0.9,
            covers=frozenset({0, scan.id}),
            spared=0.8,
        )
