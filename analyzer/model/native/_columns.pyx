# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The twins of columns.py, and of executions.py's `cut_out`: each gives what the function of its name gives there.

Columns of whole numbers of any width, flags and floats are taken; what lies scattered in memory is copied first. No row
number is taken from outside but by `stretches` and `spread`, which look at each.
"""

from os import urandom

import numpy as np

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.string cimport memcpy, memset

ctypedef fused Bits:  # what a value is told by, whatever it means
    unsigned char
    unsigned short
    unsigned int
    unsigned long long

ctypedef fused Compared:
    unsigned char
    unsigned short
    unsigned int
    unsigned long long
    double

ctypedef fused Whole:
    signed char
    short
    int
    long long
    unsigned char
    unsigned int

DEF SPARSE = 16  # numbers spread wider than this times their count are not counted by place
DEF HASHED = 2  # places for each number that is looked up by a hash of it, at least
DEF DIGIT_BITS = 13  # of numbers that are put in order: the counts of a digit fit into the fastest cache


cdef object _bits(column):
    """A column as unsigned numbers of its width, a float as it is: 0.0 equals -0.0."""
    column = np.ascontiguousarray(column)
    if column.dtype.kind == "f":
        return column
    return column.view(f"u{column.dtype.itemsize}")


cdef object _whole(column):
    column = np.ascontiguousarray(column)
    return column.view("u1") if column.dtype.kind == "b" else column


# --- runs ---------------------------------------------------------------------------------------


def _run_starts(const Compared[::1] values, long long[::1] starts):
    """Write where runs begin; how many there are. `starts` has room for all rows."""
    cdef Py_ssize_t row, count = 0, size = values.shape[0]
    with nogil:
        if size:
            starts[0] = 0
            count = 1
        for row in range(1, size):
            starts[count] = row  # written over by the next where it is none
            count += values[row] != values[row - 1]
    return count


def _or_runs(const Compared[::1] values, unsigned char[::1] new):
    """Mark where runs begin, beside what is marked already; the first row is none."""
    cdef Py_ssize_t row
    with nogil:
        for row in range(1, values.shape[0]):
            new[row] |= values[row] != values[row - 1]


def run_starts(*columns):
    """The rows at which any of the columns differs from the row before (the first row does)."""
    cdef Py_ssize_t row, count = 0, size = len(columns[0])
    cdef unsigned char[::1] new
    starts = np.empty(size, dtype=np.int64)
    cdef long long[::1] out = starts
    if len(columns) == 1:
        return starts[: _run_starts(_bits(columns[0]), out)].copy()
    new = np.zeros(size, dtype=np.uint8)
    new[:1] = 1
    for column in columns:
        if len(column) != size:
            raise ValueError("columns of different lengths")
        _or_runs(_bits(column), new)
    with nogil:
        for row in range(size):
            out[count] = row  # as above
            count += new[row]
    return starts[:count].copy()


def _spread(const Bits[::1] values, const long long[::1] starts, Bits[::1] out):
    cdef Py_ssize_t number, row, start, end, count = out.shape[0], last = starts.shape[0] - 1
    for number in range(last + 1):
        start = starts[number]
        end = starts[number + 1] if number < last else count
        if start < 0 or end < start or end > count or (number == 0 and start != 0):
            raise ValueError("starts are not in order")
        for row in range(start, end):
            out[row] = values[number]


def spread(values, starts, Py_ssize_t count):
    """A column of `count` rows that holds each value from its start up to the next; the first is row 0."""
    out = np.empty(count, dtype=values.dtype)
    if len(values) != len(starts) or (count and not len(starts)):
        raise ValueError("not as many starts as values")
    width = f"u{values.dtype.itemsize}"
    _spread(np.ascontiguousarray(values).view(width), _rows(starts), out.view(width))
    return out


cdef object _rows(column):
    return np.ascontiguousarray(column, dtype=np.int64)


def stretches(first, sizes):
    """The numbers from each `first` on, as many as its size says, one stretch behind the other."""
    cdef const long long[::1] begins = _rows(first)
    cdef const long long[::1] counts = _rows(sizes)
    cdef Py_ssize_t number, row, at = 0, total = 0
    if begins.shape[0] != counts.shape[0]:
        raise ValueError("not as many sizes as stretches")
    for number in range(counts.shape[0]):
        if counts[number] < 0:
            raise ValueError("a stretch of less than nothing")
        total += counts[number]
    found = np.empty(total, dtype=np.int64)
    cdef long long[::1] out = found
    with nogil:
        for number in range(counts.shape[0]):
            for row in range(counts[number]):
                out[at] = begins[number] + row
                at += 1
    return found


# --- order --------------------------------------------------------------------------------------


def _bounds(const Whole[::1] values):
    """(the least, the greatest, whether they are ascending already); of at least one."""
    cdef Py_ssize_t row
    cdef Whole low = values[0], high = values[0]
    cdef bint ascending = True
    with nogil:
        for row in range(1, values.shape[0]):
            ascending &= values[row] >= values[row - 1]
            low = min(low, values[row])
            high = max(high, values[row])
    return low, high, ascending


def _packed(const Whole[::1] values, long long low, unsigned long long[::1] out, int bits):
    """How far each value is above the least, and behind that its row in so many bits."""
    cdef Py_ssize_t row
    with nogil:
        for row in range(values.shape[0]):
            out[row] = (<unsigned long long>values[row] - <unsigned long long>low) << bits | <unsigned long long>row


cdef void _ordered_by(
    const unsigned long long[::1] now, unsigned long long[::1] then, int shift, unsigned int[::1] places
) noexcept nogil:
    """Put numbers in the order of one of their digits; equal ones stay in their order."""
    cdef Py_ssize_t row
    cdef unsigned int digit, count, at = 0, mask = places.shape[0] - 1
    memset(&places[0], 0, places.shape[0] * sizeof(unsigned int))
    for row in range(now.shape[0]):
        places[(now[row] >> shift) & mask] += 1
    for digit in range(mask + 1):
        count = places[digit]
        places[digit] = at
        at += count
    for row in range(now.shape[0]):
        digit = (now[row] >> shift) & mask
        then[places[digit]] = now[row]
        places[digit] += 1


def stable_order(values):
    """The row numbers in the order of whole numbers `values`; equal ones stay in their order."""
    values = _whole(values)
    cdef Py_ssize_t size = len(values)
    if size == 0:
        return np.zeros(0, dtype=np.int64)
    low, high, ascending = _bounds(values)
    if ascending:
        return np.arange(size)
    cdef int bits = (high - low).bit_length(), row_bits = size.bit_length(), done = 0
    if bits + row_bits > 64 or size >= 1 << 32:
        return np.argsort(values, kind="stable")
    cdef int passes = (bits + DIGIT_BITS - 1) // DIGIT_BITS
    cdef int digit_bits = (bits + passes - 1) // passes
    packed = np.empty(size, dtype=np.uint64)
    cdef unsigned long long[::1] now = packed, then = np.empty(size, dtype=np.uint64)
    cdef unsigned int[::1] places = np.empty(1 << digit_bits, dtype=np.uint32)
    _packed(values, low, now, row_bits)
    with nogil:
        while done < bits:
            _ordered_by(now, then, row_bits + done, places)
            now, then = then, now
            done += digit_bits
    order = np.asarray(now)
    order &= (1 << row_bits) - 1
    return order.view(np.int64)


# --- numbers ------------------------------------------------------------------------------------


def _by_sight(const Whole[::1] values, low, span):
    """(the number of each row, the row of each number) of values by place; `span` of them are possible."""
    cdef Py_ssize_t row, size = values.shape[0]
    cdef long long place, number = 0, found = 0, least = low
    cdef Whole before = 0
    numbers = np.empty(size, dtype=np.int64)
    firsts = np.empty(min(size, span), dtype=np.int64)
    cdef long long[::1] out = numbers, first = firsts, known = np.full(span, -1, dtype=np.int64)
    with nogil:
        for row in range(size):
            if row == 0 or values[row] != before:
                before = values[row]
                place = before - least
                number = known[place]
                if number < 0:
                    number = known[place] = found
                    first[found] = row
                    found += 1
            out[row] = number
    return numbers, firsts[:found]


def _hashed_by_sight(const Whole[::1] values, unsigned long long factor):
    """As `_by_sight`; values are found by their product with a factor that nobody can foresee."""
    cdef Py_ssize_t row, place, size = values.shape[0]
    cdef int shift = 64 - (HASHED * size).bit_length()
    cdef unsigned long long mask = (<unsigned long long>1 << (64 - shift)) - 1
    cdef long long number = 0, found = 0
    numbers = np.empty(size, dtype=np.int64)
    firsts = np.empty(size, dtype=np.int64)
    cdef long long[::1] out = numbers, first = firsts, known = np.full(mask + 1, -1, dtype=np.int64)
    with nogil:
        for row in range(size):
            if row == 0 or values[row] != values[row - 1]:
                place = (<unsigned long long>values[row] * factor) >> shift
                while known[place] >= 0 and values[first[known[place]]] != values[row]:
                    place = (place + 1) & mask
                number = known[place]
                if number < 0:
                    number = known[place] = found
                    first[found] = row
                    found += 1
            out[row] = number
    return numbers, firsts[:found].copy()


def numbered_by_sight(values):
    """Number distinct values from 0 in the order in which they first appear.

    Returns the number of each row, and the row at which each number first appears.
    """
    values = _whole(values)
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    low, high, _ = _bounds(values)
    if high - low <= SPARSE * len(values):
        return _by_sight(values, low, high - low + 1)
    return _hashed_by_sight(values, int.from_bytes(urandom(8), "little") | 1)


def _distinct(const Whole[::1] values, long long high):
    cdef Py_ssize_t row, count = 0
    cdef long long value
    cdef unsigned char[::1] seen = np.zeros(high + 1, dtype=np.uint8)
    found = np.empty(min(high + 1, values.shape[0]), dtype=np.int64)
    cdef long long[::1] out = found
    with nogil:
        for row in range(values.shape[0]):
            seen[<Py_ssize_t>values[row]] = 1
        for value in range(high + 1):
            if seen[value]:
                out[count] = value
                count += 1
    return found[:count]


def distinct(values):
    """The distinct values of a column of numbers ≥ 0, ascending."""
    values = _whole(values)
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    low, high, _ = _bounds(values)
    if low < 0:
        raise ValueError("numbers below 0")
    if high <= SPARSE * len(values):
        return _distinct(values, high)
    ordered = np.sort(values)
    return ordered[run_starts(ordered)].astype(np.int64)


def _counted(const Whole[::1] values, long long low, long long span):
    cdef Py_ssize_t row, count = 0
    cdef long long value
    found = np.empty((2, min(span, values.shape[0])), dtype=np.int64)
    cdef long long[:, ::1] out = found
    cdef long long[::1] times = np.zeros(span, dtype=np.int64)
    with nogil:
        for row in range(values.shape[0]):
            times[values[row] - low] += 1
        for value in range(span):
            if times[value]:
                out[0, count], out[1, count] = value + low, times[value]
                count += 1
    return found[0, :count], found[1, :count]


def counted(values):
    """The distinct ones of whole numbers, ascending, and how often each is there."""
    values = _whole(values)
    if len(values):
        low, high, _ = _bounds(values)
        if high - low <= SPARSE * len(values):
            return _counted(values, low, high - low + 1)
    ordered = np.sort(values)
    starts = run_starts(ordered)
    return ordered[starts].astype(np.int64), np.diff(starts, append=len(ordered))


# --- texts --------------------------------------------------------------------------------------


def cut_out(list texts, which, starts, ends):
    """Pieces of texts, each of the one that is told by its number, one behind the other."""
    cdef const long long[::1] numbers = _rows(which), begins = _rows(starts), until = _rows(ends)
    cdef const unsigned char[::1] text
    cdef Py_ssize_t row, number, size = 0, count = len(texts)
    cdef bytes found
    cdef char *out
    cdef size_t[::1] firsts = np.zeros(count, dtype=np.uintp)
    cdef long long[::1] sizes = np.zeros(count, dtype=np.int64)
    if not numbers.shape[0] == begins.shape[0] == until.shape[0]:
        raise ValueError("columns of different lengths")
    for number in range(count):
        text = texts[number]
        sizes[number] = text.shape[0]
        firsts[number] = <size_t>&text[0] if text.shape[0] else 0
    for row in range(numbers.shape[0]):
        if not 0 <= numbers[row] < count:
            raise ValueError("no text of that number")
        if not 0 <= begins[row] <= until[row] <= sizes[numbers[row]]:
            raise ValueError("a piece that is not in its text")
        size += until[row] - begins[row]
    found = PyBytes_FromStringAndSize(NULL, size)
    out = PyBytes_AS_STRING(found)
    for row in range(numbers.shape[0]):
        size = until[row] - begins[row]
        if size:
            memcpy(out, <const char *>firsts[numbers[row]] + begins[row], size)
        out += size
    return found
