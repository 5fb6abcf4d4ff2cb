"""The search for loops in a slice whose connections are shared by several requests at once.

Behind a pooler that hands out connections by the transaction, a transaction is the one unit that
nothing can mix: all its statements are of one request. So long ones are searched as requests are
elsewhere (_search.py); what runs outside, or in many short ones, is left to how it crowds
(_pooled_search.py).
"""

from dataclasses import replace

import numpy as np

from analyzer.detectors._found import Groups, Loops, Pair
from analyzer.detectors._places import NONE
from analyzer.detectors._pooled_search import PooledSearch
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._search import Search
from analyzer.detectors._shapes import Shapes
from analyzer.model.columns import Flags, Rows, starts_of_runs
from analyzer.model.work import WorkSlice

_COLUMNS = ("statement", "key", "trace", "session", "at_us", "start_us", "end_us", "duration_ms",
            "parameters", "parameters_hash")  # fmt: skip


class SharedSearch:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes) -> None:
        self._work = work
        self._shapes = shapes

    def run(self) -> Loops:
        """What is found in transactions, then what crowds beside it."""
        loops = Loops()
        rows = _in_long_transactions(self._work)
        if len(rows):
            inside = Search(_alone(self._work, rows), self._shapes).run()
            loops.pairs = [_pair(pair, rows) for pair in inside.pairs]
            loops.lookups = [_groups(group, rows, self._work) for group in inside.lookups]
            loops.repeated = [_groups(group, rows, self._work) for group in inside.repeated]
        beside = PooledSearch(self._work, self._shapes, self._found(loops)).run()
        loops.pairs += beside.pairs
        loops.lookups += beside.lookups
        return loops

    def _found(self, loops: Loops) -> Flags:
        """Marks the rows that loops were found of."""
        flags = np.zeros(len(self._work), dtype=bool)
        flags[np.concatenate([NONE, *(pair.children for pair in loops.pairs)])] = True
        flags[np.concatenate([NONE, *(group.rows for group in loops.lookups)])] = True
        return flags


def _in_long_transactions(work: WorkSlice) -> Rows:
    """The rows of explicit transactions in which a statement can run often enough to be a loop."""
    inside = np.flatnonzero((work.transaction >= 0) & (work.trace == 0))
    if len(inside) == 0:
        return NONE
    transaction = work.transaction[inside]
    starts = np.flatnonzero(starts_of_runs(transaction))
    sizes = np.diff(starts, append=len(transaction))
    return inside[np.repeat(sizes >= MINIMUM, sizes)]


def _alone(work: WorkSlice, rows: Rows) -> WorkSlice:
    """A slice of some rows, whose units of work are their transactions."""
    transaction = work.transaction[rows]
    first = int(transaction.min())
    return replace(
        work,
        first_request=first,
        routes=np.full(int(transaction.max()) - first + 1, -1, dtype=work.routes.dtype),
        **{name: getattr(work, name)[rows] for name in _COLUMNS},
        request=transaction,
        transaction=transaction,
        whole=np.ones(len(rows), dtype=bool),
        pool=np.full(len(rows), -1, dtype=np.int64),
        marker=-1,
    )


def _pair(pair: Pair, rows: Rows) -> Pair:
    """A pair of a slice of some rows, as one of the whole slice."""
    return replace(
        pair, children=rows[pair.children], parents=rows[pair.parents], roots=rows[pair.roots]
    )


def _groups(groups: Groups, rows: Rows, work: WorkSlice) -> Groups:
    """The same of repetitions; a transaction is known to be of one request."""
    mine = rows[groups.rows]
    firsts = mine[np.cumsum(groups.sizes) - groups.sizes]
    return replace(groups, rows=mine, requests=work.request[firsts], sure=True)
