"""Which parent execution each child follows, and whether that is a loop over its rows."""

import numpy as np

from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.model.columns import Flags, Floats, Rows, sorted_distinct, starts_of_runs
from analyzer.records import record

MEAN_FAN_OUT = 1.5  # children per execution of a parent that is itself the child of a loop
_OVERRUN = 1.25  # children per row of a parent's LIMIT, where other requests follow at once
PARALLEL_WINDOW_US = 100_000  # children on other connections follow each other within this
# A loop's body may hold other statements, but children must be this share of what runs from the
# parent to the last child: in traffic that merely happens to mix two statements they are not.
DENSITY = 1 / 12
# The same within what is known to be one request: there is no other traffic in it.
_DENSITY_WITHIN = 1 / 60
# The same of what a pool ran meanwhile, for children on other connections than their parent: they
# are run at once, and chance brings a few of a frequent statement together.
DENSITY_ACROSS = 1 / 4
_NONE = np.zeros(0, dtype=np.int64)
_NEVER = np.zeros(0, dtype=bool)


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
            _follow_in_pool(rows, pool, parents, children, owner, crossed)
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


@record
class Chain:
    """A child's rows in a pool, by end: `last` is where the unbroken run ends that each is in."""

    rows: Rows
    end: Rows
    last: Rows


def chains(rows: ExecutionRows, children: Rows) -> dict[int, Chain]:
    """The unbroken runs of a child's rows, whatever their connection, by pool."""
    pooled = children[rows.pool[children] >= 0]
    pooled = pooled[np.argsort(rows.pool_place[pooled])]
    found = {}
    for pool in sorted_distinct(rows.pool[pooled]).tolist():
        mine = pooled[rows.pool[pooled] == pool]
        end = rows.end[mine]
        breaks = np.flatnonzero(np.append(np.diff(end) > PARALLEL_WINDOW_US, True))
        last = breaks[np.searchsorted(breaks, np.arange(len(mine)))]
        found[pool] = Chain(mine, end, last)
    return found


def may_follow_in_pool(rows: ExecutionRows, parent: int, children: dict[int, Chain]) -> bool:
    """Whether a loop of children on other connections than their parent is possible at all.

    A quick look at what `follow` and `Claims` will ask for: behind a parent, and before the
    next, an unbroken and dense run of MINIMUM children; before it none that is nobody's child.
    """
    parents = rows.of_statement(parent)
    for pool in sorted_distinct(rows.pool[parents]).tolist():
        chain = children.get(pool)
        if chain is None or len(chain.rows) < MINIMUM:
            continue
        ours = parents[rows.pool[parents] == pool]
        ours = ours[np.argsort(rows.pool_place[ours])]
        times = rows.end[ours]
        first = np.searchsorted(chain.end, times)
        some = first < len(chain.end)
        at = np.minimum(first, len(chain.end) - 1)
        before_next = np.append(first[1:], len(chain.end)) - 1
        last = np.minimum(chain.last[at], np.maximum(before_next, at))
        counts = last - at + 1
        span = rows.pool_place[chain.rows[last]] - rows.pool_place[ours]
        some &= (chain.end[at] - times <= PARALLEL_WINDOW_US) & (counts >= MINIMUM)
        some &= counts >= DENSITY_ACROSS * span
        if some.any() and _any_quiet(rows, times[some], ours, chain):
            return True
    return False


def _any_quiet(rows: ExecutionRows, times: Rows, parents: Rows, chain: Chain) -> bool:
    """Whether before any of these times no child ran whose unit of work has no parent."""
    alone = chain.end[~np.isin(rows.request[chain.rows], rows.request[parents])]
    earlier = np.searchsorted(alone, times) - np.searchsorted(alone, times - PARALLEL_WINDOW_US)
    return bool((earlier == 0).any())


def _follow_in_pool(
    rows: ExecutionRows, pool: int, parents: Rows, children: Rows, owner: Rows, crossed: Flags
) -> None:
    """Give children without a parent to one that ran on another connection just before them."""
    ours = parents[rows.pool[parents] == pool]
    if len(ours) == 0:
        return
    ours = ours[np.argsort(rows.end[ours], kind="stable")]
    times = rows.end[ours]
    mine = np.flatnonzero(rows.pool[children] == pool)
    mine = mine[np.argsort(rows.end[children[mine]], kind="stable")]
    at = rows.end[children[mine]]
    latest = np.searchsorted(times, at, side="right") - 1
    free = owner[mine] < 0
    # The run is unbroken: every child within the window of the one before, the first of its parent.
    previous = np.concatenate(([0], at[:-1]))
    new = np.concatenate(([True], latest[1:] != latest[:-1])) if len(mine) else free
    previous = np.where(new & (latest >= 0), times[np.maximum(latest, 0)], previous)
    late = at - previous > PARALLEL_WINDOW_US
    breaks = np.cumsum(late)
    start = np.maximum.accumulate(np.where(new, np.arange(len(mine)), 0))
    unbroken: Flags = (breaks == breaks[start]) & ~late[start]
    # Lookups that run on their own just before the parent will do so behind it too.
    alone = at[free]
    earlier = np.searchsorted(alone, times) - np.searchsorted(alone, times - PARALLEL_WINDOW_US)
    quiet = earlier == 0
    taken = free & (latest >= 0) & unbroken & quiet[np.maximum(latest, 0)]
    owner[mine[taken]] = ours[latest[taken]]
    crossed[mine[taken]] = True


