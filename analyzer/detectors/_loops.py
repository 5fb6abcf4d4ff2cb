"""Loops of statements: which children follow which parent, over all units of work at once.

The computed fact behind n-plus-one, repeated-lookup and repeated-query. Work is done on columns;
Python loops go over statements (shapes), not over executions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analyzer.detectors._fanout import MINIMUM, follow, is_dense, keep_loops
from analyzer.detectors._links import Link, finds_one_row, link, lookups
from analyzer.detectors._rows import ExecutionRows, Flags, Rows
from analyzer.model.statement import Kind, Predicate
from analyzer.model.workload import Workload

_READ_BEFORE_WRITE = 0.6  # share of lookups followed by a write to the same table
_SURE_LINK = 0.7  # from this strength on the nearest parent wins, not the better linked one
_SAMPLE = 250  # executions looked at to see which lookups vary


@dataclass(slots=True)
class Pair:
    """A parent and a child statement (numbers) with every child row's parent row.

    `children`, `parents` and `roots` are row numbers of `Workload.executions`, one per child
    execution: the child, the parent execution it follows, and the outermost parent of a nest.
    `parallel`: some children ran on other connections than their parent.
    """

    parent: int
    child: int
    link: Link
    lookups: tuple[Predicate, ...]
    children: Rows
    parents: Rows
    roots: Rows
    parallel: bool


@dataclass(slots=True)
class Group:
    """Executions (row numbers) of one statement in one unit of work that repeat without a parent.

    `distinct` counts different lookups, or different parameter texts of identical repetitions.
    """

    statement: int
    request: int
    rows: Rows
    distinct: int


@dataclass(slots=True)
class Loops:
    """What was found: pairs, lookups without a parent, identical repetitions."""

    pairs: list[Pair] = field(default_factory=list)
    lookups: list[Group] = field(default_factory=list)
    repeated: list[Group] = field(default_factory=list)


class LoopFinder:
    """Finds the loops of a workload once, for all detectors that ask."""

    def __init__(self) -> None:
        self._workload: Workload | None = None
        self._loops = Loops()

    def find(self, workload: Workload) -> Loops:
        """The loops of this workload."""
        if self._workload is not workload:
            self._loops = _Search(workload).run()
            self._workload = workload
        return self._loops


@dataclass(slots=True)
class _Child:
    """A statement that may be the child of loops, with the parents it could have.

    `best`, `score`, `chosen` and `crossed` hold for each of `rows` the parent row so far, how good
    it is, the number of its candidate, and whether it ran on another connection.
    """

    number: int
    rows: Rows
    varying: tuple[Predicate, ...]
    candidates: list[tuple[int, Link]]
    best: Rows
    score: "np.ndarray[tuple[int], np.dtype[np.float64]]"
    chosen: Rows
    crossed: Flags


class _Search:
    """One pass over a workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.rows = ExecutionRows(workload)
        self.facts = [statement.facts for statement in workload.statements]
        self.tables = frozenset(name for facts in self.facts for name in facts.tables)

    def run(self) -> Loops:
        """All loops: pairs with one level, then nested ones, then what they leave unexplained."""
        loops = Loops()
        children = [self._child(number) for number in self._repeated_selects()]
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
            _drop_remains(child, above)
        loops.pairs = [pair for child in linked for pair in _pairs(child)]
        _find_roots(loops.pairs, self.rows.count)
        for child in children:
            self._leftovers(child, loops)
        return loops

    def _repeated_selects(self) -> list[int]:
        """SELECTs that some unit of work, or some pool, runs often enough to be looked at."""
        rows = self.rows
        by_unit = pd.DataFrame({"s": rows.statement, "u": rows.request}).value_counts()
        found = set(by_unit[by_unit >= MINIMUM].index.get_level_values("s"))
        pooled = rows.pool >= 0
        by_pool = pd.DataFrame({"s": rows.statement[pooled], "p": rows.pool[pooled]}).value_counts()
        found |= set(by_pool[by_pool >= MINIMUM].index.get_level_values("s"))
        return sorted(
            int(number)
            for number in found
            if self.facts[number].kind is Kind.SELECT and not self.facts[number].cursor
        )

    def _child(self, number: int) -> _Child:
        rows = self.rows.of_statement(number)
        varying = self._varying(number, rows)
        candidates = []
        if varying and not self._read_before_write(number, rows):
            candidates = self._parents(number, rows, varying)
        none = np.full(len(rows), -1, dtype=np.int64)
        return _Child(
            number,
            rows,
            varying,
            candidates,
            none,
            none.astype(np.float64),
            none.copy(),
            np.zeros(len(rows), dtype=bool),
        )

    def _varying(self, number: int, rows: Rows) -> tuple[Predicate, ...]:
        """The lookups whose value changes between executions; all where values are unknown."""
        found = []
        for place, predicate in enumerate(lookups(self.facts[number])):
            values = {self.rows.value(row, place) for row in rows[:_SAMPLE].tolist()}
            if len(values) > 1 or values == {None}:
                found.append(predicate)
        return tuple(found)

    def _read_before_write(self, number: int, rows: Rows) -> bool:
        """Whether most lookups are followed, before the next one, by a write to the same table."""
        table = self.facts[number].main_table
        writers = [
            self.rows.of_statement(other)
            for other, facts in enumerate(self.facts)
            if facts.kind.writes and facts.main_table == table
        ]
        if not writers:
            return False
        written = np.concatenate(writers)
        if len(written) == 0 or len(rows) == 0:
            return False
        written = written[np.argsort(self.rows.place[written])]
        places, mine = self.rows.place[written], self.rows.place[rows]
        following = np.minimum(np.searchsorted(places, mine), len(written) - 1)
        after = places[following] > mine
        after &= self.rows.request[written[following]] == self.rows.request[rows]
        after &= places[following] < np.append(mine[1:], self.rows.count)
        return bool(after.mean() >= _READ_BEFORE_WRITE)

    def _parents(
        self, number: int, rows: Rows, varying: tuple[Predicate, ...]
    ) -> list[tuple[int, Link]]:
        """Statements nearby that can return several rows and are linked to the child's lookup."""
        catalog = self.workload.catalog
        found = []
        for parent in self.rows.beside(rows):
            facts = self.facts[parent]
            if parent == number or facts.kind is not Kind.SELECT or finds_one_row(facts, catalog):
                continue
            made = link(self.facts[number], varying, facts, catalog, self.tables)
            if made is not None:
                found.append((parent, made))
        return found

    def _assign(self, child: _Child, *, nested: Flags | None) -> bool:
        """Give every child row to its strongest, then nearest parent; says whether any is new."""
        rows = self.rows
        changed = False
        for number, (parent, made) in enumerate(child.candidates):
            if nested is not None and not nested[rows.of_statement(parent)].any():
                continue
            owner, crossed = follow(rows, parent, child.rows)
            if made.strength < _SURE_LINK:  # a guess needs the connection's own order as a witness
                owner[crossed] = -1
            owner = keep_loops(rows, child.rows, owner, crossed, nested=nested)
            near = rows.place[np.maximum(owner, 0)] / (rows.count + 1)
            strength = 1.0 if made.strength >= _SURE_LINK else made.strength
            score = np.where(owner >= 0, strength + near, -1.0)
            better = score > child.score
            changed |= bool(better.any())
            child.score[better] = score[better]
            child.best[better] = owner[better]
            child.chosen[better] = number
            child.crossed[better] = crossed[better]
        return changed

    def _loop_children(self, children: Sequence[_Child]) -> Flags:
        """Marks the rows that are children of a loop found so far."""
        marked = np.zeros(self.rows.count, dtype=bool)
        for child in children:
            marked[child.rows[child.best >= 0]] = True
        return marked

    def _leftovers(self, child: _Child, loops: Loops) -> None:
        """Repetitions without a parent: identical ones, and lookups with changing values."""
        free = child.rows[child.best < 0]
        in_pairs = len(free) < len(child.rows)
        if len(free) < MINIMUM:
            return
        units, unit, counts = np.unique(
            self.rows.request[free], return_inverse=True, return_counts=True
        )
        looks_up = bool(lookups(self.facts[child.number]))
        for number in np.flatnonzero(counts >= MINIMUM).tolist():
            members = free[unit == number]
            if not is_dense(self.rows, members):
                continue
            parameters = self.rows.same_parameters(members)
            texts, sizes = np.unique(parameters, return_counts=True)
            # Without logged parameters a lookup's executions cannot be called identical.
            often = texts[(sizes >= MINIMUM) & ((texts >= 0) | (not looks_up))]
            identical = np.isin(parameters, often)
            request = int(units[number])
            if identical.any():
                repeated = Group(child.number, request, members[identical], len(often))
                loops.repeated.append(repeated)
            rest = members[~identical]
            # Beside a pair, a run whose parent was logged before the input begins is the same loop.
            if child.varying and not in_pairs and len(rest) >= MINIMUM:
                self._lookups(child.number, request, rest, loops)

    def _lookups(self, number: int, request: int, rows: Rows, loops: Loops) -> None:
        groups = np.zeros(len(rows), dtype=np.int64)
        distinct = int(self.rows.distinct_lookups(rows, groups, 1)[0])
        if distinct >= MINIMUM and not self._read_before_write(number, rows):
            loops.lookups.append(Group(number, request, rows, distinct))


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
            found.append(
                Pair(
                    parent,
                    child.number,
                    made,
                    child.varying,
                    child.rows[mine],
                    owners,
                    owners,
                    parallel,
                )
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
