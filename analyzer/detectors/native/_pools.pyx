# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twins of _across.py: what stands behind executions in a pool, whatever connection it ran on.

Bounds are checked: the numbers in a column are places in others.
"""

import numpy as np

ctypedef const long long[::1] Numbers


cdef Py_ssize_t _at_least(Numbers ends, long long time, Py_ssize_t low, Py_ssize_t high) except -1 nogil:
    """The first of ascending ends, from `low` up to `high`, that is not before a time."""
    cdef Py_ssize_t middle
    while low < high:
        middle = (low + high) // 2
        if ends[middle] < time:
            low = middle + 1
        else:
            high = middle
    return low


def runs_behind(table, parents, Py_ssize_t child, const double[::1] shares, bounds):
    """Marks the parent statements behind which, and before their next execution, a run of children is in a pool."""
    cdef Numbers starts, pools, ends, places, units
    starts, pools, ends, places, units = table
    cdef Numbers wanted = np.array(parents, dtype=np.int64)
    cdef Py_ssize_t least, count, number, at, first, last, following, other
    cdef Py_ssize_t begin, until, low, high, start, stop
    cdef long long window
    least, window, count = bounds
    cdef Py_ssize_t groups = starts.shape[0] - 1
    found = np.zeros(wanted.shape[0], dtype=bool)
    cdef unsigned char[::1] marks = found.view(np.uint8)
    if not 0 <= child < groups or starts[child + 1] - starts[child] < least:
        return found
    cdef unsigned char[::1] parental = np.zeros(count, dtype=np.uint8)  # units of work with a parent
    begin, until = starts[child], starts[child + 1]
    cdef Py_ssize_t[::1] breaks = np.empty(until - begin, dtype=np.intp)  # the last of each one's unbroken run
    with nogil:
        for at in range(until - 1, begin - 1, -1):
            breaks[at - begin] = at
            if at + 1 < until and pools[at + 1] == pools[at] and ends[at + 1] - ends[at] <= window:
                breaks[at - begin] = breaks[at + 1 - begin]
        for number in range(wanted.shape[0]):
            if not 0 <= wanted[number] < groups:
                continue
            high, stop = begin, starts[wanted[number]]
            while stop < starts[wanted[number] + 1] and not marks[number]:  # pool by pool
                start, low = stop, high
                while stop < starts[wanted[number] + 1] and pools[stop] == pools[start]:
                    stop += 1
                while low < until and pools[low] < pools[start]:
                    low += 1
                high = low
                while high < until and pools[high] == pools[start]:
                    high += 1
                if high - low < least:
                    continue
                for at in range(start, stop):
                    parental[units[at]] = 1
                following = _at_least(ends, ends[start], low, high)
                for at in range(start, stop):
                    first, following = following, high
                    if at + 1 < stop:
                        following = _at_least(ends, ends[at + 1], first, high)
                    if first == high:
                        break
                    last = min(breaks[first - begin], max(following - 1, first))
                    if (
                        last - first + 1 >= least
                        and last - first + 1 >= shares[number] * (places[last] - places[at])
                        and ends[first] - ends[at] <= window
                    ):
                        other = _at_least(ends, ends[at] - window, low, first)
                        while other < first and parental[units[other]]:
                            other += 1
                        if other == first:
                            marks[number] = 1
                            break
                for at in range(start, stop):
                    parental[units[at]] = 0
    return found
