"""Index-only scans that go to the table after all.

What it finds
    An Index Only Scan that looked up 100 rows or more in the table, 10 % or more of those it found.

Why it hurts
    Each such row costs a page of the table: what made the scan cheap is lost.

How it decides
    Heap Fetches (a total over all loops) against rows kept and removed x loops. The scan is hot:
    10 % of the plan's time and 5 % of the target.

When it is wrong
    The table was just loaded, or is written all the time, so that its pages never stay all-visible.

What to do
    VACUUM now, and have autovacuum visit the table sooner: also after inserts (PostgreSQL 13).
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import is_system
from analyzer.detectors._plan_keys import number
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Vacuum
from analyzer.records import record

FETCHES = 100
SHARE = 0.1


@record
class FetchFigures(PlanFigures):
    """Rows looked up in the table, of the rows found; both over all loops."""

    heap_fetches: float
    rows_found: float


class HeapFetches(NodeRule):
    """The rule; see the module's docstring."""

    id = "heap-fetches"
    nodes: ClassVar = frozenset({"Index Only Scan"})
    explains: ClassVar = frozenset({"nested-loop-inner"})

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """An index-only scan that is none."""
        fetches, found = number(node, "Heap Fetches"), view.kept(node) + view.removed(node)
        if fetches < FETCHES or fetches < SHARE * found or is_system(node.relation):
            return None
        cost_ms = view.own_ms(node)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"An index-only scan of {node.relation} looks up {fetches:,.0f} rows in the table",
            reasons=(
                f"{fetches:,.0f} of {found:,.0f} rows were not known to be visible from {node.index} alone",
                "the visibility map is behind: VACUUM has not been there since the rows were written",
            ),
            figures=FetchFigures(fetches, found),
            subject=(node.relation or "", node.index or ""),
            table=node.relation,
            condition=node.index_condition,
            remedies=(
                Vacuum(node.relation or "", "so that index-only scans need not visit the table"),
            ),
            covers=frozenset({0}),
            spared=min(0.8, fetches / max(found, 1.0) * 0.6),
        )
