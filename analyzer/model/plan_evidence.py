"""The evidence of findings in plans: what they have in common, and what each adds of its own."""

from analyzer.records import record


@record
class PlanFigures:
    """Figures of one kind of finding: each detector in detectors/plans/ has its own type."""


@record
class Consequence:
    """What another finding would say, and the same cause explains: `detector` names that kind."""

    detector: str
    node_id: int
    title: str
    cost_ms: float


@record(kw_only=True)
class PlanEvidence:
    """What shows the trouble at one node of a plan; of several plans, those of the worst.

    `cost_ms` is the time that the trouble takes of one execution, `share` its part (0..1) of
    `plan_total_ms`. `self_ms` is the node's own elapsed time, None without times. `condition` is
    plan text (untrusted, holds literals: shown as the redaction mode allows). `plans` counts the
    plans that show it, `calls` the statement's executions, None where unknown. `reasons` and
    titles hold names and figures, never values of conditions.
    """

    plan_key: str
    node_id: int
    node: str
    table: str | None
    index: str | None
    condition: str | None
    cost_ms: float
    self_ms: float | None
    share: float
    plan_total_ms: float
    plans: int
    calls: int | None
    figures: PlanFigures
    consequences: tuple[Consequence, ...]
    reasons: tuple[str, ...]
    sql: str | None
    shape_id: str | None
