"""Plans that tell less than they could.

What it finds
    Plans that were not run (no ANALYZE), have no times or no buffers, or were cut off.

Why it hurts
    What is not in a plan cannot be found: estimates show no wrong estimates, and without times nothing is
    known to be slow.

How it decides
    One info, with how many of the plans lack what.

When it is wrong
    The plan was taken like that on purpose, because the statement must not run.

What to do
    EXPLAIN (ANALYZE, BUFFERS, SETTINGS, FORMAT JSON), or auto_explain with log_analyze, log_timing, log_buffers and
    log_settings.
"""

from collections.abc import Iterator, Sequence

from analyzer.detectors._plan_keys import pages
from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Rewrite
from analyzer.records import record

_SETTINGS = """\
EXPLAIN (ANALYZE, BUFFERS, SETTINGS, FORMAT JSON) SELECT 1; -- the statement instead
-- in a log: auto_explain.log_analyze = on, log_timing = on, log_buffers = on, log_settings = on, log_format = 'json'"""


@record
class QualityFigures(PlanFigures):
    """Plans of the input, and how many of them lack what."""

    input_plans: int
    without_analyze: int
    without_timing: int
    without_buffers: int
    cut_off: int


class LowQualityPlan(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "low-quality-plan"
    gate = Gate.ANY

    def of(self, view: PlanView) -> Iterator[Spot]:
        """Nothing: an input is judged as a whole."""
        del view
        return iter(())

    def across(self, views: Sequence[PlanView]) -> Iterator[tuple[PlanView, Spot]]:
        """What plans of the input lack, once for all of them."""
        figures = _figures(views)
        lacks = _lacks(figures)
        if lacks:
            yield views[0], _spot(views[0], figures, lacks)


def _figures(plans: Sequence[PlanView]) -> QualityFigures:
    run = [view for view in plans if view.plan.analyzed]
    return QualityFigures(
        len(plans),
        len(plans) - len(run),
        sum(not view.measured for view in run),
        sum(pages(view.plan.root) is None for view in run),
        sum(view.plan.truncated for view in plans),
    )


def _lacks(figures: QualityFigures) -> tuple[str, ...]:
    counted = (
        (figures.without_analyze, "were not run (no ANALYZE)"),
        (figures.without_timing, "have no times (TIMING OFF)"),
        (figures.without_buffers, "have no buffers"),
        (figures.cut_off, "were cut off"),
    )
    return tuple(f"{count} of {figures.input_plans} {what}" for count, what in counted if count)


def _spot(view: PlanView, figures: QualityFigures, lacks: tuple[str, ...]) -> Spot:
    return Spot(
        node=view.plan.root,
        cost_ms=0.0,
        title=f"Plans tell less than they could: {', '.join(lacks)}",
        reasons=lacks,
        figures=figures,
        subject=("quality",),
        remedies=(
            Rewrite(
                "Take plans that tell more",
                _SETTINGS,
                "ANALYZE runs the statement, with all it writes: in a transaction that is rolled back.",
                kind="setting",
            ),
        ),
        confidence=1.0,
        severity=Severity.INFO,
    )
