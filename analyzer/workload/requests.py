"""Units of work: which executions belong to one request, and which of them may go on.

A trace or request id where statements carry one; else the transactions of a session where nearly
all its work is in them (transactions.py); else a burst: a run of a session's executions without an
idle gap.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.model.columns import (
    Column,
    Flags,
    Rows,
    numbered_by_sight,
    sorted_distinct,
    stable_order,
    starts_of_runs,
)
from analyzer.model.executions import Clock
from analyzer.workload.openers import Openers
from analyzer.workload.transactions import first_of_request, in_units, opened_by

Columns = dict[str, Column]

TRACE, TRANSACTION, BURST = 0, 1, 2
ORDERED = (
    "session",
    "start_us",
    "end_us",
    "clock",
    "trace",
    "comment",
    "key",
)  # what units are told by
UNITS = ("trace", "transaction", "burst")

IDLE_GAP_US = 250_000  # a session idle for longer has begun another burst
_LONG_GAP_US = 2_000_000  # the same where openers tell requests apart, and some of these stall

# What is unfinished at a slice's end. Logs are in order to within a second; a trace waits longer
# between two statements than a session does. Work of more than a minute is split.
_DISORDER_US = 1_000_000
_TRACE_GAP_US = 2_000_000
_LONGEST_US = 60_000_000
MOST_CARRIED = 32_768
_CLOSURE_ROUNDS = 16  # traces that hang together through shared bursts


@dataclass(slots=True)
class Work:
    """Units of work of rows that are ordered by session and time.

    `burst` and `request` are numbers from 0, `transaction` is the row that opened the explicit
    transaction (-1 outside), `trace` is 0 without one, `unit` is one of TRACE, TRANSACTION, BURST.
    `whole` marks rows of requests that are known not to be several: a trace, what begins with an
    opener, or a transaction.
    """

    burst: Rows
    transaction: Rows
    trace: Rows
    unit: Column
    request: Rows
    whole: Flags
    size: int  # above all numbers of requests and transactions
    pause_us: int = 0  # how long a session is idle between two bursts

    def of(self, rows: Rows) -> "Work":
        """The same of some rows; the numbers stay as they are."""
        return Work(
            self.burst[rows],
            self.transaction[rows],
            self.trace[rows],
            self.unit[rows],
            self.request[rows],
            self.whole[rows],
            self.size,
            self.pause_us,
        )


def moments(columns: Columns) -> Rows:
    """The time that orders each row: a client's log is in order of completion, but counts by start."""
    client = columns["clock"] == Clock.CLIENT
    if not client.any():
        return columns["end_us"]
    return np.where(client, columns["start_us"], columns["end_us"])


def by_session(columns: Columns, at_us: Rows) -> Rows:
    """The row numbers in the order of session, time and line."""
    order = stable_order(columns["session"])
    session, at = columns["session"][order], at_us[order]
    line = columns["line"][order]
    later = (at[1:] > at[:-1]) | ((at[1:] == at[:-1]) & (line[1:] >= line[:-1]))
    if (later | (session[1:] != session[:-1])).all():  # as logs are, nearly always
        return order
    return np.lexsort((columns["line"], at_us, columns["session"]))


def find_work(
    columns: Columns, boundaries: Column, openers: Openers, statement: Rows, opens: Column
) -> Work:
    """The units of work of rows ordered by session and time.

    `boundaries` is +1 where a statement opens a transaction and -1 where it ends one. `openers`
    tell by `statement` (its number) where a burst holds several requests; `opens` says which
    statements may (Openers.begins).
    """
    count = len(boundaries)
    place = np.arange(count)
    new_session = starts_of_runs(columns["session"])
    transaction = opened_by(boundaries, new_session, place)
    idle_us = _idle_before(columns, new_session)
    first_of_burst = new_session | (idle_us > IDLE_GAP_US)
    begins = openers.begins(
        statement, idle_us, first_of_burst, opens, columns["end_us"], int(new_session.sum())
    )
    stalls = openers.stalls(statement)
    if openers.bridges:
        stalls[:] = True
    pause_us = _LONG_GAP_US if stalls.any() else IDLE_GAP_US
    first_of_burst &= ~stalls | new_session | (idle_us > _LONG_GAP_US)
    burst = np.cumsum(first_of_burst) - 1
    starts = np.flatnonzero(first_of_burst)
    first = np.maximum.accumulate(np.where(first_of_burst | begins, place, 0))
    trace = columns["trace"]
    if openers.marker < 0:  # else what stands beside a statement may be of another request
        trace = _carried_on(trace, first, place, columns["comment"] < 0)
    whole = begins[first] | openers.paced
    unit = np.full(count, BURST, dtype=np.int8)
    code = first
    by_transaction = in_units(transaction, boundaries, burst, starts, begins)
    if by_transaction.any() and not openers.paced:
        root = transaction
        if openers.marker < 0:  # else what stands beside a transaction may be of another request
            root = first_of_request(transaction, statement, burst, boundaries == 0)
            whole |= by_transaction
        unit[by_transaction] = TRANSACTION
        code = np.where(by_transaction, root + count, first)
    traced = np.flatnonzero(trace)
    if len(traced):
        unit[traced] = TRACE
        code[traced] = _numbered(trace[traced]) + 2 * count
        whole[traced] = True
    return Work(burst, transaction, trace, unit, numbered_by_sight(code)[0], whole, count, pause_us)


