"""Findings and recommendations: what a detector says and what advice makes of it."""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from analyzer.model.acknowledgement import Acknowledged
from analyzer.model.evidence import Evidence
from analyzer.model.remedy import Remedy
from analyzer.model.ruled_out import RuledOut
from analyzer.model.saving import Saving
from analyzer.records import record


class Severity(StrEnum):
    """How much it matters, against the target."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return list(Severity).index(self)


@record
class Impact:
    """What the finding costs: None where it cannot be said.

    `round_trips` are the avoidable ones in the window, `total_ms` server (or client) time spent
    in the executions concerned, `saving_ms` the estimated saving, `requests` units of work hit. `saving` says where the
    saving comes from, in the window, of one occurrence and of a day.
    """

    round_trips: int | None = None
    total_ms: float | None = None
    saving_ms: float | None = None
    requests: int | None = None
    saving: Saving | None = None


Effect = Mapping[str, float | int | str | None]


def round_trips(before: float, after: int = 1) -> Effect:
    """What a fix does to the round trips of one occurrence."""
    return {"round_trips_before": before, "round_trips_after": after}


@record
class Recommendation:
    """One thing to do. `text` is complete, runnable code in `language`; `risk` is the trade-off.

    `kind`: index, rewrite, orm, setting, maintenance, schema, cache. `verified_by`: execution,
    what-if, plan or rule. `title` is the instruction in words; `effect` the expected change;
    `because` says why it is in this language: the stack that the input shows, and how sure.
    """

    kind: str
    language: str
    title: str
    text: str
    verified_by: str
    risk: str
    effect: Effect = field(default_factory=dict)
    because: str = ""


@record
class Finding:
    """One thing worth acting on. `key` is stable from run to run (it hangs on lineage).

    `remedies` are what a detector of plans knows to help, for advice to write as code.
    `wrong_result`: the statement may answer wrongly, which comes before all that is slow.
    `places` are the plans (by key) and nodes (by id) that show it, where plans do.
    """

    key: str
    detector: str
    severity: Severity
    confidence: float
    title: str
    evidence: Evidence
    impact: Impact
    shape_ids: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    recommendations: tuple[Recommendation, ...] = ()
    acknowledged: Acknowledged | None = None
    remedies: tuple[Remedy, ...] = ()
    wrong_result: bool = False
    places: tuple[tuple[str, int], ...] = ()

    @property
    def folded(self) -> bool:
        """Whether it is acknowledged, and so out of the count."""
        return self.acknowledged is not None and self.acknowledged.folds


class Status(StrEnum):
    """What became of a detector's run."""

    FOUND = "found"
    CLEAN = "clean"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"


@record
class Outcome:
    """A detector's answer; `reason` is given with not-applicable and error.

    `ruled_out` is what came again and again and is nothing to fix, of those that say so.
    """

    status: Status
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    ruled_out: tuple[RuledOut, ...] = ()


def worst_first(finding: Finding) -> tuple[bool, bool, int, float, float, str]:
    """To sort by: wrong results, severity, saving, confidence, a stable order; accepted ones last."""
    saving = finding.impact.saving_ms or 0.0
    return (
        finding.folded,
        not finding.wrong_result,
        -finding.severity.rank,
        -saving,
        -finding.confidence,
        finding.key,
    )
