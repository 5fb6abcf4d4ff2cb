"""Plans of a live server for the statements that take most time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analyzer.model.columns import starts_of_runs
from analyzer.model.coverage import ExplainCoverage
from analyzer.model.explain import Answers, Explained, Explainer, ExplainRequest, Sample
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.statement import Kind, Role, Statement
from analyzer.model.work import WorkSlice
from analyzer.model.workload import Workload
from analyzer.plans.reader import read_plans
from analyzer.sql.parameters import bound_values
from analyzer.sql.read_only import NotExplainableError, parameter_count

_PLANNED = (Kind.SELECT, Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)
_NAMED = 5  # statements in a warning


@dataclass(frozen=True, slots=True)
class _Execution:
    known: bool  # whether its parameters are
    duration_ms: float
    key: int
    parameters: str | None


class SlowestExecutions:
    """Of each statement the slowest execution whose parameters are known, else the slowest.

    This keeps values of the data, so it is used only where plans are asked for.
    """

    def __init__(self) -> None:
        self._kept: dict[int, _Execution] = {}

    def observe(self, work: WorkSlice) -> None:
        """Look at a slice of executions."""
        if not len(work):
            return
        known = work.parameters >= 0
        order = np.lexsort((work.duration_ms, known, work.statement))
        starts = np.flatnonzero(starts_of_runs(work.statement[order]))
        for row in order[np.append(starts[1:], len(order)) - 1].tolist():
            self._keep(work, row, known=bool(known[row]))

    def _keep(self, work: WorkSlice, row: int, *, known: bool) -> None:
        number, duration_ms = int(work.statement[row]), float(work.duration_ms[row])
        kept = self._kept.get(number)
        if kept is None or (known, duration_ms) > (kept.known, kept.duration_ms):
            parameters = work.texts[int(work.parameters[row])] if known else None
            self._kept[number] = _Execution(known, duration_ms, int(work.key[row]), parameters)

    def sample(
        self, number: int, statement: Statement, texts: Sequence[str], counted: Mapping[str, str]
    ) -> Sample:
        """The statement at a position of Workload.statements, as it is to be explained.

        Args:
            number: the position.
            statement: what stands there.
            texts: of the recording, by key.
            counted: texts of pg_stat_statements by shape, for statements that no log shows.
        """
        kept = self._kept.get(number)
        if kept is None:
            return Sample(statement.shape_id, counted.get(statement.shape_id, statement.sql))
        text = texts[kept.key]
        try:
            count = parameter_count(text)
        except NotExplainableError:  # whoever explains it says why
            return Sample(statement.shape_id, text)
        if not count or kept.parameters is None:
            return Sample(statement.shape_id, text)
        return Sample(statement.shape_id, text, bound_values(kept.parameters, count))


def with_live_plans(
    workload: Workload,
    slowest: SlowestExecutions,
    texts: Sequence[str],
    explainer: Explainer,
    request: ExplainRequest,
) -> Workload:
    """The workload with the plans that a server gives for the statements that take most time.

    What was explained, run and refused goes into the coverage.

    Raises:
        ServerError: the server cannot be used.
    """
    samples = samples_of(workload, slowest, texts, request.top)
    found = explainer.explain(samples, request)
    _note(workload, found)
    plans = [plan for answer in found.answers for plan in _read(answer, found.origin)]
    return replace(workload, plans=(*workload.plans, *plans))


def samples_of(
    workload: Workload, slowest: SlowestExecutions, texts: Sequence[str], top: int
) -> list[Sample]:
    """The team's statements that take most time, as they ran."""
    counted = {row.shape_id: row.query for row in workload.counters if row.shape_id}
    numbers = [
        number
        for number, one in enumerate(workload.statements)
        if one.facts.role is Role.WORKLOAD and one.facts.kind in _PLANNED
    ]
    numbers.sort(key=lambda number: -workload.stats[number].total_ms)
    return [
        slowest.sample(number, workload.statements[number], texts, counted)
        for number in numbers[:top]
    ]


def _read(answer: Explained, origin: str) -> list[Plan]:
    if answer.document is None:
        return []
    recorded = RecordedPlan(answer.document, "json", origin, source=-1)
    return [replace(plan, shape_id=answer.shape_id) for plan in read_plans(recorded)]


def _note(workload: Workload, found: Answers) -> None:
    """Say in the coverage what came of the samples; reasons and who they are about are warnings."""
    answers, coverage = found.answers, workload.coverage
    coverage.explained = ExplainCoverage(
        origin=found.origin,
        asked=len(answers),
        explained=sum(answer.document is not None for answer in answers),
        analyzed=sum(answer.analyzed for answer in answers),
        timed_out=sum(answer.timed_out for answer in answers),
        refused=dict(Counter(answer.why_not for answer in answers if answer.why_not)),
    )
    reasons: dict[tuple[bool, str], list[str]] = {}
    for answer in answers:
        if answer.why_not:
            group = (answer.document is not None, answer.why_not)
            reasons.setdefault(group, []).append(answer.shape_id)
    for (planned, why_not), shapes in reasons.items():
        what = "not run by EXPLAIN ANALYZE, planned only" if planned else "not explained"
        named = ", ".join(shapes[:_NAMED]) + (" …" if len(shapes) > _NAMED else "")
        coverage.warnings.append(
            f"{found.origin}: {len(shapes)} of {len(answers)} statements were {what}: {why_not} ({named})"
        )
