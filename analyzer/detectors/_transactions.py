"""Transactions from their first lock to their end: round trips, idle gaps, time that locks are held.

A transaction may go on over several slices, so what is open is kept by session. A lock is what an
INSERT, UPDATE, DELETE, MERGE, COPY FROM, SELECT … FOR UPDATE, LOCK or a change of the schema takes;
that of a plain SELECT (and of a COPY TO) keeps nobody from reading or writing.
"""

from collections import Counter
from dataclasses import field

import numpy as np

from analyzer.detectors._figures import Sample, Sizes
from analyzer.detectors._merged import Merged, MergedRows
from analyzer.detectors._notable import DEFINES, LOCKS, PLAIN, ROLLS_BACK, notable
from analyzer.detectors._places import NONE
from analyzer.detectors._watcher import Learned, Watcher
from analyzer.model.columns import (
    Column,
    Flags,
    Floats,
    Rows,
    grown,
    sorted_distinct,
    starts_of_runs,
    stretches,
)
from analyzer.model.statement import Effect, Kind, Role, Statement
from analyzer.model.work import WorkSlice
from analyzer.records import changing

MANY_TRIPS = 20  # statements behind the first lock from which a transaction is chatty
HELD_MS = 100.0  # and the time from which its locks are held for long
LONG_IDLE_MS = 1_000.0  # a gap inside a transaction that somebody may wait for
_WAITING = 0.5  # share of the held time that no statement runs in
_BUSY = 50  # statements around a gap from which a silence of all sessions is a hole in the log
_SILENT = 0.8  # of the gap
_MOST_OPEN = 10_000  # sessions whose open transaction is kept

_LEAST = MANY_TRIPS, int(HELD_MS * 1000), int(LONG_IDLE_MS * 1000)
_EFFECTS = {
    Effect.NONE: PLAIN,
    Effect.LOCKS: LOCKS,
    Effect.DEFINES: DEFINES,
    Effect.ROLLS_BACK: ROLLS_BACK,
}


@changing
class ChattyFigures:
    """Transactions with many round trips behind one statement that takes the first lock.

    `statement` is a position in Workload.statements. `trips` are statements behind it up to the
    end, `held_ms` the time from its end to that of the transaction without
    rests of a second and more, `running_ms` the part of it in
    which statements ran.
    """

    statement: int
    trips: Sizes = field(default_factory=Sizes)
    held_ms: Sample = field(default_factory=Sample)
    longest_ms: float = 0.0
    held_total_ms: float = 0.0
    running_total_ms: float = 0.0


@changing
class IdleFigures:
    """Gaps behind one statement (position in Workload.statements), inside transactions with locks.

    `next` counts by position what ended the gap: -1 for the end of the transaction (or a savepoint).
    """

    statement: int
    idle_ms: Sample = field(default_factory=Sample)
    count: int = 0
    total_ms: float = 0.0
    longest_ms: float = 0.0
    locked_by: int = -1
    next: Counter[int] = field(default_factory=Counter)

    def add(self, gap_ms: float, lock: int, then: int) -> None:
        """Add a gap in a transaction whose first lock the statement `lock` took."""
        self.count += 1
        self.total_ms += gap_ms
        self.idle_ms.add(np.array([gap_ms]))
        self.next[then] += 1
        if gap_ms > self.longest_ms:
            self.longest_ms, self.locked_by = gap_ms, lock


@changing
class _Open:
    """A session's transaction that a slice leaves open."""

    lock: int  # the statement that took the first lock, -1 none yet
    locked_us: int
    ended_us: int
    statement: int  # the last one
    trips: int
    running_ms: float
    idle_ms: float
    defines: bool
    cut: bool


class _Effects(Learned):
    """By statement: whether it takes locks, changes the schema, or rolls back."""

    def _judge(self, statement: Statement) -> int:
        facts = statement.facts
        counts = facts.role in (Role.WORKLOAD, Role.TRANSACTION)
        return _EFFECTS[facts.effect] if counts else PLAIN


class _Chats(Learned):
    """By statement: 1 where each execution is a round trip that a batch could spare.

    Not what is a batch already (INSERTs of several rows, COPY), nor what reads on in a cursor.
    """

    def _judge(self, statement: Statement) -> int:
        facts = statement.facts
        return int(facts.kind is not Kind.UTILITY and facts.rows_written <= 1)


