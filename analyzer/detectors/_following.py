"""Which parent executions the executions of one statement follow, for many parent statements at once.

Behind each execution of a parent, up to its statement's next one, stands a stretch of children: in their
order of units of work and time, or in that of a pool. So nothing is looked at for each child and parent
statement, but for what becomes of these stretches.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.detectors._across import PARALLEL_WINDOW_US
from analyzer.detectors._places import NONE, of_groups
from analyzer.detectors._rows import ExecutionRows
from analyzer.model.columns import Flags, Floats, Rows, sorted_distinct, starts_of_runs, stretches
from analyzer.native import compiled, twin_in
from analyzer.records import record

_twin = twin_in(compiled("analyzer.detectors.native._following"))


@record
class Followers:
    """Children with a parent execution that each follows; a row for each child and parent statement.

    `place` is the child's place among its statement's rows, `owner` the parent's row, `number` which of
    the parent statements that is of, `crossed` marks children on another connection.
    """

    place: Rows
    owner: Rows
    number: Rows
    crossed: Flags

    def __len__(self) -> int:
        return len(self.place)

    def of(self, some: Rows | Flags) -> "Followers":
        """Some of them."""
        return Followers(self.place[some], self.owner[some], self.number[some], self.crossed[some])

    def and_(self, others: "Followers") -> "Followers":
        """These and others."""
        return Followers(
            np.concatenate([self.place, others.place]),
            np.concatenate([self.owner, others.owner]),
            np.concatenate([self.number, others.number]),
            np.concatenate([self.crossed, others.crossed]),
        )


NOBODY = Followers(NONE, NONE, NONE, np.zeros(0, dtype=bool))


@record
class Stretches:
    """Children from `first` to before `until` (places) that follow the parent execution `parent` (row).

    `number` is which of the parent statements it is of; stretches are in its order.
    """

    parent: Rows
    number: Rows
    first: Rows
    until: Rows

    def of(self, some: Rows | Flags) -> "Stretches":
        """Some of them."""
        return Stretches(self.parent[some], self.number[some], self.first[some], self.until[some])

    def __len__(self) -> int:
        return len(self.parent)

    def up_to(self, until: Rows) -> "Stretches":
        """The same up to other ends, without those that are empty then."""
        return Stretches(self.parent, self.number, self.first, until).of(until > self.first)

    def followers(self) -> Followers:
        """A row for each child."""
        sizes = self.until - self.first
        place = stretches(self.first, sizes)
        crossed = np.zeros(len(place), dtype=bool)
        return Followers(
            place, np.repeat(self.parent, sizes), np.repeat(self.number, sizes), crossed
        )


class Standing:
    """Some rows of a statement (by unit of work and time), and where they stand.

    `places` are theirs in units of work, `unit` numbers these from the slice's first, `ends` has for
    each row where among them its unit ends, `paused` marks those before which their connection rested.
    """

    def __init__(self, rows: ExecutionRows, some: Rows) -> None:
        self._all = rows
        self.rows = some
        self.places, self.unit, self.ends, self.paused = rows.standing(some)
        self._pools: list[_Pooled] | None = None

    def pools(self) -> "list[_Pooled]":
        """Its rows in pools, in the order of their ends."""
        if self._pools is None:
            pool = self._all.pool[self.rows]
            self._pools = [
                _Pooled.of(self._all, self.rows, number, np.flatnonzero(pool == number))
                for number in sorted_distinct(pool[pool >= 0]).tolist()
            ]
        return self._pools


@record
class _Pooled:
    """A statement's rows in a pool: their places by end, the ends, and where each unbroken run ends."""

    pool: int
    order: Rows
    end: Rows
    until: Rows

    @classmethod
    def of(cls, rows: ExecutionRows, some: Rows, pool: int, mine: Rows) -> "_Pooled":
        mine = mine[np.argsort(rows.end[some[mine]], kind="stable")]
        end = rows.end[some[mine]]
        breaks = np.flatnonzero(np.append(np.diff(end) > PARALLEL_WINDOW_US, True)) + 1
        until = np.repeat(breaks, np.diff(breaks, prepend=0))
        return cls(pool, mine, end, until)


def behind(
    rows: ExecutionRows,
    standing: Standing,
    parents: Sequence[int],
    units: Flags,
    *,
    least: int = 1,
    firsts: bool = False,
) -> Stretches:
    """The children behind each execution of the parent statements in their unit of work: `least` and more.

    Looked for in those of the `units` (marked by number from the slice's first) alone. With `firsts`
    all children of a unit are behind the first execution of each statement there.
    """
    mine = standing.places, standing.unit, standing.ends
    return Stretches(*follow(rows.table(), parents, units, mine, least, firsts))


@_twin
def follow(
    table: tuple[Rows, Rows, Rows, Rows],
    numbers: Sequence[int],
    units: Flags,
    mine: tuple[Rows, Rows, Rows],
    least: int,
    firsts: bool,  # noqa: FBT001 - as the native one takes it
) -> tuple[Rows, Rows, Rows, Rows]:
    """Which of some rows stand behind each execution of the parent statements `numbers`.

    `table` is that of Places, `mine` has places, units and ends as Standing; the result's columns are those of
    Stretches. The other arguments are those of `behind`.
    """
    rows, starts, places, units_of = table
    mine_places, mine_units, mine_ends = mine
    at, number = of_groups(starts, numbers)
    inside = units[units_of[at]]
    at, number = at[inside], number[inside]
    if firsts:
        new = starts_of_runs(number, units_of[at])
        at, number = at[new], number[new]
    unit, count = units_of[at], len(mine_places)
    if count == 0:
        return NONE, NONE, NONE, NONE
    first = np.searchsorted(mine_places, places[at])
    there = np.minimum(first, count - 1)
    until = _before_next(mine_ends[there], first, number, unit)
    good = (first < count) & (mine_units[there] == unit) & (until - first >= least)
    return rows[at[good]], number[good], first[good], until[good]


