"""The workload: all executions and statements of a run, ready to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from analyzer.model.catalog import Catalog
from analyzer.model.coverage import Coverage
from analyzer.model.event import Event
from analyzer.model.job import JobFigures
from analyzer.model.plan import Plan
from analyzer.model.statement import Role, Statement, StatementCounters, StatementStats
from analyzer.model.target import RequestVerdict, Target, Verdict
from analyzer.model.use import Use
from analyzer.model.vectors import FilterValues
from analyzer.records import record

STEPS_PER_DECADE = 8  # Traffic.distribution's buckets grow by 10^(1/8)


@record
class Hour:
    """An hour of UTC from `start_us` on: calls, and their quantile (the target's)."""

    start_us: int
    calls: int
    p95_ms: float


@record
class Route:
    """Units of work that came from one route of the application.

    `total_ms`, `p50_ms` and `p95_ms` are database time of a unit, `round_trips_p95` executions in
    one. `statements` has (position in Workload.statements, ms together) of what they ran.
    """

    name: str
    count: int
    total_ms: float
    p50_ms: float
    p95_ms: float
    round_trips_p95: float
    statements: Sequence[tuple[int, float]] = ()


@record
class Traffic:
    """Executions of the team's statements, each counted once, over time and by route.

    `server` and `client` count them by clock. `hours` and `distribution` are on the server's clock
    if it saw any, else on the client's; a pair (b, n) of `distribution` says that n executions took
    10^(b/8) ms or longer, but less than 10^((b+1)/8).
    """

    server: int = 0
    client: int = 0
    first_us: int | None = None
    last_us: int | None = None
    distribution: Sequence[tuple[int, int]] = ()
    hours: Sequence[Hour] = ()
    routes: Sequence[Route] = ()

    @property
    def executions(self) -> int:
        """How many executions there are, on both clocks."""
        return self.server + self.client


@record
class Promise:
    """A part of the traffic that is held to a target: one name of a dimension (model/target.py).

    Of a route it is database time per request, else executions. `configured`: the target is one of its
    own, else it is the run's, and missed, unless there are `too_few` to tell that from chance.
    """

    dimension: str
    name: str
    target: Target
    verdict: Verdict
    configured: bool
    too_few: bool = False


@dataclass(frozen=True)  # no slots: what is summed up once is kept beside the fields
class Workload:
    """What detectors judge: figures, no single executions (those pass by as WorkSlice).

    `statements` are all that ran, transaction control too; `stats[i]` are the figures of
    `statements[i]`. `plans` are read plans and `counters` rows of pg_stat_statements, linked by
    shape_id. `comments` are those of statements,
    without their trace ids, `applications` the names that sessions gave. `ignored`
    has, by shape_id, the detectors that a comment in all its executions tells to pass it over, `calls` those of
    an ORM that a statement's executions name ("Project.findMany"), most frequent first. `filter_values` are, by
    shape_id and column, what filters of searches by distance were called with, where index advice was asked for. `promises`
    are parts of the traffic with a target of their own, and the worst of those that miss the run's. `jobs` are those of queues, by queue and name. `events` are by kind and code; their statements, by number, are
    `event_statements`.
    """

    statements: Sequence[Statement]
    stats: Sequence[StatementStats]
    coverage: Coverage
    target: Target
    verdict: Verdict
    traffic: Traffic = field(default_factory=Traffic)
    request_verdict: RequestVerdict | None = None
    client_verdict: Verdict | None = None
    promises: Sequence[Promise] = ()
    comments: Sequence[str] = ()
    applications: Sequence[str] = ()
    ignored: Mapping[str, frozenset[str]] = field(default_factory=dict)
    calls: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filter_values: Mapping[tuple[str, str], FilterValues] = field(default_factory=dict)
    catalog: Catalog | None = None
    use: Use | None = None
    plans: Sequence[Plan] = ()
    counters: Sequence[StatementCounters] = ()
    events: Mapping[tuple[str, str], Event] = field(default_factory=dict)
    event_statements: Mapping[int, Statement] = field(default_factory=dict)
    jobs: Sequence[JobFigures] = ()

    @cached_property
    def team_ms(self) -> float:
        """The time of all the team's statements."""
        return sum(
            stats.total_ms
            for statement, stats in zip(self.statements, self.stats, strict=True)
            if statement.facts.role is Role.WORKLOAD
        )

    def statement(self, shape_id: str) -> Statement:
        """The statement of a shape that a finding names."""
        return next(one for one in self.statements if one.shape_id == shape_id)

    def call(self, shape_id: str) -> str | None:
        """The call of an ORM that most executions of a statement name, None where none does."""
        return next(iter(self.calls.get(shape_id, ())), None)
