"""Nests of loops: their outermost parents, and whose children are whose where levels run at once.

Where a program loads all rows of a level at once, on several connections, the last parent before a
child is hardly its own: all of a level's parents are done before most of the next level begins. They
were begun in the order of their parents, so each gets its share of them in that order.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.detectors._found import Pair
from analyzer.detectors._rows import ExecutionRows
from analyzer.model.columns import Rows, sorted_distinct, starts_of_runs

_UNEVEN = (
    2.0  # children of one parent, over the mean of the occurrence, from which they are shared out
)


def find_roots(pairs: Sequence[Pair], count: int) -> None:
    """Follow parents of parents to the outermost one: one occurrence is one run of the whole nest."""
    above = np.full(count, -1, dtype=np.int64)
    for pair in pairs:
        above[pair.children] = pair.parents
    for pair in pairs:
        roots = pair.parents.copy()
        for _ in range(len(pairs) + 1):  # a nest is no deeper than there are pairs
            higher = above[roots]
            if (higher < 0).all():
                break
            roots = np.where(higher >= 0, higher, roots)
        pair.roots = roots


def share_out(pairs: Sequence[Pair], rows: ExecutionRows) -> None:
    """Give each parent of a level that ran on several connections at once its share of children."""
    levels: dict[int, list[Pair]] = {}
    for pair in pairs:
        levels.setdefault(pair.child, []).append(pair)
    shared = [
        (pair, _shared(pair, levels[pair.parent], rows)) for pair in pairs if pair.parent in levels
    ]
    for pair, parents in shared:
        pair.parents = parents


def _shared(pair: Pair, upper: Sequence[Pair], rows: ExecutionRows) -> Rows:
    """The parents of a pair's children, `upper` being the pairs that have these as children."""
    parents = pair.parents.copy()
    every = np.concatenate([one.children for one in upper])
    homes = np.concatenate([one.roots for one in upper])
    order = np.lexsort((rows.work.logged[every], rows.end[every], homes))
    every, homes = every[order], homes[order]
    mine = np.lexsort((rows.work.logged[pair.children], rows.end[pair.children], pair.roots))
    roots = pair.roots[mine]
    starts = np.flatnonzero(starts_of_runs(roots))
    for some in np.split(mine, starts[1:]):
        low, high = np.searchsorted(homes, [root := pair.roots[some[0]], root + 1])
        level, children = every[low:high], pair.children[some]
        if len(level) and _at_once(rows, level, children, parents[some]):
            turn = np.arange(len(some)) * len(level) // len(some)
            done = np.searchsorted(rows.end[level], rows.end[children], side="right") - 1
            parents[some] = level[np.maximum(np.minimum(turn, done), 0)]
    return parents


def _at_once(rows: ExecutionRows, level: Rows, children: Rows, parents: Rows) -> bool:
    """Whether a level's parents ran on several connections, ahead of their children."""
    if len(sorted_distinct(rows.work.session[level])) == 1:
        return False
    most = int(np.unique(parents, return_counts=True)[1].max())
    return most > _UNEVEN * len(children) / len(level)
