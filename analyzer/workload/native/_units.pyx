# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The twins of how rows become units of work (requests.py, transactions.py): each gives what the function of its name
gives there.

Rows are ordered by session and time. Row numbers are this module's own, or are looked at; columns have one length.
"""

from os import urandom

import numpy as np

from analyzer.workload.transactions import within_request

include "columns.pxi"

DEF SPARSE = 16  # as in columns.py
DEF CLIENT = 1  # as in executions.py
DEF TRACE = 0  # as in requests.py
DEF TRANSACTION = 1
DEF BURST = 2
DEF TRANSACTIONAL = 0.9  # as in transactions.py
DEF MEANINGFUL = 2.0
DEF SPANNING = 2.0


# --- which rows ---------------------------------------------------------------------------------


def parted(finished, working):
    """(rows that are finished, of these the team's, where they stand among them, the others, the team's before each)."""
    cdef const unsigned char[::1] done = flags(finished), works = flags(working)
    cdef Py_ssize_t row, rows = 0, mine = 0, others = 0, size = done.shape[0]
    alike(size, (working,))
    table = np.empty((5, size), dtype=np.int64)
    cdef long long[:, ::1] out = table
    with nogil:
        for row in range(size):
            # Written over by the next where it is none.
            out[0, rows] = out[1, mine] = out[3, others] = row
            out[2, mine], out[4, others] = rows, mine
            rows += done[row]
            mine += done[row] & works[row]
            others += done[row] & ~works[row]
    return table[0, :rows], table[1, :mine], table[2, :mine], table[3, :others], table[4, :others]


# --- order and gaps -----------------------------------------------------------------------------


def session_order(session, at_us, line):
    """The row numbers in the order of session, time and line."""
    cdef const int[::1] of_row = ints(session)
    cdef const long long[::1] at = longs(at_us), lines = longs(line)
    cdef Py_ssize_t row, size = of_row.shape[0]
    cdef long long place, begin = 0, many
    cdef int low = 0, high = -1
    cdef bint in_order = True
    alike(size, (at_us, line))
    if size == 0:
        return np.zeros(0, dtype=np.int64)
    low, high = int(session.min()), int(session.max())
    if <long long>high - low > SPARSE * size:
        return np.lexsort((line, at_us, session))
    cdef long long[::1] last = np.full(<long long>high - low + 1, -1, dtype=np.int64)
    cdef long long[::1] places = np.zeros(<long long>high - low + 1, dtype=np.int64)
    order = np.empty(size, dtype=np.int64)
    cdef long long[::1] out = order
    with nogil:
        for row in range(size):
            place = last[of_row[row] - low]
            if place >= 0:
                in_order &= at[row] > at[place] or (at[row] == at[place] and lines[row] >= lines[place])
            last[of_row[row] - low] = row
            places[of_row[row] - low] += 1
        for place in range(places.shape[0]):
            many = places[place]
            places[place] = begin
            begin += many
        if in_order:
            for row in range(size):
                out[places[of_row[row] - low]] = row
                places[of_row[row] - low] += 1
    return order if in_order else np.lexsort((line, at_us, session))


def steps(session, start_us, end_us, clock, boundaries):
    """(whether a session is new, the row that opened the transaction or -1, how long the session was idle, µs)."""
    cdef const int[::1] of_row = ints(session)
    cdef const long long[::1] starts = longs(start_us), ends = longs(end_us)
    cdef const signed char[::1] clocks = small(clock), boundary = small(boundaries)
    cdef Py_ssize_t row, begin = 0, end, size = of_row.shape[0]
    cdef long long opener, busy
    cdef bint client
    alike(size, (start_us, end_us, clock, boundaries))
    new_session, transaction, idle_us = np.zeros(size, dtype=bool), np.empty(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    cdef unsigned char[::1] new = new_session.view(np.uint8)
    cdef long long[::1] opened = transaction, idle = idle_us
    with nogil:
        while begin < size:
            end, client = begin, False
            while end < size and of_row[end] == of_row[begin]:
                client |= clocks[end] == CLIENT
                end += 1
            new[begin] = 1
            opener = -1
            busy = ends[begin]
            for row in range(begin, end):
                if row > begin:
                    idle[row] = max(starts[row] - busy, 0)
                    # The server's rows are in the order of their ends; a client's calls overlap.
                    busy = max(busy, ends[row]) if client else ends[row]
                if boundary[row] == 1:
                    opener = row
                opened[row] = opener if row > begin or boundary[row] == 1 else -1
                if boundary[row] == -1:
                    opener = -1
            begin = end
    return new_session, transaction, idle_us


# --- units --------------------------------------------------------------------------------------


cdef class Transactions:
    """Explicit transactions, in the order of rows, by number.

    `opened` are the rows that opened them, ascending, `root` the number of the first one of each's request, and
    `request` that request's number, -1 as long as it has none. `unit` marks the bursts in which they are units of work.
    """

    cdef Py_ssize_t count
    cdef long long[::1] opened, root, request
    cdef unsigned char[::1] unit
    cdef bint some


cdef Transactions found_transactions(
    const long long[::1] opener, const signed char[::1] boundary, const unsigned char[::1] new,
    const unsigned char[::1] begins, Py_ssize_t bursts, bint paced,
):
    """The transactions, each a request of its own, and the bursts in which they are units of work."""
    cdef Transactions found = Transactions()
    cdef Py_ssize_t row, burst = -1, size = opener.shape[0]
    cdef long long before = -1, last = -1, several = 0, runs = 0, works = 0, within = 0, opens = 0
    found.opened = np.empty(size, dtype=np.int64)
    found.unit = np.zeros(bursts + 1, dtype=np.uint8)
    with nogil:
        for row in range(size + 1):
            if row == 0 or row == size or new[row]:
                if row and within >= TRANSACTIONAL * works and within >= MEANINGFUL * max(opens, 1):
                    found.unit[burst] = 1
                burst += 1
                works = within = opens = 0
                if row == size:
                    break
            works += boundary[row] == 0
            opens += boundary[row] == 1
            if opener[row] < 0:
                continue
            within += boundary[row] == 0
            if opener[row] > last:
                found.opened[found.count] = last = opener[row]
                found.count += 1
            if begins[row]:
                several += 1
                runs += opener[row] != before
                before = opener[row]
    found.some = found.count and not paced and not (several and several >= SPANNING * runs)
    found.root = np.arange(found.count)
    found.request = np.full(found.count, -1, dtype=np.int64)
    return found


cdef void join(
    Transactions found, const long long[::1] opener, const long long[::1] statement,
    const signed char[::1] boundary, const unsigned char[::1] new,
) except *:
    """Give transactions that follow each other in one request the first one's number as their root."""
    cdef Py_ssize_t row, number = 0, before = -1, borders = 0, size = opener.shape[0]
    cdef long long one, last = -1
    table = np.empty((4, found.count), dtype=np.int64)
    cdef long long[:, ::1] border = table  # two transactions, and the statements where they meet
    with nogil:
        for row in range(size):
            if new[row]:
                before = -1  # what meets has to be of one burst
            if boundary[row]:
                continue
            if opener[row] >= 0:
                while found.opened[number] < opener[row]:
                    number += 1
                if before >= 0 and opener[before] >= 0 and number != last:
                    border[0, borders], border[1, borders] = last, number
                    border[2, borders], border[3, borders] = statement[before], statement[row]
                    borders += 1
                last = number
            before = row
    cdef const unsigned char[::1] joined = flags(within_request(table[2, :borders], table[3, :borders]))
    for row in range(borders):
        if joined[row]:
            one = border[1, row]
            found.root[one] = found.root[border[0, row]]


