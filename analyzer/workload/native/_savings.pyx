# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The twins of what savings.py does with a loop's rows: each gives what the function of its name gives there.

Sums of durations are made in the order of rows, as NumPy's are that they are held against.
"""

import numpy as np

from analyzer.model.columns import stable_order

include "columns.pxi"

DEF GAPS = 4  # as in savings.py


def grouped(rows, group, anchor, duration_ms):
    """Rows in the order of their group, that group, where each begins, its anchor, and the rows' durations."""
    cdef const long long[::1] row = longs(rows), code = longs(group), anchors = longs(anchor), order
    cdef const double[::1] took = doubles(duration_ms)
    cdef Py_ssize_t place, at, count = 0, size = row.shape[0]
    alike(size, (group, anchor))
    within(np.asarray(row), 0, took.shape[0])
    order = stable_order(group)
    table = np.empty((4, size), dtype=np.int64)
    durations = np.empty(size)
    cdef long long[:, ::1] out = table
    cdef double[::1] duration = durations
    with nogil:
        for place in range(size):
            at = order[place]
            out[0, place], out[1, place] = row[at], code[at]
            duration[place] = took[row[at]]
            if place == 0 or code[at] != out[1, place - 1]:
                out[2, count], out[3, count] = place, anchors[at]
                count += 1
    return table[0], table[1], table[2, :count], table[3, :count], durations


def gap_means(rows, group, session, end_us, duration_ms):
    """The mean (ms) of each few gaps in a row between executions of one group on one session, where it is above 0."""
    cdef const long long[::1] row = longs(rows), code = longs(group), ends = longs(end_us), order
    cdef const int[::1] sessions = ints(session)
    cdef const double[::1] took = doubles(duration_ms)
    cdef Py_ssize_t place, at, before, first = 0, count = 0, size = row.shape[0]
    cdef bint in_order = True
    cdef double gap
    alike(size, (group,))
    alike(took.shape[0], (end_us, session))
    within(np.asarray(row), 0, took.shape[0])
    with nogil:
        for place in range(1, size):
            at, before = row[place], row[place - 1]
            if code[place] != code[place - 1]:
                in_order &= code[place] > code[place - 1]
            elif sessions[at] != sessions[before]:
                in_order &= sessions[at] > sessions[before]
            elif ends[at] != ends[before]:
                in_order &= ends[at] > ends[before]
            else:
                in_order &= at >= before
    if not in_order:
        order = np.lexsort((rows, end_us[rows], session[rows], group))
        row, code = longs(rows[order]), longs(group[order])
    found = np.empty(size)
    cdef double[::1] out = found, busy = np.empty(size)
    with nogil:
        for place in range(size):
            at = row[place]
            busy[place] = took[at] + (busy[place - 1] if place else 0.0)
            if place and (code[place] != code[place - 1] or sessions[at] != sessions[row[place - 1]]):
                first = place
            if place - first >= GAPS:
                before = place - GAPS
                gap = (<double>(ends[at] - ends[row[before]]) / 1000 - (busy[place] - busy[before])) / GAPS
                if gap > 0:
                    out[count] = gap
                    count += 1
    return found[:count]


def by_request(request, rows, spared_ms, anchors):
    """(request, ms, round trips) of each request that has some of the rows, or an anchor."""
    cdef const long long[::1] of_row = longs(request), row = longs(rows), anchor = longs(anchors)
    cdef const double[::1] ms = np.ascontiguousarray(spared_ms, dtype=np.float64)
    cdef Py_ssize_t place, count = 0, size = row.shape[0]
    cdef long long low, high
    if ms.shape[0] != size or not size:
        raise ValueError("not as many durations as rows, or none")
    within(np.asarray(row), 0, of_row.shape[0])
    within(np.asarray(anchor), 0, of_row.shape[0])
    low = high = of_row[row[0]]
    with nogil:
        for place in range(size):
            low, high = min(low, of_row[row[place]]), max(high, of_row[row[place]])
        for place in range(anchor.shape[0]):
            low, high = min(low, of_row[anchor[place]]), max(high, of_row[anchor[place]])
    found, trip_table, sums = np.zeros(high - low + 1, dtype=np.int64), np.zeros(high - low + 1, dtype=np.int64), np.zeros(high - low + 1)
    cdef long long[::1] hit = found, trips = trip_table
    cdef unsigned char[::1] seen = np.zeros(high - low + 1, dtype=np.uint8)
    cdef double[::1] sum_ms = sums
    with nogil:
        for place in range(size):
            seen[of_row[row[place]] - low] = 1
            trips[of_row[row[place]] - low] += 1
            sum_ms[of_row[row[place]] - low] += ms[place]
        for place in range(anchor.shape[0]):
            seen[of_row[anchor[place]] - low] = 1
            trips[of_row[anchor[place]] - low] -= 1
        for place in range(high - low + 1):
            if seen[place]:
                hit[count], sum_ms[count], trips[count] = place + low, sum_ms[place], trips[place]
                count += 1
    return found[:count], sums[:count], trip_table[:count]
