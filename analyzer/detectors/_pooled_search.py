"""The search for loops in a slice whose connections are shared by several requests at once.

There are no units of work then, so crowds of lookups (_crowds.py) are found first, and for each the
nearest statement before it in the pool that is linked. Levels of nesting are not told apart, and
identical repetitions are not looked for: they may be of any request.
"""

import numpy as np

from analyzer.detectors._crowds import Crowd, crowds, last_before
from analyzer.detectors._found import Groups, Loops, Pair
from analyzer.detectors._links import Link
from analyzer.detectors._rows import ExecutionRows
from analyzer.detectors._shapes import SURE_LINK, Shapes
from analyzer.model.columns import Flags, Rows, sorted_distinct, starts_of_runs
from analyzer.model.statement import Predicate
from analyzer.model.work import WorkSlice

_NEAR = 1200  # places in the pool that five of a crowd take at most
_NEAR_US = 10_000_000
_PARENT_US = 1_000_000  # from a parent to the first of its children


class PooledSearch:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes, known: Flags) -> None:
        """`known` marks rows whose loop is found already."""
        shapes.learn(work.statements)
        self.shapes = shapes
        self._known = known
        self.rows = ExecutionRows(work, shapes.lookups)
        self._marker = work.marker

    def run(self) -> Loops:
        """All loops: with the parent that is linked and nearest, or none."""
        loops = Loops()
        dense = self.rows.dense_in_pools(self.shapes.repeatable, _NEAR, _NEAR_US)
        for number in sorted_distinct(self.rows.statement[dense]).tolist():
            mine = self.rows.of_statement(number)
            if number != self._marker and self.shapes.may_loop(number, self.rows, mine):
                self._find(number, loops)
        return loops

    def _find(self, number: int, loops: Loops) -> None:
        """The crowds of one statement."""
        every = self.rows.of_statement(number)
        every = every[~self._known[every]]
        crowd = crowds(self.rows, every, self.rows.work.parameters_hash[every], self._marker)
        crowd = self._different(number, crowd)
        if len(crowd.rows) == 0:
            return
        starts = np.flatnonzero(starts_of_runs(crowd.number))
        sizes = np.diff(starts, append=len(crowd.rows))
        varying = self.shapes.varying(number, self.rows, every)
        best = np.full(len(starts), -1, dtype=np.int64)
        score = np.full(len(starts), -1.0)
        links: dict[int, Link] = {}
        for parent, link in self._candidates(number, varying):
            found = last_before(
                self.rows, self.rows.of_statement(parent), crowd.rows[starts], _PARENT_US
            )
            found = self._within_limit(found, sizes)
            near = self.rows.pool_place[found] / (self.rows.count + 1)
            strength = 1.0 if link.strength >= SURE_LINK else link.strength
            made = np.where(found >= 0, strength + near, -1.0)
            better = made > score
            score[better], best[better] = made[better], found[better]
            if better.any():
                links[parent] = link
        owners = np.repeat(best, sizes)
        self._pairs(number, varying, crowd.rows, owners, links, loops)
        alone = owners < 0
        if alone.any():
            self._lookups(number, Crowd(crowd.rows[alone], crowd.number[alone]), loops)

    def _different(self, number: int, crowd: Crowd) -> Crowd:
        """The crowds whose lookups differ, not just some other parameter."""
        if len(crowd.rows) == 0 or self.shapes.by_text(number):
            return crowd
        count = int(crowd.number[-1]) + 1
        good = self.rows.different_lookups(crowd.rows, crowd.number, count)[crowd.number]
        return Crowd(crowd.rows[good], crowd.number[good])

    def _candidates(self, number: int, varying: tuple[Predicate, ...]) -> list[tuple[int, Link]]:
        if not varying:
            return []
        return [
            (parent, link)
            for parent in np.flatnonzero(self.shapes.driving).tolist()
            if parent != number and (link := self.shapes.link(number, parent, varying))
        ]

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
        owners: Rows,
        links: dict[int, Link],
        loops: Loops,
    ) -> None:
        statement = np.where(owners >= 0, self.rows.statement[owners], -1)
        for parent, link in links.items():
            mine = statement == parent
            if mine.any():
                rows, parents = children[mine], owners[mine]
                loops.pairs.append(
                    Pair(parent, number, link, varying, rows, parents, parents, parallel=True)
                )

    def _lookups(self, number: int, crowd: Crowd, loops: Loops) -> None:
        starts = np.flatnonzero(starts_of_runs(crowd.number))
        sizes = np.diff(starts, append=len(crowd.rows))
        numbers = np.repeat(np.arange(len(starts)), sizes)
        most = self.rows.most_lookups(crowd.rows, numbers, len(starts))
        request = self.rows.request[crowd.rows[starts]]
        loops.lookups.append(Groups(number, request, crowd.rows, sizes, most, sure=True))
