"""Small tools for columns of whole numbers: ordering, numbering and grouping without a comparison sort.

Most have a native twin (native/_columns.pyx), which takes their place where it was compiled.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from analyzer.native import compiled, twin_in

Column = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_DIGIT = 1 << 16  # NumPy sorts 16-bit numbers by radix, several times faster than wider ones
_SPARSE = 16  # numbers spread wider than this times their count are not counted by place

_twin = twin_in(compiled("analyzer.model.native._columns"))


@_twin
def stable_order(values: Column) -> Rows:
    """The row numbers in the order of whole numbers `values`; equal ones stay in their order."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    low = int(values.min())
    span = int(values.max()) - low + 1
    if span > _DIGIT * _DIGIT:
        return np.argsort(values, kind="stable")
    shifted = (values - low).astype(np.uint32)
    order = np.argsort(shifted.astype(np.uint16), kind="stable")
    if span > _DIGIT:
        high = (shifted >> np.uint32(16)).astype(np.uint16)[order]
        order = order[np.argsort(high, kind="stable")]
    return order


@_twin
def numbered_by_sight(values: Column) -> tuple[Rows, Rows]:
    """Number distinct values from 0 in the order in which they first appear.

    Returns the number of each row, and the row at which each number first appears.
    """
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    # Equal ones mostly stand together, so one of each run is looked at.
    starts = run_starts(values)
    numbers, firsts = _numbered_by_sight(values[starts])
    return spread(numbers, starts, len(values)), starts[firsts]


def _numbered_by_sight(values: Column) -> tuple[Rows, Rows]:
    count = len(values)
    low = int(values.min())
    if int(values.max()) - low > _SPARSE * count:
        values = np.unique(values, return_inverse=True)[1]
        low = 0
    place = np.subtract(values, low, dtype=np.int64)
    first = np.zeros(int(place.max()) + 1, dtype=np.int64)
    rows = np.arange(count)
    first[place[::-1]] = rows[::-1]
    firsts = first[place]
    new = firsts == rows
    numbers: Rows = (np.cumsum(new) - 1)[firsts]
    return numbers, np.flatnonzero(new)


@_twin
def distinct(values: Column) -> Rows:
    """The distinct values of a column of numbers ≥ 0, ascending."""
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    if int(values.max()) > _SPARSE * len(values):
        return sorted_distinct(values).astype(np.int64)
    seen = np.zeros(int(values.max()) + 1, dtype=bool)
    seen[values] = True
    return np.flatnonzero(seen)


@_twin
def counted(values: Column) -> tuple[Rows, Rows]:
    """The distinct ones of whole numbers, ascending, and how often each is there."""
    ordered = np.sort(values)
    starts = run_starts(ordered)
    return ordered[starts].astype(np.int64), np.diff(starts, append=len(ordered))


def sorted_distinct(values: Column) -> Column:
    """The distinct values, ascending: for a few thousand and more, faster than np.unique.

    np.unique on its own also makes NumPy import its masked arrays, which takes 10 ms.
    """
    ordered = np.sort(values)
    return ordered[run_starts(ordered)]


def numbered_rows(*columns: Column) -> tuple[Rows, Rows]:
    """Number rows from 0 by what all columns hold, in the order of the first column and so on.

    Returns a row of each number, and the number of each row. For few that differ and mostly stand
    together: one of each run is looked at.
    """
    starts = run_starts(*columns)
    code = np.zeros(len(starts), dtype=np.int64)
    for column in columns:
        values, place = np.unique(column[starts], return_inverse=True)
        code = code * len(values) + place
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return starts[first], spread(number, starts, len(columns[0]))


def median(values: Column) -> float:
    """The middle value, or the mean of the middle two; of at least one.

    np.median makes NumPy import its masked arrays, which takes 10 ms.
    """
    middle = (len(values) - 1) // 2, len(values) // 2
    low, high = np.partition(values, middle)[[*middle]].tolist()
    return float((low + high) / 2)


def starts_of_runs(*columns: Column) -> Flags:
    """Marks the rows at which any of the columns differs from the row before (the first row does)."""
    first, *others = columns
    new = np.ones(len(first), dtype=bool)
    if len(new) > 1:
        later = new[1:]
        np.not_equal(first[1:], first[:-1], out=later)
        for column in others:
            later |= column[1:] != column[:-1]
    return new


@_twin
def run_starts(*columns: Column) -> Rows:
    """The rows at which any of the columns differs from the row before (the first row does)."""
    return np.flatnonzero(starts_of_runs(*columns))


@_twin
def spread(values: Column, starts: Rows, count: int) -> Column:
    """A column of `count` rows that holds each value from its start up to the next; the first is row 0.

    Several times quicker than taking running maxima of where they stand.
    """
    return values.repeat(np.diff(starts, append=count))


@_twin
def stretches(first: Rows, sizes: Rows) -> Rows:
    """The numbers from each `first` on, as many as its size says, one stretch behind the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    found: Rows = np.arange(total) + np.repeat(first - ends + sizes, sizes)
    return found


def evenly(count: int, most: int) -> Rows:
    """At most so many of the numbers below `count`, the first and the last among them, spread evenly.

    As np.linspace would spread them, which takes several times longer.
    """
    if count <= most:
        return np.arange(count)
    places: Rows = (np.arange(most) * ((count - 1) / max(most - 1, 1))).astype(np.int64)
    places[1:][-1:] = count - 1
    return places


def sorted_rows(*columns: Column) -> Rows:
    """The row numbers in the order of the first column, then of the second and so on.

    Equal rows stay in their order. It is quick where they are in order already.
    """
    later = np.zeros(max(len(columns[0]) - 1, 0), dtype=bool)
    same = ~later
    for column in columns:
        later |= same & (column[1:] > column[:-1])
        same &= column[1:] == column[:-1]
    if (later | same).all():
        return np.arange(len(columns[0]))
    return np.lexsort(columns[::-1])


def grown(values: Column, size: int, fill: float = 0) -> Column:
    """`values` with room for at least `size`; what is new holds `fill`."""
    if len(values) >= size:
        return values
    longer = np.full(max(size, 2 * len(values), 64), fill, dtype=values.dtype)
    longer[: len(values)] = values
    return longer
