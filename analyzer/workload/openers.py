"""Which statements mark where a request begins, learnt from how executions follow each other.

Where nothing tags a request and nothing pauses between two of them, one connection's log is a
single run of statements. But most applications begin (or end) each request alike: they look up the
session, the user, the tenant, or write the session back. Such an opener shows by what stands before
it: whatever the last request ended with, so many different statements, each about as often. What a
loop runs is preceded by the same one or two. And the connection is often idle for longer before it.

Pools that check a connection before they hand it out (`SELECT 1`) say it themselves: where the checks
are as frequent as requests may be, these begin there and nowhere else.
"""

import numpy as np

from analyzer.model.columns import Column, Flags, Floats, Rows, grown, median
from analyzer.workload.totals import Totals

NEVER, MAY, CHECK = 0, 1, 2  # what a statement may be: no opener, one, a check of the connection
_LEAST = 10  # executions from which something is known of a statement
_LEAST_BUSY = 20  # the same where no pause shows it
_LONG = 3.0  # a gap this many times the usual one is long
_FIRST_SHARE = 0.8  # of an opener's executions are the first behind a pause
_EXPLAINED = 0.3  # of all pauses have such an opener behind them: then pauses are between requests
_STALL_SHARE = 0.2  # of a statement's executions, from which pauses before it are between requests
_BRIDGED_SHARE = (
    0.5  # of an opener's executions, at most, are behind a pause: then it tells nothing
)
_SELF_SHARE = 0.2  # of an opener's executions, at most, follow it within two statements
# Score: statements before it (their number, were all equally frequent), × (.3 + share of long gaps),
# × (statements before it for each of its executions, of 200 at most) to the power of .25.
_BASE = 0.3
_ENOUGH = 200
_SPREAD = 0.25
_LEAST_SCORE = 3.0
_NEAR_BEST = 0.5  # an opener's score, of the best one's
# Executions per check of a connection: with fewer, each statement takes one from the pool; with more, the
# pool checks idle ones now and then.
_CHECKED = (4.0, 200.0)
_LEAST_BEFORE_CHECK = (
    3.0  # different statements before them; loops that take a connection in each turn
)
_INTERLEAVED = 10.0  # statements before an execution, on average, where connections are shared
# Executions on a connection, on average, from which a pooler may be what keeps it; of few connections
# the second is enough.
_KEPT = 2_000
_KEPT_OF_FEW = 500
_FEW_CONNECTIONS = 8
_PAIRS = 500_000  # pairs of neighbours that are remembered
_LEARNT_ROWS = 2_000_000  # executions after which most slices teach nothing new
_LEARNT_EVERY = 8


