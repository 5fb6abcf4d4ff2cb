# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twins of _orders.py, and of `rank` and `busy` of _writes.py: each gives what the function of its name gives there.

Bounds are checked: the numbers in a column are places in others.
"""

import numpy as np

from libc.stdlib cimport llabs

ctypedef const long long[::1] Numbers
ctypedef const unsigned char[::1] Marks

ctypedef fused Session:
    const int
    const long long

DEF FEW = 5
DEF PACKED = 63  # bits of a number without its sign
DEF SPARSE = 64  # numbers spread wider than about this times their count are not looked up by place


def run_sizes(Numbers starts, Py_ssize_t count):
    """How many rows there are from each start to the next; `count` in all."""
    cdef Py_ssize_t at, last = starts.shape[0] - 1
    sizes = np.empty(starts.shape[0], dtype=np.int64)
    cdef long long[::1] out = sizes
    for at in range(last + 1):
        out[at] = (starts[at + 1] if at < last else count) - starts[at]
    return sizes


def crowded(Numbers rows, columns, Py_ssize_t least, shares):
    """Marks those rows of a statement that run often and close together in their unit of work."""
    cdef Numbers place, request
    cdef Marks whole
    cdef Py_ssize_t at, begin, end = 0, count = rows.shape[0]
    cdef long long low, high
    cdef double share, within
    cdef bint good
    place, request, wholes = columns
    whole = wholes.view(np.uint8)
    share, within = shares
    flags = np.zeros(count, dtype=bool)
    cdef unsigned char[::1] marks = flags.view(np.uint8)
    with nogil:
        while end < count:
            begin = end
            low = high = place[rows[begin]]
            while end < count and request[rows[end]] == request[rows[begin]]:
                low, high = min(low, place[rows[end]]), max(high, place[rows[end]])
                end += 1
            good = end - begin >= least
            good &= end - begin >= (within if whole[rows[begin]] else share) * (high - low + 1)
            for at in range(begin, end):
                marks[at] = good
    return flags


def most_beside(Numbers rows, Numbers starts, columns, Py_ssize_t count):
    """Of how many rows of each group one and the same statement stands before them, or behind, at most."""
    cdef Numbers statement, request, place, order
    cdef Py_ssize_t group, at, step, until, there, other
    statement, request, place, order = columns
    cdef long long[::1] beside = np.empty(rows.shape[0], dtype=np.int64)
    cdef long long[::1] seen = np.zeros(count + 1, dtype=np.int64)
    found = np.zeros(starts.shape[0], dtype=np.int64)
    cdef long long[::1] most = found
    with nogil:
        for group in range(starts.shape[0]):
            until = starts[group + 1] if group + 1 < starts.shape[0] else rows.shape[0]
            for step in range(-1, 2, 2):
                for at in range(starts[group], until):
                    there = place[rows[at]] + step
                    other = 0  # nothing
                    if 0 <= there < order.shape[0] and request[order[there]] == request[rows[at]]:
                        other = statement[order[there]] + 1
                    beside[at] = other
                    seen[other] += 1
                    most[group] = max(most[group], seen[other])
                for at in range(starts[group], until):
                    seen[beside[at]] = 0
    return found


def grouped(Numbers values, Numbers order):
    """The rows of an order by value (≥ 0), each group in that order, where each value's begin, and places in the order."""
    cdef Py_ssize_t at, size = order.shape[0]
    cdef long long value, high = -1
    with nogil:
        for at in range(size):
            high = max(high, values[order[at]])
    found = np.empty(size, dtype=np.int64)
    begins = np.zeros(high + 2, dtype=np.int64)
    stood = np.empty(size, dtype=np.int64)
    cdef long long[::1] out = found, stands = stood, starts = begins, places = np.zeros(high + 1, dtype=np.int64)
    with nogil:
        for at in range(size):
            starts[values[order[at]] + 1] += 1
        for value in range(high + 1):
            places[value] = starts[value]
            starts[value + 1] += starts[value]
        for at in range(size):
            value = values[order[at]]
            out[places[value]], stands[places[value]] = order[at], at
            places[value] += 1
    return found, begins, stood


