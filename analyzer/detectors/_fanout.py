"""Whether the children that follow a parent execution are a loop over its rows."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from analyzer.detectors._across import dense_across, one_by_one
from analyzer.detectors._following import (
    NOBODY,
    Followers,
    Standing,
    Stretches,
    before_pauses,
    tight,
)
from analyzer.detectors._orders import run_sizes
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.model.columns import (
    Flags,
    Floats,
    Rows,
    distinct,
    run_starts,
    sorted_distinct,
    starts_of_runs,
    stretches,
)
from analyzer.records import record

MEAN_FAN_OUT = 1.5  # children per execution of a parent that is itself the child of a loop
_OVERRUN = 1.25  # children per row of a parent's LIMIT, where other requests follow at once
# A loop's body may hold other statements, but children must be this share of what runs from the
# parent to the last child: in traffic that merely happens to mix two statements they are not.
DENSITY = 1 / 12
# The same within what is known to be one request: there is no other traffic in it.
DENSITY_WITHIN = 1 / 500


class Above:
    """The loops known so far: `children` marks their rows, `home` is the unit of work that runs each row.

    A child on another connection is of the unit that runs its parent. `statements` are the children's.
    """

    def __init__(
        self, rows: ExecutionRows, children: Flags, home: Rows, statements: frozenset[int]
    ) -> None:
        self.children = children
        self.home = home
        self.statements = statements
        self._rows = rows

    def run(self, codes: Rows) -> Rows:
        """How many of the children are of each statement and home (`home_codes`)."""
        after = np.searchsorted(self._codes, codes, side="right")
        found: Rows = after - np.searchsorted(self._codes, codes)
        return found

    def changed(self, before: "Above | None") -> frozenset[int]:
        """The statements of which more, or others, are known than `before`."""
        if before is None:
            return self.statements
        differ = (self.children != before.children) | (self.home != before.home)
        return frozenset(distinct(self._rows.statement[differ]).tolist())

    @cached_property
    def _codes(self) -> Rows:
        return np.sort(home_codes(self._rows, np.flatnonzero(self.children), self.home))


def home_codes(rows: ExecutionRows, some: Rows, home: Rows) -> Rows:
    """A number for the statement and the unit of work (by `home`) of some rows."""
    return rows.statement[some] << 32 | (home[some] - rows.work.first_request)


def looping(
    rows: ExecutionRows,
    standing: Standing,
    inside: Stretches,
    other: Followers,
    kin: Mapping[int, Flags],
    nested: Above | None = None,
) -> Followers:
    """Those children that are of loops over the rows of their parents' statements.

    `inside` has children that stand behind parents in units of work, `other` those behind them in pools; places are
    among `standing`. At least MINIMUM children with as many different keys behind one execution of the parent, never
    more than its LIMIT, and dense enough. `nested` has the loops known so far: of parent executions that are children
    of one themselves the mean over all of them in the unit decides. `kin` marks by parent (by statement) what may be
    of the same nest of loops as they (dense_across).
    """
    if len(other):
        return _looping_across(
            rows, standing.rows, _worth_a_look(rows, inside, other, nested), kin, nested
        )
    if nested is None:
        inside = inside.of(inside.until - inside.first >= MINIMUM)
        held = np.zeros(len(inside), dtype=bool)
    else:
        inside = inside.of(nested.run(home_codes(rows, inside.parent, nested.home)) > 0)
        held = _goes_on(rows, inside.parent, nested)
    inside = inside.up_to(before_pauses(inside.first, inside.until, standing.paused, held))
    some = inside.parent, inside.first, inside.until
    columns = rows.place, rows.work.whole
    dense = tight(some, standing.places, columns, (DENSITY, DENSITY_WITHIN))
    if nested is None:  # only these are asked for then
        dense &= inside.until - inside.first >= MINIMUM
        inside = inside.of(dense)
        dense = dense[dense]
    if len(inside) == 0:
        return NOBODY
    groups = _Groups.inside(standing, inside, dense)
    return inside.of(groups.loops(rows, nested)).followers()


def _worth_a_look(
    rows: ExecutionRows, inside: Stretches, other: Followers, nested: Above | None
) -> Followers:
    """The followers in units of work and in pools, without what can be no loop.

    Each parent execution has too few, or (`nested`) runs in no unit where it is the child of a loop.
    """
    if nested is None:
        enough = inside.until - inside.first >= MINIMUM
        enough |= rows.marked(other.owner)[inside.parent]
    else:
        enough = nested.run(home_codes(rows, inside.parent, nested.home)) > 0
        other = other.of(nested.run(home_codes(rows, other.owner, nested.home)) > 0)
    return inside.of(enough).followers().and_(other)


def _looping_across(
    rows: ExecutionRows,
    children: Rows,
    found: Followers,
    kin: Mapping[int, Flags],
    nested: Above | None,
) -> Followers:
    """As `looping`, where some followers ran on other connections; places are among `children`."""
    if nested is None and found.crossed.any():
        found = found.of((np.bincount(found.owner) >= MINIMUM)[found.owner])
    held = np.zeros(len(found), dtype=bool)
    if nested:
        held = rows.paused[children[found.place]]
        held[held] = _goes_on(rows, found.owner[held], nested)
    found = _without_requests(rows, children, found, held)
    if len(found) == 0:
        return found
    groups = _Groups.of(rows, children, found, kin)
    return found.of(np.repeat(groups.loops(rows, nested), groups.counts))


def _goes_on(rows: ExecutionRows, parents: Rows, nested: Above) -> Flags:
    """Marks parents that are children of a loop which goes on with their statement's next execution.

    Their own children are of no other request then, however long they waited.
    """
    following = rows.next_of_statement(parents)
    goes_on: Flags = nested.children[parents] & nested.children[following]
    goes_on &= (rows.request[following] == rows.request[parents]) & (following != parents)
    return goes_on


@record
class _Groups:
    """Children by the parent execution that they follow.

    Of each group: where in `children` (rows) it `starts`, its `parents` row, `counts` (children), whether they
    are `dense`, and `crossed` (any is on another connection). Groups may share children.
    """

    children: Rows
    starts: Rows
    parents: Rows
    counts: Rows
    dense: Flags
    crossed: Flags

    @classmethod
    def inside(cls, standing: Standing, some: Stretches, dense: Flags) -> "_Groups":
        """The groups of stretches."""
        crossed = np.zeros(len(some), dtype=bool)
        return cls(standing.rows, some.first, some.parent, some.until - some.first, dense, crossed)

    @classmethod
    def of(
        cls, rows: ExecutionRows, children: Rows, found: Followers, kin: Mapping[int, Flags]
    ) -> "_Groups":
        """Group followers, which stand together by their parent."""
        mine, starts = children[found.place], run_starts(found.owner)
        counts = run_sizes(starts, len(mine))
        parents = found.owner[starts]
        crossed = np.logical_or.reduceat(found.crossed, starts)
        dense = _dense(rows, mine, starts, parents, crossed, kin)
        return cls(mine, starts, parents, counts, dense, crossed)

    def loops(self, rows: ExecutionRows, nested: Above | None) -> Flags:
        """Which groups are a loop."""
        chosen = self.dense.copy()
        if nested is None:
            chosen &= self.counts >= MINIMUM
            chosen[chosen] = self._differing(rows, np.flatnonzero(chosen))
        else:
            chosen &= self._nested_loops(rows, nested)
        some = np.flatnonzero(chosen)
        chosen[some] = _within_limits(rows, self.parents[some], self.counts[some])
        return chosen

    def _differing(self, rows: ExecutionRows, some: Rows) -> Flags:
        """Which of some groups do different lookups.

        Often several statements are followed by the very same children, which are looked at once.
        """
        if len(some) == 0:
            return np.zeros(0, dtype=bool)
        first = self.children[self.starts[some]]
        code = np.where(self.crossed[some], -1 - some, first << 32 | self.counts[some])
        _, kept, alike = np.unique(code, return_index=True, return_inverse=True)
        sizes = self.counts[some[kept]]
        among = stretches(self.starts[some[kept]], sizes)
        group = np.repeat(np.arange(len(kept)), sizes)
        found: Flags = rows.different_lookups(self.children[among], group, len(kept))
        return found[alike]

    def _nested_loops(self, rows: ExecutionRows, nested: Above) -> Flags:
        """Parents that are loop children themselves, whose own children are enough on average."""
        looped = nested.children[self.parents]
        units, unit = np.unique(home_codes(rows, self.parents, nested.home), return_inverse=True)
        weights = np.where(looped, self.counts, 0)
        total = np.bincount(unit, weights=weights, minlength=len(units))
        enough = (total >= MINIMUM) & (total >= MEAN_FAN_OUT * nested.run(units))
        some = np.flatnonzero(enough[unit])
        if len(some):
            among = stretches(self.starts[some], self.counts[some])
            group = np.repeat(unit[some], self.counts[some])
            enough &= rows.different_lookups(self.children[among], group, len(units))
        flags: Flags = enough[unit] & looped
        return flags


def _without_requests(
    rows: ExecutionRows, children: Rows, found: Followers, held: Flags
) -> Followers:
    """The followers without those that other requests ran, together by parent, in the order of time.

    `held` marks children that were held up, so that their pauses do not count.
    """
    same = np.flatnonzero(~found.crossed)
    paused = (rows.paused[children[found.place]] & ~held)[same]
    if paused.any():
        same = same[~_after_the_loop(rows, children[found.place[same]], found.owner[same], paused)]
    other = np.flatnonzero(found.crossed)
    if len(other) == 0:
        return found.of(same) if len(same) < len(found) else found
    other = other[~one_by_one(rows, children[found.place[other]], found.owner[other])]
    # A parent whose own connection ran all that its LIMIT allows needs no other connection's.
    parents, counts = np.unique(found.owner[same], return_counts=True)
    full = counts >= MINIMUM
    full[full] = counts[full] >= rows.most_rows(parents[full])
    other = other[~rows.marked(parents[full])[found.owner[other]]]
    kept = np.concatenate([same, other])
    return found.of(kept[np.lexsort((found.place[kept], found.owner[kept]))])


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


def _within_limits(rows: ExecutionRows, parents: Rows, counts: Rows) -> Flags:
    """Parents that can have returned a row for every child (a few may be others'), and several."""
    limits = rows.most_rows(parents)
    flags: Flags = (limits > 1) & (counts <= _OVERRUN * limits)
    return flags


def _density(rows: ExecutionRows, some: Rows) -> Floats:
    return np.where(rows.work.whole[some], DENSITY_WITHIN, DENSITY)


def _dense(
    rows: ExecutionRows,
    children: Rows,
    starts: Rows,
    parents: Rows,
    crossed: Flags,
    kin: Mapping[int, Flags],
) -> Flags:
    """Whether children are a fair share of what runs between their parent and the last of them.

    Counted within the unit of work, or over the whole pool where other connections took part.
    """
    counts = run_sizes(starts, len(children))
    span = rows.place[children[starts + counts - 1]] - rows.place[parents]
    flags: Flags = counts >= _density(rows, parents) * np.maximum(span, 1)
    last_end = np.maximum.reduceat(rows.end[children], starts)
    statement = np.where(crossed, rows.statement[parents], -1)
    for number in sorted_distinct(statement[crossed]).tolist():
        mine = statement == number
        flags[mine] = dense_across(
            rows, parents[mine], last_end[mine], counts[mine], kin.get(number)
        )
    return flags
