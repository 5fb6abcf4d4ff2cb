"""Figures and verdicts of any part of the traffic: the best method that the input allows (docs/p95.md).

The part may be a statement, a database or all that ran: what is known of it is its `Evidence`, what is
known of log and counters as a whole the `View`. The methods are tried best first, unless one is asked
for (`View.method`).
"""

import math
from collections.abc import Sequence
from dataclasses import field, replace

import numpy as np

from analyzer.errors import UsageError
from analyzer.model.columns import Floats
from analyzer.model.sampling import Sampling
from analyzer.model.statement import StatementCounters
from analyzer.model.target import METHODS, Target, Verdict
from analyzer.records import record
from analyzer.workload import verdicts
from analyzer.workload.quantiles import Quantile, buckets_of, edges_of, octaves
from analyzer.workload.tails import (
    EMPTY,
    NONE,
    Calls,
    Interval,
    Ranked,
    interval,
    interval_within,
    shifted,
)
from analyzer.workload.windows import NO_COUNTERS, Relation

AUTO = METHODS[0]


@record
class View:
    """What a log shows of the traffic, and what counters are to it.

    `floor_ms`: the log holds every execution that took so long or longer; None: all. `sampling`: which
    share of the others it holds, too. `method` is the one asked for.
    """

    floor_ms: float | None = None
    sampling: Sampling | None = None
    relation: Relation = NO_COUNTERS
    method: str = AUTO

    @property
    def tail_ms(self) -> float | None:
        """From which duration on the log holds every execution, in a sample, too; None: from none, or all."""
        return self.floor_ms if self.sampling is None else self.sampling.threshold_ms


@record
class Evidence:
    """What is known of a part of the traffic.

    `logged` are its executions in the log. `counters` are its rows of pg_stat_statements, None where
    they cannot be told from others'. `uncounted` logged executions are of statements without counters.
    `cancelled_ms` is what executions that were cancelled took at least, `cancelled_told` where from that
    is known, in words; `apart`: they are none of those logged (else they may be parts of these).
    `clustering` is the design effect of a sample. `what` names its executions in reasons.
    """

    logged: Ranked = EMPTY
    counters: Sequence[StatementCounters] | None = None
    uncounted: int = 0
    cancelled_ms: Floats = field(default_factory=lambda: NONE)
    clustering: float = 1.0
    what: str = "executions"
    cancelled_told: str = ""
    apart: bool = True

    @property
    def counted(self) -> int | None:
        """How many executions there were by the counters (and those logged that have none)."""
        if not self.counters:
            return None
        return sum(row.calls for row in self.counters) + self.uncounted


def judged(evidence: Evidence, target: Target, view: View) -> Verdict:
    """The quantile and its verdict, by the method asked for where it can be, else by the best."""
    if view.method != AUTO:
        forced = _by_method(evidence, target, view)
        if isinstance(forced, Verdict):
            return forced
    if evidence.logged.total == 0 and not len(evidence.cancelled_ms):
        return _unlogged(evidence, target, view)
    if view.sampling is not None:
        return _sample_or_tail(evidence, target, view, view.sampling)
    if view.floor_ms is None:
        return _whole(evidence, target)
    return _tail(evidence, target, view, view.floor_ms)


def insist(evidence: Evidence, target: Target, view: View) -> None:
    """Hold that the method asked for can be had.

    Raises:
        UsageError: the input does not allow it; the message says why.
    """
    if view.method == AUTO:
        return
    answer = _by_method(evidence, target, view)
    if isinstance(answer, str):
        raise UsageError(f"--method {view.method}: {answer}; --method auto takes the best there is")


def _by_method(evidence: Evidence, target: Target, view: View) -> Verdict | str:
    """The verdict by one method, or why it cannot be had."""
    match view.method:
        case "exact" | "histogram":
            return _by_whole_log(evidence, target, view)
        case "tail-exact":
            return _by_tail(evidence, target, view)
        case "sampled":
            if view.sampling is None:
                return "the log is not known to be a sample (--log-sample-rate)"
            return _sampled(evidence, target, view, view.sampling)
        case _:
            return _by_counters(evidence, target, view)


def _by_whole_log(evidence: Evidence, target: Target, view: View) -> Verdict | str:
    if view.sampling is not None:
        return "the log is a sample"
    if view.floor_ms is not None:
        return f"the log leaves out executions faster than {view.floor_ms:g} ms"
    if evidence.logged.total == 0:
        return "no execution was logged"
    if view.method == "histogram":
        return _whole(replace(evidence, logged=_in_buckets(evidence.logged)), target)
    if evidence.logged.method != "exact":
        return "there are too many executions to keep each duration"
    return _whole(evidence, target)


