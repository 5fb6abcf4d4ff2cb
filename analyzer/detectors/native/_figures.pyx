# cython: language_level=3, wraparound=False, initializedcheck=False
"""The twins of the passes of _figures.py. Bounds are checked: row numbers are places in columns."""

import numpy as np

from analyzer.model.columns import sorted_distinct, stable_order

ctypedef const long long[::1] Numbers
ctypedef const unsigned char[::1] Marks

ctypedef fused Session:
    const int
    const long long


def _gaps(Numbers rows, Numbers within, Session[::1] session, Numbers start_us, Numbers end_us, bint ordered=False):
    """The gaps of rows that are ordered by `within`, session, end and row; None of others, unless they count as `ordered`."""
    cdef Py_ssize_t at, row, before, count = 0
    cdef long long gap
    made = np.empty(max(rows.shape[0] - 1, 0))
    cdef double[::1] out = made
    with nogil:
        for at in range(1, rows.shape[0]):
            row, before = rows[at], rows[at - 1]
            if within[at] != within[at - 1]:
                if within[at] < within[at - 1] and not ordered:
                    break
                continue
            if session[row] != session[before]:
                if session[row] < session[before] and not ordered:
                    break
                continue
            if not ordered and (end_us[row] < end_us[before] or (end_us[row] == end_us[before] and row < before)):
                break
            gap = start_us[row] - end_us[before]
            out[count] = gap / 1000.0 if gap > 0 else 0.0
            count += 1
        else:
            ordered = True
    return made[:count].copy() if ordered else None


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


def held_by(Numbers rows, Numbers transaction, whole, Numbers trace):
    """Of how many transactions some rows are, and how many are whole; whether all have a trace, and a transaction."""
    cdef Marks marks = whole.view(np.uint8)
    cdef Py_ssize_t at, row, count = 0, runs = 0
    cdef bint traced = True, inside = True
    made = np.empty(rows.shape[0], dtype=np.int64)  # of each run of one transaction
    cdef long long[::1] seen = made
    with nogil:
        for at in range(rows.shape[0]):
            row = rows[at]
            count += marks[row] != 0
            if traced and trace[row] == 0:  # which is known of most rows then
                traced = False
            inside &= transaction[row] >= 0
            if runs == 0 or seen[runs - 1] != transaction[row]:
                seen[runs] = transaction[row]
                runs += 1
    return len(sorted_distinct(made[:runs])), count, bool(traced), bool(inside)


def _runs(Numbers owners, Numbers rows, Numbers end_us, Numbers transaction, long long[:, ::1] out):
    """Write each run of an owner: owner, rows, the last end, the first row's transaction. Tells how many there are.

    And whether owners ascend, and each run is of one transaction.
    """
    cdef Py_ssize_t at, row, count = 0
    cdef bint ascending = True, same = True
    with nogil:
        for at in range(owners.shape[0]):
            row = rows[at]
            if count == 0 or owners[at] != out[0, count - 1]:
                ascending &= count == 0 or owners[at] > out[0, count - 1]
                out[0, count], out[1, count] = owners[at], 0
                out[2, count], out[3, count] = end_us[row], transaction[row]
                count += 1
            out[1, count - 1] += 1
            out[2, count - 1] = max(out[2, count - 1], end_us[row])
            same &= transaction[row] == out[3, count - 1]
    return count, ascending, same


def _merged(long long[:, ::1] runs):
    """Put runs of one owner (ascending) together; how many there are then, and whether each is of one transaction."""
    cdef Py_ssize_t at, last = 0, part
    cdef bint same = True
    with nogil:
        for at in range(1, runs.shape[1]):
            if runs[0, at] == runs[0, last]:
                runs[1, last] += runs[1, at]
                runs[2, last] = max(runs[2, last], runs[2, at])
                same &= runs[3, at] == runs[3, last]
                continue
            last += 1
            for part in range(4):
                runs[part, last] = runs[part, at]
    return last + 1, same


def occurrences(Numbers owners, Numbers rows, Numbers end_us, Numbers transaction):
    """Rows by their owners: these, how many each has, when its last one ended; whether each one's are of one transaction."""
    made = np.empty((4, owners.shape[0]), dtype=np.int64)
    count, ascending, same = _runs(owners, rows, end_us, transaction, made)
    made = made[:, :count]
    if not ascending:  # an owner's rows mostly stand together
        made = np.ascontiguousarray(made[:, stable_order(made[0])])
        count, alike = _merged(made)
        made, same = made[:, :count], same and alike
    return made[0].copy(), made[1].copy(), made[2].copy(), bool(same)
