"""CTEs that compute rows which their reader throws away.

What it finds
    A CTE that is kept as a whole and read once, of whose rows the reader's filter removed 10,000 or more, and 90 %.

Why it hurts
    A materialized CTE is a fence: the condition outside cannot reach the tables inside, so all rows are
    computed, and no index is used for it.

How it decides
    CTE Scan with a filter; rows removed x loops. The CTE with its scan is hot: 10 % of the plan's time and 5 % of the target.
    Silent for recursive CTEs, those that write, and those that are read more than once.

When it is wrong
    The CTE calls volatile functions, or was fenced on purpose (MATERIALIZED).

What to do
    WITH name AS NOT MATERIALIZED (…) (PostgreSQL 12), or the condition inside the CTE.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import text
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

REMOVED = 10_000
SHARE = 0.9


@record
class FenceFigures(PlanFigures):
    """Rows that the CTE made and rows that its reader kept."""

    cte: str
    rows_made: float
    rows_kept: float


class CteFence(NodeRule):
    """The rule; see the module's docstring."""

    id = "cte-fence"
    nodes: ClassVar = frozenset({"CTE Scan"})
    gate = Gate.SLOW
    explains: ClassVar = frozenset({"temp-io"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan that throws most of its CTE away."""
        removed, kept, name = view.removed(node), view.kept(node), text(node, "CTE Name")
        if removed < REMOVED or removed < SHARE * (removed + kept):
            return None
        made = [one for one in view.nodes if one.subplan_name == f"CTE {name}"]
        readers = [
            one for one in view.nodes if text(one, "CTE Name") == name and one.type == "CTE Scan"
        ]
        if len(made) != 1 or len(readers) != 1:
            return None
        inside = view.below(made[0])
        if any(one.type in ("ModifyTable", "Recursive Union") for one in inside):
            return None
        cost_ms = max(view.total_ms(made[0]), view.total_ms(node))
        if not view.is_hot(cost_ms):
            return None
        tables = tuple(one.relation for one in inside if one.relation)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"The CTE {name} makes {removed + kept:,.0f} rows, and its reader keeps {kept:,.0f}",
            reasons=(
                f"{cost_ms:.1f} ms for the CTE and its scan, {view.share(cost_ms):.0%} of the plan's time",
                "the condition outside cannot reach the tables inside",
            ),
            figures=FenceFigures(name, removed + kept, kept),
            subject=(name, *dict.fromkeys(tables)),
            table=tables[0] if tables else None,
            condition=node.filter,
            remedies=(
                Rewrite(
                    "Let the planner look into the CTE",
                    "-- WITH name AS NOT MATERIALIZED (SELECT …) SELECT … FROM name WHERE …;\n-- or write the condition inside the CTE",
                    "A volatile function inside may be called another number of times.",
                ),
            ),
            confidence=0.85,
            covers=frozenset({made[0].id, node.id}),
            spared=0.8 * removed / (removed + kept),
        )
