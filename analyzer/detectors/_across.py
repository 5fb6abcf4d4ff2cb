"""Loops over several connections: children that a program runs at once, on whatever is free.

They follow their parent in an unbroken run, by the time at which the pool's executions end.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.detectors._shapes import Shapes
from analyzer.model.columns import Flags, Rows, sorted_distinct, starts_of_runs

PARALLEL_WINDOW_US = 100_000  # children on other connections follow each other within this
# Children must be this share of what a pool ran meanwhile: they are run at once, and chance brings
# a few of a frequent statement together.
DENSITY_ACROSS = 1 / 4
# A loop's body may run several statements for each row, and loops within it. It is enough to be this
# share where nearly all that ran meanwhile is of such a nest.
_DENSITY_AMONG_KIN = 1 / 12
_KIN = 0.9


@dataclass(frozen=True, slots=True)
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


def may_follow_in_pool(
    rows: ExecutionRows, parent: int, children: dict[int, Chain], kin: Flags | None
) -> bool:
    """Whether a loop of children on other connections than their parent is possible at all.

    A quick look at what `follow` and `Claims` will ask for (`kin` is as in `dense_across`): behind a parent, and before the
    next, an unbroken and dense run of MINIMUM children; before it none that is nobody's child.
    """
    parents = rows.of_statement(parent)
    density = DENSITY_ACROSS if kin is None else _DENSITY_AMONG_KIN
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
        some &= counts >= density * span
        if some.any() and _any_quiet(rows, times[some], ours, chain):
            return True
    return False


def _any_quiet(rows: ExecutionRows, times: Rows, parents: Rows, chain: Chain) -> bool:
    """Whether before any of these times no child ran whose unit of work has no parent."""
    alone = chain.end[~np.isin(rows.request[chain.rows], rows.request[parents])]
    earlier = np.searchsorted(alone, times) - np.searchsorted(alone, times - PARALLEL_WINDOW_US)
    return bool((earlier == 0).any())


def follow_in_pool(
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


def one_by_one(rows: ExecutionRows, children: Rows, parents: Rows) -> Flags:
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


def dense_across(
    rows: ExecutionRows, parents: Rows, until_us: Rows, counts: Rows, kin: Flags | None
) -> Flags:
    """Whether so many children are a fair share of what each parent's pool ran until then.

    `kin` marks (by statement) what may be of the same nest of loops: what is surely linked to the
    parent, or to what is; None where only the child itself is.
    """
    flags = np.zeros(len(parents), dtype=bool)
    for pool in sorted_distinct(rows.pool[parents]).tolist():
        here = np.flatnonzero(rows.pool[parents] == pool)
        since, until = rows.end[parents[here]], until_us[here]
        span = np.maximum(rows.run_between(pool, since, until), 1)
        flags[here] = counts[here] >= DENSITY_ACROSS * span
        if kin is None:
            continue
        among = counts[here] >= _DENSITY_AMONG_KIN * span
        # The parent itself ended first.
        among &= rows.run_between(pool, since, until, kin) >= _KIN * (span - 1)
        flags[here] |= among
    return flags


def families(shapes: Shapes, rows: ExecutionRows, numbers: Iterable[int]) -> dict[int, Flags]:
    """For statements over whose rows others may loop: marks (by statement) what is of such a nest.

    Of statements that come often in a pool (`numbers`): what is surely linked to it or to what is,
    and the same of the statements above it. None where that is a single one.
    """
    linked: dict[int, set[int]] = {}
    for number in numbers:
        varying = shapes.varying(number, rows, rows.of_statement(number))
        for parent, _ in shapes.sure_parents(number, varying) if varying else ():
            linked.setdefault(parent, set()).add(number)
    nests = {parent: _below(parent, linked) for parent in linked}
    count, found = len(shapes.driving), {}
    for parent in linked:
        family = set().union(
            *(nest for top, nest in nests.items() if top == parent or parent in nest)
        )
        if len(family) > 1:
            found[parent] = np.isin(np.arange(count), list(family))
    return found


def _below(parent: int, linked: Mapping[int, set[int]]) -> set[int]:
    """All statements that may loop over a parent's rows, or over the rows of such ones."""
    nest: set[int] = set()
    fresh = linked[parent]
    while fresh:
        nest |= fresh
        fresh = {one for other in fresh for one in linked.get(other, ())} - nest
    return nest