class Transactions(Watcher):
    """Adds up what transactions do behind their first lock."""

    def __init__(self) -> None:
        super().__init__()
        self._effects = _Effects()
        self._chats = _Chats()
        self._locked = np.zeros(0, dtype=np.int64)
        self._open: dict[int, _Open] = {}
        self.seen = 0  # transactions that ended
        self.chatty: dict[int, ChattyFigures] = {}
        self.idle: dict[int, IdleFigures] = {}

    def _watch(self, work: WorkSlice, covered: Rows) -> Rows:
        if not self._open and not (work.asides.boundary == 1).any():
            return NONE
        effects = self._effects.of(work.statements)
        going_on = np.array(sorted(self._open), dtype=np.int64)
        starts, sizes, others = notable(work, effects, going_on, _LEAST)
        self.seen += len(others)
        self._count(others[others >= 0])
        if len(starts):
            learned = effects, self._chats.of(work.statements)
            some = Merged.of(work).some(stretches(starts, sizes), covered, learned)
            self._figure(some, work.end_us)
        return NONE

    def _count(self, locks: Rows) -> None:
        """Count the transactions that statements took the first lock in."""
        calls = np.bincount(locks)
        self._locked = grown(self._locked, len(calls))
        self._locked[: len(calls)] += calls

    def _figure(self, rows: MergedRows, ends: Rows) -> None:
        """Add up transactions; `rows` are theirs alone, `ends` when any session's statements ended."""
        ended = rows.boundary == -1
        begins = starts_of_runs(rows.session) | (rows.boundary == 1)
        begins[1:] |= ended[:-1]
        starts = np.flatnonzero(begins)
        segment = np.cumsum(begins) - 1
        held = _Held.of(rows, starts, segment)
        self._take_up(rows, held)
        gap_ms = np.zeros(len(segment))
        gap_ms[1:] = (rows.start_us[1:] - rows.end_us[:-1]) / 1000
        gap_ms[starts] = 0.0
        for number, known in held.carried.items():
            gap_ms[starts[number]] = (rows.start_us[starts[number]] - known.ended_us) / 1000
        # What runs before a rollback may have failed, and then its time is not in the log.
        idle = held.behind & (gap_ms >= LONG_IDLE_MS) & (rows.effect != ROLLS_BACK)
        found = np.flatnonzero(idle)
        held.idle_ms = np.bincount(
            segment[found], weights=gap_ms[found], minlength=len(starts)
        ).astype("f8")
        for number, known in held.carried.items():
            held.idle_ms[number] += known.idle_ms
        if len(found):
            missing = _holes(rows, found, gap_ms, ends)
            held.cut[held.segment[found[missing]]] = True
            self._add_idle(rows, held, found[~held.cut[held.segment[found]]], gap_ms)
        self._add_chatty(rows, held)
        self._keep_open(rows, held)

    def _take_up(self, rows: MergedRows, held: "_Held") -> None:
        """Go on with the transactions that the slice before left open."""
        if not self._open:
            return
        first = starts_of_runs(rows.session[held.starts])
        first &= self._goes_on(rows.session[held.starts])
        for number in np.flatnonzero(first).tolist():
            start = int(held.starts[number])
            known = self._open.pop(int(rows.session[start]))
            if rows.boundary[start] != 1:
                held.take_up(number, known, rows)

    def _goes_on(self, sessions: Column) -> Flags:
        """Marks the sessions whose transaction the slice before left open."""
        return np.array([one in self._open for one in sessions.tolist()], dtype=bool)

    def _add_idle(self, rows: MergedRows, held: "_Held", found: Rows, gap_ms: Floats) -> None:
        place = np.arange(len(rows.team))
        last = np.maximum.accumulate(np.where(rows.team, place, -1))
        for row in found.tolist():  # gaps of a second: few
            segment = int(held.segment[row])
            before = int(last[row - 1]) if row else -1
            within = before >= held.starts[segment]
            number = int(rows.statement[before]) if within else held.carried[segment].statement
            figures = self.idle.setdefault(number, IdleFigures(number))
            then = int(rows.statement[row]) if rows.team[row] else -1
            figures.add(float(gap_ms[row]), int(held.lock[segment]), then)

    def _add_chatty(self, rows: MergedRows, held: "_Held") -> None:
        done = rows.boundary[held.last] == -1
        self.seen += int(np.count_nonzero(done))
        locked = done & (held.lock >= 0)
        self._count(held.lock[locked])
        # A long rest is another finding, and no matter of round trips.
        held_ms = (rows.end_us[held.last] - held.locked_us) / 1000 - held.idle_ms
        chatty = (
            locked & (held.trips >= MANY_TRIPS) & (held_ms >= HELD_MS) & ~held.defines & ~held.cut
        )
        chatty &= held.running_ms <= (1 - _WAITING) * held_ms
        for number in sorted_distinct(held.lock[chatty]).tolist():
            mine = chatty & (held.lock == number)
            figures = self.chatty.setdefault(number, ChattyFigures(number))
            figures.trips.add(held.trips[mine])
            figures.held_ms.add(held_ms[mine])
            figures.longest_ms = max(figures.longest_ms, float(held_ms[mine].max()))
            figures.held_total_ms += float(held_ms[mine].sum())
            figures.running_total_ms += float(held.running_ms[mine].sum())

    def transactions_of(self, statement: int) -> int:
        """How many transactions the statement took the first lock in."""
        return int(self._locked[statement]) if statement < len(self._locked) else 0

    def _keep_open(self, rows: MergedRows, held: "_Held") -> None:
        """Remember what the slice leaves open: the last transaction of a session."""
        sessions = rows.session[held.starts]
        final = np.append(sessions[1:] != sessions[:-1], True)
        for number in np.flatnonzero(final & (rows.boundary[held.last] != -1)).tolist():
            if len(self._open) >= _MOST_OPEN:
                self._open.pop(next(iter(self._open)))
            last = int(held.last[number])
            own = np.flatnonzero(rows.team[held.starts[number] : last + 1])
            known = held.carried.get(number)
            statement = known.statement if known else -1
            if len(own):
                statement = int(rows.statement[held.starts[number] + own[-1]])
            self._open[int(rows.session[last])] = _Open(
                int(held.lock[number]),
                int(held.locked_us[number]),
                int(rows.end_us[last]),
                statement,
                int(held.trips[number]),
                float(held.running_ms[number]),
                float(held.idle_ms[number]),
                bool(held.defines[number]),
                bool(held.cut[number]),
            )


