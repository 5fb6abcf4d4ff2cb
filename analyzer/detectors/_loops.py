"""Loops of statements: which children follow which parent, over all units of work at once.

The computed fact behind n-plus-one, repeated-lookup and repeated-query. Everything is done on
columns; Python loops go over statements (shapes), never over executions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from analyzer.detectors._links import Link, finds_one_row, link, lookups
from analyzer.model.executions import Clock
from analyzer.model.statement import Kind, Predicate
from analyzer.model.workload import Workload
from analyzer.sql.parameters import split_parameters

MINIMUM = 5  # executions from which a repetition is a loop
_REPEATING_PARENTS = 3  # a parent run this often with _MEAN_FAN_OUT children each is a nested loop
_MEAN_FAN_OUT = 1.5
_PARALLEL_WINDOW_US = 100_000  # children on other connections start within this of their parent
_READ_BEFORE_WRITE = 0.6  # share of lookups followed by a write to the same table

Rows = npt.NDArray[np.int64]


@dataclass(slots=True)
class Pair:
    """A parent and a child statement (numbers) with every child row's parent row.

    `children`, `parents` and `roots` are row numbers of `Workload.executions`, one per child
    execution: the child, the parent execution it follows, and the outermost parent of a nest.
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
    """Executions (row numbers) of one statement in one unit of work that repeat without a parent."""

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


