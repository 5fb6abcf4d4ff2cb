"""Tables that are read through again for each row of a loop.

What it finds
    A Seq Scan on the inner side of a nested loop, or in a SubPlan, that ran twice or more for each
    process and read 10,000 rows in all, with a filter (or, of a join, a join filter) that an index
    could take over.

Why it hurts
    The time is rows outside times rows of the table: it grows with both, and turns from
    milliseconds to minutes when the data doubles a few times.

How it decides
    Loops are divided by the processes that share them. Rows read = (kept + removed) x loops; less
    than 5 % of them are kept, and the scan is hot: 10 % of the plan's time, 5 % of the target.
    Silent where Materialize or Memoize keeps the rows, and where the table is a page. A nested loop or a
    correlated subplan that is slow because of the scan is listed under it; the scan itself is
    listed under a misestimate that made the planner choose the loop. Severity as for
    selective-seq-scan. Saving: scan time x (1 - 4 x rows kept / rows read).

When it is wrong
    The join condition is an inequality that no index serves. The table is small, and only this
    plan had so many rows outside.

What to do
    Create an index on the column that the loop looks up by. Where all rows are needed anyway, write
    the subquery as a join: the planner can then hash the table once.
"""

from functools import partial
from typing import ClassVar

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_keys import pages
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_scans import (
    MAX_KEPT,
    MIN_ROWS,
    ScanFigures,
    confidence,
    scan_evidence,
    scan_figures,
)
from analyzer.detectors._plan_view import PlanView
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures


class SeqScanInLoop(NodeRule):
    """The rule; see the module's docstring."""

    id = "seq-scan-in-loop"
    nodes: ClassVar = frozenset({"Seq Scan"})
    explains: ClassVar = frozenset(
        {
            "selective-seq-scan",
            "correlated-subplan",
            "nested-loop-inner",
            "join-filter",
            "cold-reads",
        }
    )

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A scan that a loop repeats."""
        join = view.parent(node)
        condition, figures = node.filter, scan_figures(node, view)
        if not condition and join is not None and join.type == "Nested Loop":
            condition = join.join_filter
            figures = ScanFigures(view.kept(node), view.kept(join), view.passes(node))
        if figures is None or figures.passes < 2 or figures.read < MIN_ROWS:  # noqa: PLR2004 - once more
            return None
        loop = view.loop_of(node)
        blocks = pages(node)
        one_page = blocks is not None and blocks <= figures.passes
        if loop is None or one_page or figures.ratio >= MAX_KEPT:
            return None
        known = compared(node, condition, view.catalog)
        if not known.conditions:
            return None
        table = node.relation or ""
        columns = ", ".join(dict.fromkeys(c.column for c in known.conditions))
        return Spot(
            node=node,
            cost_ms=view.own_ms(node),
            title=(
                f"{table} is read through {figures.passes:,.0f} times in one execution, "
                f"{figures.read / figures.passes:,.0f} rows each time, to look up by {columns}"
            ),
            reasons=(),
            figures=PlanFigures(),
            subject=(table, *known.columns),
            table=table,
            confidence=confidence(known, measured=view.measured),
            covers=_loop_nodes(node, loop, view),
            spared=figures.spared,
            scan=partial(scan_evidence, node, view, figures, known, condition),
        )


def _loop_nodes(node: PlanNode, loop: PlanNode, view: PlanView) -> frozenset[int]:
    """The nodes from the scan to the join or subplan that repeats it."""
    ids = {0, node.id, loop.id}
    for child, parent in view.above(node):
        ids.add(parent.id)
        if child.id == loop.id:
            break
    return frozenset(ids)
