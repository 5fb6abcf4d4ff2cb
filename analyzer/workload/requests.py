"""Units of work: which executions belong to one request, and which of them may go on.

A trace or request id where statements carry one; else the transactions of a session where nearly
all its work is in them (transactions.py); else a burst: a run of a session's executions without an
idle gap.
"""

import numpy as np

from analyzer.model.columns import (
    Column,
    Flags,
    Rows,
    numbered_by_sight,
    run_starts,
    sorted_distinct,
    spread,
    stable_order,
    starts_of_runs,
)
from analyzer.model.executions import Clock
from analyzer.native import compiled, twin_in
from analyzer.records import changing
from analyzer.workload.openers import NEVER, Openers
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

_AT_ONCE_US = 20_000  # first statements of several sessions within this are of one loop

# What is unfinished at a slice's end. Logs are in order to within a second; a trace waits longer
# between two statements than a session does. Work of more than a minute is split.
_DISORDER_US = 1_000_000
_TRACE_GAP_US = 2_000_000
_LONGEST_US = 60_000_000
MOST_CARRIED = 32_768
_CLOSURE_ROUNDS = 16  # traces that hang together through shared bursts

_twin = twin_in(compiled("analyzer.workload.native._units"))
_twin_of_open = twin_in(compiled("analyzer.workload.native._open"))


@changing
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


def moments(columns: Columns) -> Rows:
    """The time that orders each row: a client's log is in order of completion, but counts by start."""
    client = columns["clock"] == Clock.CLIENT
    if not client.any():
        return columns["end_us"]
    return np.where(client, columns["start_us"], columns["end_us"])


@_twin
def session_order(session: Rows, at_us: Rows, line: Rows) -> Rows:
    """The row numbers in the order of session, time and line."""
    order = stable_order(session)
    sessions, at, lines = session[order], at_us[order], line[order]
    later = (at[1:] > at[:-1]) | ((at[1:] == at[:-1]) & (lines[1:] >= lines[:-1]))
    if (later | (sessions[1:] != sessions[:-1])).all():  # as logs are, nearly always
        return order
    return np.lexsort((line, at_us, session))


@_twin
def parted(finished: Flags, working: Flags) -> tuple[Rows, Rows, Rows, Rows, Rows]:
    """The rows that are `finished`; of these those `working`, and where they stand among them; the others.

    And how many of those working stand before each of the others.
    """
    rows, mine = np.flatnonzero(finished), np.flatnonzero(finished & working)
    others = np.flatnonzero(finished & ~working)
    return (
        rows,
        mine,
        np.flatnonzero(working[rows]),
        others,
        np.searchsorted(mine, others).astype(np.int64),
    )


def find_work(
    columns: Columns, boundaries: Column, openers: Openers, statement: Rows, opens: Column
) -> Work:
    """The units of work of rows ordered by session and time.

    `boundaries` is +1 where a statement opens a transaction and -1 where it ends one. `openers`
    tell by `statement` (its number) where a burst holds several requests; `opens` says which
    statements may (Openers.begins).
    """
    new_session, transaction, idle_us = steps(
        columns["session"], columns["start_us"], columns["end_us"], columns["clock"], boundaries
    )
    first_of_burst = new_session | (idle_us > IDLE_GAP_US)
    if openers.learning:
        openers.spread.learn(columns, statement, opens != NEVER)
    rushed = _begun_at_once(np.flatnonzero(new_session), statement, columns["start_us"])
    first_of_burst[rushed] = False  # that a pool opened a connection says nothing of requests
    begins = openers.begins(
        statement, idle_us, first_of_burst, opens, columns["end_us"], int(new_session.sum())
    )
    first_of_burst[rushed] = True
    stalls = openers.stalls(statement)
    if openers.bridges:
        stalls[:] = True
    pause_us = _LONG_GAP_US if stalls.any() else IDLE_GAP_US
    first_of_burst &= ~stalls | new_session | (idle_us > _LONG_GAP_US)
    # Where connections are shared, what stands beside a statement may be of another request.
    found = units(
        columns,
        statement,
        boundaries,
        transaction,
        first_of_burst,
        begins,
        openers.marker >= 0,
        openers.paced,
    )
    burst, trace, unit, request, whole = found
    return Work(burst, transaction, trace, unit, request, whole, len(boundaries), pause_us)


