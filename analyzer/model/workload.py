"""The workload: all executions and statements of a run, ready to be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analyzer.model.catalog import Catalog
from analyzer.model.coverage import Coverage
from analyzer.model.plan import Plan
from analyzer.model.recording import Event
from analyzer.model.statement import (
    Statement,
    StatementCounters,
    StatementFacts,
    StatementStats,
)
from analyzer.model.target import RequestVerdict, Target, Verdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Workload:
    """What detectors judge.

    `executions` has one row per counted execution of the team's statements (role WORKLOAD), ordered by request and time, with columns
    `start_us`, `end_us` (int64 µs UTC), `duration_ms` (float64), `statement` (position in
    `statements`), `parameters`/`comment`/`session` (numbers into the text tables), `clock`
    (Clock), `request` (number of its unit of work, -1 none), `transaction` (number, -1 autocommit),
    `trace` (number, -1 none), `key`, `application`, `line`, `source`.
    `requests` has one row per unit of work: `request`, `unit`, `start_us`, `end_us`,
    `duration_ms` (database time), `wall_ms`, `round_trips`, `session`, `route` (text or None).
    `statements` are all that ran, transaction control too; `stats[i]` are the figures of `statements[i]`. `plans` are read plans, linked by shape_id.
    `parameters`, `comments`, `sessions` are text tables. `key_facts` are the facts of each statement
    key of `executions.key`: parameter codes are those of that text.
    """

    executions: "pd.DataFrame"
    requests: "pd.DataFrame"
    statements: Sequence[Statement]
    stats: Sequence[StatementStats]
    parameters: Sequence[str]
    comments: Sequence[str]
    sessions: Sequence[str]
    names: Sequence[str]
    coverage: Coverage
    target: Target
    verdict: Verdict
    request_verdict: RequestVerdict | None = None
    client_verdict: Verdict | None = None
    catalog: Catalog | None = None
    plans: Sequence[Plan] = ()
    counters: Sequence[StatementCounters] = ()
    events: Mapping[tuple[str, str], Event] = field(default_factory=dict)
    key_facts: Mapping[int, StatementFacts] = field(default_factory=dict)
