"""Which parent execution each child follows, and whether that is a loop over its rows."""

import numpy as np

from analyzer.detectors._across import dense_across, follow_in_pool, one_by_one
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.model.columns import Flags, Floats, Rows, sorted_distinct, starts_of_runs
from analyzer.records import record

MEAN_FAN_OUT = 1.5  # children per execution of a parent that is itself the child of a loop
_OVERRUN = 1.25  # children per row of a parent's LIMIT, where other requests follow at once
# A loop's body may hold other statements, but children must be this share of what runs from the
# parent to the last child: in traffic that merely happens to mix two statements they are not.
DENSITY = 1 / 12
# The same within what is known to be one request: there is no other traffic in it.
_DENSITY_WITHIN = 1 / 500
_NONE = np.zeros(0, dtype=np.int64)
_NEVER = np.zeros(0, dtype=bool)


@record
class Above:
    """The loops known so far: `children` marks their rows, `home` is the unit of work that runs each row.

    A child on another connection is of the unit that runs its parent.
    """

    children: Flags
    home: Rows


def follow(
    rows: ExecutionRows, parent: int, children: Rows, standing: tuple[Rows, Rows], *, across: bool
) -> tuple[Rows, Flags]:
    """For each child row the parent row it follows (-1: none), and whether over another session.

    First the last parent before it in its unit of work; with `across`, a child that has none there
    may follow a parent on another connection of the pool, in an unbroken run of children behind it.
    `standing` are the children's places and units of work, which many calls share.
    """
    parents = rows.of_statement(parent)
    owner = np.full(len(children), -1, dtype=np.int64)
    crossed = np.zeros(len(children), dtype=bool)
    if len(parents) == 0 or len(children) == 0:
        return owner, crossed
    places, requests = rows.places_of_statement(parent)
    before = _last_before(places, standing[0])
    inside = (before >= 0) & (
        requests[before] == standing[1]
    )  # -1 takes the last, which is not counted
    some = np.flatnonzero(inside)
    owner[some] = parents[before[some]]
    if not across or len(some) == len(children):
        return owner, crossed
    for pool in sorted_distinct(rows.pool[children[~inside]]).tolist():
        if pool >= 0:
            follow_in_pool(rows, pool, parents, children, owner, crossed)
    return owner, crossed


def _last_before(parents: Rows, children: Rows) -> Rows:
    """For each child's place which of the parents' (both ascending) is the last before it, -1 none."""
    if len(parents) >= len(children):
        return np.searchsorted(parents, children) - 1
    # The fewer are looked for among the more.
    behind = np.searchsorted(children, parents)
    found: Rows = np.cumsum(np.bincount(behind, minlength=len(children) + 1))[:-1] - 1
    return found


def first_in_unit(rows: ExecutionRows, parent: int, children: Rows) -> Rows:
    """For each child row the first parent in its unit of work, -1 where there is none before it."""
    parents = rows.of_statement(parent)
    if len(parents) == 0:
        return np.full(len(children), -1, dtype=np.int64)
    firsts = parents[starts_of_runs(rows.request[parents])]
    order = np.argsort(rows.request[firsts], kind="stable")
    firsts = firsts[order]
    at = np.searchsorted(rows.request[firsts], rows.request[children])
    found = firsts[np.minimum(at, len(firsts) - 1)]
    good = (rows.request[found] == rows.request[children]) & (
        rows.place[found] < rows.place[children]
    )
    return np.where(good, found, -1)


