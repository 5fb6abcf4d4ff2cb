# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twin of `read_numbers` of _numbers.py: reads DETAIL and literals, and leaves what it doubts to Python (-2).

A text is read within its bounds, which are looked at; its number is a place in a table.
"""

import numpy as np

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp

ctypedef const long long[::1] Numbers

DEF UNREAD = -2
DEF DIGITS = 17
DEF SEPARATOR = 0x1F


cdef struct Table:
    const char* data
    const long long* ends
    long long first  # the number of its first text
    long long count
    long long size


cdef long long _digits(const char* text, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """The number that digits in quotes, or without, are; UNREAD for anything else."""
    cdef long long found = 0
    cdef Py_ssize_t place
    if end - at >= 2 and text[at] == c"'" and text[end - 1] == c"'":
        at, end = at + 1, end - 1
    if not 0 < end - at <= DIGITS:
        return UNREAD
    for place in range(at, end):
        if not c"0" <= text[place] <= c"9":
            return UNREAD
        found = 10 * found + text[place] - c"0"
    return found


cdef Py_ssize_t _value_end(const char* text, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """Where a quoted value of DETAIL ends that begins there; -1 for none."""
    if at >= end or text[at] != c"'":
        return -1
    at += 1
    while at < end:
        if text[at] != c"'":
            at += 1
        elif at + 1 < end and text[at + 1] == c"'":
            at += 2
        else:
            return at + 1
    return -1


cdef long long _literal(const char* text, Py_ssize_t at, Py_ssize_t end, Py_ssize_t which) noexcept nogil:
    """The number among literals from there on; `which` counts from 0."""
    cdef Py_ssize_t begin = at
    while at < end:
        if text[at] == SEPARATOR:
            if which == 0:
                break
            which -= 1
            begin = at + 1
        at += 1
    return _digits(text, begin, at) if which == 0 else UNREAD


cdef long long _read(const char* text, Py_ssize_t end, long long parameter) noexcept nogil:
    """The number that a text has for a parameter's code."""
    cdef Py_ssize_t at = 0, value, until, which = 0
    if end == 0 or text[0] == c"[":
        return UNREAD
    if text[0] != c"$":
        return _literal(text, 0, end, -parameter - 1) if parameter < 0 else UNREAD
    if end < 5 or memcmp(text, b"$1 = ", 5) != 0:
        return UNREAD
    while at + 1 < end and text[at] == c"$":
        value = at + 1
        while value < end and c"0" <= text[value] <= c"9":
            value += 1
        if value == at + 1 or value + 3 >= end or text[value] != c" " or text[value + 1] != c"=" or text[value + 2] != c" ":
            return UNREAD
        until = _value_end(text, value + 3, end)
        if until < 0:
            return UNREAD
        which += 1
        if until == end:
            return _digits(text, value + 3, until) if which == parameter else UNREAD
        if text[until] == SEPARATOR:
            if parameter < 0:
                return _literal(text, until + 1, end, -parameter - 1)
            return _digits(text, value + 3, until) if which == parameter else UNREAD
        if text[until] != c"," or until + 1 >= end or text[until + 1] != c" ":
            return UNREAD
        if which == parameter:
            return _digits(text, value + 3, until)
        at = until + 2
    return UNREAD


def read_numbers(tables, Numbers wanted, Numbers parameters):
    """The number that each of some texts has for a parameter's code, -2 where Python has to read."""
    cdef Py_ssize_t at, table, count = len(tables)
    cdef long long number, begin, end, first = 0
    cdef Numbers ends
    found = np.empty(wanted.shape[0], dtype=np.int64)
    cdef long long[::1] out = found
    kept = [(data, np.ascontiguousarray(places, dtype=np.int64)) for data, places in tables]
    cdef Table* known = <Table*>malloc(max(count, 1) * sizeof(Table))
    if known == NULL:
        raise MemoryError
    try:
        for at in range(count):
            if type(kept[at][0]) is not bytes:
                raise TypeError("texts are bytes")
            ends = kept[at][1]
            known[at].data, known[at].size = PyBytes_AS_STRING(kept[at][0]), len(kept[at][0])
            known[at].ends, known[at].count = (&ends[0] if ends.shape[0] else NULL), ends.shape[0]
            known[at].first = first
            first += ends.shape[0]
        with nogil:
            table = 0
            for at in range(wanted.shape[0]):
                number = wanted[at]
                out[at] = UNREAD
                if not 0 <= number < first:
                    continue
                while number < known[table].first:
                    table -= 1
                while number >= known[table].first + known[table].count:
                    table += 1
                number -= known[table].first
                begin, end = (known[table].ends[number - 1] if number else 0), known[table].ends[number]
                if 0 <= begin <= end <= known[table].size:
                    out[at] = _read(known[table].data + begin, end - begin, parameters[at])
    finally:
        free(known)
    return found