def _holes(rows: MergedRows, found: Rows, gap_ms: Floats, ends: Rows) -> Flags:
    """The gaps in which all sessions are silent most of the time, though busy around it.

    There the log is cut, and what the session did meanwhile is not known.
    """
    flags = np.zeros(len(found), dtype=bool)
    ends = np.sort(ends)
    for number, row in enumerate(found.tolist()):
        last, length = int(rows.start_us[row]), int(gap_ms[row] * 1000)
        first = last - length
        places = np.searchsorted(ends, [first - length, first, last, last + length], "right")
        inside = np.concatenate([[first], ends[places[1] : places[2]], [last]])
        silent = int(np.diff(inside).max()) >= _SILENT * length
        flags[number] = silent and places[3] - places[0] >= _BUSY
    return flags


@changing
class _Held:
    """By transaction: its first and last row, who took the first lock, and what is behind it.

    `behind` marks the rows behind the first lock. `defines` are transactions that change the schema, `cut` those of
    which a part is missing in the log. `carried` are those begun in an earlier slice.
    """

    starts: Rows
    last: Rows
    segment: Rows
    lock: Rows
    locked_us: Rows
    behind: Flags
    trips: Rows
    running_ms: Floats
    defines: Flags
    cut: Flags
    idle_ms: Floats
    carried: dict[int, _Open] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: MergedRows, starts: Rows, segment: Rows) -> "_Held":
        """The figures of transactions that begin at `starts`."""
        count, place = len(starts), np.arange(len(segment))
        locks = (rows.effect == LOCKS) | (rows.effect == DEFINES)
        first = np.minimum.reduceat(np.where(locks, place, len(segment)), starts)
        behind = place > first[segment]
        known = first < len(segment)
        at = np.minimum(first, len(segment) - 1)
        ran_ms: Floats = np.where(behind, rows.end_us - rows.start_us, 0) / 1000
        return cls(
            starts=starts,
            last=np.append(starts[1:], len(segment)) - 1,
            segment=segment,
            lock=np.where(known, rows.statement[at], -1),
            locked_us=rows.end_us[at],
            behind=behind,
            trips=np.bincount(segment, weights=behind & rows.trip, minlength=count).astype("i8"),
            running_ms=np.bincount(segment, weights=ran_ms, minlength=count).astype("f8"),
            defines=np.bincount(segment, weights=rows.effect == DEFINES, minlength=count) > 0,
            cut=np.zeros(count, dtype=bool),
            idle_ms=np.zeros(count),
        )

    def take_up(self, number: int, known: _Open, rows: MergedRows) -> None:
        """Put a transaction together with its beginning in an earlier slice."""
        self.carried[number] = known
        if known.lock < 0:
            return
        mine = slice(int(self.starts[number]), int(self.last[number]) + 1)
        self.lock[number], self.locked_us[number] = known.lock, known.locked_us
        self.behind[mine] = True
        ran_us = int((rows.end_us[mine] - rows.start_us[mine]).sum())
        self.trips[number] = known.trips + np.count_nonzero(rows.trip[mine])
        self.running_ms[number] = known.running_ms + ran_us / 1000
        self.defines[number] |= known.defines
        self.cut[number] |= known.cut