class Openers:
    """Learns from slice to slice, while it is `learning`; statements are numbers."""

    def __init__(self) -> None:
        self.learning = True
        self.marker = -1  # what each request runs once, where connections are shared; else -1
        self.paced = False  # whether requests begin behind pauses
        self._count = np.zeros(0, dtype=np.int64)
        self._first = np.zeros(0, dtype=np.int64)
        self._long = np.zeros(0, dtype=np.int64)
        self._soon = np.zeros(0, dtype=np.int64)
        self._checks: set[int] = set()
        self._pairs = Totals()  # of before << 32 | statement
        self._before = np.zeros(0)  # by statement, how many different ones stand before it
        self._rows = 0
        self._sessions = 0  # counted again in each slice
        self._slices = 0
        self._found = np.zeros(0, dtype=bool)

    def begins(
        self,
        statement: Rows,
        gap_us: Rows,
        first: Flags,
        opens: Column,
        end_us: Rows,
        sessions: int,
    ) -> Flags:
        """Marks rows (by session and time) that begin a request, after learning from them.

        `first` marks those behind a pause or the session's first. `opens` says of each row's statement
        whether it may open a request: NEVER (transaction control, a cursor's FETCH), MAY, or CHECK.
        Rows ended at `end_us`, on that many `sessions`.
        """
        if len(statement) == 0:
            return np.zeros(0, dtype=bool)
        self._slices += 1
        if self.learning and (self._rows < _LEARNT_ROWS or self._slices % _LEARNT_EVERY == 0):
            self._sessions += sessions
            counted = opens != NEVER
            self._checks.update(statement[opens == CHECK].tolist())
            self._learn(statement[counted], gap_us[counted], first[counted])
            self._before = self._different_before()
            self._found = self._openers()
            self.marker = self._mark(statement[counted], end_us[counted])
        self._found = grown(self._found, int(statement.max()) + 1)
        found: Flags = self._found[statement]
        return found

    @property
    def shared(self) -> bool:
        """Whether connections are shared by several requests at once: anything stands before anything."""
        often = self._count >= _LEAST_BUSY
        few = self._sessions <= _FEW_CONNECTIONS
        if not often.any() or self._rows < (_KEPT_OF_FEW if few else _KEPT) * self._sessions:
            return False
        mean = np.average(self._before, weights=self._count * often)
        return bool(mean > _INTERLEAVED)

    def _mark(self, statement: Rows, end_us: Rows) -> int:
        """The statement that each request runs about once, where connections are shared; else -1.

        It stands behind the most different ones, and comes evenly: a loop's come in crowds.
        """
        if not self.shared:
            return -1
        often = (self._count >= _LEAST_BUSY) & (self._soon <= _SELF_SHARE * self._count)
        score = np.where(often, self._before, 0.0)
        score *= _evenness(statement[np.argsort(end_us, kind="stable")], len(score))
        return int(np.argmax(score))

    def stalls(self, statement: Rows) -> Flags:
        """Marks rows whose statement seldom has a pause before it: such a pause is a request's own."""
        often = self._count >= _LEAST_BUSY
        seldom = often & (self._first < _STALL_SHARE * self._count)
        found: Flags = grown(seldom, int(statement.max(initial=-1)) + 1)[statement]
        return found

    @property
    def bridges(self) -> bool:
        """Whether a pause says little, for requests mostly begin without one (and some stall)."""
        found = self._found[: len(self._count)]
        openers = np.flatnonzero(found)
        if len(openers) == 0:
            return False
        often = openers[np.argmax(self._count[openers])]
        return bool(self._first[often] < _BRIDGED_SHARE * self._count[often])

    def _openers(self) -> Flags:
        count = np.maximum(self._count, 1)
        idle = (self._count >= _LEAST) & (self._first >= _FIRST_SHARE * count)
        busy = np.maximum(self._count - self._first, 1)
        spread = self._before / np.minimum(count, _ENOUGH)
        score = self._before * (_BASE + self._long / busy) * spread**_SPREAD
        score[(self._count < _LEAST_BUSY) | (self._soon > _SELF_SHARE * count)] = 0.0
        self.paced = bool(idle.any() and self._first[idle].sum() >= _EXPLAINED * self._first.sum())
        if self.paced:  # pauses tell enough
            score[:] = 0.0
        if self.shared:
            score[:] = 0.0
        elif (checks := self._checked()) is not None:
            return idle | checks
        best = max(_LEAST_SCORE, _NEAR_BEST * float(score.max(initial=0.0)))
        flags: Flags = idle | (score >= best)
        return flags

    def _checked(self) -> Flags | None:
        """Marks the checks of connections if these begin the requests; None if they do not."""
        checks = [one for one in self._checks if one < len(self._count)]
        times = int(self._count[checks].sum())
        if times < _LEAST_BUSY or self.paced:
            return None
        least, most = _CHECKED
        before = np.average(self._before[checks], weights=self._count[checks])
        if before < _LEAST_BEFORE_CHECK or not least <= self._rows / times <= most:
            return None
        flags = np.zeros(len(self._count), dtype=bool)
        flags[checks] = True
        return flags

    def _different_before(self) -> Floats:
        """By statement, how many different ones stand before it: e to the entropy of their shares."""
        size = len(self._count)
        pairs, times = self._pairs.items()
        statement = pairs & 0xFFFFFFFF
        total = np.bincount(statement, weights=times, minlength=size)
        share = times / total[statement]
        entropy = np.bincount(statement, weights=-share * np.log(share), minlength=size)
        return np.where(total > 0, np.exp(entropy), 0.0)

    def _learn(self, statement: Rows, gap_us: Rows, first: Flags) -> None:
        if len(statement) == 0:
            return
        self._rows += len(statement)
        inside = ~first
        usual = median(gap_us[inside]) if inside.any() else 0.0
        long = inside & (gap_us > _LONG * max(usual, 1.0))
        soon = np.zeros(len(statement), dtype=bool)
        for distance in (1, 2):
            soon[distance:] |= statement[distance:] == statement[:-distance]
        self._count = _added(self._count, statement)
        self._first = _added(self._first, statement[first], len(self._count))
        self._long = _added(self._long, statement[long], len(self._count))
        self._soon = _added(self._soon, statement[soon], len(self._count))
        follows = np.flatnonzero(inside[1:] & (statement[1:] != statement[:-1])) + 1
        if len(self._pairs.items()[0]) < _PAIRS:
            self._pairs.count(statement[follows - 1] << 32 | statement[follows])


def _added(counts: Column, values: Rows, size: int = 0) -> Column:
    """Counts of numbers, with those of some more."""
    more = np.bincount(values, minlength=size)
    longer = grown(counts, len(more))
    longer[: len(more)] += more
    return longer


def _evenness(statement: Rows, size: int) -> Floats:
    """By statement, the middle distance between its executions (in order of time) over the mean."""
    found = np.zeros(size)
    order = np.argsort(statement, kind="stable")
    new = np.flatnonzero(np.diff(statement[order], prepend=-1))
    for start, end in zip(new, np.append(new[1:], len(order)), strict=True):
        if end - start >= _LEAST_BUSY:
            apart = np.diff(order[start:end])
            found[statement[order[start]]] = median(apart) / apart.mean()
    return found
