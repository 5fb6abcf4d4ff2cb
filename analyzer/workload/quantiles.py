"""Quantiles by nearest rank, exact or from a histogram, and the histogram that a report shows.

How buckets are cut is in analyzer/model/histogram.py.
"""

from functools import cache

import numpy as np

from analyzer.model.columns import Floats, Rows, starts_of_runs
from analyzer.model.histogram import (
    STEPS,
    Histogram,
    Quantile,
    buckets_of,
    edges_of,
    octaves,
    rank_of,
)

__all__ = [
    "STEPS",
    "Quantile",
    "buckets_of",
    "edges_of",
    "exactly",
    "from_histogram",
    "nearest_rank",
    "octaves",
    "rank_of",
    "shown_histogram",
]

_SHOWN_STEPS = 2  # an octave, in the histogram that a report shows of a statement


def nearest_rank(values: Floats, quantile: float) -> float | None:
    """The smallest value that at least `quantile` of the values do not exceed; None of nothing."""
    if len(values) == 0:
        return None
    place = rank_of(quantile, len(values))
    return float(np.partition(values, place)[place])


def exactly(ascending: Floats, quantile: float) -> Quantile:
    """The quantile of values (at least one) in ascending order."""
    value = float(ascending[rank_of(quantile, len(ascending))])
    return Quantile(value, value, value, "exact")


def from_histogram(buckets: Rows, counts: Rows, quantile: float) -> Quantile:
    """The quantile of what a histogram (buckets ascending, at least one) counts."""
    return Histogram(buckets, counts).quantile(quantile)


def shown_histogram(buckets: Rows, counts: Rows | Floats) -> tuple[tuple[float, int], ...]:
    """(upper bound in ms, count) of the half-octave buckets that hold something; both ascend."""
    if len(buckets) == 0:
        return ()
    wide = -(-buckets * _SHOWN_STEPS // STEPS)
    first = starts_of_runs(wide)
    sums = np.bincount(np.cumsum(first) - 1, weights=counts)
    return tuple(
        (_bound_ms(bucket), round(count))
        for bucket, count in zip(wide[first].tolist(), sums.tolist(), strict=True)
    )


@cache
def _bound_ms(bucket: int) -> float:
    """The upper bound of a half-octave bucket, of which there are some dozens."""
    bound: float = 2.0 ** (bucket / _SHOWN_STEPS)
    return round(bound, 6)
