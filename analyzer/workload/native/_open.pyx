# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The twins of how rows are found that may go on behind a slice (requests.py): each gives what the function of its name
gives there.

Rows are ordered by session and time. Numbers of rows are looked at before memory is read by them.
"""

import numpy as np

include "columns.pxi"

DEF ROUNDS = 16  # as in requests.py


def open_rows(columns, work, boundaries, long long burst_us, long long trace_us):
    """Marks rows of bursts that ended last in their session, and at `burst_us` or later; of open transactions; of
    traces with a row that ended at `trace_us` or later.
    """
    cdef const int[::1] of_row = ints(columns["session"])
    cdef const long long[::1] ends = longs(columns["end_us"]), burst = longs(work.burst), opened = longs(work.transaction)
    cdef const long long[::1] traces = longs(work.trace), request = longs(work.request)
    cdef const signed char[::1] boundary = small(boundaries)
    cdef Py_ssize_t row, begin = 0, end, size = of_row.shape[0]
    cdef long long until
    alike(size, (columns["end_us"], work.burst, work.transaction, work.trace, work.request, boundaries))
    within(work.transaction, -1, size)
    within(work.request, 0, size)
    found = np.zeros(size, dtype=bool)
    cdef unsigned char[::1] out = found.view(np.uint8), late = np.zeros(size, dtype=np.uint8)
    with nogil:
        while begin < size:
            end, until = begin, ends[begin]
            while end < size and burst[end] == burst[begin]:
                until = max(until, ends[end])
                end += 1
            if until >= burst_us and (end == size or of_row[end] != of_row[end - 1]):
                for row in range(begin, end):
                    out[row] = 1
            begin = end
        for end in range(1, size + 1):
            row = end - 1
            if (end == size or of_row[end] != of_row[row]) and opened[row] >= 0 and boundary[row] != -1:
                for begin in range(opened[row], end):
                    out[begin] = 1
        for row in range(size):
            if traces[row] and ends[row] >= trace_us:
                late[request[row]] = 1
        for row in range(size):
            out[row] |= traces[row] != 0 and late[request[row]]
    return found


def close_over(marked, work):
    """Extend marks, where they stand, to all that hangs together with a marked row: bursts, transactions, requests.

    Rows that have all three in common, and their mark, are looked at as one.
    """
    cdef const long long[::1] burst = longs(work.burst), opened = longs(work.transaction), request = longs(work.request)
    cdef unsigned char[::1] marks = marked.view(np.uint8)
    cdef Py_ssize_t row, run = -1, size = marks.shape[0], turn = 0, kinds = 2
    cdef bint beyond = False, same
    alike(size, (work.burst, work.transaction, work.request))
    table = np.empty((3, size), dtype=np.int64)
    cdef long long[:, ::1] numbers = table
    cdef long long[::1] begins = np.empty(size, dtype=np.int64)
    with nogil:
        for row in range(size):
            same = row > 0 and burst[row] == burst[row - 1] and opened[row] == opened[row - 1]
            if same and request[row] == request[row - 1] and marks[row] == marks[row - 1]:
                continue
            run += 1
            begins[run] = row
            numbers[0, run], numbers[1, run] = burst[row], request[row]
            numbers[2, run] = row if opened[row] < 0 else opened[row]  # outside of all, for itself
            kinds = 3 if opened[row] >= 0 else kinds
            beyond |= not (0 <= burst[row] < size and 0 <= request[row] < size and -1 <= opened[row] < size)
    if beyond:
        raise ValueError("numbers of rows that are not there")
    cdef unsigned char[::1] open_runs = marked[begins[: run + 1]].view(np.uint8), some = np.empty(size, dtype=np.uint8)
    cdef int place
    cdef long long before, unchanged = 0, now = np.count_nonzero(open_runs)
    with nogil:
        while turn < ROUNDS * kinds and unchanged < kinds and now:
            place = turn % kinds
            if kinds == 3 and place:  # transactions come second
                place = 3 - place
            before, now = now, extended(numbers[place], open_runs, some)
            unchanged = unchanged + 1 if now == before else 0
            turn += 1
        for run in range(open_runs.shape[0]):
            for row in range(begins[run], begins[run + 1] if run + 1 < open_runs.shape[0] else size):
                marks[row] = open_runs[run]


cdef long long extended(const long long[::1] numbers, unsigned char[::1] marks, unsigned char[::1] some) noexcept nogil:
    """Extend marks to all of the same numbers; how many are marked then."""
    cdef Py_ssize_t row
    cdef long long count = 0
    some[:] = 0
    for row in range(marks.shape[0]):
        some[numbers[row]] |= marks[row]
    for row in range(marks.shape[0]):
        marks[row] = some[numbers[row]]
        count += marks[row]
    return count
