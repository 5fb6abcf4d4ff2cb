"""The promise that is tracked: the quantile of a latency stays under a target."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from analyzer.records import record

# What a target may be about, the most special first: of several, the first is held to it.
DIMENSIONS = ("route", "statement", "table", "application", "user", "database")
# How a quantile may be asked for, `auto` the best that the input allows (docs/p95.md).
METHODS = ("auto", "exact", "tail-exact", "sampled", "histogram", "estimated", "bound")


@record
class Target:
    """`quantile` (0..1) of durations should be below `ms`."""

    ms: float = 100.0
    quantile: float = 0.95


@record
class PatternTarget:
    """A target of its own for part of the traffic.

    `patterns` are globs (fnmatch, with case) by dimension, at least one. Each thing of the first of
    DIMENSIONS that has a pattern and matches it is held to `target` by itself; the other patterns
    narrow its executions down. A route's figure is database time per request, a statement's pattern
    matches its shape_id, fingerprint or lineage.
    """

    patterns: Mapping[str, str]
    target: Target

    @property
    def dimension(self) -> str:
        """What is held to the target."""
        return next(name for name in DIMENSIONS if name in self.patterns)

    @property
    def others(self) -> Mapping[str, str]:
        """The patterns that narrow it down."""
        return {name: glob for name, glob in self.patterns.items() if name != self.dimension}

    def matches(self, dimension: str, names: tuple[str, ...]) -> bool:
        """Whether any of a thing's names fits the pattern of a dimension; True where there is none."""
        glob = self.patterns.get(dimension)
        return glob is None or any(fnmatchcase(name, glob) for name in names)


@record
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


@record
class RequestVerdict:
    """The quantile of database time per request; `unit` is trace, transaction or burst."""

    unit: str
    verdict: Verdict
    round_trips_p95: float
