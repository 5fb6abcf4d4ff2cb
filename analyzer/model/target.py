"""The promise that is tracked: the quantile of a latency stays under a target."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """`quantile` (0..1) of durations should be below `ms`."""

    ms: float = 100.0
    quantile: float = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """A quantile with how it is known. `verdict`: met, missed or unknown.

    `value_ms` is None where only bounds (or nothing) can be said; the true value lies in
    [`low_ms`, `high_ms`]. `method`: exact, tail-exact, sampled, histogram, estimated, bound, none.
    `count` is the number of executions (or requests) it stands for. `reason` says in a sentence
    why this method, and what would make it better.
    """

    value_ms: float | None
    low_ms: float | None
    high_ms: float | None
    method: str
    verdict: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class RequestVerdict:
    """The quantile of database time per request; `unit` is trace, transaction or burst."""

    unit: str
    verdict: Verdict
    round_trips_p95: float
