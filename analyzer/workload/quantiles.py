"""Exact quantiles (nearest rank) of many groups at once, and log-scale histograms."""

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_STEPS_PER_OCTAVE = 2  # histogram bounds are powers of 2^(1/2)


def nearest_rank(values: Floats, quantile: float) -> float | None:
    """The smallest value that at least `quantile` of the values do not exceed; None of nothing."""
    if len(values) == 0:
        return None
    place = max(math.ceil(quantile * len(values)) - 1, 0)
    return float(np.partition(values, place)[place])


def grouped_quantiles(
    groups: Integers, values: Floats, count: int, quantiles: tuple[float, ...]
) -> list[Floats]:
    """One array a quantile, by group number 0..count-1 (NaN for empty groups); nearest rank."""
    order = np.lexsort((values, groups))
    sizes = np.bincount(groups, minlength=count)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    ordered = values[order]
    results = []
    for quantile in quantiles:
        place = np.maximum(np.ceil(quantile * sizes).astype(np.int64) - 1, 0)
        result = np.full(count, np.nan)
        filled = sizes > 0
        result[filled] = ordered[(starts + place)[filled]]
        results.append(result)
    return results


def histogram(values: Floats) -> tuple[tuple[float, int], ...]:
    """(upper bound in ms, count) of the log-scale buckets that hold something, ascending."""
    if len(values) == 0:
        return ()
    exponents = np.ceil(np.log2(np.maximum(values, 0.001)) * _STEPS_PER_OCTAVE).astype(np.int64)
    buckets, counts = np.unique(exponents, return_counts=True)
    return tuple(
        (round(2.0 ** (bucket / _STEPS_PER_OCTAVE), 6), int(count))
        for bucket, count in zip(buckets.tolist(), counts.tolist(), strict=True)
    )
