# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The twins of what figures.py, traffic.py and kept.py sum up: each gives what the function of its name gives there.

Durations are added in the order of rows, as np.bincount adds them. Numbers are looked at before anything is counted by
them.
"""

import numpy as np

from analyzer.model.columns import counted, run_starts

include "columns.pxi"

DEF CLOCKS = 2  # as in executions.py
DEF BITS = 40  # as in kept.py
DEF GROUPS = 1 << 23
DEF MICROSECONDS = 1000.0
DEF OFTEN = 64  # calls in one unit of work; nearly all are few, and are counted by place
DEF MOST_DENSE = 1 << 16  # groups that have places for them

ctypedef fused Pair:
    unsigned int
    long long


# --- kept.py ------------------------------------------------------------------------------------


def codes(groups, micros):
    """Groups and durations in one number each; None where they do not all fit."""
    cdef const long long[::1] group = longs(groups), micro = longs(micros)
    cdef Py_ssize_t row
    cdef unsigned long long beyond = 0
    alike(group.shape[0], (micros,))
    made = np.empty(group.shape[0], dtype=np.int64)
    cdef long long[::1] out = made
    with nogil:
        for row in range(group.shape[0]):
            beyond |= <unsigned long long>micro[row] >> BITS | <unsigned long long>group[row] // GROUPS
            out[row] = <long long>(<unsigned long long>group[row] << BITS | <unsigned long long>micro[row])
    return None if beyond else made


def taken_apart(ordered):
    """(groups, where each begins, all durations in ms) of codes, ascending; the durations take the codes' memory."""
    cdef long long[::1] code = ordered
    cdef Py_ssize_t row, count = 0, size = code.shape[0]
    cdef long long one, last = 0, mask = (<long long>1 << BITS) - 1
    values = ordered.view(np.float64)
    places = np.empty((2, size), dtype=np.int64)
    cdef double[::1] out = values
    cdef long long[:, ::1] place = places
    with nogil:
        for row in range(size):
            one = code[row]
            out[row] = <double>(one & mask) / MICROSECONDS
            if row == 0 or one >> BITS != last:
                last = one >> BITS
                place[0, count], place[1, count] = last, row
                count += 1
    return places[0, :count].copy(), places[1, :count].copy(), values


# --- figures.py ---------------------------------------------------------------------------------


def by_group(statement, clock, rows, values):
    """(the group of each row; calls, ms together, the least and the most, by group)."""
    cdef const long long[::1] ran = longs(statement), row = longs(rows)
    cdef const signed char[::1] clocks = small(clock)
    cdef const double[::1] ms = doubles(values)
    cdef Py_ssize_t at, size = row.shape[0]
    cdef long long one, most = 0
    alike(ran.shape[0], (clock,))
    alike(size, (values,))
    within(rows, 0, ran.shape[0])
    within(clock, 0, CLOCKS)
    within(statement, 0, 1 << 40)
    groups = np.empty(size, dtype=np.int64)
    cdef long long[::1] group = groups
    with nogil:
        for at in range(size):
            group[at] = ran[row[at]] * CLOCKS + clocks[row[at]]
            most = max(most, group[at])
    calls, totals = np.zeros(most + 1, dtype=np.int64), np.zeros(most + 1)
    lows, highs = np.full(most + 1, np.inf), np.zeros(most + 1)
    cdef long long[::1] count = calls
    cdef double[::1] total = totals, low = lows, high = highs
    with nogil:
        for at in range(size):
            one = group[at]
            count[one] += 1
            total[one] += ms[at]
            low[one] = min(low[one], ms[at])
            high[one] = max(high[one], ms[at])
    return groups, calls, totals, lows, highs


