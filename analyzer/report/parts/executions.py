"""The executions that the target is about: how long they took, and when they ran."""

from typing import TYPE_CHECKING, Any

from analyzer.model.workload import STEPS_PER_DECADE
from analyzer.report.values import iso

if TYPE_CHECKING:
    from analyzer.model.workload import Traffic


def histogram(traffic: "Traffic") -> dict[str, Any] | None:
    """How many executions took how long, in buckets that grow by 10^(1/8).

    `bounds_ms[i]` is the upper bound (exclusive) of `counts[i]`, `lower_ms` the lower bound of the
    first. Faster than 0.01 ms counts as 0.01 ms. None without executions.
    """
    counts = dict(traffic.distribution)
    if not counts:
        return None
    buckets = range(min(counts), max(counts) + 1)
    return {
        "clock": "server" if traffic.server else "client",
        "lower_ms": 10.0 ** (buckets[0] / STEPS_PER_DECADE),
        "bounds_ms": [10.0 ** ((bucket + 1) / STEPS_PER_DECADE) for bucket in buckets],
        "counts": [counts.get(bucket, 0) for bucket in buckets],
    }


def hours(traffic: "Traffic") -> list[dict[str, Any]]:
    """Calls and P95 (nearest rank; the target's quantile) by hour of UTC; empty hours are left out."""
    return [
        {"from": iso(hour.start_us, "seconds"), "calls": hour.calls, "p95_ms": hour.p95_ms}
        for hour in traffic.hours
    ]
