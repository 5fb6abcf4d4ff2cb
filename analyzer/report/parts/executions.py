"""The executions that the target is about, as columns: the team's statements on one clock."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analyzer.model.executions import Clock
from analyzer.model.statement import Role
from analyzer.report.values import iso, nearest_rank

if TYPE_CHECKING:
    from analyzer.model.workload import Workload

Columns = np.ndarray[Any, Any]

_HOUR_US = 3_600_000_000
_PER_DECADE = 8  # buckets of 10^(1/8): ten, a hundred and a thousand milliseconds are edges
_FASTEST_MS = 0.01
_SLOWEST_MS = 1e9


@dataclass(frozen=True, slots=True)
class Counted:
    """Start times (µs, UTC) and durations (ms) of the counted executions; `clock` names whose."""

    start_us: Columns
    duration_ms: Columns
    clock: str


def counted(workload: "Workload") -> Counted:
    """The executions of workload statements: the server's if there are any, else the client's."""
    frame = workload.executions
    if frame.empty:
        nothing = np.empty(0)
        return Counted(nothing.astype(np.int64), nothing, "server")
    ours = np.array([s.facts.role is Role.WORKLOAD for s in workload.statements], dtype=bool)
    keep = ours[frame["statement"].to_numpy()]
    clock = frame["clock"].to_numpy()
    on_server = keep & (clock == Clock.SERVER)
    chosen = on_server if on_server.any() else keep
    return Counted(
        frame["start_us"].to_numpy()[chosen],
        frame["duration_ms"].to_numpy()[chosen],
        "server" if on_server.any() or not keep.any() else "client",
    )


def histogram(executions: Counted) -> dict[str, Any] | None:
    """How many executions took how long, in buckets that grow by 10^(1/8).

    `bounds_ms[i]` is the upper bound (exclusive) of `counts[i]`, `lower_ms` the lower bound of the
    first. Faster than 0.01 ms counts as 0.01 ms. None without executions.
    """
    durations = executions.duration_ms
    durations = durations[np.isfinite(durations)]
    if len(durations) == 0:
        return None
    exponents = np.log10(np.clip(durations, _FASTEST_MS, _SLOWEST_MS)) * _PER_DECADE
    buckets = np.floor(exponents + 1e-9).astype(np.int64)
    first = int(buckets.min())
    counts = np.bincount(buckets - first)
    edges = 10.0 ** (np.arange(first, first + len(counts) + 1) / _PER_DECADE)
    return {
        "clock": executions.clock,
        "lower_ms": float(edges[0]),
        "bounds_ms": [float(edge) for edge in edges[1:]],
        "counts": [int(count) for count in counts],
    }


def hours(executions: Counted, quantile: float) -> list[dict[str, Any]]:
    """Calls and P95 (nearest rank; the target's quantile) by hour of UTC; empty hours are left out."""
    hour = executions.start_us // _HOUR_US
    order = np.lexsort((executions.duration_ms, hour))
    starts, firsts = np.unique(hour[order], return_index=True)
    pieces = np.split(executions.duration_ms[order], firsts[1:])
    return [
        {
            "from": iso(int(start) * _HOUR_US, "seconds"),
            "calls": len(piece),
            "p95_ms": nearest_rank(piece, quantile),
        }
        for start, piece in zip(starts, pieces, strict=False)
    ]
