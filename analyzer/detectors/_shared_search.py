"""The search for loops in a slice whose connections are shared by several requests at once.

Behind a pooler that hands out connections by the transaction, a transaction is the one unit that
nothing can mix: all its statements are of one request. So long ones are searched as requests are
elsewhere (_search.py); what runs outside, or in many short ones, is left to how it crowds
(_pooled_search.py). Where requests run on several connections each (workload/spread.py), parents are
looked for on all of them first. A trace shows its request in any case.
"""

from dataclasses import replace

import numpy as np

from analyzer.detectors._found import Groups, Loops, Pair
from analyzer.detectors._orders import run_sizes
from analyzer.detectors._places import NONE
from analyzer.detectors._pooled_search import PooledSearch
from analyzer.detectors._rows import MINIMUM
from analyzer.detectors._ruled_out import Told, ruled_out
from analyzer.detectors._search import Search
from analyzer.detectors._shapes import Shapes
from analyzer.detectors._weighed import Weigher
from analyzer.model.columns import Flags, Rows, run_starts
from analyzer.model.work import WorkSlice

_COLUMNS = ("statement", "key", "request", "transaction", "trace", "whole", "pool", "session", "logged", "at_us",
            "start_us", "end_us", "duration_ms", "clock", "untimed", "parameters", "parameters_hash")  # fmt: skip


class SharedSearch:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes, weigher: Weigher) -> None:
        self._work = work
        self._shapes = shapes
        self._weigher = weigher
        self.told: list[Told] = []  # what looks like a loop and is none
        self._explained = np.zeros(len(work), dtype=bool)  # its rows

    def run(self) -> Loops:
        """What is found in traces and transactions, then what crowds beside it."""
        loops = Loops()
        work = self._work
        traced = np.flatnonzero(work.trace != 0)
        self._search(loops, traced, _some(work, traced))
        inside = _in_long_transactions(work)
        self._search(loops, inside, _alone(work, inside), sure=True)
        if work.spread:
            rest = np.ones(len(work), dtype=bool)
            rest[traced] = rest[inside] = False
            rows = np.flatnonzero(rest)
            # What is repeated may be of any request, unless its parent is known.
            pairs = self._searched(rows, _in_pools(work, rows), judged=False).pairs
            for pair in pairs:
                elsewhere = work.session[pair.children] != work.session[pair.parents]
                pair.parallel = bool(elsewhere.any())
            loops.pairs += pairs
        if work.marker >= 0:
            beside = PooledSearch(work, self._shapes, self._weigher, self._found(loops)).run()
            loops.pairs += beside.pairs
            loops.lookups += beside.lookups
        return loops

    def _search(self, loops: Loops, rows: Rows, some: WorkSlice, *, sure: bool = False) -> None:
        """Add the loops in a slice of some rows."""
        found = self._searched(rows, some, judged=True)
        loops.pairs += found.pairs
        for groups, these in ((loops.lookups, found.lookups), (loops.repeated, found.repeated)):
            groups += [_groups(group, rows, self._work, sure=sure) for group in these]

    def _searched(self, rows: Rows, some: WorkSlice, *, judged: bool) -> Loops:
        """The loops in a slice of some rows, as those of the whole slice.

        Where units of work are known to be of one request, what is no loop is `judged`.
        """
        if len(rows) == 0:
            return Loops()
        search = Search(some, self._shapes, self._weigher)
        found = search.run()
        if judged:
            told = ruled_out(search, found)
            self.told += told
            explained = np.zeros(len(some.statements), dtype=bool)
            explained[[one[0] for one in told]] = True
            self._explained[rows[explained[some.statement]]] = True
        found.pairs = [_pair(pair, rows) for pair in found.pairs]
        return found

    def _found(self, loops: Loops) -> Flags:
        """Marks the rows that loops were found of, and those that are known to be of none."""
        flags = self._explained.copy()
        flags[np.concatenate([NONE, *(pair.children for pair in loops.pairs)])] = True
        flags[np.concatenate([NONE, *(group.rows for group in loops.lookups)])] = True
        return flags


def _in_long_transactions(work: WorkSlice) -> Rows:
    """The rows of explicit transactions in which a statement can run often enough to be a loop."""
    inside = np.flatnonzero((work.transaction >= 0) & (work.trace == 0))
    if len(inside) == 0:
        return NONE
    transaction = work.transaction[inside]
    starts = run_starts(transaction)
    sizes = run_sizes(starts, len(transaction))
    return inside[np.repeat(sizes >= MINIMUM, sizes)]


def _some(work: WorkSlice, rows: Rows) -> WorkSlice:
    """A slice of some rows, with their units of work."""
    asides = replace(work.asides, place=np.searchsorted(rows, work.asides.place))
    columns = {name: getattr(work, name)[rows] for name in _COLUMNS}
    return replace(work, **columns, asides=asides, marker=-1)


def _alone(work: WorkSlice, rows: Rows) -> WorkSlice:
    """A slice of some rows, whose units of work are their transactions."""
    if len(rows) == 0:
        return _some(work, rows)
    some = _some(work, rows)
    first, last = int(some.transaction.min()), int(some.transaction.max())
    return replace(
        some,
        first_request=first,
        routes=np.full(last - first + 1, -1, dtype=work.routes.dtype),
        request=some.transaction,
        whole=np.ones(len(rows), dtype=bool),
        pool=np.full(len(rows), -1, dtype=np.int64),
    )


def _in_pools(work: WorkSlice, rows: Rows) -> WorkSlice:
    """A slice of some rows, whose units of work are their pools, whatever the connection.

    They are ordered by time as a trace is. Requests follow each other in such a unit, and a few may
    run at once: the last parent before a lookup is its own, or one of its kind.
    """
    some = _some(work, rows)
    first = work.first_request
    unit = some.pool - int(some.pool.min(initial=0))
    return replace(
        some,
        routes=np.full(int(unit.max(initial=0)) + 1, -1, dtype=work.routes.dtype),
        request=unit + first,
        trace=np.ones(len(rows), dtype=some.trace.dtype),
        whole=np.zeros(len(rows), dtype=bool),
        pool=np.full(len(rows), -1, dtype=np.int64),
    )


def _pair(pair: Pair, rows: Rows) -> Pair:
    """A pair of a slice of some rows, as one of the whole slice."""
    return replace(
        pair, children=rows[pair.children], parents=rows[pair.parents], roots=rows[pair.roots]
    )


def _groups(groups: Groups, rows: Rows, work: WorkSlice, *, sure: bool) -> Groups:
    """The same of repetitions; `sure` ones are known to be of one request, as in a transaction."""
    mine = rows[groups.rows]
    firsts = mine[np.cumsum(groups.sizes) - groups.sizes]
    return replace(groups, rows=mine, requests=work.request[firsts], sure=sure)
