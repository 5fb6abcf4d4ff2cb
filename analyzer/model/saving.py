"""What fixing findings would save: round trips, server time and elapsed time."""

from collections.abc import Sequence

from analyzer.records import record

N_PLUS_ONE, LOOKUP, REPEATED = "n-plus-one", "repeated-lookup", "repeated-query"


@record
class LoopKey:
    """Whose loops: what kind, and the positions of child and parent (-1 none) in the statements."""

    kind: str
    child: int
    parent: int = -1


@record
class RoundTripCost:
    """What one round trip costs beside the server's time, in ms, and how that is known.

    `ms` is network and client together; None where nothing tells. `method` is given or estimated.
    """

    ms: float | None
    method: str
    note: str


@record
class Saving:
    """What fixing one finding saves in the window.

    `server_ms` is time in the server (may be negative: a batch can cost more), `wall_ms` that and
    the round trips; None where a round trip's cost is not known. `per_occurrence` and `per_day` are
    the same as (round trips, server ms, wall ms); the latter None where the window is too short.
    """

    occurrences: int
    round_trips: int
    server_ms: float
    wall_ms: float | None
    per_occurrence: tuple[float, float, float | None]
    per_day: tuple[float, float, float | None] | None
    note: str


@record
class Quantiles:
    """A quantile of durations before and after, ms; None where nothing ran."""

    before_ms: float | None
    after_ms: float | None


@record
class RequestSaving:
    """Units of work of one route (or without one) before and after all fixes.

    `hit` of `requests` hold a loop. Times are database time; round trips are sums in the window.
    """

    route: str | None
    requests: int
    hit: int
    before_ms: float
    after_ms: float
    round_trips_before: int
    round_trips_after: int
    quantiles: Quantiles


@record
class Savings:
    """All findings fixed: by finding (key), by route, and what becomes of the target's quantile."""

    cost: RoundTripCost
    findings: dict[str, Saving]
    routes: Sequence[RequestSaving]
    requests: RequestSaving | None
    statements: Quantiles
    unit: str | None
    note: str
