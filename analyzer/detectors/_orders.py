"""Passes over a slice's rows by statement, which tell the few that are worth a look from all others.

Each has a native twin (native/_orders.pyx), which takes its place where it was compiled. A `table` is all rows by
statement, and where each statement's begin; what is said to be by place goes with the table's rows.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import (
    Column,
    Flags,
    Rows,
    run_starts,
    sorted_distinct,
    stable_order,
    starts_of_runs,
)
from analyzer.native import compiled, twin_in

Table = tuple[Rows, Rows]

# A loop's children are dense (see _fanout.DENSITY), so that as many of them are near each other.
FEW = 5

_PACKED = 63  # bits of a number without its sign
_SPARSE = 64  # numbers spread wider than about this times their count are not looked up by place

_twin = twin_in(compiled("analyzer.detectors.native._orders"))


@_twin
def run_sizes(starts: Rows, count: int) -> Rows:
    """How many rows there are from each start to the next; `count` in all."""
    return np.diff(starts, append=count)


@_twin
def crowded(
    rows: Rows, columns: tuple[Rows, Rows, Flags], least: int, shares: tuple[float, float]
) -> Flags:
    """Marks those rows of a statement that run often and close together in their unit of work.

    `columns` are places, requests and what marks whole units, by row. Of a unit at least `least` rows that are the first of
    `shares` of all that runs from first to last, the second in whole ones.
    """
    place, request, whole = columns
    starts = run_starts(request[rows])
    sizes = run_sizes(starts, len(rows))
    if len(rows) == 0:
        return np.zeros(0, dtype=bool)
    places = place[rows]
    spans = np.maximum.reduceat(places, starts) - np.minimum.reduceat(places, starts) + 1
    share = np.where(whole[rows[starts]], shares[1], shares[0])
    flags: Flags = np.repeat((sizes >= least) & (sizes >= share * spans), sizes)
    return flags


@_twin
def most_beside(
    rows: Rows, starts: Rows, columns: tuple[Rows, Rows, Rows, Rows], count: int
) -> Rows:
    """Of how many rows of each group one and the same statement stands before them, or behind, at most.

    Groups begin at `starts`. `columns` are statements (`count` of them), requests and places by row, and rows by place. At a unit's end
    nothing stands beside, which is as good as a statement.
    """
    del count
    statement, request, place, order = columns
    found = np.zeros(len(starts), dtype=np.int64)
    group = np.repeat(np.arange(len(starts)), run_sizes(starts, len(rows)))
    for step in (1, -1):
        there = place[rows] + step
        inside = (there >= 0) & (there < len(order))
        other = order[np.where(inside, there, 0)]
        inside &= request[other] == request[rows]
        code = np.sort(group << 32 | (np.where(inside, statement[other], -1) + 1))
        first = run_starts(code)
        np.maximum.at(found, code[first] >> 32, run_sizes(first, len(code)))
    return found


@_twin
def grouped(values: Rows, order: Rows) -> tuple[Rows, Rows, Rows]:
    """The rows of an order by value (≥ 0), each group in that order, where each value's begin, and places in the order."""
    ordered = values[order]
    counts, places = np.bincount(ordered), stable_order(ordered)
    return order[places], np.concatenate(([0], np.cumsum(counts))), places


@_twin
def dense(table: Table, wanted: Flags, same: Rows, measures: Sequence[tuple[Rows, Rows]]) -> Table:
    """The rows of some statements (marked by number) that belong to FEW in a row within each of some measures.

    As a table of its own. A measure has values by place, and how far apart those that end at a place may be. FEW are
    equal in `same`.
    """
    at = _places(table, wanted)
    count = len(table[1]) - 1
    statement = np.repeat(np.arange(count), np.diff(table[1]))[at]
    kept = np.ones(len(at), dtype=bool)
    for values, within in measures:
        kept &= _runs(values[at], within[at], statement, same[at])
    sizes = np.bincount(statement[kept], minlength=count)
    return table[0][at[kept]], np.concatenate(([0], np.cumsum(sizes)))


def _places(table: Table, wanted: Flags) -> Rows:
    """The places in a table where some statements' rows stand."""
    sizes = np.diff(table[1])
    return np.flatnonzero(np.repeat(np.resize(wanted, len(sizes)), sizes))


def _runs(values: Column, within: Rows, *same: Column) -> Flags:
    """Marks what belongs to FEW in a row whose values are near, equal in all of `same`."""
    marked = np.zeros(len(values), dtype=bool)
    span = FEW - 1
    if len(values) < FEW:
        return marked
    begins = values[span:] - values[:-span] <= within[span:]
    for column in same:
        begins &= column[span:] == column[:-span]
    for shift in range(FEW):
        marked[shift : len(values) - span + shift] |= begins
    return marked


