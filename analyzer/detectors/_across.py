"""Loops over several connections: children that a program runs at once, on whatever is free.

They follow their parent in an unbroken run, by the time at which the pool's executions end.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from analyzer.detectors._places import of_groups
from analyzer.detectors._rows import MINIMUM, ExecutionRows
from analyzer.detectors._shapes import Shapes
from analyzer.model.columns import Flags, Floats, Rows, distinct, sorted_distinct, starts_of_runs
from analyzer.native import compiled, twin_in

_twin = twin_in(compiled("analyzer.detectors.native._pools"))

PARALLEL_WINDOW_US = 100_000  # children on other connections follow each other within this
# Children must be this share of what a pool ran meanwhile: they are run at once, and chance brings
# a few of a frequent statement together.
DENSITY_ACROSS = 1 / 4
# A loop's body may run several statements for each row, and loops within it. It is enough to be this
# share where nearly all that ran meanwhile is of such a nest.
_DENSITY_AMONG_KIN = 1 / 12
_KIN = 0.9


def may_follow_in_pool(
    rows: ExecutionRows, parents: Sequence[int], child: int, kin: Mapping[int, Flags]
) -> Flags:
    """For which parent statements a loop of children on other connections is possible at all.

    A quick look at what `across_pools` and `looping` will ask for; `kin` is by parent, as in `dense_across`.
    """
    shares = np.array([_DENSITY_AMONG_KIN if one in kin else DENSITY_ACROSS for one in parents])
    bounds = MINIMUM, PARALLEL_WINDOW_US, len(rows.work.routes)
    return runs_behind(rows.pooled, parents, child, shares, bounds)


@_twin
def runs_behind(
    table: tuple[Rows, Rows, Rows, Rows, Rows],
    parents: Sequence[int],
    child: int,
    shares: Floats,
    bounds: tuple[int, int, int],
) -> Flags:
    """Marks the parent statements behind which, and before their next execution, a run of children is in a pool.

    `table` is Places.pooled, `bounds` are how many children a run has at least, what breaks it (so long, in µs, no child
    ends), and how many units of work there are. The children are the parent's one of `shares` of what ran meanwhile; before it ran none that is nobody's child.
    """
    starts, pools, ends, places, units = table
    least, window_us, _ = bounds
    found = np.zeros(len(parents), dtype=bool)
    children, _ = of_groups(starts, [child])
    every, numbers = of_groups(starts, parents)
    for pool in sorted_distinct(pools[children]).tolist():
        mine, here = children[pools[children] == pool], pools[every] == pool
        ours, number = every[here], numbers[here]
        if len(mine) < least or len(ours) == 0:
            continue
        times, end = ends[ours], ends[mine]
        breaks = np.flatnonzero(np.append(np.diff(end) > window_us, True))
        first = np.searchsorted(end, times)
        at = np.minimum(first, len(end) - 1)
        goes_on = np.append(~starts_of_runs(number)[1:], False)
        before_next = np.where(goes_on, np.append(first[1:], 0), len(end)) - 1
        last = np.minimum(
            np.repeat(breaks, np.diff(breaks, prepend=-1))[at], np.maximum(before_next, at)
        )
        counts, span = last - at + 1, places[mine[last]] - places[ours]
        some = (first < len(end)) & (counts >= least) & (counts >= shares[number] * span)
        some &= end[at] - times <= window_us
        for one in distinct(number[some]).tolist():
            its = number == one
            alone = end[~np.isin(units[mine], units[ours[its]])]
            asked = times[some & its]
            found[one] |= _any_quiet(alone, asked, window_us)
    return found


def _any_quiet(alone: Rows, times: Rows, window_us: int) -> bool:
    """Whether before any of these times none of the children ended whose unit of work has no parent."""
    earlier = np.searchsorted(alone, times) - np.searchsorted(alone, times - window_us)
    return bool((earlier == 0).any())


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
        for parent in shapes.sure_parents(number, varying) if varying else ():
            linked.setdefault(parent, set()).add(number)
    nests = {parent: _below(parent, linked) for parent in linked}
    count, found = len(shapes.driving), {}
    for parent in linked:
        family = set().union(
            *(nest for top, nest in nests.items() if top == parent or parent in nest)
        )
        if len(family) > 1:
            found[parent] = np.zeros(count, dtype=bool)
            found[parent][list(family)] = True
    return found


def _below(parent: int, linked: Mapping[int, set[int]]) -> set[int]:
    """All statements that may loop over a parent's rows, or over the rows of such ones."""
    nest: set[int] = set()
    fresh = linked[parent]
    while fresh:
        nest |= fresh
        fresh = {one for other in fresh for one in linked.get(other, ())} - nest
    return nest
