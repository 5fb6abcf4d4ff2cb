"""Estimates that are a constant, because the planner knew nothing.

What it finds
    A condition whose estimate is exactly one of PostgreSQL's default guesses: 0.5 % of the table for an equality, a third for
    an inequality, 0.5 % for a range; with a parameter, a function or a subquery's value in it.

Why it hurts
    The guess is the same for a value that matches nothing and for one that matches everything.

How it decides
    Rows estimated against the table's (the catalog's, or those the scan read), within 2 %. In plans that were
    run it is ten times off at least. An info, also for plans that were only estimated.

When it is wrong
    A generic plan is meant, and right on average; the share happens to be that.

What to do
    plan_cache_mode = force_custom_plan for the statement; statistics on the expression (CREATE STATISTICS ON (expression),
    PostgreSQL 14).
"""

from typing import ClassVar

from analyzer.detectors._plan_rule import Gate, NodeRule, Spot
from analyzer.detectors._plan_view import PlanView, estimate_error
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Setting
from analyzer.patterns import regex
from analyzer.records import record

GUESSES = (0.005, 1 / 3)
WITHIN = 0.02
ROWS = 10_000
FACTOR = 10
_UNKNOWN = regex(r"\$\d|InitPlan|\w\((?!')")


@record
class GuessFigures(PlanFigures):
    """Rows expected of the table's, and the guess as a share."""

    rows_expected: float
    table_rows: float
    guess: float


class DefaultGuess(NodeRule):
    """The rule; see the module's docstring."""

    id = "default-guess"
    nodes: ClassVar = frozenset({"Seq Scan"})
    gate = Gate.ANY

    def at(self, node: PlanNode, view: PlanView) -> Spot | None:
        """An estimate that is a guess."""
        if not node.filter or node.never_executed or not _UNKNOWN.search(node.filter):
            return None
        rows, expected = _table_rows(node, view), node.rows_estimated or 0.0
        workers = 1 if not node.parallel_aware else max(1.0, node.processes - 0.6)
        share = expected * workers / rows if rows else 0.0
        guess = next((one for one in GUESSES if abs(share - one) <= WITHIN * one), None)
        off = not view.plan.analyzed or abs(estimate_error(node)) >= FACTOR
        if rows < ROWS or guess is None or not off:
            return None
        return Spot(
            node=node,
            cost_ms=0.0,
            title=f"The planner knows nothing of a condition on {node.relation} and guesses {guess:.1%} of its rows",
            reasons=(
                f"{expected:,.0f} of {rows:,.0f} rows expected: a default, whatever the value",
            ),
            figures=GuessFigures(expected, rows, guess),
            subject=(node.relation or "",),
            table=node.relation,
            condition=node.filter,
            remedies=(
                Setting(
                    "plan_cache_mode",
                    "force_custom_plan",
                    "Plan the statement for its values",
                    "Each execution pays for planning.",
                ),
            ),
            confidence=0.5,
            severity=Severity.INFO,
        )


def _table_rows(node: PlanNode, view: PlanView) -> float:
    if view.plan.analyzed and not view.stops_early(node):
        return (view.kept(node) + view.removed(node)) / view.passes(node)
    table = view.catalog.table(node.relation) if view.catalog is not None else None
    return float(table.rows or 0) if table is not None else 0.0
