"""A vector index of another distance than the one that is asked for.

What it finds
    ORDER BY a distance with a LIMIT over a sequential scan, while the column has an hnsw or ivfflat index
    whose operator class belongs to another operator.

Why it hurts
    The index is there, paid for by each write, and no search uses it.

How it decides
    The catalog (a live server, or --schema) shows the indexes: none has the operator's class, and one
    has another. The scan with its sort is hot: 10 % of the plan's time and 5 % of the target.

When it is wrong
    Other statements ask by the index's distance, and this one is rare.

What to do
    Ask by the operator of the index (for normalised vectors cosine, inner product and Euclidean order alike), or
    create an index of the class that is asked for and drop the other.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_vectors import CLASSES, class_of, distance_in, vector_indexes
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Remedy, Rewrite, VectorIndex
from analyzer.records import record
from analyzer.sql.quoting import quote_identifier


@record
class MismatchFigures(PlanFigures):
    """What is asked for and what the index has."""

    operator: str
    operator_class: str
    existing_index: str
    existing_class: str


class VectorOperatorMismatch(NodeRule):
    """The rule; see the module's docstring."""

    id = "vector-operator-mismatch"
    nodes: ClassVar = frozenset({"Sort"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"vector-seq-scan", "top-n-sort", "cold-reads"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A sort by a distance that the table's index does not know."""
        distance = distance_in(node.sort_key[0]) if len(node.sort_key) == 1 else None
        scan = node.children[0] if node.children else None
        if distance is None or not distance.plain or distance.down or scan is None:
            return None
        cost_ms = view.total_ms(node)
        there = vector_indexes(scan, view, distance.column)
        wanted = distance.operator_class
        if scan.type != "Seq Scan" or not there or not view.is_hot(cost_ms):
            return None
        if any(class_of(index) == wanted for index in there):
            return None
        index = there[0]
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"{index.name} on {scan.relation} is for {class_of(index)}, and the statement asks by {distance.operator}",
            reasons=(
                f"{distance.operator} needs {wanted}",
                f"{view.kept(scan):,.0f} rows are compared one by one: {cost_ms:.1f} ms",
            ),
            figures=MismatchFigures(distance.operator, wanted, index.name or "", class_of(index)),
            subject=(scan.relation or "", distance.column),
            table=scan.relation,
            condition=node.sort_key[0],
            remedies=_remedies(distance.column, class_of(index), wanted, scan, view),
            confidence=0.95,
            covers=frozenset({0, scan.id}),
            spared=0.8,
        )


def _remedies(
    column: str, has: str, wanted: str, scan: PlanNode, view: PlanView
) -> tuple[Remedy, ...]:
    index = VectorIndex(
        scan.relation or "",
        column,
        wanted,
        view.kept(scan),
        in_table=view.kept(scan) + view.removed(scan),
        filtered_by=compared(scan, scan.filter, view.catalog).columns,
    )
    made: list[Remedy] = [index]
    for operator, name in CLASSES.items():
        if has.endswith(name):
            text = f"-- ORDER BY {quote_identifier(column)} {operator} $1"
            risk = "The order differs unless all vectors have the same length (are normalised)."
            made.append(Rewrite("Ask by the distance that the index knows", text, risk))
    return tuple(made)
