# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The twins of what openers.py and spread.py learn from: each gives what the function of its name gives there.

What is counted by a number has a place for each up to the greatest, which was looked for first.
"""

import numpy as np

from analyzer.model.columns import stable_order

include "columns.pxi"

DEF WINDOW = 1000  # as in spread.py
DEF MOST_OF_WINDOW = 0.1
DEF LONG = 3.0  # as in openers.py
DEF DENSE = 1 << 20  # so many pairs are counted by place
DEF FINE_BITS = 6  # gaps are told apart by their first digits, to find the middle one
DEF FINE = 1 << FINE_BITS

cdef extern from *:
    int clz "__builtin_clzll"(unsigned long long) noexcept nogil


cdef long long _places(const long long[::1] numbers) except -1:
    """How many places numbers have."""
    cdef Py_ssize_t row
    cdef long long low = 0, high = -1
    with nogil:
        for row in range(numbers.shape[0]):
            low = min(low, numbers[row])
            high = max(high, numbers[row])
    if low < 0:
        raise ValueError("numbers below 0")
    return high + 1


# --- spread.py ----------------------------------------------------------------------------------


def neighbours(session, start_us, statement, counted):
    """(rows that tell, changes of the session, of these with one statement, of these by chance)."""
    cdef const int[::1] of_row = ints(session)
    cdef const long long[::1] starts = longs(start_us), ran = longs(statement)
    cdef const long long[::1] rows = np.flatnonzero(counted), order
    cdef Py_ssize_t row, place, size = rows.shape[0]
    cdef bint one = True
    alike(len(session), (start_us, statement, counted))
    at = np.empty(size, dtype=np.int64)
    cdef long long[::1] times = at
    with nogil:
        for row in range(size):
            times[row] = starts[rows[row]]
            one &= of_row[rows[row]] == of_row[rows[0]]
    if one:
        return size, 0, 0, 0.0
    order = stable_order(at)
    cdef int[::1] sessions = np.empty(size, dtype=np.int32)
    cdef long long[::1] statements = np.empty(size, dtype=np.int64)
    with nogil:
        for place in range(size):
            row = rows[order[place]]
            sessions[place] = of_row[row]
            statements[place] = ran[row]
    return _neighbours(sessions, statements, np.zeros(_places(statements), dtype=np.int64))


cdef inline long long most_rare(Py_ssize_t rows) noexcept nogil:
    """Of so many executions, how many may be a statement's that is rare."""
    cdef long long most = 0
    while <double>(most + 1) / rows <= MOST_OF_WINDOW:
        most += 1
    return most


def _neighbours(const int[::1] session, const long long[::1] statement, long long[::1] times):
    cdef Py_ssize_t row, begin, end, before, size = session.shape[0]
    cdef long long rare = 0, changes = 0, same = 0, full = 0, rest = 0, by_chance, most, is_rare, change
    with nogil:
        for begin in range(0, size, WINDOW):
            end = min(begin + WINDOW, size)
            by_chance = 0
            most = most_rare(end - begin)
            for row in range(begin, end):
                times[statement[row]] += 1
            for row in range(begin, end):
                # Added without asking: whether there is something to add cannot be foreseen, and asking costs more.
                before = row - 1 if row else 0
                is_rare = times[statement[row]] <= most
                change = is_rare & (session[row] != session[before])
                rare += is_rare
                changes += change
                same += change & (statement[row] == statement[before])
                by_chance += change * times[statement[row]]
            for row in range(begin, end):
                times[statement[row]] = 0
            if end - begin == WINDOW:
                full += by_chance
            else:
                rest = by_chance
    return rare, changes, same, <double>full / WINDOW + <double>rest / max(size % WINDOW, 1)


# --- openers.py ---------------------------------------------------------------------------------


cdef inline int bucket(long long gap) noexcept nogil:
    """Gaps by their first digits, ascending: below FINE each has its own."""
    cdef int beyond = 63 - FINE_BITS - clz(gap | FINE)  # digits that are left out
    return beyond * FINE + <int>(gap >> beyond)


cdef double middle(const long long[::1] gaps, const unsigned char[::1] firsts, counts) except -1:
    """The middle one of the gaps of rows that are not first, or the mean of the middle two; 0 of none."""
    cdef Py_ssize_t row, found = 0
    cdef int least, most, place
    ends = np.cumsum(counts)
    total = int(ends[-1])
    if total == 0:
        return 0.0
    least, most = np.searchsorted(ends, ((total - 1) // 2, total // 2), side="right")
    before = int(ends[least] - counts[least])
    some = np.empty(int(counts[least : most + 1].sum()), dtype=np.int64)
    cdef long long[::1] near = some
    with nogil:
        for row in range(gaps.shape[0]):
            if not firsts[row]:
                place = bucket(gaps[row])
                if least <= place <= most:
                    near[found] = gaps[row]
                    found += 1
    wanted = [(total - 1) // 2 - before, total // 2 - before]
    some.partition(wanted)
    low, high = some[wanted].tolist()
    return (low + high) / 2


def tallied(statement, gap_us, first):
    """By statement: how often it ran, was first, came behind a long gap, soon behind itself; and (pairs, times)."""
    cdef const long long[::1] ran = longs(statement), gaps = longs(gap_us)
    cdef const unsigned char[::1] firsts = flags(first)
    cdef long long one, before, follows, size = _places(ran)
    cdef Py_ssize_t row, found = 0
    cdef double long_us
    cdef bint dense = size * size <= DENSE
    alike(ran.shape[0], (gap_us, first))
    if len(gap_us) and gap_us.min() < 0:
        raise ValueError("gaps below 0")
    tallies = np.zeros((4, size), dtype=np.int64)
    counts = np.zeros((64 - FINE_BITS) * FINE, dtype=np.int64)
    pairs = np.zeros(size * size, dtype=np.int64) if dense else np.empty(len(statement) + 1, dtype=np.int64)
    cdef long long[:, ::1] tally = tallies
    cdef long long[::1] pair = pairs, times = counts
    with nogil:
        for row in range(ran.shape[0]):
            # Added without asking: whether there is something to add cannot be foreseen, and asking costs more.
            one, before = ran[row], ran[row - 1 if row else 0]
            tally[0, one] += 1
            tally[1, one] += firsts[row]
            tally[3, one] += (row > 0 and before == one) | (row > 1 and ran[row - 2 if row > 1 else 0] == one)
            times[bucket(gaps[row])] += 1 - firsts[row]
            follows = before != one and not firsts[row]
            if dense:
                pair[before * size + one] += follows
            else:
                pair[found] = before << 32 | one
                found += follows
    long_us = LONG * max(middle(gaps, firsts, counts), 1.0)
    with nogil:
        for row in range(ran.shape[0]):
            if gaps[row] > long_us and not firsts[row]:
                tally[2, ran[row]] += 1
    if dense:
        keys = np.flatnonzero(pairs)
        often = pairs[keys]
        return tallies, keys // max(size, 1) << 32 | keys % max(size, 1), often
    keys, often = np.unique(pairs[:found], return_counts=True)
    return tallies, keys, often
