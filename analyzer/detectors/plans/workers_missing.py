"""Parallel plans that did not get their workers.

What it finds
    A Gather that was given fewer workers than the plan was made for.

Why it hurts
    The plan was chosen for so many processes: with fewer, its scans take longer, and a plan without workers
    might have been quicker.

How it decides
    Workers launched against workers planned, in plans that take 5 % of the target. It depends on the server's load at that
    moment, so it is an info.

When it is wrong
    Many parallel statements at once, in a test; a cursor, which never gets any.

What to do
    More max_parallel_workers (and max_worker_processes), if the processors are there; fewer workers for each
    statement if many run at once.
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Setting
from analyzer.records import record


@record
class WorkerFigures(PlanFigures):
    """Workers as planned and as they came."""

    workers_planned: int
    workers_launched: int


class WorkersMissing(NodeRule):
    """The rule; see the module's docstring."""

    id = "workers-missing"
    nodes: ClassVar = GATHERS
    gate = Gate.SLOW

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """A Gather with too few workers."""
        del view
        planned, launched = node.workers_planned, node.workers_launched
        if planned is None or launched is None or launched >= planned:
            return None
        return Spot(
            node=node,
            cost_ms=0.0,
            title=f"{launched} of {planned} parallel workers were there",
            reasons=(
                "other statements had the workers, or max_parallel_workers is lower than the plan's",
            ),
            figures=WorkerFigures(planned, launched),
            subject=("workers",),
            remedies=(
                Setting(
                    "max_parallel_workers_per_gather",
                    str(launched),
                    "Plan for the workers that come",
                    "For the whole server: ALTER SYSTEM SET max_parallel_workers, if there are processors to spare.",
                ),
            ),
            confidence=0.8,
            severity=Severity.INFO,
        )
