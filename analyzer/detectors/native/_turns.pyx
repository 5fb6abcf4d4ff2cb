# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twins of the passes of _turns.py. Bounds are checked: row numbers are places in columns."""

import numpy as np

ctypedef const long long[::1] Numbers
ctypedef unsigned long long Hash

ctypedef fused Session:
    const int
    const long long

cdef Hash SPREAD = 0x9E3779B97F4A7C15


def _pass(Numbers transaction, Numbers trace, Session[::1] session, Numbers statement):
    cdef Py_ssize_t row, before = -1, count = 0, size = transaction.shape[0]
    cdef Hash mixed
    made, forms = np.empty((2, size), dtype=np.int64), np.empty(size, dtype=np.uint64)
    cdef long long[:, ::1] out = made
    cdef Hash[::1] form = forms
    with nogil:
        for row in range(size):
            if transaction[row] < 0 or trace[row] != 0:
                continue
            if before < 0 or transaction[row] != transaction[before] or session[row] != session[before]:
                out[0, count], form[count] = row, 0
                count += 1
            mixed = (<Hash>statement[row] + 1) * SPREAD
            mixed ^= mixed >> 29
            form[count - 1] += mixed * SPREAD
            out[1, count - 1] = row
            before = row
    return made[0, :count].copy(), made[1, :count].copy(), forms[:count].copy()


def told_apart(transaction, trace, session, statement):
    """The transactions without a trace: their first and last rows, and what stands for all that each runs."""
    return _pass(transaction, trace, session, statement)


cdef Py_ssize_t _slot(Hash value, Hash[::1] held, int[::1] counts, Py_ssize_t mask) except -1 nogil:
    """Where a value is counted."""
    cdef Py_ssize_t at = <Py_ssize_t>((value * SPREAD) >> 32) & mask
    while counts[at] and held[at] != value:
        at = (at + 1) & mask
    held[at] = value
    return at


def same_for_others(const unsigned int[::1] texts, const Hash[::1] forms, Numbers starts, Numbers ends, shares):
    """Marks the runs of turns nearly all of which have texts of their own, and the same form."""
    cdef double different, alike
    different, alike = shares
    cdef Py_ssize_t run, row, at, size, own, most, mask = 1, longest = 0
    for run in range(starts.shape[0]):
        longest = max(longest, ends[run] - starts[run])
    while mask < 2 * longest:
        mask *= 2
    cdef Hash[::1] held = np.empty(mask, dtype=np.uint64)
    cdef int[::1] counts = np.empty(mask, dtype=np.intc)
    found = np.zeros(starts.shape[0], dtype=bool)
    cdef unsigned char[::1] marks = found.view(np.uint8)
    with nogil:
        for run in range(starts.shape[0]):
            size, mask = ends[run] - starts[run], 1
            while mask < 2 * size:
                mask *= 2
            counts[:mask] = 0
            own = 0
            for row in range(starts[run], ends[run]):
                if texts[row] != 0:
                    at = _slot(texts[row], held, counts, mask - 1)
                    own += counts[at] == 0
                    counts[at] = 1
            if own < different * size:
                continue
            counts[:mask] = 0
            most = 0
            for row in range(starts[run], ends[run]):
                at = _slot(forms[row], held, counts, mask - 1)
                counts[at] += 1
                most = max(most, counts[at])
            marks[run] = most >= alike * size
    return found
