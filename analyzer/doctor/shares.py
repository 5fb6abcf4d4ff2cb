"""Which share of a statement's calls is slower than a time, from its counters alone.

Counters hold no distribution, so a share is an interval: at most what Cantelli's and Markov's
inequalities allow within [min, max], at least what the same allow from below. Between the two
stands what a log-normal with the row's mean and deviation has (docs/p95.md says how far that may be
off).
"""

import math
from dataclasses import dataclass

from analyzer.model.statement import StatementCounters


@dataclass(frozen=True, slots=True)
class Share:
    """A share of calls, 0 to 1: surely not below `low` nor above `high`, likely about `likely`."""

    low: float
    likely: float
    high: float


def share_from(row: StatementCounters, from_ms: float) -> Share:
    """The share of a row's calls that took `from_ms` or longer."""
    if from_ms <= 0 or (row.min_ms is not None and row.min_ms >= from_ms):
        return Share(1.0, 1.0, 1.0)
    if row.max_ms is not None and row.max_ms < from_ms:
        return Share(0.0, 0.0, 0.0)
    high = _most(row, from_ms)
    low = min(_least(row, from_ms), high)  # equal but for rounding where only one share is possible
    return Share(low, min(max(_log_normal(row, from_ms), low), high), high)


def _most(row: StatementCounters, from_ms: float) -> float:
    base = row.min_ms or 0.0
    if from_ms <= row.mean_ms:
        # All but one may be, where the one is fast: the rest is bounded from below alone.
        return 1.0 - (1.0 / row.calls if row.min_ms is not None and row.calls else 0.0)
    share = (row.mean_ms - base) / (from_ms - base) if from_ms > base else 1.0
    if row.stddev_ms is not None:
        variance = row.stddev_ms**2
        share = min(share, variance / (variance + (from_ms - row.mean_ms) ** 2))
    return min(max(share, 0.0), 1.0)


def _least(row: StatementCounters, from_ms: float) -> float:
    """One call is, if the maximum is; more follow where the mean lies beyond."""
    one = 1.0 / row.calls if row.max_ms is not None and row.calls else 0.0
    share = 0.0
    if row.mean_ms > from_ms:
        if row.max_ms is not None and row.max_ms > from_ms:
            share = (row.mean_ms - from_ms) / (row.max_ms - from_ms)
        if row.stddev_ms is not None:
            variance = row.stddev_ms**2
            share = max(share, 1 - variance / (variance + (row.mean_ms - from_ms) ** 2))
    return min(max(share, one), 1.0)


def _log_normal(row: StatementCounters, from_ms: float) -> float:
    if row.mean_ms <= 0 or not row.stddev_ms:
        return 1.0 if row.mean_ms >= from_ms else 0.0
    spread = math.log1p((row.stddev_ms / row.mean_ms) ** 2)
    middle = math.log(row.mean_ms) - spread / 2
    return 0.5 * math.erfc((math.log(from_ms) - middle) / math.sqrt(2 * spread))
