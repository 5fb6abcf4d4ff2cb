"""Which share of a row's calls is slower than a time, from pg_stat_statements' figures alone.

Counters hold no distribution, so there is a largest and a smallest share that their mean, deviation and
extremes allow: by the inequality of Cantelli, and by Markov's within [min, max]. Shares are 0 to 1.
"""

from analyzer.model.statement import StatementCounters


def most_slower(row: StatementCounters, at_ms: float) -> float:
    """The largest share of calls that can have taken longer than `at_ms`."""
    if row.max_ms is not None and at_ms >= row.max_ms:
        return 0.0
    if row.min_ms is not None and at_ms < row.min_ms:
        return 1.0
    return min(_most(row, at_ms), 1.0 - _one(row.min_ms, row))


def most_from(row: StatementCounters, at_ms: float) -> float:
    """The largest share of calls that can have taken `at_ms` or longer."""
    if row.max_ms is not None and at_ms > row.max_ms:
        return 0.0
    if row.min_ms is not None and at_ms <= row.min_ms:
        return 1.0
    return min(_most(row, at_ms), 1.0 - _one(row.min_ms, row))


def least_from(row: StatementCounters, at_ms: float) -> float:
    """The smallest share of calls that can have taken `at_ms` or longer."""
    if at_ms <= 0 or (row.min_ms is not None and at_ms <= row.min_ms):
        return 1.0
    if row.max_ms is not None and at_ms > row.max_ms:
        return 0.0
    shares = [_one(row.max_ms, row)]
    if row.mean_ms > at_ms:
        if row.max_ms is not None and row.max_ms > at_ms:
            shares.append((row.mean_ms - at_ms) / (row.max_ms - at_ms))
        shares.append(1.0 - _beyond(row, row.mean_ms - at_ms))
    return min(max(shares), 1.0)


def _most(row: StatementCounters, at_ms: float) -> float:
    base = row.min_ms or 0.0
    if at_ms <= max(row.mean_ms, base):  # a mean may be below the minimum by a rounding
        return 1.0
    return min((row.mean_ms - base) / (at_ms - base), _beyond(row, at_ms - row.mean_ms), 1.0)


def _beyond(row: StatementCounters, distance_ms: float) -> float:
    """Cantelli's: the largest share of calls that are so far or farther from the mean, on one side.

    The deviation of a single call is 0 whatever rounding did to its mean, so it says nothing.
    """
    if row.stddev_ms is None or row.calls <= 1:
        return 1.0
    variance, squared = row.stddev_ms**2, distance_ms**2
    return variance / (variance + squared) if squared > 0 else 1.0


def _one(extreme_ms: float | None, row: StatementCounters) -> float:
    """The share of the one call that took the minimum, or the maximum; 0 where that is not known."""
    return 1.0 / row.calls if extreme_ms is not None and row.calls > 0 else 0.0
