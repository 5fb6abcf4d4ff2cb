"""Parallel work that one process did alone.

What it finds
    A parallel scan or join, of two workers or more, of which one process did three times the mean or more.

Why it hurts
    The others wait for the last: the plan pays for workers and is as slow as without.

How it decides
    Rows of each worker, and of the leader (what is left of the total), against their mean; 10,000 rows or more. The node is hot:
    10 % of the plan's time and 5 % of the target. Plans show workers
    with VERBOSE only; without it, that one process alone ran a node.

When it is wrong
    The leader did extra work, or workers started late because the statement is quick.

What to do
    More and smaller chunks: partitions of even size, a scan of the large table in parallel instead of the small
    one.
"""

from typing import ClassVar

from analyzer.detectors._plan_keys import worker_number, workers
from analyzer.detectors._plan_rule import NodeRule, Spot
from analyzer.detectors._plan_view import JOINS, SCANS, PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.records import record

TIMES = 3.0
ROWS = 10_000


@record
class SkewFigures(PlanFigures):
    """Rows of the busiest process, and of the mean."""

    most_rows: float
    mean_rows: float
    processes: int


class WorkerSkew(NodeRule):
    """The rule; see the module's docstring."""

    id = "worker-skew"
    nodes: ClassVar = SCANS | JOINS | {"Aggregate", "Sort"}

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A node whose work was shared unevenly."""
        kept = view.kept(node)
        if node.processes <= 2 or kept < ROWS:  # noqa: PLR2004 - a leader and two workers
            return None
        rows = [
            worker_number(worker, "Actual Rows") * worker_number(worker, "Actual Loops")
            for worker in workers(node)
        ]
        if not any(rows) and node.loops != 1:
            return None
        rows.append(max(0.0, kept - sum(rows)))
        mean = kept / node.processes
        if max(rows) < TIMES * mean:
            return None
        own_ms = view.own_ms(node)
        return Spot(
            node=node,
            cost_ms=own_ms,
            title=f"One of {node.processes} processes did {max(rows) / kept:.0%} of the rows of {node.type}",
            reasons=(f"{max(rows):,.0f} rows by one, {mean:,.0f} on average",),
            figures=SkewFigures(max(rows), mean, node.processes),
            subject=(node.type, node.relation or ""),
            table=node.relation,
            confidence=0.5,
            severity=Severity.INFO,
        )
