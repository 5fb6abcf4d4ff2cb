"""The search for loops in a slice whose connections are shared by several requests at once.

There are no units of work then, so crowds of lookups (_crowds.py) are found first, and for each the
nearest statement before it in the pool that is linked. Levels of nesting are not told apart, and
identical repetitions are not looked for: they may be of any request.
"""

from collections.abc import Mapping

import numpy as np

from analyzer.detectors._crowds import Beginnings, Crowd, crowds, last_before
from analyzer.detectors._found import Groups, Loops, Pair
from analyzer.detectors._orders import run_sizes
from analyzer.detectors._places import NONE, by_statement
from analyzer.detectors._rows import ExecutionRows
from analyzer.detectors._shapes import SURE_LINK, Shapes
from analyzer.detectors._weighed import Weigher
from analyzer.model.columns import Flags, Rows, run_starts
from analyzer.model.statement import Predicate
from analyzer.model.work import WorkSlice

_NEAR = 1200  # places in the pool that five of a crowd take at most
_NEAR_US = 10_000_000
_REVISIONS = 4  # of parents, where values speak against them
_PARENT_US = 1_000_000  # from a parent to the first of its children


class PooledSearch:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes, weigher: Weigher, known: Flags) -> None:
        """`known` marks rows whose loop is found already."""
        shapes.learn(work.statements)
        self.shapes = shapes
        self._weigher = weigher
        self._known = known
        self.rows = ExecutionRows(work, shapes.lookups)
        self._marker = work.marker
        self._begun = Beginnings(self.rows, work.marker)

    def run(self) -> Loops:
        """All loops: with the parent that is linked and nearest, or none."""
        loops = Loops()
        dense = self.rows.dense_in_pools(self.shapes.repeatable, _NEAR, _NEAR_US)
        for number in by_statement(dense):
            mine = self.rows.of_statement(number)
            if number != self._marker and self.shapes.may_loop(number, self.rows, mine):
                self._find(number, loops)
        return loops

    def _find(self, number: int, loops: Loops) -> None:
        """The crowds of one statement."""
        every = self.rows.of_statement(number)
        every = every[~self._known[every]]
        crowd = crowds(self.rows, every, self.rows.work.parameters_hash[every], self._begun)
        crowd = self._different(number, crowd)
        if len(crowd.rows) == 0:
            return
        starts = run_starts(crowd.number)
        sizes = run_sizes(starts, len(crowd.rows))
        varying = self.shapes.varying(number, self.rows, every)
        candidates = self._candidates(number, varying)
        for last in (False,) * _REVISIONS + (True,):
            pairs = self._pairs(number, varying, crowd.rows, sizes, candidates)
            refuted = {pair.parent for pair in pairs if self._weigher.refutes(self.rows.work, pair)}
            candidates = {one: candidates[one] for one in candidates if one not in refuted}
            if not refuted or last:
                break
        pairs = [pair for pair in pairs if pair.parent not in refuted]
        loops.pairs += pairs
        paired = self.rows.marked(np.concatenate([NONE, *(pair.children for pair in pairs)]))
        alone = ~paired[crowd.rows]
        if alone.any():
            self._lookups(number, Crowd(crowd.rows[alone], crowd.number[alone]), loops)

    def _different(self, number: int, crowd: Crowd) -> Crowd:
        """The crowds whose lookups differ, not just some other parameter."""
        if len(crowd.rows) == 0 or self.shapes.by_text(number):
            return crowd
        count = int(crowd.number[-1]) + 1
        good = self.rows.different_lookups(crowd.rows, crowd.number, count)[crowd.number]
        return Crowd(crowd.rows[good], crowd.number[good])

    def _candidates(self, number: int, varying: tuple[Predicate, ...]) -> dict[int, float]:
        """Statements that may be the parent, and how strongly they are linked."""
        strengths = self.shapes.strengths(number, varying)
        linked = np.flatnonzero(strengths).tolist()
        found = {parent: float(strengths[parent]) for parent in linked if parent != number}
        return self._weigher.kept(number, found, varying)

    def _within_limit(self, parents: Rows, sizes: Rows) -> Rows:
        """Parents (-1 none) that can have returned a row for each child."""
        known = np.flatnonzero(parents >= 0)
        limits = self.rows.limits(parents[known]) if len(known) else []
        few = [
            limit is not None and limit < size
            for limit, size in zip(limits, sizes[known].tolist(), strict=True)
        ]
        found = parents.copy()
        found[known[np.array(few, dtype=bool)]] = -1
        return found

    def _pairs(
        self,
        number: int,
        varying: tuple[Predicate, ...],
        children: Rows,
        sizes: Rows,
        candidates: Mapping[int, float],
    ) -> list[Pair]:
        """Children in crowds of these sizes with the nearest parent before each crowd."""
        firsts = children[np.cumsum(sizes) - sizes]
        best, score = np.full(len(sizes), -1, dtype=np.int64), np.full(len(sizes), -1.0)
        linked = []
        for parent, strength in candidates.items():
            found = last_before(self.rows, self.rows.of_statement(parent), firsts, _PARENT_US)
            found = self._within_limit(found, sizes)
            near = self.rows.pool_place[found] / (self.rows.count + 1)
            made = np.where(found >= 0, (1.0 if strength >= SURE_LINK else strength) + near, -1.0)
            better = made > score
            score[better], best[better] = made[better], found[better]
            if better.any():
                linked.append(parent)
        owners = np.repeat(best, sizes)
        statement = np.where(owners >= 0, self.rows.statement[owners], -1)
        pairs = []
        for parent in linked:
            mine = statement == parent
            if mine.any():
                link = self.shapes.link(number, parent, varying)
                rows, parents = children[mine], owners[mine]
                pairs.append(
                    Pair(parent, number, link, varying, rows, parents, parents, parallel=True)
                )
        return pairs

    def _lookups(self, number: int, crowd: Crowd, loops: Loops) -> None:
        starts = run_starts(crowd.number)
        sizes = run_sizes(starts, len(crowd.rows))
        numbers = np.repeat(np.arange(len(starts)), sizes)
        most = self.rows.most_lookups(crowd.rows, numbers, len(starts))
        request = self.rows.request[crowd.rows[starts]]
        loops.lookups.append(Groups(number, request, crowd.rows, sizes, most, sure=True))