@_twin
def steps(
    session: Rows, start_us: Rows, end_us: Rows, clock: Column, boundaries: Column
) -> tuple[Flags, Rows, Rows]:
    """Steps from row to row.

    Of each row: whether it is its session's first, the row that opened its transaction (-1 outside), and for how long
    (µs) its session was idle before it (0 for the first).
    """
    new_session = starts_of_runs(session)
    idle_us = np.zeros(len(session), dtype=np.int64)
    idle_us[1:] = start_us[1:] - _busy_until(session, end_us, clock)[:-1]
    idle_us[new_session] = 0
    return new_session, opened_by(boundaries, new_session), np.maximum(idle_us, 0)


@_twin
def units(
    columns: Columns,
    statement: Rows,
    boundaries: Column,
    transaction: Rows,
    first_of_burst: Flags,
    begins: Flags,
    marked: bool,  # noqa: FBT001 - a twin takes no keywords
    paced: bool,  # noqa: FBT001 - as above
) -> tuple[Rows, Rows, Column, Rows, Flags]:
    """The columns burst, trace, unit, request and whole of Work.

    With `marked` what stands beside a statement may be of another request, with `paced` requests begin behind pauses.
    """
    count = len(boundaries)
    starts = np.flatnonzero(first_of_burst)
    burst = spread(np.arange(len(starts)), starts, count)
    first = np.flatnonzero(first_of_burst | begins)
    first = spread(first, first, count)
    trace = columns["trace"]
    if not marked:
        trace = _carried_on(trace, first, columns["comment"] < 0)
    whole = begins[first] | paced
    unit = np.full(count, BURST, dtype=np.int8)
    code = first
    by_transaction = in_units(transaction, boundaries, burst, starts, begins)
    if by_transaction.any() and not paced:
        root = transaction
        if not marked:
            root = first_of_request(transaction, statement, burst, boundaries == 0)
            whole |= by_transaction
        unit[by_transaction] = TRANSACTION
        code = np.where(by_transaction, root + count, first)
    traced = np.flatnonzero(trace)
    if len(traced):
        unit[traced] = TRACE
        code[traced] = numbered_by_sight(trace[traced])[0] + 2 * count
        whole[traced] = True
    return burst, trace, unit, numbered_by_sight(code)[0], whole


def _begun_at_once(first: Rows, statement: Rows, start_us: Rows) -> Rows:
    """Those first rows of sessions that run one statement within a moment, as loops on a new pool do."""
    if len(first) < 2:  # noqa: PLR2004 - at once with another
        return first[:0]
    order = first[np.lexsort((start_us[first], statement[first]))]
    near = statement[order][1:] == statement[order][:-1]
    near &= np.diff(start_us[order]) <= _AT_ONCE_US
    rushed: Rows = order[np.append(near, False) | np.append(False, near)]
    return rushed


def _busy_until(session: Rows, end_us: Rows, clock: Column) -> Rows:
    """The time until which each row's session was busy, by it and all rows before it.

    The server's rows are in the order of their ends; a client's calls overlap.
    """
    client = np.flatnonzero(clock == Clock.CLIENT)
    if len(client) == 0:
        return end_us
    busy = end_us.copy()
    for number in sorted_distinct(session[client]).tolist():
        low, high = np.searchsorted(session, [number, number + 1])
        busy[low:high] = np.maximum.accumulate(end_us[low:high])
    return busy


