"""Quantiles by nearest rank, exact or from a histogram, and the histograms themselves.

A histogram's bucket b holds the values in (2^((b-1)/32), 2^(b/32)] ms: its middle is at most
1.1 % away from any of them. Histograms merge by addition, in any order.
"""

import math
from dataclasses import dataclass

import numpy as np

from analyzer.model.columns import Floats, Rows

STEPS = 32  # buckets an octave
_SHOWN_STEPS = 2  # an octave, in the histogram that a report shows of a statement
_LEAST_MS = 0.001  # faster ones count as this
_ROUNDING = 1e-9  # 0.95 * 20 must not become rank 20 by a rounding error of the product


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile in ms: the value, what it lies between, and how it is known.

    `method` is exact, histogram or sampled. `high_ms` is None where a sample sets no end.
    """

    value_ms: float
    low_ms: float
    high_ms: float | None
    method: str


def rank_of(quantile: float, count: int) -> int:
    """The 0-based nearest rank among `count` values."""
    return min(max(math.ceil(quantile * count - _ROUNDING), 1), count) - 1


def nearest_rank(values: Floats, quantile: float) -> float | None:
    """The smallest value that at least `quantile` of the values do not exceed; None of nothing."""
    if len(values) == 0:
        return None
    place = rank_of(quantile, len(values))
    return float(np.partition(values, place)[place])


def octaves(values: Floats) -> Floats:
    """The binary logarithm of durations (ms)."""
    return np.log2(np.maximum(values, _LEAST_MS))


def buckets_of(logarithms: Floats) -> Rows:
    """The bucket of each duration, of which the binary logarithm is given."""
    return np.ceil(logarithms * STEPS).astype(np.int64)


def exactly(ascending: Floats, quantile: float) -> Quantile:
    """The quantile of values (at least one) in ascending order."""
    value = float(ascending[rank_of(quantile, len(ascending))])
    return Quantile(value, value, value, "exact")


def from_histogram(buckets: Rows, counts: Rows, quantile: float) -> Quantile:
    """The quantile of what a histogram (buckets ascending, at least one) counts."""
    total = np.cumsum(counts)
    place = np.searchsorted(total, rank_of(quantile, int(total[-1])), side="right")
    low, middle, high = (float(edge[0]) for edge in edges_of(buckets[place : place + 1]))
    return Quantile(middle, low, high, "histogram")


def edges_of(buckets: Rows) -> tuple[Floats, Floats, Floats]:
    """The lower edge, the middle and the upper edge (ms) of each bucket."""
    low, middle, high = (np.exp2((buckets - back) / STEPS) for back in (1.0, 0.5, 0.0))
    return np.where(low > _LEAST_MS, low, 0.0), middle, high


def shown_histogram(buckets: Rows, counts: Rows | Floats) -> tuple[tuple[float, int], ...]:
    """(upper bound in ms, count) of the half-octave buckets that hold something, ascending."""
    if len(buckets) == 0:
        return ()
    wide = -(-buckets * _SHOWN_STEPS // STEPS)
    found, inverse = np.unique(wide, return_inverse=True)
    sums = np.bincount(inverse, weights=counts)
    return tuple(
        (round(2.0 ** (bucket / _SHOWN_STEPS), 6), round(count))
        for bucket, count in zip(found.tolist(), sums.tolist(), strict=True)
    )