def _numbered(traces: Rows) -> Rows:
    """A small number for each trace, equal where the trace is."""
    new = starts_of_runs(traces)  # most stand together: the rest is looked up for one of each run
    numbers: Rows = np.unique(traces[new], return_inverse=True)[1][np.cumsum(new) - 1]
    return numbers


def _busy_until(columns: Columns) -> Rows:
    """The time until which each row's session was busy, by it and all rows before it.

    The server's rows are in the order of their ends; a client's calls overlap.
    """
    end = columns["end_us"]
    client = np.flatnonzero(columns["clock"] == Clock.CLIENT)
    if len(client) == 0:
        return end
    busy = end.copy()
    session = columns["session"]
    for number in sorted_distinct(session[client]).tolist():
        low, high = np.searchsorted(session, [number, number + 1])
        busy[low:high] = np.maximum.accumulate(end[low:high])
    return busy


def _idle_before(columns: Columns, new_session: Flags) -> Rows:
    """For how long (µs) each row's session was idle before it; 0 for a session's first."""
    idle = np.zeros(len(new_session), dtype=np.int64)
    idle[1:] = columns["start_us"][1:] - _busy_until(columns)[:-1]
    idle[new_session] = 0
    return np.maximum(idle, 0)


def _carried_on(traces: Rows, request_start: Rows, place: Rows, untagged: Flags) -> Rows:
    """Untagged statements behind a tagged one, in the same request, belong to its trace.

    A prepared statement's text was fixed before the request began, so it can carry no tag.
    """
    tagged = traces != 0
    if not tagged.any():
        return traces
    last = np.maximum.accumulate(np.where(tagged, place, -1))
    carried = (last >= request_start) & (tagged | untagged)
    return np.where(carried, traces[np.maximum(last, 0)], 0)


def unfinished(columns: Columns, work: Work, boundaries: Column, until_us: int) -> Flags:
    """Marks the rows of units of work that may go on after a slice that ends at `until_us`.

    Bursts and traces whose last row is recent, and open transactions, each with all bursts that it
    shares; of the last minute alone, and at most MOST_CARRIED rows: where it is more, units are
    split and only the last second, or the last 100 ms, of all sessions is marked.
    """
    end = columns["end_us"]
    open_rows = _open_bursts(columns, work, until_us)
    open_rows |= _open_transactions(columns, work, boundaries)
    traced = np.flatnonzero(work.trace)
    if len(traced):
        request = work.request[traced]
        latest = np.full(int(request.max()) + 1, -1, dtype=np.int64)
        np.maximum.at(latest, request, end[traced])
        open_rows[traced] |= (latest >= until_us - _TRACE_GAP_US)[request]
    _close_over(open_rows, work)
    open_rows &= end >= until_us - _LONGEST_US
    if np.count_nonzero(open_rows) <= MOST_CARRIED:
        return open_rows
    for recent_us in (_DISORDER_US, 100_000):
        late: Flags = end >= until_us - recent_us
        if np.count_nonzero(late) <= MOST_CARRIED:
            return late
    return np.zeros(len(end), dtype=bool)


def _open_bursts(columns: Columns, work: Work, until_us: int) -> Flags:
    starts = np.flatnonzero(starts_of_runs(work.burst))
    until = np.maximum.reduceat(columns["end_us"], starts)
    last = np.append(starts[1:], len(work.burst)) - 1
    ends_session = np.append(columns["session"][last[:-1]] != columns["session"][starts[1:]], True)
    flags: Flags = (ends_session & (until >= until_us - work.pause_us - _DISORDER_US))[work.burst]
    return flags


def _open_transactions(columns: Columns, work: Work, boundaries: Column) -> Flags:
    """Rows of transactions that a session has not ended when it was last seen."""
    session = columns["session"]
    last = np.flatnonzero(np.append(starts_of_runs(session)[1:], True))
    held = (work.transaction[last] >= 0) & (boundaries[last] != -1)
    flags = np.zeros(len(session), dtype=bool)
    for row in last[held].tolist():  # at most one a session
        flags[work.transaction[row] : row + 1] = True
    return flags


def _close_over(open_rows: Flags, work: Work) -> None:
    """Extend marks to all that hangs together with a marked row: bursts, transactions, requests."""
    transaction = np.where(work.transaction >= 0, work.transaction, np.arange(len(open_rows)))
    before = 0
    for _ in range(_CLOSURE_ROUNDS):
        marked = int(np.count_nonzero(open_rows))
        if marked == before:
            return
        before = marked
        for numbers in (work.burst, transaction, work.request):
            some = np.zeros(int(numbers.max()) + 1, dtype=bool)
            some[numbers[open_rows]] = True
            np.copyto(open_rows, some[numbers])
