"""The target's verdict, with the method by which it is known (docs/p95.md).

Never "met" from an estimate: met needs an upper bound at or below the target, missed a lower
bound above it; all else is unknown.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from analyzer.model.sampling import Sampling
from analyzer.model.shares import least_from, most_slower
from analyzer.model.statement import StatementCounters
from analyzer.model.target import Target, Verdict
from analyzer.workload.quantiles import Quantile

_MAX_CV = 1.5  # a log-normal fitted to mean and stddev is no estimate beyond this spread
_BISECTIONS = 60
_ROUNDING = 1e-6  # of a number of calls that is a sum of shares


def judge(low_ms: float | None, high_ms: float | None, target: Target) -> str:
    """met, missed or unknown from what is sure."""
    if high_ms is not None and high_ms <= target.ms:
        return "met"
    if low_ms is not None and low_ms > target.ms:
        return "missed"
    return "unknown"


def nothing(reason: str) -> Verdict:
    """No figure can be given."""
    return Verdict(None, None, None, "none", "unknown", 0, reason)


def from_quantile(
    quantile: Quantile, count: int, target: Target, censored_ms: float | None, what: str
) -> Verdict:
    """The verdict on a quantile of `count` logged durations, or on what it bounds.

    Leaving out fast executions can only raise a quantile, so that of the rest bounds it from above.
    """
    low, high = quantile.low_ms, quantile.high_ms
    if censored_ms:
        reason = f"{what} faster than {censored_ms:g} ms are not in the log: the quantile of those that are is an upper bound"
        return Verdict(None, 0.0, high, "bound", judge(0.0, high, target), count, reason)
    reason = f"every one of {count} {what} is in the input"
    if quantile.method != "exact":
        reason += (
            "; too many to keep each duration, so the figure is a histogram's, at most 1.1 % off"
        )
    verdict = judge(low, high, target)
    return Verdict(quantile.value_ms, low, high, quantile.method, verdict, count, reason)


def from_sample(
    quantile: Quantile,
    count: int,
    seen: int,
    target: Target,
    censored_ms: float | None,
    sampling: Sampling,
) -> Verdict:
    """The verdict on a sample of `seen` logged executions that stands for about `count`.

    It is sure where the whole interval lies on one side of the target.
    """
    if censored_ms:
        return from_quantile(quantile, count, target, censored_ms, "executions")
    drawn = "statements" if sampling.by == "statement" else "transactions"
    reason = (
        f"{seen} logged executions stand for about {count}: the log is a sample of {drawn}, "
        "so the figure is weighted and has a 95 % interval"
    )
    low, high = quantile.low_ms, quantile.high_ms
    verdict = judge(low, high, target)
    return Verdict(quantile.value_ms, low, high, quantile.method, verdict, count, reason)


def from_client(client: Verdict, target: Target) -> Verdict:
    """The database's quantile as a client's clock bounds it: each call includes its execution."""
    if client.high_ms is None:
        return nothing("only client events were seen")
    return Verdict(
        None,
        0.0,
        client.high_ms,
        "bound",
        judge(0.0, client.high_ms, target),
        client.count,
        "only the client's clock was seen: its time includes the database's, which can only be lower",
    )


def from_counters(counters: Sequence[StatementCounters], target: Target) -> Verdict:
    """Bounds on the quantile over all calls of pg_stat_statements rows, with an estimate if fair.

    Each row bounds how many of its calls exceed a time (model/shares.py); the quantile's bounds are
    where the sums of those cross its rank.
    """
    rows = [row for row in counters if row.calls > 0]
    calls = sum(row.calls for row in rows)
    if not calls:
        return nothing("no calls were counted")
    allowed = calls - math.ceil(target.quantile * calls)
    top = max(row.max_ms if row.max_ms is not None else _far(row) for row in rows)
    high = _crossing(
        lambda at: sum(row.calls * most_slower(row, at) for row in rows) <= allowed, top
    )
    low = _crossing(
        lambda at: sum(row.calls * least_from(row, at) for row in rows) <= allowed + _ROUNDING, top
    )
    low = min(low, high)
    estimate = _estimate(rows, allowed, top)
    verdict = judge(low, high, target)
    method = "bound" if estimate is None else "estimated"
    value = None if estimate is None else min(max(estimate, low), high)
    reason = "counters hold no distribution: bounds from calls, mean, deviation, minimum and maximum; a log of all executions would give the exact figure"
    return Verdict(value, low, high, method, verdict, calls, reason)


def _far(row: StatementCounters) -> float:
    return row.mean_ms + 100 * (row.stddev_ms if row.stddev_ms is not None else row.mean_ms) + 1


def _crossing(below: Callable[[float], bool], top: float) -> float:
    """The smallest time in (0, top] from which on a falling condition holds, by bisection."""
    low, high = 0.0, top
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if below(middle):
            high = middle
        else:
            low = middle
    return high


def _estimate(rows: Sequence[StatementCounters], allowed: int, top: float) -> float | None:
    """The quantile if every row were log-normal with its mean and deviation; None where that is no guess."""
    if any(row.stddev_ms is None or row.mean_ms <= 0 for row in rows):
        return None
    if any(row.stddev_ms > _MAX_CV * row.mean_ms for row in rows if row.stddev_ms is not None):
        return None
    sigma = np.sqrt(np.log1p([(float(row.stddev_ms or 0) / row.mean_ms) ** 2 for row in rows]))
    centre = np.log([row.mean_ms for row in rows]) - sigma**2 / 2
    weights = np.array([row.calls for row in rows], dtype=np.float64)

    def above(at: float) -> bool:
        if at <= 0:
            return False
        scaled = (math.log(at) - centre) / np.where(sigma > 0, sigma, 1e-9)
        tails = np.array([0.5 * math.erfc(z / math.sqrt(2)) for z in scaled])
        return float((weights * tails).sum()) <= allowed

    return _crossing(above, top)
