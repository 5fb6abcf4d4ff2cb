"""One statement, different plans: some of them much slower.

What it finds
    A statement whose plans in the input have different forms, of which one takes at least twice as long
    as another, and 10 % of the target more.

Why it hurts
    The plan changes with values, statistics or the kind of plan (custom or generic), and the P95 is the
    time of the worse one.

How it decides
    Plans of one shape are compared by what they do: types of nodes, tables and indexes in their order, without
    Gather, Materialize and Memoize. Of each form the median time counts. Plans whose conditions hold $n are
    generic. Where the texts or parameters differ, the plan depends on the values.
    A sequential scan of the slow form for columns by which the quick one uses an index is listed under it: the
    index is there. auto_explain's plans are the slow ones, so the quick form may be missing; then nothing is found.

When it is wrong
    The slow form had more to do: more rows match its values, and its plan is right for them (their
    time for each row is shown).

What to do
    ANALYZE and extended statistics, so that the planner knows which values are frequent. plan_cache_mode for
    generic plans. An index that serves both kinds of values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from analyzer.detectors._plan_conditions import compared
from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import GATHERS, PlanView
from analyzer.model.columns import median
from analyzer.model.finding import Severity
from analyzer.model.plan import PlanNode
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Analyze, Remedy, Setting
from analyzer.records import record

TIMES = 2.0
FAIR = 2.0  # so much slower for each row is still fair
FLOORS = 2.0  # 10 % of the target
_PASSED_OVER = GATHERS | {"Materialize", "Memoize", "Result", "Hash"}


@record
class FlipFigures(PlanFigures):
    """Both forms: how many plans, their median time, rows taken from tables, one's key.

    `by_values` says that the texts or parameters differ, `generic` that one of them is a generic plan.
    """

    slow_plans: int
    slow_ms: float
    slow_rows: float
    slow_form: str
    quick_plans: int
    quick_ms: float
    quick_rows: float
    quick_form: str
    quick_plan_key: str
    by_values: bool
    generic: bool


class PlanFlip(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "plan-flip"
    gate: ClassVar = Gate.SLOW
    explains: ClassVar = frozenset({"seq-scan-in-loop", "selective-seq-scan", "default-guess"})

    def of(self, view: PlanView) -> Iterator[Spot]:
        """Nothing: one plan alone has not flipped."""
        del view
        return iter(())

    def across(self, views: Sequence[PlanView]) -> Iterator[tuple[PlanView, Spot]]:
        """Statements with more than one form of plan."""
        groups: dict[str, dict[str, list[PlanView]]] = {}
        for view in views:
            if view.plan.shape_id and view.plan.analyzed and view.whole_ms > 0:
                forms = groups.setdefault(view.plan.shape_id, {})
                forms.setdefault(_form(view.nodes), []).append(view)
        for forms in groups.values():
            if len(forms) > 1:
                yield from _compared(forms)


def _form(nodes: Sequence[PlanNode]) -> str:
    """What a plan does, from the top down."""
    parts = []
    for node in nodes:
        if node.type not in _PASSED_OVER and not node.type.startswith("Bitmap Index"):
            on = node.index or node.relation
            parts.append(f"{node.type} {on}" if on else node.type)
    return " > ".join(parts)


def _compared(forms: dict[str, list[PlanView]]) -> Iterator[tuple[PlanView, Spot]]:
    times = {
        form: median(np.array([view.whole_ms for view in views])) for form, views in forms.items()
    }
    slow, quick = max(times, key=lambda form: times[form]), min(times, key=lambda form: times[form])
    worst = max(forms[slow], key=lambda view: view.whole_ms)
    more_ms = times[slow] - times[quick]
    if times[slow] < TIMES * times[quick] or more_ms < FLOORS * worst.floor_ms:
        return
    other = min(forms[quick], key=lambda view: view.whole_ms)
    spot = _spot(worst, other, (slow, quick), forms, times)
    for view in forms[slow]:
        yield view, replace(spot, node=view.plan.root, covers=_served(view, other))


def _served(slow: PlanView, quick: PlanView) -> frozenset[int]:
    """Sequential scans of the slow plan for columns by which the quick one uses an index: it is there."""
    used = {
        (node.relation, column)
        for node in quick.nodes
        if node.relation
        for text in (node.index_condition, node.recheck_condition)
        for column in compared(node, text, quick.catalog).columns
    }
    return frozenset(
        node.id
        for node in slow.nodes
        if node.type == "Seq Scan"
        and any(
            (node.relation, column) in used
            for column in compared(node, node.filter, slow.catalog).columns
        )
    )


def _spot(
    worst: PlanView, other: PlanView, both: tuple[str, str],
    forms: dict[str, list[PlanView]], times: dict[str, float],
) -> Spot:  # fmt: skip
    slow, quick = both
    texts = {view.plan.statement for view in (*forms[slow], *forms[quick])}
    kinds = {_is_generic(view.nodes) for view in (worst, other)}
    generic, by_values = len(kinds) > 1, len(texts) > 1
    figures = FlipFigures(
        len(forms[slow]), times[slow], _rows(worst), slow,
        len(forms[quick]), times[quick], _rows(other), quick,
        other.plan.key, by_values, generic,
    )  # fmt: skip
    reasons = [
        f"slow, {figures.slow_plans} plans of {times[slow]:.1f} ms for {figures.slow_rows:,.0f} rows: {slow[:300]}",
        f"quick, {figures.quick_plans} plans of {times[quick]:.1f} ms for {figures.quick_rows:,.0f} rows: {quick[:300]}",
    ]
    if generic:
        reasons.append("one of them is a generic plan, made without knowing the values")
    elif by_values:
        reasons.append("the values differ: the plan depends on them")
    fair = times[slow] / times[quick] <= FAIR * figures.slow_rows / max(figures.quick_rows, 1.0)
    if fair:
        reasons.append(
            "the slow one has that many more rows to read: each may be right for its values"
        )
    table = next((node.relation for node in worst.nodes if node.relation), None)
    return Spot(
        node=worst.plan.root,
        cost_ms=times[slow] - times[quick],
        title=f"The statement has {len(forms)} plans: one takes {times[slow]:.1f} ms, another {times[quick]:.1f} ms",
        reasons=tuple(reasons),
        figures=figures,
        subject=("flip",),
        table=table,
        remedies=_remedies(worst, generic=generic),
        confidence=0.8 if not fair else 0.6,
        severity=Severity.INFO if fair else None,
        spared=1.0 - times[quick] / times[slow],
    )


def _rows(view: PlanView) -> float:
    """Rows that the plan took from its tables."""
    return sum(view.kept(node) for node in view.nodes if node.relation)


def _is_generic(nodes: Sequence[PlanNode]) -> bool:
    """Whether conditions hold parameters of the statement."""
    texts = (text for node in nodes for text in (node.filter, node.index_condition) if text)
    return any("$" in text and "InitPlan" not in text for text in texts)


def _remedies(view: PlanView, *, generic: bool) -> tuple[Remedy, ...]:
    tables = dict.fromkeys(node.relation for node in view.nodes if node.relation)
    made: list[Remedy] = [Analyze(table) for table in list(tables)[:3] if table]
    if generic:
        made.insert(0, Setting(
            "plan_cache_mode", "force_custom_plan", "Plan the statement for its values each time",
            "Each execution pays for planning.",
        ))  # fmt: skip
    return tuple(made)