@_twin
def before_pauses(first: Rows, until: Rows, paused: Flags, held: Flags) -> Rows:
    """Where each stretch ends that does not go on behind pauses (of its children, by place).

    A loop may be held up once or twice, but what waits for people or other programs is no loop: from
    the pause on behind which most others pause as well they are other requests'. `held` marks stretches whose
    pauses do not count.
    """
    through = np.concatenate([[0], np.cumsum(paused)])
    some = np.flatnonzero(~held & (through[until] > through[first]))
    place = stretches(first[some], until[some] - first[some])
    ends = np.repeat(until[some], until[some] - first[some])
    leaves = paused[place] & (np.append(paused, True)[place + 1] | (place + 1 == ends))
    leaves &= 2 * (through[ends] - through[place]) >= ends - place
    found = until.copy()
    of = np.repeat(some, until[some] - first[some])[leaves]
    np.minimum.at(found, of, place[leaves])
    return found


def _before_next(until: Rows, first: Rows, *same: Rows) -> Rows:
    """The ends of stretches, or where the next one begins of what is alike in all of `same`."""
    goes_on = np.append(~starts_of_runs(*same), [False])[1:]
    following = np.append(first, [0])[1:]
    return np.where(goes_on, np.minimum(until, following), until)


def across_pools(
    rows: ExecutionRows, standing: Standing, parents: Sequence[int], inside: Stretches
) -> Followers:
    """Children that have no parent in their unit of work, behind one on another connection of the pool.

    In an unbroken run of children behind it. `inside` are the stretches in units of work.
    """
    free = np.ones((len(parents), len(standing.rows)), dtype=bool)
    taken = inside.followers()
    free[taken.number, taken.place] = False
    found = [
        _in_pool(rows, pooled, parents, free[:, pooled.order])
        for pooled in (standing.pools() if free.any() else ())
    ]
    owner, number, place = (
        np.concatenate([NONE, *(part[column] for part in found)]) for column in range(3)
    )
    return Followers(place, owner, number, np.ones(len(place), dtype=bool))


def _in_pool(
    rows: ExecutionRows, pooled: _Pooled, parents: Sequence[int], free: Flags
) -> tuple[Rows, Rows, Rows]:
    """Of one pool: parent rows, their numbers, and the places of the children that follow."""
    parent, number = rows.in_pools(parents)
    mine = rows.pool[parent] == pooled.pool
    parent, number = parent[mine], number[mine]
    count, end = len(pooled.order), rows.end[parent]
    first = np.searchsorted(pooled.end, end)
    at = np.minimum(first, count - 1)
    until = _before_next(pooled.until[at], first, number)
    good = (first < count) & (pooled.end[at] - end <= PARALLEL_WINDOW_US) & (until > first)
    # Lookups that run on their own just before the parent will do so behind it too.
    before = np.zeros((len(parents), count + 1), dtype=np.int64)
    np.cumsum(free, axis=1, out=before[:, 1:])
    earlier = np.searchsorted(pooled.end, end - PARALLEL_WINDOW_US)
    good &= before[number, first] == before[number, earlier]
    found = Stretches(parent, number, first, until).of(good).followers()
    taken = free[found.number, found.place]
    return found.owner[taken], found.number[taken], pooled.order[found.place[taken]]


@_twin
def tight(
    some: tuple[Rows, Rows, Rows],
    mine: Rows,
    columns: tuple[Rows, Flags],
    shares: tuple[float, float],
) -> Flags:
    """Whether the children of stretches are a fair share of what runs from their parent to the last of them.

    Stretches have parents, firsts and ends among `mine` (places in units of work); none is empty. `columns` are places and
    what marks whole units, by row; the second of `shares` is for those.
    """
    parents, first, until = some
    place, whole = columns
    spans = np.maximum(mine[until - 1] - place[parents], 1)
    flags: Flags = until - first >= np.where(whole[parents], shares[1], shares[0]) * spans
    return flags


@_twin
def take(
    offered: tuple[Rows, Floats, Rows, Rows, Flags], has: tuple[Rows, Floats, Rows, Flags]
) -> bool:
    """Give each place the best of what is offered, where that is better than what it has; says whether any is.

    Offered are places, scores, numbers, owners and what marks those on other connections; of equally good ones that
    with the smallest number is better. By place there are owners, scores, numbers and marks, which are changed.
    """
    places, scores, numbers, owners, crossed = offered
    best, best_scores, chosen, best_crossed = has
    found = np.full(len(best), -1, dtype=np.int64)
    order = np.lexsort((-numbers, scores))
    found[places[order]] = order  # of several for one place the last stays
    some = found[found >= 0]
    some = some[scores[some] > best_scores[places[some]]]
    place = places[some]
    best_scores[place], chosen[place] = scores[some], numbers[some]
    best[place], best_crossed[place] = owners[some], crossed[some]
    return len(some) > 0


@_twin
def drop_few(best: Rows, chosen: Rows, nested: Flags, least: int) -> None:
    """Let go (-1) of parents that nearer ones have left with fewer than `least` children: that is no loop.

    `best` are the parents of a statement's rows, `chosen` goes with them. Those that are `nested` (by row) may have few.
    """
    owned = np.flatnonzero(best >= 0)
    if len(owned) == 0:
        return
    owners, group, counts = np.unique(best[owned], return_inverse=True, return_counts=True)
    few = ((counts < least) & ~nested[owners])[group]
    best[owned[few]] = -1
    chosen[owned[few]] = -1
