"""All rows read and sorted to return the first few.

What it finds
    A LIMIT over a sort of one table's rows: 1,000 rows or more go in, and ten times as many as come out.

Why it hurts
    The first page costs as much as the last: its time grows with the table, while an index in that
    order would stop after the rows that are wanted.

How it decides
    Sort method "top-N heapsort" below a Limit. The sort with the scan below it is hot: 10 % of the plan's
    time and 5 % of the target. Silent where joins or aggregates lie between sort and scan, where the
    order is no plain columns of the table in one direction, and where a selective sequential scan
    below is the trouble (its index cures both).

When it is wrong
    The order is rarely asked for, or the filter leaves few rows for some values.

What to do
    An index on the columns compared for equality, followed by those sorted by.
"""

from typing import ClassVar

from analyzer.detectors._plan_conditions import compared, is_system
from analyzer.detectors._plan_keys import text, workers
from analyzer.detectors._plan_remedies import for_order, sort_columns, wanted_index
from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import GATHERS, SCANS, PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

INPUT = 1_000
TIMES = 10
_PASSING = GATHERS | {"Subquery Scan", "Result", "LockRows", "Incremental Sort"}


@record
class TopFigures(PlanFigures):
    """Rows that were sorted and rows that were wanted."""

    rows_sorted: float
    rows_wanted: float


class TopNSort(NodeRule):
    """The rule; see the module's docstring."""

    id = "top-n-sort"
    nodes: ClassVar = frozenset({"Sort"})
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A sort for the first few rows of one table."""
        scan = _scan_below(node)
        if not _is_top_n(node) or scan is None or is_system(scan.relation):
            return None
        limit = _limit_above(node, view)
        columns = sort_columns(node, scan.alias)
        if limit is None or not columns:
            return None
        rows, wanted = view.kept(scan), view.kept(limit)
        cost_ms = view.total_ms(node)
        if rows < INPUT or rows < TIMES * wanted or not view.is_hot(cost_ms):
            return None
        known = compared(
            scan, scan.filter or scan.index_condition or scan.recheck_condition, view.catalog
        )
        index = wanted_index(scan, view, for_order(known, columns), cost_ms)
        names = ", ".join(columns)
        return Spot(
            node=node,
            cost_ms=cost_ms,
            title=f"{rows:,.0f} rows of {scan.relation} are read and sorted by {names} to return {wanted:,.0f}",
            reasons=(
                f"{cost_ms:.1f} ms to read and sort, {view.share(cost_ms):.0%} of the plan's time",
                "an index in this order stops after the rows that are wanted",
            ),
            figures=TopFigures(rows, wanted),
            subject=(scan.relation or "", *columns),
            table=scan.relation,
            condition=", ".join(node.sort_key),
            remedies=(index,) if index else (),
            confidence=0.85,
            covers=frozenset({0, scan.id}),
            spared=0.9,
        )


def _is_top_n(node: PlanNode) -> bool:
    methods = (
        text(node, "Sort Method"),
        *(str(worker.get("Sort Method", "")) for worker in workers(node)),
    )
    return any(method.startswith("top-N") for method in methods)


def _scan_below(node: PlanNode) -> PlanNode | None:
    """The scan that feeds the sort, None where something else lies between."""
    while len(node.children) == 1 and node.type in _PASSING | {"Sort"}:
        node = node.children[0]
    return node if node.type in SCANS else None


def _limit_above(node: PlanNode, view: PlanView) -> PlanNode | None:
    for _, parent in view.above(node):
        if parent.type == "Limit":
            return parent
        if parent.type not in _PASSING:
            return None
    return None
