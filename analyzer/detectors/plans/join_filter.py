"""Joins that compare all pairs of rows and reject nearly all.

What it finds
    A join whose filter removes 10,000 pairs of rows or more, and ten times as many as it keeps,
    where columns are compared for equality.

Why it hurts
    The pairs are made before they are rejected: the work grows with rows x rows.

How it decides
    Pairs removed = Rows Removed by Join Filter x loops. The join with its inner side is hot: 10 % of
    the plan's time and 5 % of the target. Silent where the filter has no equality: an inequality
    needs all pairs by design.

When it is wrong
    A LATERAL join that is meant to look at all pairs; an outer join with a condition beside the key.

What to do
    Join by a plain equality of two columns of the same type, so that it can be hashed or looked up;
    an OR of two equalities is two joins with UNION. Or an index on the inner column.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import JOINS, PlanView, side
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.patterns import regex
from analyzer.records import record

REMOVED = 10_000
TIMES_KEPT = 10
_EQUALITY = regex(r"(?<![<>!=~])=(?![>=~])")


@record
class JoinFilterFigures(PlanFigures):
    """Pairs of rows over all loops."""

    pairs_removed: float
    pairs_kept: float


class JoinFilter(NodeRule):
    """The rule; see the module's docstring."""

    id = "join-filter"
    nodes: ClassVar = JOINS
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"materialize-rescans", "nested-loop-inner"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A join that rejects most pairs."""
        removed, kept = node.rows_removed_by_join_filter * node.loops, view.kept(node)
        if removed < REMOVED or removed < TIMES_KEPT * kept:
            return None
        if not node.join_filter or not _EQUALITY.search(node.join_filter):
            return None
        inner = side(node, "Inner")
        cost_ms = view.own_ms(node) + (view.total_ms(inner) if inner else 0.0)
        if not view.is_hot(cost_ms):
            return None
        tables = [one.relation for one in view.below(node) if one.relation]
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"A {node.type.lower()} rejects {removed:,.0f} pairs of rows and keeps {kept:,.0f}",
            reasons=(
                f"{node.loops:,.0f} loops over {', '.join(dict.fromkeys(tables[:4]))}",
                "the condition is compared pair by pair, with no index and no hash",
            ),
            figures=JoinFilterFigures(removed, kept),
            subject=tuple(sorted(set(tables))),
            table=(
                inner and next((one.relation for one in view.below(inner) if one.relation), None)
            )
            or None,
            condition=node.join_filter,
            remedies=(
                Rewrite(
                    title="Join by a plain equality that can be hashed or looked up",
                    text=(
                        "-- compare bare columns of one type: ON a.key = b.key, nothing computed on either side;\n"
                        "-- ON a.key = b.x OR a.key = b.y is two joins: SELECT … UNION SELECT …"
                    ),
                    risk="Check the result: UNION removes duplicates, UNION ALL may repeat rows.",
                ),
            ),
            confidence=0.8,
            covers=frozenset(child.id for child in node.children),
            spared=0.8,
        )
