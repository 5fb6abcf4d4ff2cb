"""The search for loops in one slice: which children follow which parent.

Work is done on columns; Python loops go over statements (shapes), not over executions.
"""

from collections.abc import Sequence
from dataclasses import field

import numpy as np

from analyzer.detectors._across import families, may_follow_in_pool
from analyzer.detectors._fanout import Above, looping
from analyzer.detectors._following import (
    NOBODY,
    Followers,
    Standing,
    across_pools,
    behind,
    drop_few,
    take,
)
from analyzer.detectors._found import Loops, Pair
from analyzer.detectors._leftovers import Leftovers
from analyzer.detectors._links import Link
from analyzer.detectors._nests import find_roots, share_out
from analyzer.detectors._places import NONE, by_statement
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.detectors._shapes import SURE_LINK, Shapes
from analyzer.detectors._siblings import Turns
from analyzer.detectors._weighed import Weigher
from analyzer.detectors._written import Written
from analyzer.model.columns import Flags, Floats, Rows, distinct
from analyzer.model.statement import Predicate
from analyzer.model.work import WorkSlice
from analyzer.records import changing

_SIBLING = 0.5  # how sure it is that a statement belongs to the loop that it runs in turn with
_PAIRS = 1 << 20  # of children and candidates that are looked at together: memory is bounded
_REVISIONS = 4  # of parents, where values speak against them


@changing
class _Child:
    """A statement that may be the child of loops, with the parents it could have.

    `standing` are its rows and where they stand; `best`, `score`, `chosen` and `crossed` hold for each
    the parent row so far, how good it is, the number of its candidate, and whether it ran on another
    connection. `units` marks the units of work that run it. Of the `candidates` (statements, and the strengths of
    their links) `weighed` has the links of those that values spoke of. `parents` are they ranked by their
    `strengths`, of which `sure` are linked surely; a sibling's stands behind them, `joined` by that link.
    `pairs` are what was found to be followed, by parent.
    """

    number: int
    standing: Standing
    varying: tuple[Predicate, ...]
    candidates: dict[int, float]
    weighed: dict[int, Link]
    best: Rows
    score: Floats
    chosen: Rows
    crossed: Flags
    units: Flags
    parents: list[int] = field(default_factory=list)
    strengths: Floats = field(default_factory=lambda: np.zeros(0))
    sure: int = 0
    joined: Link | None = None
    pairs: list[Pair] = field(default_factory=list)

    def start_again(self) -> None:
        """Rank the candidates, and let go of all parents."""
        strength = self.candidates
        self.parents = sorted(strength, key=lambda one: (-strength[one], one))
        self.strengths = np.array([strength[one] for one in self.parents])
        self.sure = int(np.count_nonzero(self.strengths >= SURE_LINK))
        self.best[:] = self.chosen[:] = -1
        self.score[:], self.crossed[:] = -1.0, False

    @property
    def rows(self) -> Rows:
        """Its rows, by unit of work and time."""
        return self.standing.rows

    @property
    def owned(self) -> Flags:
        """Which rows have a parent that can have told what they look up."""
        found: Flags = self.best >= 0
        for pair in self.pairs:
            if pair.link.refuted:
                found &= self.chosen != self.parents.index(pair.parent)
        return found