cdef class Traces:
    """The requests of traces, which are found by their product with a factor that nobody can foresee."""

    cdef long long[::1] trace, request  # 0 and -1 where none is
    cdef unsigned long long factor
    cdef int shift

    cdef inline long long place(self, long long trace) noexcept nogil:
        cdef long long at = (<unsigned long long>trace * self.factor) >> self.shift
        while self.trace[at] and self.trace[at] != trace:
            at = (at + 1) & (self.trace.shape[0] - 1)
        return at


cdef Traces room_for(const long long[::1] trace):
    """A table with room for all traces."""
    cdef Traces made = Traces()
    cdef Py_ssize_t row, runs = 1
    with nogil:
        for row in range(trace.shape[0]):
            runs += trace[row] != 0 and (row == 0 or trace[row] != trace[row - 1])
    made.shift = 64 - (2 * runs).bit_length()
    made.factor = int.from_bytes(urandom(8), "little") | 1
    made.trace = np.zeros(1 << (64 - made.shift), dtype=np.int64)
    made.request = np.full(1 << (64 - made.shift), -1, dtype=np.int64)
    return made


def units(columns, statement, boundaries, transaction, first_of_burst, begins, bint marked, bint paced):
    """(burst, trace, unit, request, whole) of each row."""
    cdef const long long[::1] ran = longs(statement), opener = longs(transaction), trace = longs(columns["trace"])
    cdef const int[::1] comment = ints(columns["comment"])
    cdef const signed char[::1] boundary = small(boundaries)
    cdef const unsigned char[::1] new = flags(first_of_burst), begun = flags(begins)
    cdef Py_ssize_t row, size = ran.shape[0]
    alike(size, (trace, comment, boundaries, transaction, first_of_burst, begins))
    within(transaction, -1, size)
    made = tuple(np.empty(size, dtype=kind) for kind in (np.int64, np.int64, np.int8, np.int64, bool))
    cdef long long[::1] bursts = made[0], traces = made[1], requests = made[3]
    cdef signed char[::1] unit = made[2]
    cdef unsigned char[::1] whole = made[4].view(np.uint8)
    cdef Transactions found = found_transactions(opener, boundary, new, begun, np.count_nonzero(first_of_burst), paced)
    cdef Traces known = room_for(trace)
    if found.some and not marked:
        join(found, opener, ran, boundary, new)
    cdef long long burst = -1, first = 0, tagged = -1, count = 0, here = -1, at = 0, number = 0, before = 0
    with nogil:
        for row in range(size):
            burst += row == 0 or new[row] != 0
            if row == 0 or new[row] or begun[row]:
                first, here = row, -1  # the stretch has no request yet
            bursts[row] = burst
            whole[row] = begun[first] or paced
            traces[row] = trace[row]
            if trace[row]:
                tagged = row
            elif not marked and comment[row] < 0 and tagged >= first:
                traces[row] = trace[tagged]
            if traces[row]:
                unit[row], whole[row] = TRACE, True
                if traces[row] != before:
                    before = traces[row]
                    at = known.place(before)
                    known.trace[at] = before
                if known.request[at] < 0:
                    known.request[at] = count
                    count += 1
                requests[row] = known.request[at]
            elif found.some and opener[row] >= 0 and found.unit[burst]:
                while found.opened[number] < opener[row]:
                    number += 1
                unit[row] = TRANSACTION
                whole[row] |= not marked
                if found.request[found.root[number]] < 0:
                    found.request[found.root[number]] = count
                    count += 1
                requests[row] = found.request[found.root[number]]
            else:
                unit[row] = BURST
                if here < 0:
                    here = count
                    count += 1
                requests[row] = here
    return made
