"""Every row of one side joined with every row of the other.

What it finds
    A nested loop without any condition between its sides, that made 10,000 rows or more.

Why it hurts
    Rows multiply. Usually a join condition was forgotten, and a DISTINCT or an aggregate above hides
    that.

How it decides
    No join filter, and no condition on the inner side names a table of the outer side. Both sides
    have ten rows or more. The join with its inner side is hot: 10 % of the plan's time, 5 % of the target.
    Silent with functions on the inner side: what they are given cannot be seen.

When it is wrong
    A CROSS JOIN that is meant: all days with all products.

What to do
    Write the condition that connects the two tables.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView, side
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record
from analyzer.sql.quoting import comment, quote_table

PRODUCT = 10_000
SIDE = 10
_UNSEEN = frozenset({"Function Scan", "Table Function Scan", "Result", "ProjectSet", "Values Scan"})


@record
class ProductFigures(PlanFigures):
    """Rows of each side, and of the product."""

    outer_rows: float
    inner_rows: float
    rows: float


class CartesianProduct(NodeRule):
    """The rule; see the module's docstring."""

    id = "cartesian-product"
    nodes: ClassVar = frozenset({"Nested Loop"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"nested-loop-inner", "materialize-rescans"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A nested loop that joins everything with everything."""
        outer, inner = side(node, "Outer"), side(node, "Inner")
        if outer is None or inner is None or node.join_filter or node.join_type in ("Semi", "Anti"):
            return None
        rows, each = view.kept(outer), inner.rows_actual or 0.0
        if (
            view.kept(node) < PRODUCT
            or rows < SIDE
            or each < SIDE
            or _connected(outer, inner, view)
        ):
            return None
        cost_ms = view.own_ms(node) + view.total_ms(inner)
        if not view.is_hot(cost_ms):
            return None
        tables = tuple(sorted({one.relation for one in view.below(node) if one.relation}))
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"{rows:,.0f} rows are joined with {each:,.0f} rows each, without a condition",
            reasons=(
                f"the product has {view.kept(node):,.0f} rows",
                f"nothing compares {' with '.join(tables) or 'the two sides'}",
            ),
            figures=ProductFigures(rows, each, view.kept(node)),
            subject=tables,
            table=tables[0] if tables else None,
            remedies=(
                Rewrite(
                    title="Write the condition that connects the two sides",
                    text=f"-- {comment(' JOIN '.join(quote_table(name) for name in tables))} ON … = …",
                    risk="The result changes, unless the product is meant.",
                ),
            ),
            confidence=0.75,
            covers=frozenset({inner.id, *(child.id for child in inner.children)}),
            spared=0.9,
        )


def _connected(outer: PlanNode, inner: PlanNode, view: PlanView) -> bool:
    """Whether a condition of the inner side names a table of the outer, or may do so unseen."""
    names = tuple(f"{one.alias}." for one in view.below(outer) if one.alias)
    for node in view.below(inner):
        texts = (
            node.filter,
            node.index_condition,
            node.recheck_condition,
            node.join_filter,
            node.hash_condition,
        )
        if node.type in _UNSEEN or any(name in text for text in texts if text for name in names):
            return True
        if node.extra.get("Cache Key"):
            return True
    return not names
