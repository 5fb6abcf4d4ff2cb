"""Whether a log and counters are about the same executions (docs/p95.md).

Counters tell how many executions there were, a log which of them were slow. Together they give a
quantile only if both are of one window. Where two snapshots or PostgreSQL 17's `stats_since` tell the
counters' window, that is compared; else what each statement's counters say of slow executions is held
against those logged. A log's duration contains what the counters measure, so a statement whose
counters know of a slower execution than the log was counted for longer than the log is (or the log
lacks something). Nothing of that kind in any statement is what "one window" is taken from.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from analyzer.model.snapshot import CounterWindow
from analyzer.model.statement import StatementCounters
from analyzer.records import record
from analyzer.workload.tails import Calls, Ranked

# Two clocks measure one execution: the log's duration contains the counters', but for this.
_TOLERANCE, _TOLERANCE_MS = 1.001, 0.05
_UNCOUNTED = 0.01  # this share of slow executions may be of statements that no counter counts
_PAUSE = 5  # a log may be silent at its ends for so many times its usual pause
_MOST_OUTSIDE = 0.5  # with more, the number of executions is hardly known at all
_SECOND_US = 1_000_000

Kind = Literal["same", "about", "longer", "shorter", "unknown"]


@record
class Pair:
    """A statement's rows of counters, and its executions in the log that took the threshold or longer."""

    rows: Sequence[StatementCounters]
    tail: Ranked

    @property
    def calls(self) -> int:
        """How many executions the counters counted."""
        return sum(row.calls for row in self.rows)


@record
class Span:
    """The time of a log: its first and last execution, and from when to when it was asked for."""

    first_us: int
    last_us: int
    since_us: int | None = None
    until_us: int | None = None

    def pause_us(self, slow: int) -> float:
        """For how long a log of so many slow executions may be silent at its ends."""
        return max(_SECOND_US, _PAUSE * (self.last_us - self.first_us) / slow)


@record
class Relation:
    """What the counters' window is to the log's; `reason` says how that is known, in a clause.

    same: both are of one window. about: up to `outside` (0 to 1) of what was counted may not be of the
    log's. longer: the counters saw more (or the log lacks something). shorter: all that was counted is of
    the log's window, but not all of that was counted. unknown: nothing follows from the counters.
    """

    kind: Kind
    reason: str = ""
    outside: float = 1.0

    def calls(self, counted: int | None, logged: int) -> Calls:
        """How many executions there were in the log's window, by the number that counters have of it."""
        if counted is None or self.kind == "unknown":
            return Calls(logged, None)
        most = max(counted, logged)
        if self.kind == "same":
            return Calls(most, most)
        if self.kind == "shorter":
            return Calls(most, None)
        return Calls(max(math.floor(counted * (1 - self.outside)), logged), most)


NO_COUNTERS = Relation("unknown")


def relate(
    pairs: Iterable[Pair],
    floor_ms: float,
    span: Span | None,
    windows: Sequence[CounterWindow],
) -> Relation:
    """What the counters' window is to that of a log that holds all executions from `floor_ms` on.

    `span` is the log's time (None without executions), `windows` are those that snapshots tell the
    counters to be of.
    """
    pairs = list(pairs)
    rows = [row for pair in pairs for row in pair.rows]
    if not rows:
        return NO_COUNTERS
    lost = "; ".join(
        caveat for one in windows if not one.complete for caveat in one.caveats or ("not told how",)
    )
    against = _against(pairs, floor_ms, windows)
    if against is not None:
        # Where the counters lost some as well, their number limits nothing.
        return replace(against, kind="unknown") if lost else against
    slow = sum(pair.tail.total for pair in pairs)
    if not windows:
        return _by_beginning(rows, slow, span)
    found = _by_snapshots(windows, slow, span)
    if lost:
        reason = f"the counters lost some of their window ({lost})"
        return Relation("shorter" if found.kind == "same" else "unknown", reason)
    return found


def _against(
    pairs: Sequence[Pair], floor_ms: float, windows: Sequence[CounterWindow]
) -> Relation | None:
    """What speaks against one window in the counters themselves; None where nothing does."""
    sources = {row.source for pair in pairs for row in pair.rows}
    if len(sources) > max(1, len(windows)):
        return Relation("unknown", f"{len(sources)} inputs have counters: give those of one window")
    if (lacking := _lacking(pairs)) is not None:
        return Relation("unknown", lacking)
    longer = [one for one in pairs if one.rows and _slower_than_logged(one, floor_ms)]
    if not longer:
        return None
    return Relation(
        "longer",
        f"the counters of {len(longer)} of {len(pairs)} statements know of slower executions than "
        "the log holds, so they are of a longer time, or the log lacks some; snapshots at both ends "
        "of the log's window (pg95 snapshot) would settle it",
    )


