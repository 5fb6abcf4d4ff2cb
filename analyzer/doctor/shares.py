"""Which share of a statement's calls is slower than a time, from its counters alone.

Counters hold no distribution, so a share is an interval (model/shares.py). In it stands what a
log-normal with the row's mean and deviation has (docs/p95.md says how far that may be off).
"""

import math

from analyzer.model.shares import least_from, most_from
from analyzer.model.statement import StatementCounters
from analyzer.records import record


@record
class Share:
    """A share of calls, 0 to 1: surely not below `low` nor above `high`, likely about `likely`."""

    low: float
    likely: float
    high: float


def share_from(row: StatementCounters, from_ms: float) -> Share:
    """The share of a row's calls that took `from_ms` or longer."""
    high = most_from(row, from_ms) if from_ms > 0 else 1.0
    low = min(
        least_from(row, from_ms), high
    )  # equal but for rounding where only one share is possible
    return Share(low, min(max(_log_normal(row, from_ms), low), high), high)


def _log_normal(row: StatementCounters, from_ms: float) -> float:
    if row.mean_ms <= 0 or from_ms <= 0 or not row.stddev_ms:
        return 1.0 if row.mean_ms >= from_ms else 0.0
    spread = math.log1p((row.stddev_ms / row.mean_ms) ** 2)
    middle = math.log(row.mean_ms) - spread / 2
    return 0.5 * math.erfc((math.log(from_ms) - middle) / math.sqrt(2 * spread))
