"""What a history keeps of the nights: figures by hour, runs and their verdicts, findings."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from analyzer.model.histogram import Histogram, Quantile, rank_of
from analyzer.records import record

HOUR_US = 3_600_000_000
DAY_HOURS = 24
_Z = 1.96  # a normal variable is within so many deviations with a chance of 95 %


@record
class StatementName:
    """A statement as a history knows it: its identity, its normalised text, its tables and kind."""

    shape_id: str
    fingerprint: str
    lineage: str
    sql: str
    kind: str
    tables: Sequence[str] = ()


@record
class Figures:
    """Executions over some hours, and how long they took. They add up in any order.

    `calls` are all that ran, as far as is known, `samples` those that were seen with a duration.
    `histogram` stands for what was seen, by weight where the log was a sample: it holds more than
    `samples` then, and less than `calls` where executions faster than `floor_ms` are not logged but
    counted. `squares` is the sum of squared durations (ms²), None where it is not known. `untimed`
    of the calls have no duration anywhere. `client`: on the client's clock.
    """

    calls: int
    total_ms: float
    histogram: Histogram
    samples: int
    min_ms: float | None = None
    max_ms: float | None = None
    squares: float | None = None
    untimed: int = 0
    floor_ms: float | None = None
    client: bool = False

    def quantile(self, quantile: float) -> Quantile | None:
        """The quantile of what ran, and what it lies between; None of nothing.

        What is missing from the histogram was faster than `floor_ms`, so ranks count from the slow
        end; where nobody counted that, the quantile of what was logged is a bound. Where the histogram stands for more than was seen, the interval is that of order
        statistics, as for sampled logs (docs/p95.md).
        """
        held = self.histogram.total
        if held == 0:
            return None
        ran = max(self.calls - self.untimed, held)
        rank = rank_of(quantile, ran) - (ran - held)
        if rank < 0:  # among those that are only counted
            floor_ms = self.floor_ms
            return Quantile(floor_ms or 0.0, 0.0, floor_ms, "bound")
        low, middle, high = self.histogram.at_rank(rank)
        if self.floor_ms is not None and ran == held:
            return Quantile(middle, 0.0, high, "bound")
        if self.samples >= held:
            return Quantile(middle, low, high, "histogram" if ran == held else "tail-exact")
        margin = math.ceil(_Z * math.sqrt(quantile * (1 - quantile) / max(self.samples, 1)) * held)
        below, above = max(rank - margin, 0), min(rank + margin, held - 1)
        high_ms = self.histogram.at_rank(above)[2] if rank + margin < held else None
        return Quantile(middle, self.histogram.at_rank(below)[0], high_ms, "sampled")

    def without(self, other: "Figures") -> "Figures | None":
        """What is left when executions that are among these are taken away; None where none are.

        The fastest and the slowest of what is left are not known, and `floor_ms` is that of all.
        """
        calls = self.calls - other.calls
        if calls <= 0:
            return None
        known = self.squares is not None and other.squares is not None
        return replace(
            self,
            calls=calls,
            total_ms=max(self.total_ms - other.total_ms, 0.0),
            histogram=self.histogram.without(other.histogram),
            samples=self.samples - other.samples,
            min_ms=None,
            max_ms=None,
            squares=max((self.squares or 0.0) - (other.squares or 0.0), 0.0) if known else None,
            untimed=self.untimed - other.untimed,
        )

    @staticmethod
    def merged(parts: Iterable["Figures"], histogram: Histogram | None = None) -> "Figures | None":
        """Figures of one clock together; None of none. `histogram` is theirs, if it is known."""
        found = list(parts)
        if len(found) <= 1:
            return found[0] if found else None
        floors = [one.floor_ms for one in found if one.floor_ms is not None]
        squares = [one.squares for one in found]
        return replace(
            found[0],
            calls=sum(one.calls for one in found),
            total_ms=math.fsum(one.total_ms for one in found),
            histogram=histogram or Histogram.merged(one.histogram for one in found),
            samples=sum(one.samples for one in found),
            min_ms=min((one.min_ms for one in found if one.min_ms is not None), default=None),
            max_ms=max((one.max_ms for one in found if one.max_ms is not None), default=None),
            squares=None if None in squares else math.fsum(one or 0.0 for one in squares),
            untimed=sum(one.untimed for one in found),
            floor_ms=max(floors, default=None),
        )


@record
class HourFigures:
    """The figures of an hour: of one statement, or (`statement` None) of all of the team's.

    `start_us` is when the hour (or the day, `hours` 24) began, UTC.
    """

    statement: StatementName | None
    start_us: int
    figures: Figures
    hours: int = 1


@record
class Run:
    """One analysis that was stored: its window, its verdict.

    `kind` is report or nightly, `log_set` which logs it read (a name of the configuration).
    `from_us` and `to_us` are the window's ends (None where nothing has a time), `made_us` is when
    it was stored. `target` is report.json's `target`, without the histogram. `judged` are the
    detectors that could judge: what one of them does not find is not there.
    """

    kind: str
    made_us: int
    from_us: int | None
    to_us: int | None
    target: Mapping[str, Any]
    log_set: str = ""
    errors: int = 0
    judged: Sequence[str] = ()
    id: int | None = None


@record
class KnownFinding:
    """A finding as the history knows it.

    `status` is ongoing, gone or acknowledged. `about` is the lineage whose running shows that the
    pattern is gone (of a loop: the parent's), None where no statement tells. `scope` is what showed
    it: executions, counters or plans. `facts` has what a report shows of it beside: confidence,
    shape_ids, fingerprints, tables, routes.
    """

    key: str
    detector: str
    about: str | None
    scope: str
    severity: str
    title: str
    status: str
    first_us: int
    last_us: int
    gone_us: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@record
class Seen:
    """What became of a finding, seen against the history.

    `status` is new, ongoing, gone or acknowledged. `known` is what the history had (None of a new
    one); `returned`: it had been gone before.
    """

    key: str
    status: str
    known: KnownFinding | None = None
    returned: bool = False


@record
class Alert:
    """Something to be told through a `channel` (webhook, mail); `message` is JSON."""

    channel: str
    made_us: int
    message: Mapping[str, Any]
    id: int | None = None


@record
class TrendPoint:
    """The figures of one day or hour of a trend."""

    from_us: int
    to_us: int
    figures: Figures
