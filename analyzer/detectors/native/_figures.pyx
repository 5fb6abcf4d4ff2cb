# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twin of `gaps_ms` of _figures.py. Bounds are checked: row numbers are places in columns."""

import numpy as np

from analyzer.model.columns import stable_order

ctypedef const long long[::1] Numbers

ctypedef fused Session:
    const int
    const long long


cdef bint _in_order(Numbers rows, Numbers within, Session[::1] session, Numbers ends) except -1 nogil:
    """Whether rows are ordered by `within`, session, end and row."""
    cdef Py_ssize_t at, row, before
    for at in range(1, rows.shape[0]):
        row, before = rows[at], rows[at - 1]
        if within[at] != within[at - 1]:
            if within[at] < within[at - 1]:
                return False
        elif session[row] != session[before]:
            if session[row] < session[before]:
                return False
        elif ends[row] < ends[before] or (ends[row] == ends[before] and row < before):
            return False
    return True


def _gaps(Numbers rows, Numbers within, Session[::1] session, Numbers start_us, Numbers end_us, ordered=False):
    cdef Py_ssize_t at, row, before, count = 0
    cdef long long gap
    if not ordered and not _in_order(rows, within, session, end_us):
        return None
    made = np.empty(max(rows.shape[0] - 1, 0))
    cdef double[::1] out = made
    with nogil:
        for at in range(1, rows.shape[0]):
            row, before = rows[at], rows[at - 1]
            if within[at] == within[at - 1] and session[row] == session[before]:
                gap = start_us[row] - end_us[before]
                out[count] = gap / 1000.0 if gap > 0 else 0.0
                count += 1
    return made[:count].copy()


def gaps_ms(rows, within, session, start_us, end_us):
    """The times between rows that follow each other in a session, alike in `within`."""
    found = _gaps(rows, within, session, start_us, end_us)
    if found is None:  # mostly they are in order within what they are alike in
        order = stable_order(within)
        found = _gaps(rows[order], within[order], session, start_us, end_us)
    if found is None:
        order = np.lexsort((rows, end_us[rows], session[rows], within))
        found = _gaps(rows[order], within[order], session, start_us, end_us, True)
    return found