def _by_tail(evidence: Evidence, target: Target, view: View) -> Verdict | str:
    if view.tail_ms is None:
        return "it is for a log of all slow executions (log_min_duration_statement above 0)"
    if not evidence.counters:
        return "it needs pg_stat_statements of the log's window beside the log (a saved CSV, --dsn)"
    if view.relation.kind not in ("same", "about"):
        return view.relation.reason
    if view.sampling is None:
        return _tail(evidence, target, view, view.tail_ms)
    slow, tail_ms = _slow_of(evidence, view.tail_ms)
    return _tail(slow, target, view, tail_ms)


def _by_counters(evidence: Evidence, target: Target, view: View) -> Verdict | str:
    found = None if not evidence.counters else _counted(evidence, target)
    if view.method == "estimated":
        if found is None:
            return "it needs counters of pg_stat_statements"
        if found.method != "estimated":
            return "the deviation is too large for an estimate (above 1.5 times the mean), or not known"
        return found
    if found is not None:
        return replace(found, value_ms=None, method="bound")
    if view.sampling is None and view.floor_ms is not None:
        return _tail(replace(evidence, counters=None), target, view, view.floor_ms)
    return "it needs counters of pg_stat_statements, or a log of slow executions"


def _counted(evidence: Evidence, target: Target) -> Verdict:
    if not evidence.counters:
        return verdicts.nothing("no execution of a statement was seen")
    return verdicts.from_counters(evidence.counters, target)


def _unlogged(evidence: Evidence, target: Target, view: View) -> Verdict:
    """Of what the log has no execution of: where it should have the slow ones, none was slow."""
    found = _counted(evidence, target)
    tail_ms = view.tail_ms
    if view.relation.kind != "same" or tail_ms is None or found.high_ms is None:
        return found
    if found.high_ms <= tail_ms:
        return found
    low, value = (
        None if one is None else min(one, tail_ms) for one in (found.low_ms, found.value_ms)
    )
    return replace(
        found,
        value_ms=value,
        low_ms=low,
        high_ms=tail_ms,
        verdict=verdicts.judge(low, tail_ms, target),
        reason=f"{found.reason}; none took {tail_ms:g} ms or longer, or it were in the log "
        f"({view.relation.reason})",
    )


def _whole(evidence: Evidence, target: Target) -> Verdict:
    """Of a log that holds every execution."""
    logged, count = evidence.logged, evidence.logged.total
    if evidence.apart:
        found = interval(logged, 0.0, Calls(count, count), evidence.cancelled_ms, target.quantile)
    else:
        found = interval_within(logged, evidence.cancelled_ms, target.quantile)
    reason = f"every one of {count} {evidence.what} is in the input"
    if logged.method != "exact":
        reason += (
            "; too many to keep each duration, so the figure is a histogram's, at most 1.1 % off"
        )
    return _verdict(found, logged.method, count, reason, evidence, target)


def _tail(evidence: Evidence, target: Target, view: View, floor_ms: float) -> Verdict:
    """Of a log that holds what took `floor_ms` or longer, with the number of all where it is known."""
    slow = evidence.logged.from_ms(floor_ms).total
    counted = evidence.counted
    calls = view.relation.calls(counted, slow)
    found = interval(evidence.logged, floor_ms, calls, evidence.cancelled_ms, target.quantile)
    if calls.most is None or view.relation.kind not in ("same", "about"):
        reason = (
            f"{evidence.what} faster than {floor_ms:g} ms are not in the log: the quantile of those "
            "that are is an upper bound"
        )
        reason += f"; {view.relation.reason}" if view.relation.reason else ""
        count = slow if counted is None else max(counted, slow)
        return _verdict(found, "bound", count, reason, evidence, target)
    below = found.high_ms is not None and found.high_ms <= floor_ms
    if below and found.value_ms is None and evidence.counters and not len(evidence.cancelled_ms):
        found = _narrowed(found, evidence.counters, target)
    where = "among them" if found.low_ms >= floor_ms else f"below {floor_ms:g} ms"
    if found.low_ms < floor_ms < (found.high_ms or math.inf):
        where = "among them or below"
    number = str(calls.most) if calls.least == calls.most else f"{calls.least} to {calls.most}"
    reason = (
        f"{slow} of {number} {evidence.what} took {floor_ms:g} ms or longer and are in the log, "
        f"so the quantile is {where}; their number is from the counters ({view.relation.reason})"
    )
    return _verdict(found, "tail-exact", calls.most, reason, evidence, target)


