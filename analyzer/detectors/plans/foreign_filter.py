"""Foreign tables that ship rows to be filtered here.

What it finds
    A Foreign Scan whose filter removed 1,000 rows or more on this side.

Why it hurts
    Each of these rows was sent over the network to be thrown away.

How it decides
    Rows removed by the filter x loops, ten times those kept. The scan is hot: 10 % of the plan's time and 5 % of the target.

When it is wrong
    The other server cannot compute the condition.

What to do
    Conditions with built-in operators and immutable functions are shipped; the option extensions names extensions whose
    functions may be; use_remote_estimate lets the planner know the other side.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record
from analyzer.sql.quoting import quote_table

REMOVED = 1_000
TIMES = 10


@record
class ForeignFigures(PlanFigures):
    """Rows that were sent, and rows kept of them."""

    rows_sent: float
    rows_kept: float


class ForeignFilter(NodeRule):
    """The rule; see the module's docstring."""

    id = "foreign-filter"
    nodes: ClassVar = frozenset({"Foreign Scan"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan whose rows are filtered on the wrong side."""
        removed, kept = view.removed(node), view.kept(node)
        if removed < REMOVED or removed < TIMES * kept:
            return None
        own_ms = view.own_ms(node)
        options = (
            f"ALTER FOREIGN TABLE {quote_table(node.relation)} OPTIONS (ADD use_remote_estimate 'true');"
            if node.relation
            else ""
        )
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"{removed + kept:,.0f} rows of the foreign table {node.relation or ''} are sent to keep {kept:,.0f}",
            reasons=(f"{own_ms:.1f} ms, {view.share(own_ms):.0%} of the plan's time",),
            figures=ForeignFigures(removed + kept, kept),
            subject=(node.relation or "",),
            table=node.relation,
            condition=node.filter,
            remedies=(
                Rewrite(
                    "Let the other server filter",
                    f"{options}\n-- and write the condition with built-in operators, without functions that only this server has",
                    "Estimates from the other side cost a round trip at planning.",
                ),
            ),
            confidence=0.8,
            spared=0.8,
        )
