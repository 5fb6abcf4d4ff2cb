# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twins of _following.py and _fanout.py: each gives what the function of its name gives there.

Bounds are checked where a number out of a column is a place in another one.
"""

cimport cython
import numpy as np

ctypedef const long long[::1] Numbers
ctypedef const unsigned char[::1] Marks


cdef Py_ssize_t _at_least(Numbers places, long long place, Py_ssize_t start) noexcept nogil:
    """The first of ascending places, from `start` on, that is not below a place; near ones are found soonest."""
    cdef Py_ssize_t step = 1, low = start, high = start, count = places.shape[0], middle
    while high < count and _is_below(places, high, place):
        low = high + 1
        high = low + step
        step *= 2
    if high > count:
        high = count
    while low < high:
        middle = (low + high) // 2
        if _is_below(places, middle, place):
            low = middle + 1
        else:
            high = middle
    return low


@cython.boundscheck(False)
cdef inline bint _is_below(Numbers places, Py_ssize_t at, long long place) noexcept nogil:
    return places[at] < place


def follow(table, numbers, units, mine_columns, Py_ssize_t least, bint firsts):
    """Which of some rows stand behind each execution of the parent statements `numbers`."""
    cdef Numbers rows, starts, places, units_of, mine, mine_units, mine_ends
    rows, starts, places, units_of = table
    mine, mine_units, mine_ends = mine_columns
    cdef Numbers wanted = np.array(numbers, dtype=np.int64)
    cdef Marks marked = units.view(np.uint8)
    cdef Py_ssize_t number, at, first, count = mine.shape[0], groups = starts.shape[0] - 1, room = 0
    cdef Py_ssize_t found = 0, open_first, open_until, open_at
    cdef long long unit, open_unit
    for number in range(wanted.shape[0]):
        if 0 <= wanted[number] < groups:
            room += min(starts[wanted[number] + 1] - starts[wanted[number]], count // least)
    made = np.empty((4, room), dtype=np.int64)
    cdef long long[:, ::1] out = made
    with nogil:
        for number in range(wanted.shape[0]):
            if not 0 <= wanted[number] < groups:
                continue
            first, open_at, open_first, open_until, open_unit = 0, -1, 0, 0, -1
            for at in range(starts[wanted[number]], starts[wanted[number] + 1]):
                unit = units_of[at]
                if not marked[unit] or (firsts and unit == open_unit):
                    continue
                first = _at_least(mine, places[at], first)
                if open_at >= 0:
                    if unit == open_unit:
                        open_until = min(open_until, first)
                    if open_until - open_first >= least:
                        out[0, found], out[1, found] = rows[open_at], number
                        out[2, found], out[3, found] = open_first, open_until
                        found += 1
                open_at, open_unit, open_first, open_until = -1, unit, first, first
                if first < count and mine_units[first] == unit:
                    open_at, open_until = at, mine_ends[first]
            if open_at >= 0 and open_until - open_first >= least:
                out[0, found], out[1, found] = rows[open_at], number
                out[2, found], out[3, found] = open_first, open_until
                found += 1
    return tuple(made[:, :found].copy())


def before_pauses(Numbers first, Numbers until, paused, held):
    """Where each stretch ends that does not go on behind pauses."""
    cdef Marks pauses = paused.view(np.uint8), keeps = held.view(np.uint8)
    cdef Py_ssize_t stretch, place, count = pauses.shape[0], behind, end
    cdef Py_ssize_t[::1] through = np.zeros(count + 1, dtype=np.intp)
    ends = np.array(until)
    cdef long long[::1] out = ends
    with nogil:
        for place in range(count):
            through[place + 1] = through[place] + pauses[place]
        for stretch in range(first.shape[0]):
            end = until[stretch]
            if keeps[stretch] or through[end] == through[first[stretch]]:
                continue
            for place in range(first[stretch], end):
                if pauses[place] and (place + 1 == end or pauses[place + 1]):
                    behind = through[end] - through[place]
                    if 2 * behind >= end - place:
                        out[stretch] = place
                        break
    return ends


def tight(some, Numbers mine, columns, shares):
    """Whether the children of stretches are a fair share of what runs from their parent to the last of them."""
    cdef Numbers parents, first, until, place
    cdef Marks whole
    cdef double share, within
    cdef long long span
    cdef Py_ssize_t at
    parents, first, until = some
    place, wholes = columns
    whole = wholes.view(np.uint8)
    share, within = shares
    flags = np.empty(parents.shape[0], dtype=bool)
    cdef unsigned char[::1] marks = flags.view(np.uint8)
    with nogil:
        for at in range(parents.shape[0]):
            span = max(mine[until[at] - 1] - place[parents[at]], 1)
            marks[at] = until[at] - first[at] >= (within if whole[parents[at]] else share) * span
    return flags


def take(offered, has):
    """Give each place the best of what is offered, where that is better than what it has."""
    cdef Numbers places, numbers, owners
    cdef const double[::1] scores
    cdef long long[::1] best, chosen
    cdef double[::1] best_scores
    places, scores, numbers, owners, crossed = offered
    best, best_scores, chosen, best_crossed = has
    cdef Marks other = crossed.view(np.uint8)
    cdef unsigned char[::1] best_other = best_crossed.view(np.uint8)
    cdef unsigned char[::1] new = np.zeros(best.shape[0], dtype=np.uint8)
    cdef Py_ssize_t at
    cdef long long place
    cdef bint changed = False
    with nogil:
        for at in range(places.shape[0]):
            place = places[at]
            if scores[at] < best_scores[place] or (
                scores[at] == best_scores[place] and not (new[place] and numbers[at] < chosen[place])
            ):
                continue
            new[place] = 1
            best[place], best_scores[place] = owners[at], scores[at]
            chosen[place], best_other[place] = numbers[at], other[at]
            changed = True
    return changed


def drop_few(long long[::1] best, long long[::1] chosen, nested, Py_ssize_t least):
    """Let go (-1) of parents that have fewer than `least` children and are not `nested`."""
    cdef Marks marked = nested.view(np.uint8)
    cdef Py_ssize_t at
    cdef int[::1] counts = np.zeros(marked.shape[0], dtype=np.int32)
    with nogil:
        for at in range(best.shape[0]):
            if best[at] >= 0:
                counts[best[at]] += 1
        for at in range(best.shape[0]):
            if best[at] >= 0 and counts[best[at]] < least and not marked[best[at]]:
                best[at] = chosen[at] = -1
