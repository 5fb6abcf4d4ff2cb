"""What the doctor says of a server: checks, each with the command that fixes it, and a logging plan."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from analyzer.records import record

CheckStatus: TypeAlias = Literal["ok", "warning", "missing"]


@record
class Check:
    """One line of the doctor's.

    `id` names the check in documents. `essential` tells that without it there is no verdict on the
    target (--strict fails on it). `fixes` are commands, runnable as they are, in their order.
    """

    id: str
    status: CheckStatus
    text: str
    fixes: Sequence[str] = ()
    essential: bool = False


@record
class Provider:
    """Whose server it is. `evidence` are the marks by which it was recognised.

    `logs` tells where its logs are had, `settings` how settings are changed there. What is said of
    providers comes from their documentation and was not tried on their servers.
    """

    id: str
    name: str
    evidence: Sequence[str]
    logs: str
    settings: str


@record
class Diagnosis:
    """All that the doctor found; `provider` is None for a server that is run by its team."""

    server: str
    version: str
    provider: Provider | None
    checks: Sequence[Check]

    @property
    def lacking(self) -> Sequence[Check]:
        """Essential checks that failed."""
        return [one for one in self.checks if one.essential and one.status == "missing"]


@record
class LogOption:
    """A way to log, and what it would write a day: surely between `low` and `high`, likely `likely`.

    `from_ms` is log_min_duration_statement, `rate` the share of the statements below it that is logged
    beside (0: none). `logged` is the likely share of the executions. `decides` says how the P95 is known
    then (exact, tail-exact, sampled), `fits` whether the budget is kept (surely, likely, no).
    """

    from_ms: float
    rate: float
    low_bytes: int
    likely_bytes: int
    high_bytes: int
    logged: float
    decides: str
    fits: str
    commands: Sequence[str] = ()


@record
class FullWindow:
    """A short time in which everything is logged, so that loops show: `minutes` long (0: none fits)."""

    minutes: int
    bytes: int
    open: Sequence[str]
    revert: Sequence[str]
    reason: str


@record
class LoggingPlan:
    """What each way to log would write a day, and the one to choose within a budget.

    `days` is how long the counters have counted, `calls_per_day` what they give. `narrower` are
    commands for one role or one database in place of the whole server. `revert` takes the choice
    back to what is set now. `unseen` says what stays out of sight with `chosen`.
    """

    budget_bytes: int
    target_ms: float
    protocol: str
    days: float
    calls_per_day: float
    options: Sequence[LogOption]
    chosen: LogOption | None
    narrower: Sequence[str]
    revert: Sequence[str]
    window: FullWindow
    unseen: Sequence[str]
    caveats: Sequence[str]