def dense(table, wanted, Numbers same, measures):
    """The rows of these statements that belong to a few in a row within each of some measures."""
    cdef Numbers rows, starts, values, within, others, others_within
    cdef Marks marked = wanted.view(np.uint8)
    cdef Py_ssize_t statement, at, end, first, other, count = 0, size
    cdef bint both = len(measures) > 1
    rows, starts = table
    (values, within), (others, others_within) = measures[0], measures[len(measures) - 1]
    size = min(starts.shape[0] - 1, marked.shape[0])
    found = np.empty(rows.shape[0], dtype=np.int64)
    begins = np.zeros(starts.shape[0], dtype=np.int64)
    cdef long long[::1] out = found, began = begins
    with nogil:
        for statement in range(starts.shape[0] - 1):
            began[statement] = count
            if statement >= size or not marked[statement] or starts[statement + 1] - starts[statement] < FEW:
                continue
            end = starts[statement + 1]
            first = other = -1  # where the last few began that are near enough
            for at in range(starts[statement], end):
                if at + FEW <= end and same[at + FEW - 1] == same[at]:
                    if values[at + FEW - 1] - values[at] <= within[at + FEW - 1]:
                        first = at
                    if both and others[at + FEW - 1] - others[at] <= others_within[at + FEW - 1]:
                        other = at
                if first >= 0 and at - first < FEW and (not both or (other >= 0 and at - other < FEW)):
                    out[count] = rows[at]
                    count += 1
    began[starts.shape[0] - 1] = count
    return found[:count].copy(), begins


cdef bint _again(Numbers rows, Py_ssize_t at, Numbers session, const unsigned int[::1] texts) except -1 nogil:
    """Whether a row has the session and the text of the row before."""
    return session[rows[at]] == session[rows[at - 1]] and texts[rows[at]] == texts[rows[at - 1]]