class Claims:
    """The children (rows) that follow one statement, and which of them are a loop over its rows.

    Every round of the search asks again, with other loops known; what does not depend on these is
    worked out when it is first asked for. `owner` is the row that each child follows (-1 none),
    `crossed` marks those on another connection.
    """

    def __init__(self, rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags) -> None:
        self._rows = rows
        self._children = children
        self._owner = owner
        self._crossed = crossed
        self._count = int(np.count_nonzero(owner >= 0))
        self._groups: _Groups | None = None

    def kept(self, nested: Flags | None = None) -> tuple[Rows, Rows, Flags]:
        """The children of loops: their places among all, their owners, and which of them crossed.

        At least MINIMUM children with as many different keys behind one execution of the parent,
        never more than its LIMIT, and dense enough. `nested` marks (by row) parent executions that
        are children of a loop themselves: for those the mean over all of them in the unit decides.
        """
        if not self._many(nested=nested is not None):
            return _NONE, _NONE, _NEVER
        if self._groups is None:
            owned = _without_requests(self._rows, self._children, self._owner, self._crossed)
            self._groups = _Groups.of(self._rows, self._children, self._owner, self._crossed, owned)
        places = self._groups.places[self._groups.loops(self._rows, nested)]
        return places, self._owner[places], self._crossed[places]

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
        cls, rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags, places: Rows
    ) -> "_Groups":
        """Group the children at some places."""
        mine = children[places]
        parents, group, counts = np.unique(owner[places], return_inverse=True, return_counts=True)
        dense = _dense(rows, mine, group, parents, crossed[places])
        return cls(places, mine, group, parents, counts, dense)

    def loops(self, rows: ExecutionRows, nested: Flags | None) -> Flags:
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


def _without_requests(rows: ExecutionRows, children: Rows, owner: Rows, crossed: Flags) -> Rows:
    """The positions of children that have an owner, without those that other requests ran."""
    owned = np.flatnonzero(owner >= 0)
    same = owned[~crossed[owned]]
    same = same[~_after_the_loop(rows, children[same], owner[same])]
    other = owned[crossed[owned]]
    if len(other) == 0:
        return same
    other = other[~_one_by_one(rows, children[other], owner[other])]
    # A parent whose own connection ran all that its LIMIT allows needs no other connection's.
    parents, counts = np.unique(owner[same], return_counts=True)
    limits = zip(rows.limits(parents), counts.tolist(), strict=True)
    full = [limit is not None and MINIMUM <= count >= limit for limit, count in limits]
    other = other[~np.isin(owner[other], parents[np.array(full, dtype=bool)])]
    return np.sort(np.concatenate([same, other]))


def _after_the_loop(rows: ExecutionRows, children: Rows, parents: Rows) -> Flags:
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
    paused = rows.paused[children[order]]
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


def _one_by_one(rows: ExecutionRows, children: Rows, parents: Rows) -> Flags:
    """Marks children on other connections most of which have a pause between them: requests.

    What is run at once comes in a rush, whatever its connections did before.
    """
    order = np.lexsort((rows.end[children], parents))
    new = starts_of_runs(parents[order]) if len(order) else np.zeros(0, dtype=bool)
    group = np.cumsum(new) - 1
    apart = np.diff(rows.end[children][order], prepend=0) > rows.pause_us
    sizes = np.bincount(group)
    slow = 2 * np.bincount(group, weights=apart & ~new, minlength=len(sizes)) > sizes
    flags = np.zeros(len(order), dtype=bool)
    flags[order] = slow[group]
    return flags


def _nested_loops(
    rows: ExecutionRows, children: Rows, group: Rows, parents: Rows, counts: Rows, nested: Flags
) -> Flags:
    """Parents that are loop children themselves, whose own children are enough on average."""
    units, unit = np.unique(rows.request[parents], return_inverse=True)
    executed = np.bincount(
        np.searchsorted(units, rows.request[_nested_in(rows, parents, nested, units)]),
        minlength=len(units),
    )
    total = np.bincount(unit, weights=np.where(nested[parents], counts, 0), minlength=len(units))
    enough = (total >= MINIMUM) & (total >= MEAN_FAN_OUT * executed)
    among = enough[unit[group]]
    enough &= rows.different_lookups(children[among], unit[group][among], len(units))
    flags: Flags = enough[unit] & nested[parents]
    return flags


def _nested_in(rows: ExecutionRows, parents: Rows, nested: Flags, units: Rows) -> Rows:
    """All executions of the parent statement in these units that are loop children."""
    every = rows.of_statement(int(rows.statement[parents[0]]))
    found: Rows = every[nested[every] & np.isin(rows.request[every], units)]
    return found


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
    rows: ExecutionRows, children: Rows, group: Rows, parents: Rows, crossed: Flags
) -> Flags:
    """Whether children are a fair share of what runs between their parent and the last of them.

    Counted within the unit of work, or over the whole pool where other connections took part.
    """
    last_place = np.zeros(len(parents), dtype=np.int64)
    np.maximum.at(last_place, group, rows.place[children])
    span = last_place - rows.place[parents]
    several = np.bincount(group[crossed], minlength=len(parents)) > 0
    last_end = np.zeros(len(parents), dtype=np.int64)
    np.maximum.at(last_end, group, rows.end[children])
    for pool in sorted_distinct(rows.pool[parents[several]]).tolist():
        here = several & (rows.pool[parents] == pool)
        span[here] = rows.run_between(pool, rows.end[parents[here]], last_end[here])
    counts = np.bincount(group, minlength=len(parents))
    density = np.where(several, DENSITY_ACROSS, _density(rows, parents))
    flags: Flags = counts >= density * np.maximum(span, 1)
    return flags