class Search:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes, weigher: Weigher) -> None:
        shapes.learn(work.statements)
        self.shapes = shapes
        self._weigher = weigher
        self.rows = ExecutionRows(work, shapes.lookups)
        self._driving = shapes.driving
        self._left = Leftovers(self.rows, shapes)
        self.written = Written(self.rows, shapes)
        self._kin: dict[int, Flags] = {}
        self.dense: dict[int, Rows] = {}  # SELECTs that come again and again in a unit of work

    def run(self) -> Loops:
        """All loops: pairs with one level, then nested ones, then what they leave unexplained."""
        children = self._children()
        linked = [child for child in children if child.candidates]
        self._own(linked)
        for _ in range(_REVISIONS):
            refuted = [child for child in linked if self._refute(child)]
            if not refuted:
                break
            for child in linked:
                child.start_again()
            self._own(linked)
        pairs = [pair for child in linked for pair in child.pairs if not pair.link.refuted]
        turns = Turns(self.rows, pairs)
        for child in children:
            self._join_sibling(child, turns, pairs)
        loops = Loops([pair for child in children for pair in child.pairs])
        find_roots(loops.pairs, self.rows.count)
        share_out(loops.pairs, self.rows)
        for child in children:
            self._left.find(child.number, child.varying, child.rows[child.best < 0], loops)
        return loops

    def _own(self, linked: Sequence[_Child]) -> None:
        """Find a parent for each row of these children, if it is of a loop."""
        for child in linked:
            self._assign(child, nested=None)
        above, before = self._loop_children(linked), None
        for _ in linked:  # each round may find one level more
            new = above.changed(before)
            again = [child for child in linked if not new.isdisjoint(child.parents)]
            changed = [self._assign(child, nested=above) for child in again]
            if not any(changed):
                break
            above, before = self._loop_children(linked), above
        for child in linked:
            drop_few(child.best, child.chosen, above.children, MINIMUM)
            self._assign_first(child)
            child.pairs = self._pairs(child)

    def _refute(self, child: _Child) -> bool:
        """Take from a child the parents that its values speak against; says whether there are any."""
        work, weigher = self.rows.work, self._weigher
        refuted = [
            pair for pair in child.pairs if not pair.link.refuted and weigher.refutes(work, pair)
        ]
        for pair in refuted:
            instead = weigher.instead(child.number, pair.parent, child.varying, pair.link)
            child.weighed[pair.parent] = instead
            child.candidates[pair.parent] = instead.strength
        return bool(refuted)

    def _children(self) -> list[_Child]:
        """SELECTs that some unit of work, or some pool, runs often and densely enough."""
        in_units = by_statement(self.rows.dense_in_units(self.shapes.repeatable))
        self.dense = in_units
        in_pools = by_statement(self.rows.dense_in_pools(self.shapes.looking_up))
        self._kin = families(self.shapes, self.rows, in_pools)
        found = []
        for number in sorted({*in_units, *in_pools}):
            made = self._child(number, in_units.get(number, NONE), in_pools.get(number, NONE))
            if made is not None:
                found.append(made)
        return found

    def _child(self, number: int, in_units: Rows, in_pools: Rows) -> _Child | None:
        """A child with its candidates; `in_units` and `in_pools` are its dense rows.

        None where nothing can come of it: dense in a pool alone, and no parent surely linked.
        """
        every = self.rows.of_statement(number)
        varying = self.shapes.varying(number, self.rows, every)
        if not len(in_units) and not self.shapes.sure_parents(number, varying):
            return None
        candidates: dict[int, float] = {}
        weighed: dict[int, Link] = {}
        pooled = False
        if varying and not self.written.after(number, every):
            if len(in_units):
                near = self.rows.before_in_units(in_units, self._driving)
                candidates = self._parents(number, near, varying)
                weighed = self._weigher.weigh(self.rows, in_units, near, candidates, varying)
                candidates |= {parent: made.strength for parent, made in weighed.items()}
            if len(in_pools):
                elsewhere = self._parents_in_pools(number, varying)
                pooled = bool(elsewhere)
                candidates |= elsewhere
                weighed = {one: made for one, made in weighed.items() if one not in elsewhere}
        if not len(in_units) and not pooled:
            return None
        rows = every if pooled else self._of_units(number, in_units)
        none = np.full(len(rows), -1, dtype=np.int64)
        score, units = none.astype(np.float64), self.rows.units_of(rows if candidates else NONE)
        made = _Child(
            number,
            Standing(self.rows, rows),
            varying,
            candidates,
            weighed,
            none,
            score,
            none.copy(),
            none >= 0,
            units,
        )
        made.start_again()
        return made

    def _of_units(self, number: int, dense: Rows) -> Rows:
        """Those rows of a statement that share a unit of work with dense ones."""
        rows, units = self.rows.of_statement(number), self.rows.places_of_statement(number)[1]
        some = self.rows.request[dense]  # as they are, by unit
        low = int(some[0])
        marked = np.zeros(int(some[-1]) - low + 1, dtype=bool)
        marked[some - low] = True
        first, last = np.searchsorted(units, [low, low + len(marked)]).tolist()
        found: Rows = rows[first:last][marked[units[first:last] - low]]
        return found

    def _parents(self, number: int, near: Rows, varying: tuple[Predicate, ...]) -> dict[int, float]:
        """Those of some statements that are linked to the lookup, and how strongly."""
        strengths = self.shapes.strengths(number, varying)[near].tolist()
        return {
            parent: strength
            for parent, strength in zip(near.tolist(), strengths, strict=True)
            if strength and parent != number
        }

    def _parents_in_pools(self, number: int, varying: tuple[Predicate, ...]) -> dict[int, float]:
        """Surely linked statements that run on other connections just before these rows."""
        linked = self.shapes.sure_parents(number, varying)
        if not linked:
            return {}
        some = may_follow_in_pool(self.rows, list(linked), number, self._kin)
        found = dict(one for one, may in zip(linked.items(), some.tolist(), strict=True) if may)
        return self._weigher.kept(number, found, varying)

    def _assign(self, child: _Child, *, nested: Above | None) -> bool:
        """Give every child row to its strongest, then nearest parent; says whether any is new."""
        numbers = list(range(len(child.parents)))
        if nested is not None:
            numbers = [one for one in numbers if child.parents[one] in nested.statements]
        changed = False
        size = max(1, _PAIRS // max(1, len(child.rows)))
        for sure in (True, False):
            some = [one for one in numbers if (one < child.sure) == sure]
            for first in range(0, len(some), size):
                changed |= self._assign_some(child, some[first : first + size], nested)
        return changed

    def _assign_some(self, child: _Child, numbers: Sequence[int], nested: Above | None) -> bool:
        """The same with some of its candidates: all linked surely, or none."""
        rows, standing = self.rows, child.standing
        parents = [child.parents[one] for one in numbers]
        strengths = child.strengths[numbers]
        units = child.units
        across = numbers[0] < child.sure
        if across:
            strengths[:] = 1.0
        else:
            # No parent is nearer than a child's own place.
            open_rows = strengths.max() + rows.nearness(child.rows) > child.score
            units = rows.units_of(child.rows[open_rows])
        least = 1 if across or nested else MINIMUM
        inside = behind(rows, standing, parents, units, least=least)
        other = across_pools(rows, standing, parents, inside) if across else NOBODY
        found = looping(rows, standing, inside, other, self._kin, nested)
        return len(found) > 0 and _take(child, rows, found, np.array(numbers), strengths)

    def _assign_first(self, child: _Child) -> None:
        """Give children that are left to the first parent in their request.

        A loop may run its parent's statement again in each turn, so that the nearest is no parent.
        """
        rows = self.rows
        free = np.flatnonzero((child.best < 0) & rows.work.whole[child.rows])
        tried = np.full(len(child.units), -1, dtype=np.int64)  # by unit: the last candidate
        while len(free):
            standing = Standing(rows, child.rows[free])
            units = rows.units_of(standing.rows)
            found = behind(rows, standing, child.parents, units, least=MINIMUM, firsts=True)
            found = found.of(found.number > tried[standing.unit[found.first]])
            kept = looping(rows, standing, found, NOBODY, {})
            unit = standing.unit[kept.place]
            first = np.full(len(tried), len(child.parents), dtype=np.int64)
            np.minimum.at(first, unit, kept.number)
            kept = kept.of(kept.number == first[unit])
            mine = free[kept.place]
            child.best[mine], child.chosen[mine] = kept.owner, kept.number
            tried[unit] = first[unit]
            # Where rows were taken, later candidates may have what is left.
            again = np.zeros(len(tried), dtype=bool)
            again[unit] = True
            free = np.delete(free, kept.place)
            free = free[again[rows.unit(child.rows[free])]]

    def _loop_children(self, children: Sequence[_Child]) -> Above:
        """The rows that are children of a loop found so far, and whose they are."""
        marked = np.zeros(self.rows.count, dtype=bool)
        statements = set()
        parents = None  # of each row, itself where it is no child on another connection
        for child in children:
            mine = child.best >= 0
            marked[child.rows[mine]] = True
            if mine.any():
                statements.add(child.number)
            mine &= child.crossed
            if mine.any():
                parents = np.arange(self.rows.count) if parents is None else parents
                parents[child.rows[mine]] = child.best[mine]
        if parents is None:
            return Above(self.rows, marked, self.rows.request, frozenset(statements))
        for _ in children:  # a nest is no deeper
            higher = parents[parents]
            if np.array_equal(higher, parents):
                break
            parents = higher
        return Above(self.rows, marked, self.rows.request[parents], frozenset(statements))

    def _join_sibling(self, child: _Child, turns: Turns, pairs: Sequence[Pair]) -> None:
        """Give lookups without a parent that of another child that runs in the same turns."""
        free = np.flatnonzero(~child.owned)
        if not turns.near(child.rows[free]):
            return
        free = free[self._left.dense(child.rows[free])]
        free = free[self._left.looping(child.number, child.varying, child.rows[free])]
        found = turns.sibling(child.number, child.rows[free])
        if found is None:
            return
        pair = pairs[found.pair]
        facts = self.shapes.facts(child.number)
        how = f"runs once in each turn of the loop that reads {pair.link.child_table}"
        link = Link(_SIBLING, how, pair.link.parent_table, (), facts.main_table or "")
        child.joined = link
        child.parents.append(pair.parent)
        child.best[free[found.rows]] = found.parents[found.rows]
        child.chosen[free[found.rows]] = len(child.parents) - 1
        child.pairs = self._pairs(child)

    def _pairs(self, child: _Child) -> list[Pair]:
        """What a child was found to follow, by parent."""
        found = []
        for number in distinct(child.chosen[child.chosen >= 0]).tolist():
            parent = child.parents[number]
            link = child.joined if number == len(child.candidates) else child.weighed.get(parent)
            link = link or self.shapes.link(child.number, parent, child.varying)
            mine = child.chosen == number
            owners, rows = child.best[mine], child.rows[mine]
            parallel = bool(child.crossed[mine].any())
            found.append(
                Pair(parent, child.number, link, child.varying, rows, owners, owners, parallel)
            )
        return found


def _take(
    child: _Child, rows: ExecutionRows, found: Followers, numbers: Rows, strengths: Floats
) -> bool:
    """Give children to a parent that is better than theirs; says whether any is new.

    `numbers` and `strengths` are the candidates' that `found` tells apart.
    """
    scores = strengths[found.number] + rows.nearness(found.owner, found.crossed)
    offered = found.place, scores, numbers[found.number], found.owner, found.crossed
    return take(offered, (child.best, child.score, child.chosen, child.crossed))
