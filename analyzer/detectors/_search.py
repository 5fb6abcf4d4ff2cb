"""The search for loops in one slice: which children follow which parent.

Work is done on columns; Python loops go over statements (shapes), not over executions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from analyzer.detectors._across import chains, families, may_follow_in_pool
from analyzer.detectors._fanout import Above, Claims, are_dense, first_in_unit, follow
from analyzer.detectors._found import Groups, Loops, Pair
from analyzer.detectors._links import Link, lookups
from analyzer.detectors._places import NONE, by_statement
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.detectors._shapes import SURE_LINK, Shapes
from analyzer.detectors._siblings import Turns
from analyzer.model.columns import Flags, Floats, Rows, starts_of_runs
from analyzer.model.statement import Predicate
from analyzer.model.work import WorkSlice

_SIBLING = 0.5  # how sure it is that a statement belongs to the loop that it runs in turn with
_REGULAR = 0.5  # share of a loop's executions with the same statement before or behind them
_READ_BEFORE_WRITE = 0.6  # share of lookups followed by a write to the same table


@dataclass(slots=True)
class _Child:
    """A statement that may be the child of loops, with the parents it could have.

    `best`, `score`, `chosen` and `crossed` hold for each of `rows` the parent row so far, how good
    it is, the number of its candidate, and whether it ran on another connection. `units` marks the
    units of work that run it, `standing` are its rows' places and units of work. `claims` are those of candidates that were asked for already, by
    their number; None for one that runs nowhere where the child does.
    """

    number: int
    rows: Rows
    varying: tuple[Predicate, ...]
    candidates: list[tuple[int, Link]]
    best: Rows
    score: Floats
    chosen: Rows
    crossed: Flags
    units: Flags
    standing: tuple[Rows, Rows]
    claims: dict[int, Claims | None] = field(default_factory=dict)


class Search:
    """One pass over a slice."""

    def __init__(self, work: WorkSlice, shapes: Shapes) -> None:
        shapes.learn(work.statements)
        self.shapes = shapes
        self.rows = ExecutionRows(work, shapes.lookups)
        self._driving = shapes.driving
        self._kin: dict[int, Flags] = {}

    def run(self) -> Loops:
        """All loops: pairs with one level, then nested ones, then what they leave unexplained."""
        loops = Loops()
        children = self._children()
        linked = [child for child in children if child.candidates]
        for child in linked:
            self._assign(child, nested=None)
        for _ in range(len(linked)):  # each round may find one level more
            above = self._loop_children(linked)
            changed = [self._assign(child, nested=above) for child in linked]
            if not any(changed):
                break
        above = self._loop_children(linked)
        for child in linked:
            _drop_remains(child, above.children)
            self._assign_first(child)
        pairs = [pair for child in linked for pair in _pairs(child)]
        turns = Turns(self.rows, pairs)
        for child in children:
            self._join_sibling(child, turns, pairs)
        loops.pairs = [pair for child in children for pair in _pairs(child)]
        _find_roots(loops.pairs, self.rows.count)
        for child in children:
            self._leftovers(child, loops)
        return loops

    def _children(self) -> list[_Child]:
        """SELECTs that some unit of work, or some pool, runs often and densely enough."""
        in_units = by_statement(self.rows, self.rows.dense_in_units(self.shapes.repeatable))
        in_pools = by_statement(self.rows, self.rows.dense_in_pools(self.shapes.looking_up))
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
        candidates: dict[int, Link] = {}
        pooled = False
        if varying and not self._read_before_write(number, every):
            candidates = self._parents(number, in_units, varying)
            if len(in_pools):
                elsewhere = self._parents_in_pools(number, every, varying)
                pooled = bool(elsewhere)
                candidates |= elsewhere
        if not len(in_units) and not pooled:
            return None
        rows = every if pooled else self._of_units(every, in_units)
        none = np.full(len(rows), -1, dtype=np.int64)
        ranked = sorted(candidates.items(), key=lambda one: (-one[1].strength, one[0]))
        score, units = none.astype(np.float64), self.rows.units_of(rows if ranked else NONE)
        at = self.rows.place[rows], self.rows.request[rows]
        return _Child(number, rows, varying, ranked, none, score, none.copy(), none >= 0, units, at)

    def _of_units(self, rows: Rows, dense: Rows) -> Rows:
        """Those rows that share a unit of work with dense ones."""
        request = self.rows.request
        low = int(request[dense].min())
        some = np.zeros(int(request[dense].max()) - low + 1, dtype=bool)
        some[request[dense] - low] = True
        place = request[rows] - low
        inside = (place >= 0) & (place < len(some))
        found: Rows = rows[inside]
        return found[some[place[inside]]]

    def _read_before_write(self, number: int, rows: Rows) -> bool:
        """Whether most lookups are followed, before the next one, by a write to the same table."""
        return bool(self._written_after(number, rows).mean() >= _READ_BEFORE_WRITE)

    def _written_after(self, number: int, rows: Rows) -> Flags:
        """Which lookups (by unit of work and time) are followed by such a write before the next."""
        writers = self.shapes.writers(self.shapes.facts(number).main_table)
        written = np.concatenate([NONE, *(self.rows.of_statement(other) for other in writers)])
        if len(written) == 0:
            return np.zeros(len(rows), dtype=bool)
        written = written[np.argsort(self.rows.place[written])]
        places, mine = self.rows.place[written], self.rows.place[rows]
        following = np.minimum(np.searchsorted(places, mine), len(written) - 1)
        after: Flags = places[following] > mine
        after &= self.rows.request[written[following]] == self.rows.request[rows]
        after &= places[following] < np.append(mine[1:], self.rows.count)
        return after

    def _parents(
        self, number: int, in_units: Rows, varying: tuple[Predicate, ...]
    ) -> dict[int, Link]:
        """Statements near dense rows that can return several rows and are linked to the lookup."""
        if len(in_units) == 0:
            return {}
        near = self.rows.before_in_units(in_units, self._driving).tolist()
        return {
            parent: made
            for parent in near
            if parent != number and (made := self.shapes.link(number, parent, varying))
        }

    def _parents_in_pools(
        self, number: int, rows: Rows, varying: tuple[Predicate, ...]
    ) -> dict[int, Link]:
        """Surely linked statements that run on other connections just before these rows."""
        linked = self.shapes.sure_parents(number, varying)
        if not linked:
            return {}
        runs = chains(self.rows, rows)
        return {
            parent: made
            for parent, made in linked
            if may_follow_in_pool(self.rows, parent, runs, self._kin.get(parent))
        }

    def _assign(self, child: _Child, *, nested: Above | None) -> bool:
        """Give every child row to its strongest, then nearest parent; says whether any is new."""
        rows = self.rows
        changed = False
        for number, (parent, made) in enumerate(child.candidates):
            if nested is not None and not nested.children[rows.of_statement(parent)].any():
                continue
            claims = self._claims(child, number)
            if claims is None:
                continue
            found, owner, crossed = claims.kept(nested)
            if len(found) == 0:
                continue
            strength = 1.0 if made.strength >= SURE_LINK else made.strength
            score = strength + rows.nearness(owner, crossed)
            better = score > child.score[found]
            changed |= bool(better.any())
            found = found[better]
            child.score[found] = score[better]
            child.best[found] = owner[better]
            child.chosen[found] = number
            child.crossed[found] = crossed[better]
        return changed

    def _claims(self, child: _Child, number: int) -> Claims | None:
        """What of a child follows one of its candidates; None where nothing can."""
        if number not in child.claims:
            child.claims[number] = self._claimed(child, *child.candidates[number])
        return child.claims[number]

    def _claimed(self, child: _Child, parent: int, made: Link) -> Claims | None:
        rows = self.rows
        # A guess needs the connection's own order as a witness.
        across = made.strength >= SURE_LINK
        if not across and not child.units[rows.units_of_statement(parent)].any():
            return None
        owner, crossed = follow(rows, parent, child.rows, child.standing, across=across)
        return Claims(rows, child.rows, owner, crossed, self._kin.get(parent))

    def _assign_first(self, child: _Child) -> None:
        """Give children that are left to the first parent in their request.

        A loop may run its parent's statement again in each turn, so that the nearest is no parent.
        """
        rows = self.rows
        free = np.flatnonzero((child.best < 0) & rows.work.whole[child.rows])
        for number, (parent, _) in enumerate(child.candidates):
            if len(free) == 0:
                return
            if self._claims(child, number) is None:
                continue
            owner = first_in_unit(rows, parent, child.rows[free])
            crossed = np.zeros(len(free), dtype=bool)
            kept, owner, _ = Claims(rows, child.rows[free], owner, crossed).kept()
            child.best[free[kept]], child.chosen[free[kept]] = owner, number
            free = np.delete(free, kept)

    def _loop_children(self, children: Sequence[_Child]) -> Above:
        """The rows that are children of a loop found so far, and whose they are."""
        marked = np.zeros(self.rows.count, dtype=bool)
        home = self.rows.request
        parents = np.arange(self.rows.count)
        for child in children:
            mine = child.best >= 0
            marked[child.rows[mine]] = True
            crossed = child.rows[mine & child.crossed]
            parents[crossed] = child.best[mine & child.crossed]
        for _ in children:  # a nest is no deeper
            higher = parents[parents]
            if np.array_equal(higher, parents):
                break
            parents = higher
        return Above(marked, home[parents])

    def _join_sibling(self, child: _Child, turns: Turns, pairs: Sequence[Pair]) -> None:
        """Give lookups without a parent that of another child that runs in the same turns."""
        free = np.flatnonzero(child.best < 0)
        free = free[np.isin(child.rows[free], self._dense_units(child.rows[free]))]
        free = free[self._looping(child, child.rows[free])]
        found = turns.sibling(child.number, child.rows[free])
        if found is None:
            return
        pair = pairs[found.pair]
        facts = self.shapes.facts(child.number)
        how = f"runs once in each turn of the loop that reads {pair.link.child_table}"
        link = Link(_SIBLING, how, pair.link.parent_table, (), facts.main_table or "")
        child.candidates.append((pair.parent, link))
        child.best[free[found.rows]] = found.parents[found.rows]
        child.chosen[free[found.rows]] = len(child.candidates) - 1

    def _leftovers(self, child: _Child, loops: Loops) -> None:
        """Repetitions without a parent: identical ones, and lookups with changing values."""
        rows = self._dense_units(child.rows[child.best < 0])
        if len(rows) == 0:
            return
        looping = self._looping(child, rows)
        if looping.any():
            self._lookups(child, rows[looping], loops)
        self._identical(child, rows[~looping], loops)

    def _looping(self, child: _Child, rows: Rows) -> Flags:
        """Which rows are of a unit of work that does at least MINIMUM different lookups."""
        if len(rows) == 0 or not self.shapes.may_loop(child.number, self.rows, rows):
            return np.zeros(len(rows), dtype=bool)
        unit = np.cumsum(starts_of_runs(self.rows.request[rows])) - 1
        count = int(unit[-1]) + 1
        if self.shapes.by_text(child.number) or not child.varying:
            # Any statement comes again with other parameters where requests follow each other.
            found: Flags = self.rows.texts_counted(rows, unit, count) >= MINIMUM
            found &= self.rows.work.whole[rows[starts_of_runs(unit)]]
        else:
            found = self.rows.different_lookups(rows, unit, count)
            if self.shapes.counts_texts(child.number, self.rows, rows):
                found |= self.rows.texts_counted(rows, unit, count) >= MINIMUM
        found &= self._regular(rows, unit, count)
        flags: Flags = found[unit]
        return flags

    def _regular(self, rows: Rows, unit: Rows, count: int) -> Flags:
        """In which units most rows are followed, or most are preceded, by one and the same statement.

        What one place in the application runs again and again is; what several places run is not.
        """
        sizes = np.bincount(unit, minlength=count)
        usual = np.zeros(count, dtype=np.int64)
        for step in (1, -1):
            beside = self.rows.beside(rows, step)
            code = np.sort(unit << 32 | (beside + 1))
            starts = np.flatnonzero(starts_of_runs(code))
            runs = np.diff(starts, append=len(code))
            np.maximum.at(usual, code[starts] >> 32, runs)
        flags: Flags = usual >= _REGULAR * sizes
        return flags

    def _identical(self, child: _Child, rows: Rows, loops: Loops) -> None:
        """Executions that a unit of work repeats with the very same parameters."""
        if len(rows) == 0:
            return
        request, texts = self.rows.request[rows], self.rows.work.parameters_hash[rows]
        unit = np.cumsum(starts_of_runs(request)) - 1
        code = unit << 32 | texts
        order = np.argsort(code)
        new = starts_of_runs(code[order])
        same = np.empty(len(rows), dtype=np.int64)
        same[order] = np.cumsum(new) - 1
        # Without logged parameters a lookup's executions cannot be called identical.
        looks_up = bool(lookups(self.shapes.facts(child.number)))
        often = np.bincount(same) >= MINIMUM
        identical = often[same] & ((texts != 0) | (not looks_up))
        if identical.any():
            needed = np.bincount(unit[order][new & identical[order]])
            loops.repeated.append(
                self._groups(child, rows[identical], int(needed.max()), int(needed.sum()))
            )

    def _dense_units(self, rows: Rows) -> Rows:
        """Those rows of a statement that run often and close together in their unit of work."""
        if len(rows) < MINIMUM:
            return NONE
        starts = np.flatnonzero(starts_of_runs(self.rows.request[rows]))
        sizes = np.diff(starts, append=len(rows))
        some = (sizes >= MINIMUM) & are_dense(self.rows, rows, starts)
        return rows[np.repeat(some, sizes)]

    def _lookups(self, child: _Child, rows: Rows, loops: Loops) -> None:
        """Add lookups without a parent."""
        unit = np.cumsum(starts_of_runs(self.rows.request[rows])) - 1
        most = self.rows.most_lookups(rows, unit, int(unit[-1]) + 1)
        groups = self._groups(child, rows, most, 0)
        groups.values = self.rows.values_of_units(rows)
        loops.lookups.append(groups)

    def _groups(self, child: _Child, rows: Rows, distinct: int, needed: int) -> Groups:
        request = self.rows.request[rows]
        starts = np.flatnonzero(starts_of_runs(request))
        sizes = np.diff(starts, append=len(rows))
        return Groups(child.number, request[starts], rows, sizes, distinct, needed)


def _drop_remains(child: _Child, nested: Flags) -> None:
    """Give up parents that a nearer one has left with too few children to be a loop."""
    owned = np.flatnonzero(child.best >= 0)
    if len(owned) == 0:
        return
    owners, group, counts = np.unique(child.best[owned], return_inverse=True, return_counts=True)
    few = ((counts < MINIMUM) & ~nested[owners])[group]
    child.best[owned[few]] = -1
    child.chosen[owned[few]] = -1


def _pairs(child: _Child) -> list[Pair]:
    found = []
    for number, (parent, made) in enumerate(child.candidates):
        mine = child.chosen == number
        if mine.any():
            owners = child.best[mine]
            parallel = bool(child.crossed[mine].any())
            rows = child.rows[mine]
            found.append(
                Pair(parent, child.number, made, child.varying, rows, owners, owners, parallel)
            )
    return found


def _find_roots(pairs: Sequence[Pair], count: int) -> None:
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