def _by_snapshots(windows: Sequence[CounterWindow], slow: int, span: Span | None) -> Relation:
    """By when the snapshots were taken that the counters are the difference of."""
    from_us, to_us = min(one.from_us for one in windows), max(one.to_us for one in windows)
    times = f"{_iso(from_us)} to {_iso(to_us)}"
    if span is not None and slow:
        pause_us = span.pause_us(slow)
        if span.first_us < from_us - _SECOND_US or span.last_us > to_us + _SECOND_US:
            return Relation(
                "unknown",
                f"the log goes beyond the snapshots' window ({times}); --since {_iso(from_us)} "
                f"--until {_iso(to_us)} reads it over that alone",
            )
        silent_us = [
            0 if _about(span.since_us, from_us) else span.first_us - from_us,
            0 if _about(span.until_us, to_us) else to_us - span.last_us,
        ]
        beyond_us = sum(us for us in silent_us if us > pause_us)
        if beyond_us:
            hint = f"{times}; --since and --until with these say that the log is of all that time"
            return _beyond(f"snapshots' window ({hint})", beyond_us / (to_us - from_us))
    return Relation(
        "same", f"the counters are the difference of snapshots over the log's window, {times}"
    )


def _beyond(what: str, share: float) -> Relation:
    """Counters of a time that the log shows nothing of at its ends, a `share` of their window.

    Whether the log does not reach so far or nothing was slow then is not known; traffic is taken to
    have been at most twice as dense there as it was on the whole.
    """
    outside = 2 * share
    told = f"the {what} goes beyond the log's executions by {share:.1%} of it"
    return Relation("about" if outside < _MOST_OUTSIDE else "longer", told, min(outside, 1.0))


def _iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds")


def _about(asked_us: int | None, at_us: int) -> bool:
    """Whether a log was asked for from (or to) a time: who does so says that it reaches so far."""
    return asked_us is not None and abs(asked_us - at_us) <= _SECOND_US


def _by_beginning(rows: Sequence[StatementCounters], slow: int, span: Span | None) -> Relation:
    """By when the counters began, if they tell; else one window is taken from what was compared."""
    begins = [row.since_us for row in rows if row.since_us is not None]
    if begins and span is not None and slow:
        early_us = span.first_us - min(begins)
        if early_us > span.pause_us(slow):
            share = early_us / (span.last_us - min(begins))
            return _beyond("counters' window (stats_since)", share)
        if early_us < -_SECOND_US:
            return Relation("unknown", "the counters began within the log (stats_since)")
        return Relation("same", "the counters began with the log (stats_since)")
    if not any(row.max_ms is not None for row in rows):
        return Relation(
            "longer", "the counters do not tell the slowest execution, nor their window"
        )
    return Relation(
        "same",
        "assumed to be of one window: no statement's counters know of an execution that the log "
        "should hold and does not",
    )


def _lacking(pairs: Sequence[Pair]) -> str | None:
    """Why the counters must lack executions that the log holds; None where they need not."""
    slow = sum(pair.tail.total for pair in pairs)
    missing = [max(0, pair.tail.total - pair.calls) for pair in pairs]
    if sum(missing) <= _UNCOUNTED * slow:
        return None
    count = sum(1 for one in missing if one)
    return (
        f"the counters lack {sum(missing)} logged executions of {count} "
        f"{'statement' if count == 1 else 'statements'}, so they are of a shorter time, of other "
        "databases, or rows were evicted (pg_stat_statements.max)"
    )


def _slower_than_logged(pair: Pair, floor_ms: float) -> bool:
    """Whether counters show that there were slow executions which are not in the log.

    By the slowest; by the time of all that were faster than the threshold, which would have to be
    more than so many can take; and by the sum of their squares.
    """
    logged = pair.tail.high_ms
    slowest = float(logged[-1]) if len(logged) else floor_ms
    maxima = [row.max_ms for row in pair.rows if row.max_ms is not None]
    if maxima and max(maxima) > slowest * _TOLERANCE + _TOLERANCE_MS:
        return True
    counts = pair.tail.each
    fast = max(pair.calls - pair.tail.total, 0)
    total_ms = sum(row.total_ms for row in pair.rows)
    if total_ms - float((counts * logged).sum()) > (fast * floor_ms) * _TOLERANCE + _TOLERANCE_MS:
        return True
    if any(row.stddev_ms is None for row in pair.rows):
        return False
    squares = sum(row.calls * ((row.stddev_ms or 0.0) ** 2 + row.mean_ms**2) for row in pair.rows)
    most = min(fast * floor_ms**2, total_ms * floor_ms)
    return squares - float((counts * logged**2).sum()) > most * _TOLERANCE + _TOLERANCE_MS
