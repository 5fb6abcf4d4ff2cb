# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twin of _notable.py: one pass over a slice's rows with its asides in their places.

Bounds are checked: the numbers in a column are places in others.
"""

import numpy as np

ctypedef const long long[::1] Numbers
ctypedef const signed char[::1] Small

ctypedef fused Session:
    const int
    const long long

cdef enum:
    LOCKS = 1
    DEFINES = 2
    ROLLS_BACK = 3


cdef struct Open:  # the transaction that a pass is in
    Py_ssize_t start, locked_at
    long long lock, locked_us, ended_us
    bint rests


cdef bint _among(Numbers ascending, long long value) except -1 nogil:
    cdef Py_ssize_t low = 0, high = ascending.shape[0], middle
    while low < high:
        middle = (low + high) // 2
        if ascending[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low < ascending.shape[0] and ascending[low] == value


cdef void _begin(Open *one, Py_ssize_t start) noexcept nogil:
    one.start, one.lock, one.rests = start, -1, False


cdef void _take(Open *one, Py_ssize_t at, long long number, long long effect, long long start_us, long long end_us,
                long long rest_us) noexcept nogil:
    """Take note of a row."""
    if one.lock >= 0:
        one.rests |= effect != ROLLS_BACK and start_us - one.ended_us >= rest_us
    elif effect == LOCKS or effect == DEFINES:
        one.lock, one.locked_at, one.locked_us = number, at, end_us
    one.ended_us = end_us


def _pass(Session[::1] session, team, asides, Numbers effects, Numbers going_on, least):
    cdef Numbers statement, start_us, end_us, place, others_statement, others_start, others_end
    cdef Session[::1] others_session
    cdef Small boundary
    statement, start_us, end_us = team
    place, others_session, others_statement, others_start, others_end, boundary = asides
    cdef long long most, held_us, rest_us, number, before = -1, now = 0
    most, held_us, rest_us = least
    cdef Py_ssize_t at = -1, row = 0, aside = 0, told = 0, others = 0, total = session.shape[0] + place.shape[0]
    cdef bint ours, inside = False, goes_on = False, close, unended = False
    cdef int bound
    cdef Open one
    made = np.empty((3, total + 1), dtype=np.int64)
    cdef long long[:, ::1] out = made
    _begin(&one, 0)
    with nogil:
        while at < total:
            at += 1
            if not inside and going_on.shape[0] == 0:  # nothing begins before the next aside
                row = place[aside] if aside < place.shape[0] else session.shape[0]
                at = row + aside
            ours = aside == place.shape[0] or place[aside] + aside != at
            bound = 0
            if at < total:
                now = session[row] if ours else others_session[aside]
                bound = 0 if ours else boundary[aside]
            close = at == total or now != before
            if inside and (close or bound == 1):  # it has no end
                out[0, told], out[1, told] = one.start, at - one.start
                told, inside, unended = told + 1, False, True
            if at == total:
                break
            if close:
                before, goes_on = now, _among(going_on, now)
                inside = goes_on
                if inside:
                    _begin(&one, at)
            if bound == 1:
                inside = True
                _begin(&one, at)
            if inside:
                if ours:
                    number = statement[row]
                    _take(&one, at, number, effects[number], start_us[row], end_us[row], rest_us)
                else:
                    number = others_statement[aside]
                    _take(&one, at, number, effects[number], others_start[aside], others_end[aside], rest_us)
            if inside and bound == -1:
                if one.rests or goes_on or unended or (
                    one.lock >= 0 and at - one.locked_at >= most and one.ended_us - one.locked_us >= held_us
                ):
                    out[0, told], out[1, told] = one.start, at + 1 - one.start
                    told += 1
                else:
                    out[2, others] = one.lock
                    others += 1
                inside = unended = False
            if ours:
                row += 1
            else:
                aside += 1
    return made[0, :told].copy(), made[1, :told].copy(), made[2, :others].copy()


def notable(work, effects, going_on, least):
    """The transactions that may be long, rest, or go on over slices; the first locks of the others."""
    asides = work.asides
    team = work.statement, work.start_us, work.end_us
    sessions = asides.session.astype(work.session.dtype, copy=False)
    others = asides.place, sessions, asides.statement, asides.start_us, asides.end_us, asides.boundary
    return _pass(work.session, team, others, effects, going_on, least)
