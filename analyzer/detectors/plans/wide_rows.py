"""Rows that are expected to be very wide.

What it finds
    A plan that returns 1,000 rows or more of 2,000 bytes or more each.

Why it hurts
    Long values lie outside the row (TOAST) and are fetched one by one; sorting and hashing them needs memory, and
    sending them takes longer than finding them.

How it decides
    The root's estimated width, which statistics tell, and its rows: those that came, or as estimated without
    ANALYZE. An info: whether the columns are needed is not known.

When it is wrong
    The long column is what is asked for.

What to do
    Select the columns that are needed.
"""

from collections.abc import Iterator

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

WIDTH = 2_000
ROWS = 1_000


@record
class WidthFigures(PlanFigures):
    """A row's expected bytes, and rows."""

    row_bytes: int
    rows: float


class WideRows(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "wide-rows"
    gate = Gate.ANY

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan that returns wide rows."""
        root = view.plan.root
        rows = view.kept(root) if view.plan.analyzed else root.rows_estimated or 0.0
        width = root.width_bytes or 0
        if width < WIDTH or rows < ROWS or root.type == "ModifyTable":
            return
        yield Spot(
            node=root,
            cost_ms=0.0,
            title=f"Each of {rows:,.0f} rows is about {width:,} bytes wide",
            reasons=(f"{rows * width / 2**20:,.0f} MB to send, by the planner's statistics",),
            figures=WidthFigures(width, rows),
            subject=("width",),
            remedies=(
                Rewrite(
                    "Name the columns that are needed",
                    "-- SELECT id, title, … instead of *: leave out long texts and documents in lists",
                    "Code that reads the columns left out has to ask for them.",
                ),
            ),
            confidence=0.6,
            severity=Severity.INFO,
        )
