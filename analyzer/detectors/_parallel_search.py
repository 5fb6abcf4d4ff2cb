"""The search for loops where a request may ask over several connections at once.

An application that awaits its queries together (`Promise.all`) hands them to any connection of its
pool, so that no connection shows the whole request. Children that are surely linked to a parent are
found on other connections as well (_across.py). The others are, where requests follow each other with a
pause of the whole pool between them: nothing else runs meanwhile, so what is left is searched for crowds
of one statement (_pooled_search.py).
"""

from dataclasses import replace

import numpy as np

from analyzer.detectors._found import Loops, found_rows
from analyzer.detectors._pooled_search import PooledSearch
from analyzer.detectors._search import Search
from analyzer.detectors._shapes import Shapes
from analyzer.model.work import WorkSlice

_PAUSE_US = 50_000  # of all connections of a pool
_PAUSED = 0.8  # of the requests begin behind such a pause
_LEAST = 10  # requests from which that is known


class ParallelSearch:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes) -> None:
        self._work = work
        self._shapes = shapes

    def run(self) -> Loops:
        """What units of work show, and what crowds where one request after the other has the pool."""
        work = self._work
        loops = Search(work, self._shapes).run()
        if not _one_after_the_other(work):
            return loops
        known = found_rows(loops, len(work))
        beside = PooledSearch(replace(work, marker=work.opener), self._shapes, known).run()
        loops.pairs += beside.pairs
        loops.lookups += beside.lookups
        return loops


def _one_after_the_other(work: WorkSlice) -> bool:
    """Whether the statement that begins requests finds its whole pool idle, of several connections."""
    opens = work.statement == work.opener
    opens &= work.pool >= 0
    if work.opener < 0 or np.count_nonzero(opens) < _LEAST:
        return False
    pool = int(np.bincount(work.pool[opens]).argmax())
    mine = np.flatnonzero(work.pool == pool)
    if (work.session[mine] == work.session[mine[0]]).all():
        return False
    mine = mine[np.argsort(work.start_us[mine], kind="stable")]
    busy_until = np.maximum.accumulate(work.end_us[mine])
    idle = work.start_us[mine][1:] - busy_until[:-1] >= _PAUSE_US
    return bool(idle[opens[mine][1:]].mean() >= _PAUSED)