def steady(table, wanted, columns, period, Py_ssize_t least, double share):
    """Runs of these statements' rows that a session repeats at a steady period: where they begin, their sizes."""
    cdef Numbers rows, starts, session, start_us
    cdef const unsigned int[::1] texts
    cdef Marks marked = wanted.view(np.uint8)
    cdef Py_ssize_t statement, at, end, begin, kept, runs = 0
    cdef long long apart, before, shortest
    cdef double differing
    rows, starts = table
    session, texts, start_us = columns
    shortest, differing = period
    made = np.empty((2, rows.shape[0] // least), dtype=np.int64)
    cdef long long[:, ::1] out = made
    with nogil:
        for statement in range(min(starts.shape[0] - 1, marked.shape[0])):
            if not marked[statement]:
                continue
            begin, end = starts[statement], starts[statement + 1]
            while begin + least <= end:
                at = begin + least - 1
                while at > begin and _again(rows, at, session, texts):
                    at -= 1
                if at > begin:  # what begins before has too few
                    begin = at
                    continue
                kept, before, at = 0, start_us[rows[begin + 1]] - start_us[rows[begin]], begin + 2
                while at < end and _again(rows, at, session, texts):
                    apart = start_us[rows[at]] - start_us[rows[at - 1]]
                    kept += apart >= shortest and llabs(apart - before) <= differing * apart
                    before = apart
                    at += 1
                if <double>kept / max(at - begin - 2, 1) >= share:
                    out[0, runs], out[1, runs] = begin, at - begin
                    runs += 1
                begin = at
    return tuple(made[:, :runs].copy())


def distinct_in_groups(const unsigned int[::1] hashes, Numbers groups, Py_ssize_t count):
    """How many different hashes each group (0..count-1) has; each 0 is one of its own."""
    cdef Py_ssize_t at
    codes = np.empty(hashes.shape[0], dtype=np.int64)
    cdef long long[::1] code = codes
    found = np.zeros(count, dtype=np.int64)
    cdef long long[::1] out = found
    with nogil:
        for at in range(hashes.shape[0]):
            code[at] = groups[at] << 32 | hashes[at]
    codes.sort()
    with nogil:
        for at in range(code.shape[0]):
            if at == 0 or code[at] != code[at - 1] or <unsigned int>code[at] == 0:
                out[code[at] >> 32] += 1
    return found


def standing(Numbers some, columns, paused):
    """Places, units and whether it paused of each of some rows, and where among them its unit ends."""
    cdef Numbers place, request
    cdef long long first_request
    cdef Marks pauses = paused.view(np.uint8)
    cdef Py_ssize_t at, row, size = some.shape[0], end = size
    place, request, first_request = columns
    made = np.empty((3, size), dtype=np.int64)
    flags = np.empty(size, dtype=bool)
    cdef long long[:, ::1] out = made
    cdef unsigned char[::1] marks = flags.view(np.uint8)
    with nogil:
        for at in range(size - 1, -1, -1):
            row = some[at]
            out[0, at], out[1, at], marks[at] = place[row], request[row] - first_request, pauses[row]
            if at + 1 < size and out[1, at] != out[1, at + 1]:
                end = at + 1
            out[2, at] = end
    return made[0], made[1], made[2], flags


def among(Numbers places, long long near, placed, Py_ssize_t count):
    """Marks statements that run near before or among some places; `placed` are all places, and which runs there."""
    cdef Numbers at, numbers
    cdef Py_ssize_t one, there = 0, low, high, step
    at, numbers = placed
    flags = np.zeros(count, dtype=bool)
    cdef unsigned char[::1] marks = flags.view(np.uint8)
    with nogil:
        for one in range(places.shape[0]):
            if there == at.shape[0]:
                break
            if at[there] < places[one] - near:  # the first that is near
                low, high = there, at.shape[0]
                while low < high:
                    step = (low + high) // 2
                    if at[step] < places[one] - near:
                        low = step + 1
                    else:
                        high = step
                there = low
            while there < at.shape[0] and at[there] < places[one]:
                marks[numbers[there]] = 1
                there += 1
    return flags


cdef int _width(long long low, long long high) noexcept nogil:
    """The bits of a number from 0 to what lies between two others."""
    cdef int bits = 0
    cdef unsigned long long span = <unsigned long long>high - <unsigned long long>low
    while span:
        span >>= 1
        bits += 1
    return bits


cdef bint _before(Py_ssize_t row, Py_ssize_t other, Numbers first, Numbers second, Numbers third) except -1 nogil:
    """Whether a row stands before another by three columns."""
    if first[row] != first[other]:
        return first[row] < first[other]
    if second[row] != second[other]:
        return second[row] < second[other]
    return third[row] < third[other]


def ordered(Numbers some, Numbers first, Numbers second, Numbers third):
    """Some rows in the order of the first column, then of the second and the third, in which no two are equal."""
    cdef Py_ssize_t at, row, count = some.shape[0]
    cdef int middle, narrow
    cdef bint ascending
    cdef long long low, low_second, low_third, high, high_second, high_third, mask
    found = np.empty(count, dtype=np.int64)
    cdef long long[::1] out = found, code, rows
    if count == 0:
        return found
    low, low_second, low_third = first[some[0]], second[some[0]], third[some[0]]
    high, high_second, high_third = low, low_second, low_third
    with nogil:
        ascending = True
        for at in range(1, count):
            if not _before(some[at - 1], some[at], first, second, third):
                ascending = False
                break
    if ascending:
        out[:] = some
        return found
    with nogil:
        for at in range(count):
            row = some[at]
            low, high = min(low, first[row]), max(high, first[row])
            low_second, high_second = min(low_second, second[row]), max(high_second, second[row])
            low_third, high_third = min(low_third, third[row]), max(high_third, third[row])
        middle, narrow = _width(low_second, high_second), _width(low_third, high_third)
    if _width(low, high) + middle + narrow >= PACKED or (<long long>1 << narrow) > SPARSE * count:
        numbers = np.asarray(some)
        columns = np.asarray(third)[numbers], np.asarray(second)[numbers], np.asarray(first)[numbers]
        return numbers[np.lexsort(columns)]
    codes = np.empty(count, dtype=np.int64)
    code, rows = codes, np.empty(1 << narrow, dtype=np.int64)
    mask = (<long long>1 << narrow) - 1
    with nogil:
        for at in range(count):
            row = some[at]
            code[at] = ((first[row] - low) << middle | (second[row] - low_second)) << narrow | (third[row] - low_third)
            rows[third[row] - low_third] = row
    codes.sort()
    with nogil:
        for at in range(count):
            out[at] = rows[code[at] & mask]
    return found


def rank(Numbers values, Numbers numbers):
    """By row: how many rows before it are alike in `numbers[value]`, for numbers ≥ 0."""
    cdef Py_ssize_t row
    found = np.empty(values.shape[0], dtype=np.int64)
    cdef long long[::1] out = found
    cdef long long[::1] seen = np.zeros(np.max(numbers, initial=-1) + 1, dtype=np.int64)
    with nogil:
        for row in range(values.shape[0]):
            out[row] = seen[numbers[values[row]]]
            seen[numbers[values[row]]] += 1
    return found


def _busy(Marks wanted, Session[::1] session, columns, long long first_request, Py_ssize_t least, int hashes, unsigned long long spread):
    cdef Numbers statement, trace, request
    statement, trace, request = columns
    cdef Py_ssize_t row, at, count = 0, left = 0
    cdef unsigned long long place
    made, codes = np.empty(statement.shape[0], dtype=np.int64), np.empty(statement.shape[0], dtype=np.intc)
    cdef long long[::1] out = made
    cdef int[::1] code = codes
    cdef unsigned char[::1] seen = np.zeros(hashes, dtype=np.uint8)  # up to `least`
    with nogil:
        for row in range(statement.shape[0]):
            out[count] = row  # without a branch: which are wanted, nobody can foretell
            count += wanted[statement[row]]
        for at in range(count):
            row = out[at]
            place = <unsigned long long>(-1 - session[row] if trace[row] == 0 else request[row] - first_request)
            code[at] = (place * spread + <unsigned long long>statement[row]) & (hashes - 1)
            seen[code[at]] += seen[code[at]] < least
        for at in range(count):
            if seen[code[at]] >= least:
                out[left] = out[at]
                left += 1
    return made[:left].copy()


def busy(wanted, session, columns, first_request, least, hashing):
    """Rows of `wanted` statements that run often in their place, by a hash of it: a trace's unit of work, or a session."""
    return _busy(wanted.view(np.uint8), session, columns, first_request, least, *hashing)