class _Search:
    """One pass over a workload; columns are read once."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        table = workload.executions
        self.rows = np.arange(len(table))
        self.statement = table["statement"].to_numpy(dtype=np.int64)
        self.request = table["request"].to_numpy(dtype=np.int64)
        self.start = table["start_us"].to_numpy(dtype=np.int64)
        self.end = table["end_us"].to_numpy(dtype=np.int64)
        self.session = table["session"].to_numpy(dtype=np.int64)
        self.parameters = table["parameters"].to_numpy(dtype=np.int64)
        self.key = table["key"].to_numpy(dtype=np.int64)
        # Order within a unit of work; a trace may run over several sessions.
        order = np.lexsort((self.rows, table["at"].to_numpy(dtype=np.int64), self.request))
        traced = (table["trace"] >= 0).to_numpy()
        in_place = np.lexsort((self.rows, self.request))
        self.order = order if traced.any() else in_place
        self.place = np.empty(len(table), dtype=np.int64)
        self.place[self.order] = self.rows
        # Only sessions of one application on one database can serve one request.
        pool = table.groupby(["database", "user", "application"]).ngroup().to_numpy()
        poolable = ~traced & (table["clock"] == Clock.SERVER).to_numpy()
        self.pool = np.where(poolable, pool, -1)
        self.values: dict[tuple[int, int], str | None] = {}

    def run(self) -> Loops:
        """All loops: pairs first, what they leave unexplained after."""
        loops = Loops()
        explained = np.zeros(len(self.rows), dtype=bool)
        for child in self._repeated_statements():
            facts = self.workload.statements[child].facts
            if facts.kind is not Kind.SELECT or facts.cursor:
                continue
            mine = self._ordered(np.flatnonzero(self.statement == child))
            varying = self._varying(child, mine)
            if varying and not self._reads_before_write(child, mine):
                for pair in self._best_pairs(child, mine, varying):
                    loops.pairs.append(pair)
                    explained[pair.children] = True
            self._leftovers(child, mine[~explained[mine]], varying, loops)
        explained_statements = {pair.child for pair in loops.pairs}
        # A loop whose parent was logged before the input begins is the same loop, found already.
        loops.lookups = [one for one in loops.lookups if one.statement not in explained_statements]
        _find_roots(loops.pairs, len(self.rows))
        return loops

    def _repeated_statements(self) -> list[int]:
        """Statements that some unit of work, or some pool within a moment, runs often enough."""
        by_request = pd.DataFrame({"s": self.statement, "r": self.request}).value_counts()
        found = set(by_request[by_request >= MINIMUM].index.get_level_values("s"))
        pooled = pd.DataFrame({"s": self.statement, "p": self.pool})[self.pool >= 0].value_counts()
        found |= set(pooled[pooled >= MINIMUM].index.get_level_values("s"))
        return sorted(int(number) for number in found)

    def _ordered(self, rows: Rows) -> Rows:
        return rows[np.argsort(self.place[rows], kind="stable")]

    def _value(self, row: int, place: int) -> str | None:
        """The value that the place-th lookup of the row's statement is done with."""
        found = lookups(self.workload.key_facts[int(self.key[row])])
        number = int(self.parameters[row])
        if place >= len(found) or number < 0:
            return None
        parameter = found[place].parameter
        known = (number, parameter)
        if known not in self.values:
            values = split_parameters(self.workload.parameters[number])
            at = parameter - 1 if parameter > 0 else -parameter - 1
            self.values[known] = values[at] if at < len(values) else None
        return self.values[known]

    def _varying(self, child: int, rows: Rows) -> tuple[Predicate, ...]:
        """The lookups whose value changes from execution to execution; all where values are unknown."""
        found = lookups(self.workload.statements[child].facts)
        sample = rows[: 50 * MINIMUM].tolist()
        return tuple(
            predicate
            for place, predicate in enumerate(found)
            if len({self._value(row, place) for row in sample}) > 1
            or all(self._value(row, place) is None for row in sample)
        )

    def distinct(self, child: int, rows: Rows) -> int:
        """How many different lookups the rows do; unknown values count as different."""
        if (self.parameters[rows] < 0).all():
            return len(rows)
        count = len(lookups(self.workload.statements[child].facts))
        return len(
            {tuple(self._value(row, place) for place in range(count)) for row in rows.tolist()}
        )

    def _reads_before_write(self, child: int, rows: Rows) -> bool:
        """Whether most lookups are followed, before the next one, by a write to the same table."""
        table = self.workload.statements[child].facts.main_table
        writers = [
            number
            for number, statement in enumerate(self.workload.statements)
            if statement.facts.kind.writes and statement.facts.main_table == table
        ]
        written = self._ordered(np.flatnonzero(np.isin(self.statement, writers)))
        if len(written) == 0 or len(rows) == 0:
            return False
        places = self.place[written]
        following = np.searchsorted(places, self.place[rows])
        inside = following < len(written)
        following = np.minimum(following, len(written) - 1)
        same = inside & (self.request[written[following]] == self.request[rows])
        next_place = np.append(self.place[rows][1:], len(self.rows))
        same &= places[following] < next_place
        return bool(same.mean() >= _READ_BEFORE_WRITE)

    def _best_pairs(self, child: int, rows: Rows, varying: tuple[Predicate, ...]) -> list[Pair]:
        """Pairs of this child with each of its parents; every row goes to its best parent."""
        facts = self.workload.statements[child].facts
        candidates = []
        nearby = np.unique(self.statement[np.isin(self.request, self.request[rows])]).tolist()
        if (self.pool[rows] >= 0).any():
            nearby = sorted(
                {*nearby, *np.unique(self.statement[np.isin(self.pool, self.pool[rows])]).tolist()}
            )
        for parent in nearby:
            other = self.workload.statements[parent].facts
            if (
                parent == child
                or other.kind is not Kind.SELECT
                or finds_one_row(other, self.workload.catalog)
            ):
                continue
            made = link(facts, varying, other, self.workload.catalog)
            if made is not None:
                candidates.append((parent, made))
        return self._share_out(child, rows, varying, candidates)

    def _share_out(
        self,
        child: int,
        rows: Rows,
        varying: tuple[Predicate, ...],
        candidates: list[tuple[int, Link]],
    ) -> list[Pair]:
        """Give every child row to the strongest, then nearest parent whose fan-out is a loop's."""
        best_score = np.full(len(rows), -1.0)
        best_parent = np.full(len(rows), -1, dtype=np.int64)
        best_candidate = np.full(len(rows), -1, dtype=np.int64)
        parallel = np.zeros(len(rows), dtype=bool)
        for number, (parent, made) in enumerate(candidates):
            assigned, crossed = self._assign(parent, rows)
            assigned = self._fans_out(child, parent, rows, assigned)
            near = np.where(assigned >= 0, self.place[assigned] / (len(self.rows) + 1), 0.0)
            clear = 1.0 if made.strength >= 0.7 else made.strength  # noqa: PLR2004 - sure enough: nearest wins
            score = np.where(assigned >= 0, clear + near, -1.0)
            better = score > best_score
            best_score[better] = score[better]
            best_parent[better] = assigned[better]
            best_candidate[better] = number
            parallel[better] = crossed[better]
        pairs = []
        for number, (parent, made) in enumerate(candidates):
            mine = best_candidate == number
            if mine.any():
                pairs.append(
                    Pair(
                        parent,
                        child,
                        made,
                        varying,
                        rows[mine],
                        best_parent[mine],
                        best_parent[mine],
                        bool(parallel[mine].any()),
                    )
                )
        return pairs

    def _assign(self, parent: int, rows: Rows) -> tuple[Rows, npt.NDArray[np.bool_]]:
        """For each child row the parent row it follows, -1 if none; and whether in another session."""
        parents = self._ordered(np.flatnonzero(self.statement == parent))
        assigned = np.full(len(rows), -1, dtype=np.int64)
        crossed = np.zeros(len(rows), dtype=bool)
        if len(parents) == 0:
            return assigned, crossed
        before = np.searchsorted(self.place[parents], self.place[rows]) - 1
        inside = before >= 0
        inside[inside] &= self.request[parents[before[inside]]] == self.request[rows[inside]]
        assigned[inside] = parents[before[inside]]
        for pool in np.unique(self.pool[rows[~inside]]).tolist():
            if pool >= 0:
                self._assign_in_pool(pool, parents, rows, assigned, crossed)
        return assigned, crossed

    def _assign_in_pool(
        self, pool: int, parents: Rows, rows: Rows, assigned: Rows, crossed: npt.NDArray[np.bool_]
    ) -> None:
        """Children on other connections of the pool, in an unbroken run behind a parent."""
        mine = np.flatnonzero(self.pool[rows] == pool)
        ours = parents[self.pool[parents] == pool]
        if len(ours) == 0:
            return
        ours = ours[np.argsort(self.end[ours], kind="stable")]
        times = self.end[ours]
        mine = mine[np.argsort(self.end[rows[mine]], kind="stable")]
        owner = np.searchsorted(times, self.end[rows[mine]], side="right") - 1
        for number in np.unique(owner[owner >= 0]).tolist():
            run = mine[owner == number]
            at = self.end[rows[run]]
            gaps = np.diff(at, prepend=times[number])
            broken = np.flatnonzero(gaps > _PARALLEL_WINDOW_US)
            run = run[: broken[0]] if len(broken) else run
            free = run[assigned[run] < 0]
            if len(free) == 0 or self._lookups_before(times[number], rows[mine], assigned[mine]):
                continue
            assigned[free] = ours[number]
            crossed[free] = True

    def _lookups_before(self, moment: int, rows: Rows, assigned: Rows) -> bool:
        """Whether the same lookup ran on its own just before the parent: then it does so behind it too."""
        at = self.end[rows]
        return bool(((at < moment) & (at >= moment - _PARALLEL_WINDOW_US) & (assigned < 0)).any())

    def _fans_out(self, child: int, parent: int, rows: Rows, assigned: Rows) -> Rows:
        """Keep the assignments that look like a loop over the parent's rows; -1 for the rest."""
        kept = np.full(len(rows), -1, dtype=np.int64)
        owned = assigned >= 0
        if not owned.any():
            return kept
        found, inverse, counts = np.unique(assigned[owned], return_inverse=True, return_counts=True)
        limits = self._limits(parent, found)
        good = (counts <= limits) & (limits > 1)
        runs = np.flatnonzero(self.statement == parent)
        runs_in = pd.Series(self.request[runs]).value_counts()
        for request in np.unique(self.request[found]).tolist():
            here = (self.request[found] == request) & good
            single = here & (counts >= MINIMUM)
            executed = int(runs_in.get(request, 0))
            total = int(counts[here].sum())
            nested = (
                executed >= _REPEATING_PARENTS
                and total >= MINIMUM
                and total >= _MEAN_FAN_OUT * executed
            )
            chosen = here if nested else single
            for place in np.flatnonzero(chosen).tolist():
                members = np.flatnonzero(owned)[inverse == place]
                kept[members] = found[place]
            members = np.flatnonzero(np.isin(kept, found[chosen]))
            if len(members) and self.distinct(child, rows[members]) < MINIMUM:
                kept[members] = -1
        return kept

    def _limits(self, parent: int, parents: Rows) -> Rows:
        """The most rows that each execution of the parent can have returned."""
        unlimited = np.iinfo(np.int64).max
        limits = np.full(len(parents), unlimited, dtype=np.int64)
        facts = self.workload.statements[parent].facts
        if facts.limit is None:
            return limits
        for place, row in enumerate(parents.tolist()):
            coded = self.workload.key_facts[int(self.key[row])]
            number = int(self.parameters[row])
            if coded.limit_parameter and number >= 0:
                values = split_parameters(self.workload.parameters[number])
                at = (
                    coded.limit_parameter - 1
                    if coded.limit_parameter > 0
                    else -coded.limit_parameter - 1
                )
                text = values[at].strip("'") if at < len(values) else ""
                limits[place] = int(text) if text.isdecimal() and len(text) < 18 else unlimited  # noqa: PLR2004 - int64
            elif coded.limit is not None and coded.limit >= 0:
                limits[place] = coded.limit
        return limits

    def _leftovers(
        self, child: int, rows: Rows, varying: tuple[Predicate, ...], loops: Loops
    ) -> None:
        """Repetitions without a parent: identical ones, and lookups with changing values."""
        if len(rows) < MINIMUM:
            return
        requests, inverse, counts = np.unique(
            self.request[rows], return_inverse=True, return_counts=True
        )
        for number in np.flatnonzero(counts >= MINIMUM).tolist():
            members = rows[inverse == number]
            same, sizes = np.unique(self.parameters[members], return_counts=True)
            often = same[(sizes >= MINIMUM) & (same >= -1)]
            known = often[often >= 0] if lookups(self.workload.statements[child].facts) else often
            identical = members[np.isin(self.parameters[members], known)]
            if len(identical):
                loops.repeated.append(Group(child, int(requests[number]), identical, len(known)))
            rest = members[~np.isin(self.parameters[members], known)]
            if varying and len(rest) >= MINIMUM and not self._reads_before_write(child, rest):
                distinct = self.distinct(child, rest)
                if distinct >= MINIMUM:
                    loops.lookups.append(Group(child, int(requests[number]), rest, distinct))


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
