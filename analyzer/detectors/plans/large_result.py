"""Many rows returned by one statement.

What it finds
    A SELECT without LIMIT whose plan returned 10,000 rows or more. Where the statement is known from a log or
    counters, unbounded-result speaks of it instead.

Why it hurts
    Rows are made, sent and kept by the application, whether anybody looks at them or not. EXPLAIN does not even
    count the sending.

How it decides
    Rows of the plan's root. Silent for INSERT … SELECT and other writes. An info: neither what to do with
    the rows nor whether anybody minds is known.

When it is wrong
    An export, or a batch that needs them all.

What to do
    LIMIT and pages, or the aggregate in SQL; a cursor for exports.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

ROWS = 10_000


@record
class ResultFigures(PlanFigures):
    """Rows returned, and what the planner expects a row to take."""

    rows: float
    row_bytes: int


class LargeResult(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "large-result"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan that returns much."""
        root = view.plan.root
        rows = view.kept(root)
        if rows < ROWS or view.statement is not None or root.type in ("ModifyTable", "Limit"):
            return
        yield Spot(
            node=root,
            cost_ms=0.0,
            title=f"The statement returns {rows:,.0f} rows",
            reasons=(f"about {root.width_bytes or 0:,} bytes each, as the planner expects",),
            figures=ResultFigures(rows, root.width_bytes or 0),
            subject=("result",),
            remedies=(
                Rewrite(
                    "Ask for a page, or for the sum",
                    "-- … ORDER BY id LIMIT 100; or count(*), sum(…) in SQL instead of rows",
                    "The application has to ask for the next page.",
                ),
            ),
            confidence=0.6,
            severity=Severity.INFO,
        )
