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
from analyzer.native import compiled, twin_in
from analyzer.workload.spread import Spread
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
# Stretches of the order of time in which a statement's executions are counted, and their lengths: longer
# than most loops.
_STRETCHES = 20
_STRETCH = (50, 400)
_INTERLEAVED = 10.0  # statements before an execution, on average, where connections are shared
# Executions on a connection, on average, from which a pooler may be what keeps it; of few connections
# the second is enough.
_KEPT = 2_000
_KEPT_OF_FEW = 500
_FEW_CONNECTIONS = 8
_IDLE_US = 250_000  # without any execution, where requests use several connections
_PAIRS = 500_000  # pairs of neighbours that are remembered
_LEARNT_ROWS = 2_000_000  # executions after which most slices teach nothing new
_LEARNT_EVERY = 8

_twin = twin_in(compiled("analyzer.workload.native._learning"))


class Openers:
    """Learns from slice to slice, while it is `learning`; statements are numbers."""

    def __init__(self) -> None:
        self.learning = True
        self.marker = -1  # what each request runs once, where connections are shared; else -1
        self.paced = False  # whether requests begin behind pauses
        self.spread = Spread()
        self._by_time = False  # whether what is learnt is of the order of time, not of connections
        self._slices = 0
        self._found = np.zeros(0, dtype=bool)
        self._forget()

    def _forget(self) -> None:
        self._count = np.zeros(0, dtype=np.int64)
        self._first = np.zeros(0, dtype=np.int64)
        self._long = np.zeros(0, dtype=np.int64)
        self._soon = np.zeros(0, dtype=np.int64)
        self._checks: set[int] = set()
        self._pairs = Totals()  # of before << 32 | statement
        self._before = np.zeros(0)  # by statement, how many different ones stand before it
        self._rows = 0
        self._sessions = 0  # counted again in each slice

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
            if self.spread.found and not self._by_time:
                self._forget()
                self._by_time = True
            self._sessions += sessions
            counted = np.flatnonzero(opens != NEVER)
            self._checks.update(statement[opens == CHECK].tolist())
            if self._by_time:  # no connection shows where a request begins, but all together may
                counted = counted[np.argsort(end_us[counted], kind="stable")]
                gap_us = np.diff(end_us[counted], prepend=end_us[counted][:1])
                self._learn(statement[counted], gap_us, gap_us > _IDLE_US)
            else:
                self._learn(statement[counted], gap_us[counted], first[counted])
            self._before = self._different_before()
            self._found = self._openers()
            self.marker = self._mark(statement, end_us, counted)
            if self._by_time:
                self._found, self.paced = np.zeros(len(self._count), dtype=bool), False
        self._found = grown(self._found, int(statement.max()) + 1)
        found: Flags = self._found[statement]
        return found

    @property
    def shared(self) -> bool:
        """Whether connections are shared by several requests at once: anything stands before anything."""
        if self.spread.found:
            return True
        often = self._count >= _LEAST_BUSY
        few = self._sessions <= _FEW_CONNECTIONS
        if not often.any() or self._rows < (_KEPT_OF_FEW if few else _KEPT) * self._sessions:
            return False
        mean = np.average(self._before, weights=self._count * often)
        return bool(mean > _INTERLEAVED)

    def _mark(self, statement: Rows, end_us: Rows, counted: Rows) -> int:
        """The statement that each request runs about once, where connections are shared; else -1.

        It stands behind the most different ones, is frequent, and comes evenly: a loop's come in crowds. A
        pool's checks of its connections tell it without a guess.
        """
        if not self.shared:
            return -1
        sure = self._found if self._by_time else self._checked()
        if sure is not None and sure.any():
            return int(np.argmax(np.where(sure, self._count, 0)))
        # Where requests stand beside each other, two of them run it one after the other by chance.
        by_chance = 2 * self._count / max(self._rows, 1)
        often = self._count >= _LEAST_BUSY
        often &= self._soon <= (_SELF_SHARE + by_chance) * self._count
        score = np.where(often, self._before * self._count, 0.0)
        in_time = counted[np.argsort(end_us[counted], kind="stable")]
        score /= np.maximum(_crowding(statement[in_time], len(score)), 1.0) ** 2
        return int(np.argmax(score)) if score.any() else -1

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
        if self.shared and not self._by_time:
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
        tallies, pairs, times = tallied(statement, gap_us, first)
        size = max(tallies.shape[1], len(self._count))
        for name, more in zip(("_count", "_first", "_long", "_soon"), tallies, strict=True):
            setattr(self, name, _added(getattr(self, name), more, size))
        if len(self._pairs.items()[0]) < _PAIRS:
            self._pairs.add(pairs, times)


def middle_gap(gap_us: Rows, first: Flags) -> float:
    """The middle one of the gaps (≥ 0) of rows that are not `first`, or the mean of the middle two; 0 of none."""
    gaps = gap_us[~first]
    return median(gaps) if len(gaps) else 0.0


@_twin
def tallied(statement: Rows, gap_us: Rows, first: Flags) -> tuple[Column, Rows, Rows]:
    """What is counted by statement, one row each: executions, those first, behind a long gap, and soon behind another.

    And pairs of neighbours, before << 32 | statement, ascending, and how often each stands there.
    """
    inside = ~first
    long = inside & (gap_us > _LONG * max(middle_gap(gap_us, first), 1.0))
    soon = np.zeros(len(statement), dtype=bool)
    for distance in (1, 2):
        soon[distance:] |= statement[distance:] == statement[:-distance]
    size = int(statement.max(initial=-1)) + 1
    some = (statement, statement[first], statement[long], statement[soon])
    follows = np.flatnonzero(inside[1:] & (statement[1:] != statement[:-1])) + 1
    keys = statement[follows - 1] << 32 | statement[follows]
    pairs, times = np.unique(keys, return_counts=True)
    return np.array([np.bincount(one, minlength=size) for one in some]), pairs, times


def _added(counts: Rows, more: Rows, size: int) -> Rows:
    """Counts by number with some more, and room for at least `size`."""
    longer = grown(counts, size)
    longer[: len(more)] += more
    return longer


def _crowding(statement: Rows, size: int) -> Floats:
    """By statement (in order of time), how unevenly it comes: 1 at random, n where n come together.

    The variance over the mean of how often it comes in stretches of the same length, but for the first: where a log
    begins with the application, all its clients begin with what each request runs.
    """
    length = min(max(len(statement) // _STRETCHES, _STRETCH[0]), _STRETCH[1])
    count = max(len(statement) // length, 1)
    stretch = np.minimum(np.arange(len(statement)) // length, count - 1)
    if count > 1:
        statement, stretch, count = statement[length:], stretch[length:], count - 1
    pairs, times = np.unique(statement << 32 | stretch, return_counts=True)
    number = pairs >> 32
    mean = np.bincount(number, weights=times, minlength=size) / count
    square = np.bincount(number, weights=times.astype(np.float64) ** 2, minlength=size) / count
    found: Floats = (square - mean**2) / np.maximum(mean, 1 / count)
    return found