class Claims:
    """The children (rows) that follow one statement, and which of them are a loop over its rows.

    Every round of the search asks again, with other loops known; what does not depend on these is
    worked out when it is first asked for. `owner` is the row that each child follows (-1 none),
    `crossed` marks those on another connection. `kin` marks (by statement) what may be of the same
    nest of loops as they (dense_across).
    """

    def __init__(
        self, rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags,
        kin: Flags | None = None,
    ) -> None:  # fmt: skip
        self._rows = rows
        self._kin = kin
        self._children = children
        self._owner = owner
        self._crossed = crossed
        self._count = int(np.count_nonzero(owner >= 0))
        self._groups: _Groups | None = None
        self._held: Rows = _NONE  # children that the groups keep though they were held up

    def kept(self, nested: Above | None = None) -> tuple[Rows, Rows, Flags]:
        """The children of loops: their places among all, their owners, and which of them crossed.

        At least MINIMUM children with as many different keys behind one execution of the parent,
        never more than its LIMIT, and dense enough. `nested` has (by row) parent executions that
        are children of a loop themselves: for those the mean over all of them in the unit decides.
        """
        if not self._many(nested=nested is not None):
            return _NONE, _NONE, _NEVER
        held = _NONE if nested is None else self._held_up(nested)
        if self._groups is None or not np.array_equal(held, self._held):
            owned = _without_requests(self._rows, self._children, self._owner, self._crossed, held)
            self._groups = _Groups.of(
                self._rows, self._children, self._owner, self._crossed, owned, self._kin
            )
            self._held = held
        places = self._groups.places[self._groups.loops(self._rows, nested)]
        return places, self._owner[places], self._crossed[places]

    def _held_up(self, nested: Above) -> Rows:
        """Places of paused children behind which the loop goes on with the parent's next execution.

        Those are of no other request, however long they waited.
        """
        rows = self._rows
        paused = np.flatnonzero((self._owner >= 0) & rows.paused[self._children])
        paused = paused[nested.children[self._owner[paused]]]
        if len(paused) == 0:
            return _NONE
        parents = rows.of_statement(int(rows.statement[self._owner[paused[0]]]))
        following = np.append(parents[1:], parents[-1:])
        goes_on = nested.children[following] & (rows.request[following] == rows.request[parents])
        goes_on &= following != parents
        lasting = np.zeros(rows.count, dtype=bool)
        lasting[parents[goes_on]] = True
        found: Rows = paused[lasting[self._owner[paused]]]
        return found

    def _many(self, *, nested: bool) -> bool:
        """A quick look whether there are children enough at all: behind one parent, or together."""
        if self._count < MINIMUM or nested:
            return self._count >= MINIMUM
        owned = np.sort(self._owner[self._owner >= 0])
        span = MINIMUM - 1
        return bool((owned[span:] == owned[:-span]).any())


@record
class _Groups:
    """Children by the parent execution that they follow.

    `places` are theirs among all children, `group` the number of each one's parent; `parents`,
    `counts` (children) and `dense` are by that number.
    """

    places: Rows
    children: Rows
    group: Rows
    parents: Rows
    counts: Rows
    dense: Flags

    @classmethod
    def of(
        cls, rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags, places: Rows,
        kin: Flags | None,
    ) -> "_Groups":  # fmt: skip
        """Group the children at some places."""
        mine = children[places]
        parents, group, counts = np.unique(owner[places], return_inverse=True, return_counts=True)
        dense = _dense(rows, mine, group, parents, crossed[places], kin)
        return cls(places, mine, group, parents, counts, dense)

    def loops(self, rows: ExecutionRows, nested: Above | None) -> Flags:
        """Marks the places whose parent's children are a loop."""
        if len(self.places) == 0:
            return _NEVER
        chosen = self.dense.copy()
        if nested is None:
            chosen &= self.counts >= MINIMUM
            among = chosen[self.group]
            chosen &= rows.different_lookups(
                self.children[among], self.group[among], len(self.parents)
            )
        else:
            chosen &= _nested_loops(
                rows, self.children, self.group, self.parents, self.counts, nested
            )
        chosen[chosen] = _within_limits(rows, self.parents[chosen], self.counts[chosen])
        members: Flags = chosen[self.group]
        return members


def _without_requests(
    rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags, held: Rows
) -> Rows:
    """The positions of children that have an owner, without those that other requests ran.

    `held` are positions of children that were held up, so that their pauses do not count.
    """
    owned = np.flatnonzero(owner >= 0)
    same = owned[~crossed[owned]]
    paused = rows.paused[children[same]] & ~np.isin(same, held)
    same = same[~_after_the_loop(rows, children[same], owner[same], paused)]
    other = owned[crossed[owned]]
    if len(other) == 0:
        return same
    other = other[~one_by_one(rows, children[other], owner[other])]
    # A parent whose own connection ran all that its LIMIT allows needs no other connection's.
    parents, counts = np.unique(owner[same], return_counts=True)
    limits = zip(rows.limits(parents), counts.tolist(), strict=True)
    full = [limit is not None and MINIMUM <= count >= limit for limit, count in limits]
    other = other[~np.isin(owner[other], parents[np.array(full, dtype=bool)])]
    return np.sort(np.concatenate([same, other]))