def _narrowed(found: Interval, counters: Sequence[StatementCounters], target: Target) -> Interval:
    """The interval of a quantile below the threshold, within the bounds that counters give."""
    bounds = verdicts.from_counters(counters, target)
    high = min(one for one in (found.high_ms, bounds.high_ms) if one is not None)
    return Interval(None, min(max(found.low_ms, bounds.low_ms or 0.0), high), high)


def _slow_of(evidence: Evidence, tail_ms: float) -> tuple[Evidence, float]:
    """The slow executions of a log that holds them all, and from which duration on these are.

    A bucket that the threshold cuts may hold sampled ones as well, so it is left out.
    """
    logged = evidence.logged
    if logged.counts is None:
        return replace(evidence, logged=logged.from_ms(tail_ms)), tail_ms
    first = int(np.searchsorted(logged.low_ms, tail_ms))
    edges = logged.low_ms[first:] if first < len(logged.low_ms) else logged.high_ms[-1:]
    slow = Ranked(
        logged.low_ms[first:],
        logged.middle_ms[first:],
        logged.high_ms[first:],
        logged.counts[first:],
    )
    return replace(evidence, logged=slow), max([tail_ms, *edges[:1].tolist()])


def _sample_or_tail(evidence: Evidence, target: Target, view: View, sampling: Sampling) -> Verdict:
    """Of a sample that has all slow executions, and counters beside it: whatever says more.

    The quantile is exact if it is among the slow ones; below, the sample is nearer, unless only the
    threshold tells on which side of the target it is.
    """
    sampled = _sampled(evidence, target, view, sampling)
    known = evidence.counters and view.relation.kind in ("same", "about")
    if view.tail_ms is None or not known:
        return sampled
    slow, tail_ms = _slow_of(evidence, view.tail_ms)
    found = _tail(slow, target, view, tail_ms)
    surer = sampled.verdict == "unknown" and found.verdict != "unknown"
    exact = found.value_ms is not None and found.low_ms is not None and found.low_ms >= tail_ms
    return found if exact or surer else sampled


def _sampled(evidence: Evidence, target: Target, view: View, sampling: Sampling) -> Verdict:
    """Of a sampled log; where it also leaves fast executions out, what is drawn is a bound."""
    sample = evidence.logged.sample(sampling)
    cancelled = len(evidence.cancelled_ms)
    below, above = shifted(target.quantile, sample.calls, cancelled)
    low, high = (sample.quantile(at, evidence.clustering) for at in (below, above))
    quantile = Quantile(high.value_ms, low.low_ms, high.high_ms, "sampled")
    found = verdicts.from_sample(
        quantile, round(sample.calls), evidence.logged.total, target, view.floor_ms, sampling
    )
    return replace(found, reason=found.reason + _beside(evidence))


def _verdict(
    found: Interval, method: str, count: int, reason: str, evidence: Evidence, target: Target
) -> Verdict:
    verdict = verdicts.judge(found.low_ms, found.high_ms, target)
    cancelled = len(evidence.cancelled_ms)
    reason += _beside(evidence)
    count = count + cancelled if evidence.apart else max(count, cancelled)
    return Verdict(found.value_ms, found.low_ms, found.high_ms, method, verdict, count, reason)


def _beside(evidence: Evidence) -> str:
    cancelled = len(evidence.cancelled_ms)
    if not cancelled:
        return ""
    if evidence.apart:
        what = "one that was" if cancelled == 1 else f"{cancelled} that were"
    else:
        what = (
            "one with a statement that was"
            if cancelled == 1
            else f"{cancelled} statements that were"
        )
    counts = "counts" if cancelled == 1 else "count"
    told = f" ({evidence.cancelled_told})" if evidence.cancelled_told else ""
    return f"; {what} cancelled {counts} with at least the time taken until then{told}"


def _in_buckets(ranked: Ranked) -> Ranked:
    """Durations as the histogram that is kept of very many."""
    if ranked.counts is not None:
        return ranked
    buckets, counts = np.unique(buckets_of(octaves(ranked.middle_ms)), return_counts=True)
    return Ranked(*edges_of(buckets), counts)