def _carried_on(traces: Rows, request_start: Rows, untagged: Flags) -> Rows:
    """Untagged statements behind a tagged one, in the same request, belong to its trace.

    A prepared statement's text was fixed before the request began, so it can carry no tag.
    """
    tagged = np.flatnonzero(traces)
    if len(tagged) == 0:
        return traces
    first, count = tagged[0], len(traces)
    found = traces.copy()
    last = spread(tagged, tagged - first, count - first)  # of each row from the first tagged one on
    carried = untagged[first:] & (last >= request_start[first:])
    np.copyto(found[first:], traces.take(last), where=carried)
    return found


def unfinished(columns: Columns, work: Work, boundaries: Column, until_us: int) -> Flags:
    """Marks the rows of units of work that may go on after a slice that ends at `until_us`.

    Bursts and traces whose last row is recent, and open transactions, each with all bursts that it
    shares; of the last minute alone, and at most MOST_CARRIED rows: where it is more, units are
    split and only the last second, or the last 100 ms, of all sessions is marked.
    """
    end = columns["end_us"]
    marked = open_rows(
        columns,
        work,
        boundaries,
        until_us - work.pause_us - _DISORDER_US,
        until_us - _TRACE_GAP_US,
    )
    close_over(marked, work)
    marked &= end >= until_us - _LONGEST_US
    if np.count_nonzero(marked) <= MOST_CARRIED:
        return marked
    for recent_us in (_DISORDER_US, 100_000):
        late: Flags = end >= until_us - recent_us
        if np.count_nonzero(late) <= MOST_CARRIED:
            return late
    return np.zeros(len(end), dtype=bool)


@_twin_of_open
def open_rows(
    columns: Columns, work: Work, boundaries: Column, burst_us: int, trace_us: int
) -> Flags:
    """Marks rows of what may go on.

    Bursts that are their session's last and ended at `burst_us` or later, transactions that are open, and traces with
    a row that ended at `trace_us` or later.
    """
    end = columns["end_us"]
    marked = _open_bursts(columns, work, burst_us)
    marked |= _open_transactions(columns, work, boundaries)
    traced = np.flatnonzero(work.trace)
    if len(traced):
        request = work.request[traced]
        late = np.zeros(int(request.max()) + 1, dtype=bool)
        late[request[end[traced] >= trace_us]] = True
        marked[traced] |= late[request]
    return marked


def _open_bursts(columns: Columns, work: Work, least_us: int) -> Flags:
    starts = run_starts(work.burst)
    until = np.maximum.reduceat(columns["end_us"], starts)
    last = np.append(starts[1:], len(work.burst)) - 1
    ends_session = np.append(columns["session"][last[:-1]] != columns["session"][starts[1:]], True)
    flags: Flags = (ends_session & (until >= least_us))[work.burst]
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


@_twin_of_open
def close_over(marked: Flags, work: Work) -> None:
    """Extend marks, where they stand, to all that hangs together with a marked row: bursts, transactions, requests."""
    groups = [work.burst, work.request]
    if (work.transaction >= 0).any():
        alone = np.arange(len(marked))
        groups.insert(1, np.where(work.transaction >= 0, work.transaction, alone))
    count, unchanged = int(np.count_nonzero(marked)), 0
    for turn in range(_CLOSURE_ROUNDS * len(groups)):
        if unchanged == len(groups) or not count:
            return
        numbers = groups[turn % len(groups)]
        some = np.zeros(int(numbers.max()) + 1, dtype=bool)
        some[numbers[marked]] = True
        some.take(numbers, out=marked, mode="clip")
        before, count = count, int(np.count_nonzero(marked))
        unchanged = unchanged + 1 if count == before else 0


def pools_of(columns: Columns, pool: Rows) -> Rows:
    """The number of each row's (database, user, application); -1 for rows of whole requests and clients."""
    shared = ~columns["whole"] & (columns["clock"] == Clock.SERVER)
    return np.where(shared, pool, -1)