def _after_the_loop(rows: ExecutionRows, children: Rows, parents: Rows, paused: Flags) -> Flags:
    """Marks children from the pause on behind which most others pause as well: other requests' ones.

    A loop may be held up once or twice, but what waits for people or other programs is no loop.
    """
    if len(children) == 0:
        return np.zeros(0, dtype=bool)
    order = np.lexsort((rows.place[children], parents))
    starts = starts_of_runs(parents[order])
    group = np.cumsum(starts) - 1
    sizes = np.bincount(group)
    ends = np.cumsum(sizes)
    paused = paused[order]
    through = np.cumsum(paused)
    behind = through[ends - 1][group] - through + paused  # pauses from here to the group's end
    left = ends[group] - np.arange(len(order))
    next_paused = np.append(paused[1:], True) | np.append(starts[1:], True)
    leaves = paused & next_paused & (2 * behind >= left)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    seen = np.cumsum(leaves)
    before = seen[first] - leaves[first]
    flags = np.zeros(len(order), dtype=bool)
    flags[order] = seen > before
    return flags


def _nested_loops(
    rows: ExecutionRows, children: Rows, group: Rows, parents: Rows, counts: Rows, nested: Above
) -> Flags:
    """Parents that are loop children themselves, whose own children are enough on average."""
    home, looped = nested.home, nested.children
    units, unit = np.unique(home[parents], return_inverse=True)
    every = rows.of_statement(int(rows.statement[parents[0]]))
    every = every[looped[every] & np.isin(home[every], units)]
    executed = np.bincount(np.searchsorted(units, home[every]), minlength=len(units))
    total = np.bincount(unit, weights=np.where(looped[parents], counts, 0), minlength=len(units))
    enough = (total >= MINIMUM) & (total >= MEAN_FAN_OUT * executed)
    among = enough[unit[group]]
    enough &= rows.different_lookups(children[among], unit[group][among], len(units))
    flags: Flags = enough[unit] & looped[parents]
    return flags


def _within_limits(rows: ExecutionRows, parents: Rows, counts: Rows) -> Flags:
    """Parents that can have returned a row for every child (a few may be others'), and several."""
    limits = zip(rows.limits(parents), counts.tolist(), strict=True)
    return np.array(
        [limit is None or (limit > 1 and count <= _OVERRUN * limit) for limit, count in limits],
        dtype=bool,
    )


def are_dense(rows: ExecutionRows, members: Rows, starts: Rows) -> Flags:
    """Which groups of rows (in units of work) are a fair share of what runs from first to last."""
    places = rows.place[members]
    spans = np.maximum.reduceat(places, starts) - np.minimum.reduceat(places, starts) + 1
    flags: Flags = np.diff(starts, append=len(members)) >= _density(rows, members[starts]) * spans
    return flags


def _density(rows: ExecutionRows, some: Rows) -> Floats:
    return np.where(rows.work.whole[some], _DENSITY_WITHIN, DENSITY)


def _dense(
    rows: ExecutionRows,
    children: Rows,
    group: Rows,
    parents: Rows,
    crossed: Flags,
    kin: Flags | None,
) -> Flags:
    """Whether children are a fair share of what runs between their parent and the last of them.

    Counted within the unit of work, or over the whole pool where other connections took part.
    """
    last_place = np.zeros(len(parents), dtype=np.int64)
    np.maximum.at(last_place, group, rows.place[children])
    span = last_place - rows.place[parents]
    counts = np.bincount(group, minlength=len(parents))
    flags: Flags = counts >= _density(rows, parents) * np.maximum(span, 1)
    several = np.bincount(group[crossed], minlength=len(parents)) > 0
    last_end = np.zeros(len(parents), dtype=np.int64)
    np.maximum.at(last_end, group, rows.end[children])
    flags[several] = dense_across(rows, parents[several], last_end[several], counts[several], kin)
    return flags
