"""Rows of pg_stat_statements as sums: subtracted for a window, added up over several.

A row's calls, total and standard deviation give the three sums n, Σx and Σ(x − μ)², which add up
exactly (Chan, Golub and LeVeque 1979), and so can be subtracted. What is below the rounding of the
server's own sums is not told.
"""

import math
from dataclasses import replace
from typing import Any, TypeAlias

from analyzer.model.statement import StatementCounters

RowKey: TypeAlias = tuple[object, object, str | None, bool]

# The share of its sums that the server may lose by rounding: they are doubles, added to once a call.
_ROUNDING = 1e-13
_TOLD = 1e3  # times that, for a deviation to be told within a thousandth

_COUNTED = (
    *("rows", "planning_ms", "plans", "read_ms", "write_ms", "jit_ms", "wal_bytes", "wal_records"),
    *("shared_blocks_hit", "shared_blocks_read", "shared_blocks_dirtied", "shared_blocks_written"),
    *("temp_blocks_read", "temp_blocks_written"),
)


def row_key(row: StatementCounters) -> RowKey:
    """What a row is told apart by: user, database (by number if known), query id and level."""
    database = row.database_id if row.database_id is not None else row.database
    user = row.user_id if row.user_id is not None else row.user
    return user, database, row.query_id, row.toplevel


def fell(old: StatementCounters, new: StatementCounters) -> bool:
    """Whether something went back that only grows as long as a row lives: so it began anew.

    Its minimum can only sink and its maximum only rise, unless they were reset apart (17).
    """
    if new.calls < old.calls or new.total_ms < old.total_ms:
        return True
    for name in _COUNTED:
        was, now = getattr(old, name), getattr(new, name)
        if was is not None and now is not None and now < was:
            return True
    if old.minmax_since_us != new.minmax_since_us or not old.calls:
        return False
    rose = old.min_ms is not None and new.min_ms is not None and new.min_ms > old.min_ms
    sank = old.max_ms is not None and new.max_ms is not None and new.max_ms < old.max_ms
    return rose or sank


def contradicts(old: StatementCounters, new: StatementCounters) -> bool:
    """Whether a growth cannot be: no calls but more time, or a sum of squares below zero."""
    calls, total_ms = new.calls - old.calls, new.total_ms - old.total_ms
    if not calls:
        return total_ms > _ROUNDING * new.total_ms
    squares = _squares_between(old, new)
    return squares is not None and squares < -_noise(new)


def difference(old: StatementCounters, new: StatementCounters) -> StatementCounters:
    """What was counted between two readings of a row that lived all the while."""
    calls, total_ms = new.calls - old.calls, new.total_ms - old.total_ms
    minimum, maximum = _extremes_between(old, new)
    changes: dict[str, Any] = {
        name: _minus(getattr(new, name), getattr(old, name)) for name in _COUNTED
    }
    return replace(
        new,
        calls=calls,
        total_ms=total_ms,
        mean_ms=total_ms / calls if calls else 0.0,
        stddev_ms=_deviation_between(old, new),
        min_ms=minimum,
        max_ms=maximum,
        **changes,
    )


def total(first: StatementCounters, second: StatementCounters) -> StatementCounters:
    """Two rows of one statement, counted at different times, as one."""
    calls, total_ms = first.calls + second.calls, first.total_ms + second.total_ms
    squares = None
    if first.stddev_ms is not None and second.stddev_ms is not None and calls:
        apart = second.mean_ms - first.mean_ms
        squares = _squares(first) + _squares(second)
        squares += apart * apart * first.calls * second.calls / calls
    minima, maxima = (first.min_ms, second.min_ms), (first.max_ms, second.max_ms)
    changes: dict[str, Any] = {
        name: _plus(getattr(first, name), getattr(second, name)) for name in _COUNTED
    }
    return replace(
        second,
        calls=calls,
        total_ms=total_ms,
        mean_ms=total_ms / calls if calls else 0.0,
        stddev_ms=math.sqrt(squares / calls) if squares is not None else None,
        min_ms=None if minima[0] is None or minima[1] is None else min(minima[0], minima[1]),
        max_ms=None if maxima[0] is None or maxima[1] is None else max(maxima[0], maxima[1]),
        **changes,
    )


def _squares(row: StatementCounters) -> float:
    """Σ(x − μ)² of a row that has a deviation."""
    return row.calls * (row.stddev_ms or 0.0) ** 2


def _squares_between(old: StatementCounters, new: StatementCounters) -> float | None:
    if old.stddev_ms is None or new.stddev_ms is None:
        return None
    calls = new.calls - old.calls
    apart = 0.0
    if old.calls:
        apart = (new.total_ms - old.total_ms) / calls - old.total_ms / old.calls
    return _squares(new) - _squares(old) - apart * apart * old.calls * calls / new.calls


def _deviation_between(old: StatementCounters, new: StatementCounters) -> float | None:
    calls = new.calls - old.calls
    if calls <= 1:
        return 0.0
    squares = _squares_between(old, new)
    if squares is None or squares < _TOLD * _noise(new):
        return None
    return math.sqrt(squares / calls)


def _noise(row: StatementCounters) -> float:
    mean_ms = row.total_ms / row.calls if row.calls else 0.0
    return _ROUNDING * (_squares(row) + row.calls * mean_ms * mean_ms)


def _extremes_between(
    old: StatementCounters, new: StatementCounters
) -> tuple[float | None, float | None]:
    """The window's minimum and maximum, where they show: a new record was set in the window."""
    if not old.calls:
        return new.min_ms, new.max_ms
    if old.minmax_since_us != new.minmax_since_us:
        return None, None  # they were reset in the window, and are of its end alone
    lower = old.min_ms is not None and new.min_ms is not None and new.min_ms < old.min_ms
    higher = old.max_ms is not None and new.max_ms is not None and new.max_ms > old.max_ms
    return new.min_ms if lower else None, new.max_ms if higher else None


def _minus(new: float | None, old: float | None) -> float | None:
    return None if new is None or old is None else new - old


def _plus(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second