@_twin
def steady(
    table: Table,
    wanted: Flags,
    columns: tuple[Rows, Column, Rows],
    period: tuple[int, float],
    least: int,
    share: float,
) -> tuple[Rows, Rows]:
    """Runs of some statements' rows that a session repeats at a steady period: where they begin, their sizes.

    `columns` are sessions, parameter texts and times (µs) by row; equal ones in the first two, in the order of time, make a
    run. A `period` has its least length (µs), and by which share of it the next may differ; `share` of a run's, of at
    least `least` rows, are such.
    """
    session, texts, start_us = columns
    at = _places(table, wanted)
    every = table[0][at]
    if len(every) == 0:
        return at, at
    statement = np.repeat(np.arange(len(table[1]) - 1), np.diff(table[1]))[at]
    new = starts_of_runs(statement, session[every], texts[every])
    apart = np.diff(start_us[every], prepend=0)
    kept = np.zeros(len(every), dtype=bool)
    kept[1:] = np.abs(apart[1:] - apart[:-1]) <= period[1] * apart[1:]
    kept[1:] &= ~new[1:] & ~new[:-1] & (apart[1:] >= period[0])
    starts = np.flatnonzero(new)
    sizes = run_sizes(starts, len(every))
    shares = np.add.reduceat(kept, starts, dtype=np.int64) / np.maximum(sizes - 2, 1)
    good = (sizes >= least) & (shares >= share)
    return at[starts[good]], sizes[good]


@_twin
def distinct_in_groups(hashes: Column, groups: Rows, count: int) -> Rows:
    """How many different hashes (32 bits) each group (0..count-1) has; each 0 is one of its own."""
    logged = hashes != 0
    found = sorted_distinct(groups[logged] << 32 | hashes[logged]) >> 32
    unlogged = np.bincount(groups[~logged], minlength=count)
    return np.bincount(found, minlength=count) + unlogged


@_twin
def standing(
    some: Rows, columns: tuple[Rows, Rows, int], paused: Flags
) -> tuple[Rows, Rows, Rows, Flags]:
    """Places and units of some rows, where among them the unit of each ends, and whether it paused.

    `columns` are places, requests (both by row), and the first of all requests.
    """
    place, request, first_request = columns
    unit = request[some] - first_request
    starts = run_starts(unit)
    sizes = run_sizes(starts, len(some))
    return place[some], unit, np.repeat(starts + sizes, sizes), paused[some]


@_twin
def among(places: Rows, near: int, placed: tuple[Rows, Rows], count: int) -> Flags:
    """Marks (of `count`) the statements that run near before or among some ascending places.

    `placed` are all places where they may, ascending, and which statement runs there.
    """
    at, numbers = placed
    ends = np.searchsorted(at, places)
    starts = np.maximum(np.searchsorted(at, places - near), np.append(0, ends[:-1])[: len(places)])
    steps = np.zeros(len(at) + 1, dtype=np.int64)
    some = starts < ends
    np.add.at(steps, starts[some], 1)
    np.add.at(steps, ends[some], -1)
    found = np.zeros(count, dtype=bool)
    found[numbers[np.cumsum(steps[:-1]) > 0]] = True
    return found


@_twin
def ordered(some: Rows, first: Rows, second: Rows, third: Rows) -> Rows:
    """Some rows in the order of the first column, then of the second and the third, in which no two are equal.

    Packed into one number each, rows are ordered several times quicker than by one column after the other; and NumPy
    sorts numbers several times quicker than places by them. The last column tells then which row each was.
    """
    if len(some) == 0:
        return some
    columns = first[some], second[some], third[some]
    lows = [int(column.min()) for column in columns]
    widths = [
        (int(column.max()) - low).bit_length() for column, low in zip(columns, lows, strict=True)
    ]
    if sum(widths) >= _PACKED or 1 << widths[2] > _SPARSE * len(some):
        return some[np.lexsort(columns[::-1])]
    code = np.zeros(len(some), dtype=np.int64)
    for column, low, width in zip(columns, lows, widths, strict=True):
        code = code << width | (column - low)
    code.sort()
    rows: Rows = np.empty(1 << widths[2], dtype=np.int64)
    rows[columns[2] - lows[2]] = some
    found: Rows = rows[code & ((1 << widths[2]) - 1)]
    return found