def _repeats(const Pair[::1] pairs, int bits, long long size):
    """By group and calls (up to OFTEN), how many units of work; and (group, calls) of those with more."""
    cdef Py_ssize_t row, begin = 0, found = 0
    cdef long long group, calls
    few = np.zeros(size * OFTEN, dtype=np.int64)
    many = np.empty((2, pairs.shape[0] // OFTEN + 1), dtype=np.int64)
    cdef long long[::1] times = few
    cdef long long[:, ::1] out = many
    with nogil:
        for row in range(1, pairs.shape[0] + 1):
            if row < pairs.shape[0] and pairs[row] == pairs[begin]:
                continue
            group, calls, begin = pairs[begin] & ((<long long>1 << bits) - 1), row - begin, row
            if calls < OFTEN:
                times[group * OFTEN + calls] += 1
            else:
                out[0, found], out[1, found] = group, calls
                found += 1
    return few, many[:, :found]


def repeats(group, request):
    """(group, calls, units of work): of each group, how many units of work ran it so often."""
    cdef int bits = int(group.max()).bit_length()
    within(group, 0, 1 << 31)
    within(request, 0, 1 << 31)
    pairs = request << bits | group
    if int(request.max()) >> (32 - bits) == 0:
        pairs = pairs.astype(np.uint32)  # half as long, twice as quickly sorted
    pairs.sort()
    size = int(group.max()) + 1
    if size > MOST_DENSE:
        starts = run_starts(pairs)
        keys, units = counted((pairs[starts] & ((1 << bits) - 1)).astype(np.int64) << 31 | np.diff(starts, append=len(pairs)))
        return keys >> 31, keys & ((1 << 31) - 1), units
    few, many = _repeats(pairs, bits, size)
    place = np.flatnonzero(few)
    if many.shape[1] == 0:
        return place // OFTEN, place % OFTEN, few[place]
    keys, at = np.unique(np.append(place // OFTEN << 31 | place % OFTEN, many[0] << 31 | many[1]), return_inverse=True)
    units = np.zeros(len(keys), dtype=np.int64)
    np.add.at(units, at, np.append(few[place], np.ones(many.shape[1], dtype=np.int64)))
    return keys >> 31, keys & ((1 << 31) - 1), units


# --- traffic.py ---------------------------------------------------------------------------------


def hours_of(start_us, clock):
    """The hour that each row began in, and its clock, in one number."""
    cdef const long long[::1] starts = longs(start_us)
    cdef const signed char[::1] clocks = small(clock)
    cdef Py_ssize_t row
    cdef long long hour = 0, begin = 0, hour_us = 3_600_000_000  # as in traffic.py
    alike(starts.shape[0], (clock,))
    made = np.empty(starts.shape[0], dtype=np.int64)
    cdef long long[::1] out = made
    with nogil:
        for row in range(starts.shape[0]):
            if not begin <= starts[row] < begin + hour_us:
                hour = starts[row] // hour_us - (starts[row] % hour_us < 0)
                begin = hour * hour_us
            out[row] = hour * CLOCKS + clocks[row]
    return made


def shown_steps(octaves, clock, double low, double high, double steps, long long middle):
    """By clock and step (moved up by `middle`), how many durations there are."""
    cdef const double[::1] octave = doubles(octaves)
    cdef const signed char[::1] clocks = small(clock)
    cdef Py_ssize_t row
    cdef double scaled
    cdef long long step
    alike(octave.shape[0], (clock,))
    within(clock, 0, CLOCKS)
    if not -middle <= low * steps <= high * steps < middle - 1:
        raise ValueError("steps that have no place")
    counts = np.zeros((CLOCKS, 2 * middle), dtype=np.int64)
    cdef long long[:, ::1] count = counts
    with nogil:
        for row in range(octave.shape[0]):
            scaled = octave[row] if octave[row] > low else low
            scaled = (scaled if scaled < high else high) * steps + 1e-9
            step = <long long>scaled
            step -= step > scaled
            count[clocks[row], step + middle] += 1
    return counts


def by_request(request, unit, route, duration_ms, untimed, whole):
    """(unit, route, ms, round trips, whether all are timed, whether all are whole) of each request."""
    cdef const long long[::1] of_row = longs(request), routes = longs(route)
    cdef const signed char[::1] units = small(unit)
    cdef const double[::1] ms = doubles(duration_ms)
    cdef const unsigned char[::1] without = flags(untimed), is_whole = flags(whole)
    cdef Py_ssize_t row, size = of_row.shape[0]
    cdef long long one, count
    alike(size, (unit, route, duration_ms, untimed, whole))
    count = int(request.max()) + 1 if size else 0
    within(request, 0, count)
    unit_of, route_of = np.zeros(count, dtype=np.int8), np.full(count, -1, dtype=np.int64)
    sums, trips = np.zeros(count), np.zeros(count, dtype=np.int64)
    timed, told = np.ones(count, dtype=bool), np.ones(count, dtype=bool)
    cdef signed char[::1] out = unit_of
    cdef long long[::1] first = route_of, trip = trips
    cdef double[::1] total = sums
    cdef unsigned char[::1] all_timed = timed.view(np.uint8), all_told = told.view(np.uint8)
    with nogil:
        for row in range(size):
            one = of_row[row]
            out[one] = units[row]
            if first[one] < 0:
                first[one] = max(routes[row], -1)
            total[one] += ms[row]
            trip[one] += 1
            all_timed[one] &= not without[row]
            all_told[one] &= is_whole[row]
    return unit_of, route_of, sums, trips, timed, told
