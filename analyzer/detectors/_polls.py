"""Polling at no steady pace: one question asked again and again, by a connection or by any of a pool's.

A worker that waits for work asks for it whatever else happens: nothing stands beside the question, and the
time from one to the next is much the same, or grows from one to the next and begins anew (backoff). What a
request repeats stands among its other statements, or ends when the request does; what each request asks once
comes at random.
"""

import numpy as np

from analyzer.model.columns import Flags, Rows, median
from analyzer.model.work import WorkSlice

_LEAST = 20  # executions
_LEAST_US = 5_000_000  # that they take: no request goes on asking for as long
_PERIOD_US = 50_000  # half of the pauses are longer
_ALONE_US = 20_000  # between the question and what stands beside it on the connection
_MOSTLY = 0.8  # share of the questions that stand alone, and of pauses that grow or begin anew
_UNEVEN = 4.0  # times as long as a short pause (the tenth percentile) a long one (the ninetieth) is at most
_BREAK = 5.0  # times a usual pause: who asks begins anew
_GROWTH = (1.4, 3.5)  # from pause to pause
_AGAIN = 1.5  # times the short pause: it begins anew


def unsteady_polls(work: WorkSlice, some: Rows) -> Rows:
    """Those executions of one statement that are polling, for each parameter text on its own."""
    some = np.sort(some)
    some = some[_alone(work, some)]
    texts = work.parameters_hash[some]
    order = np.lexsort((work.start_us[some], texts))
    parts = np.split(some[order], np.flatnonzero(np.diff(texts[order])) + 1)
    polls = [part for one in parts for part in _asked(work, one)]
    return np.sort(np.concatenate([some[:0], *polls]))


def _alone(work: WorkSlice, rows: Rows) -> Flags:
    """Marks the rows (ascending) that stand alone on their connection; none where few of them do."""
    alone = np.ones(len(rows), dtype=bool)
    for step in (1, -1):
        beside = rows + step
        there = (beside >= 0) & (beside < len(work))
        beside = np.where(there, beside, rows)
        there &= work.session[beside] == work.session[rows]
        same = work.statement[beside] == work.statement[rows]
        same &= work.parameters_hash[beside] == work.parameters_hash[rows]
        first, second = (rows, beside) if step > 0 else (beside, rows)
        far = work.start_us[second] - work.end_us[first] >= _ALONE_US
        alone &= ~there | same | far
    if np.count_nonzero(alone) < _MOSTLY * len(rows):
        alone[:] = False
    return alone


def _asked(work: WorkSlice, rows: Rows) -> list[Rows]:
    """The rows of one text (by time) that are polling: all together, else by one connection each."""
    together = _paced(work, rows)
    if sum(map(len, together)) >= _MOSTLY * len(rows):
        return together
    sessions = work.session[rows]
    order = np.argsort(sessions, kind="stable")
    by_session = np.split(rows[order], np.flatnonzero(np.diff(sessions[order])) + 1)
    return [part for one in by_session for part in _paced(work, one)]


def _paced(work: WorkSlice, rows: Rows) -> list[Rows]:
    """The runs of some rows, by time, that come at a pace of their own."""
    if len(rows) < _LEAST:
        return []
    apart = np.diff(work.start_us[rows])
    if _backs_off(apart):
        return [rows]
    breaks = np.flatnonzero(apart > _BREAK * median(apart)) + 1
    return [run for run in np.split(rows, breaks) if _even(np.diff(work.start_us[run]))]


def _lasts(apart: Rows) -> bool:
    """Whether there are pauses enough, and as long as those of who waits."""
    enough = len(apart) + 1 >= _LEAST and int(apart.sum()) >= _LEAST_US
    return enough and bool(median(apart) >= _PERIOD_US)


def _even(apart: Rows) -> bool:
    """Whether pauses are much the same."""
    if not _lasts(apart):
        return False
    short, long = np.quantile(apart, (0.1, 0.9))
    return bool(long <= _UNEVEN * short)


def _backs_off(apart: Rows) -> bool:
    """Whether pauses grow by the same factor from one to the next, up to a limit, and begin anew."""
    if not _lasts(apart):
        return False
    least, most = np.quantile(apart, (0.1, 0.95))
    ratio = apart[1:] / np.maximum(apart[:-1], 1)
    within = (ratio >= _GROWTH[0]) & (ratio <= _GROWTH[1])
    if not within.any():
        return False
    usual = median(ratio[within])
    grows = within & (np.abs(ratio / usual - 1) <= 1 / 3)
    anew = apart[1:] <= _AGAIN * least
    kept = (apart[1:] >= most / _AGAIN) & (apart[:-1] >= most / _AGAIN)
    explained = np.count_nonzero(grows | anew | kept) >= _MOSTLY * len(ratio)
    return bool(explained and 2 * np.count_nonzero(grows | kept) >= len(ratio))
