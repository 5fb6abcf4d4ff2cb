"""Parts of the traffic that are held to a target: those configured, and the worst that miss the run's."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analyzer.model.columns import Column, Flags, Rows, distinct
from analyzer.model.executions import Clock
from analyzer.model.statement import Statement, StatementCounters
from analyzer.model.target import PatternTarget, Target, Verdict
from analyzer.model.workload import Promise
from analyzer.records import record
from analyzer.workload import verdicts
from analyzer.workload.cancelled import Stopped, by_name, times, told
from analyzer.workload.judging import Evidence, View, judged
from analyzer.workload.quantiles import rank_of
from analyzer.workload.speakers import SPEAKERS
from analyzer.workload.tails import EMPTY, Ranked, ranked_groups, together
from analyzer.workload.totals import Durations
from analyzer.workload.traffic import SummedRequests

_WORST = (
    3  # of each dimension, of those that miss the run's target, and of those that may by chance
)
_MANY = 5  # executions beyond the quantile to be expected: with so many a figure stands for itself
_CHANCE = 0.05
_ROUNDING = 1e-9
_MOST = 50  # of each entry of the configuration, the worst first
_RANKS = {"missed": 0, "unknown": 1, "met": 2}
_WIDE = 1 << 31


def target_of(statement: Statement, targets: Sequence[PatternTarget]) -> Target | None:
    """The first target of its own that holds for all executions of a statement."""
    for one in targets:
        if one.patterns.keys() <= {"statement", "table"} and _fits(one, statement):
            return one.target
    return None


def _fits(one: PatternTarget, statement: Statement) -> bool:
    names = (statement.shape_id, statement.fingerprint, statement.lineage)
    return one.matches("statement", names) and one.matches("table", statement.facts.tables)


class PatternFigures:
    """Durations of what is configured to have a target of its own, by entry and name."""

    def __init__(
        self,
        targets: Sequence[PatternTarget],
        names: Sequence[str],
        statements: Sequence[Statement],
    ) -> None:
        """`names` and `statements` are the run's tables; there may be more of them with every slice."""
        self.targets = targets
        self._names = names
        self._statements = statements
        self._labels: dict[str, int] = {}  # of what is held to a target, by name
        self._durations = Durations()

    def add(
        self,
        columns: Mapping[str, Column],
        statement: Rows,
        requests: SummedRequests,
        routes: Sequence[str],
    ) -> None:
        """Executions with their statements' numbers, and the requests that they are in.

        Columns duration_ms, octaves, clock, untimed, database, user and application.
        """
        for place, one in enumerate(self.targets):
            rows = self._narrowed(one, columns, statement)
            if one.dimension == "route":
                self._add_requests(place, requests, rows, routes)
                continue
            rows &= (columns["clock"] == Clock.SERVER) & ~columns["untimed"]
            chosen = np.flatnonzero(rows)
            if one.dimension in SPEAKERS:
                numbers = columns[one.dimension][chosen]
            else:
                numbers = statement[chosen]
            for number in distinct(numbers).tolist():
                labels = self._held(one, number)
                values = columns["duration_ms"][chosen[numbers == number]]
                for label in labels:
                    self._note(place, label, values)

    def _narrowed(
        self, one: PatternTarget, columns: Mapping[str, Column], statement: Rows
    ) -> Flags:
        """Which rows all patterns of an entry match that are about executions."""
        rows = np.ones(len(statement), dtype=bool)
        for dimension in SPEAKERS:
            if dimension in one.patterns:
                column = columns[dimension]
                numbers = distinct(column[column >= 0])
                fits = [one.matches(dimension, (self._names[n],)) for n in numbers.tolist()]
                rows &= np.isin(columns[dimension], numbers[np.array(fits, dtype=bool)])
        if {"statement", "table"} & one.patterns.keys():
            numbers = distinct(statement)
            fits = [_fits(one, self._statements[n]) for n in numbers.tolist()]
            rows &= np.isin(statement, numbers[np.array(fits, dtype=bool)])
        return rows

    def _held(self, one: PatternTarget, number: int) -> tuple[str, ...]:
        """The names that a row is held to a target under: its speaker's, its statement's, its tables'."""
        if one.dimension in SPEAKERS:
            return (self._names[number],)
        statement = self._statements[number]
        if one.dimension == "statement":
            return (statement.shape_id,)
        return tuple(name for name in statement.facts.tables if one.matches("table", (name,)))

    def _add_requests(
        self, place: int, requests: SummedRequests, rows: Flags, routes: Sequence[str]
    ) -> None:
        size = len(requests.route)
        some = np.bincount(requests.request[rows], minlength=size) > 0
        some &= (requests.round_trips > 0) & requests.whole & requests.timed & (requests.route >= 0)
        for number in distinct(requests.route[some]).tolist():
            if self.targets[place].matches("route", (routes[number],)):
                mine = some & (requests.route == number)
                self._note(place, routes[number], requests.duration_ms[mine])

    def _note(self, place: int, name: str, values: Column) -> None:
        label = self._labels.setdefault(name, len(self._labels))
        self._durations.add(np.full(len(values), place * _WIDE + label), values)

    def ranked(
        self, stopped: Sequence[Stopped] = ()
    ) -> Iterator[tuple[PatternTarget, str, Ranked]]:
        """Every entry, each name that is held to it, and its durations in order.

        Names of which all executions were `stopped`, too.
        """
        labels = list(self._labels)
        groups = ranked_groups(self._durations)
        for group in sorted(groups):
            yield self.targets[group // _WIDE], labels[group % _WIDE], groups[group]
        done = {(group // _WIDE, labels[group % _WIDE]) for group in groups}
        for place, one in enumerate(self.targets if stopped else ()):
            for name in by_name(Counted((), stopped).stopped(one), one.dimension):
                if (place, name) not in done and one.matches(one.dimension, (name,)):
                    yield one, name, EMPTY


@record
class Counted:
    """Counters with what tells whose they are, and cancelled executions."""

    rows: Sequence[tuple[Statement, StatementCounters]]
    cancelled: Sequence[Stopped]

    def stopped(self, one: PatternTarget) -> list[Stopped]:
        """The cancelled executions that all patterns match; one whose log does not tell a name is none."""
        names = [name for name in (*SPEAKERS, "route") if name in one.patterns]
        return [
            each
            for each in self.cancelled
            if _fits(one, each.statement)
            and all(one.matches(name, each.names(name) or ("",)) for name in names)
        ]

    def evidence(
        self, one: PatternTarget, logged: Ranked, cancelled: Sequence[Stopped]
    ) -> Evidence:
        """What is known of the executions that all patterns match: `logged` are those of the log.

        Counters are left out where they do not tell what a pattern asks for (the application always),
        or count fewer executions than were logged.
        """
        speakers = [name for name in SPEAKERS if name in one.patterns]
        if "application" in speakers:
            rows = []
        else:
            rows = [row for of, row in self.rows if _fits(one, of) and _spoken(one, speakers, row)]
        enough = sum(row.calls for row in rows) >= logged.total
        return Evidence(
            logged,
            rows if enough else None,
            cancelled_ms=times(cancelled),
            cancelled_told=told(cancelled),
        )


def _spoken(one: PatternTarget, speakers: Sequence[str], row: StatementCounters) -> bool:
    names = {"database": row.database, "user": row.user}
    return all(one.matches(speaker, (names[speaker] or "",)) for speaker in speakers)


def configured(figures: PatternFigures, counted: Counted, view: View) -> list[Promise]:
    """What has a target of its own; where several entries are about one thing, the first counts."""
    found: dict[tuple[str, str, str], tuple[PatternTarget, Promise]] = {}
    for one, name, logged in figures.ranked(counted.cancelled):
        others = ", ".join(f"{of} {glob}" for of, glob in sorted(one.others.items()))
        key = (one.dimension, name, others)
        if key in found:
            continue
        alone = PatternTarget({**one.patterns, one.dimension: _literally(name)}, one.target)
        stopped = counted.stopped(alone)
        if one.dimension == "route":
            verdict = of_requests(logged, stopped, one.target, view)
        else:
            verdict = judged(counted.evidence(alone, logged, stopped), one.target, view)
        shown = f"{name} ({others})" if others else name
        found[key] = one, Promise(one.dimension, shown, one.target, verdict, configured=True)
    kept: list[Promise] = []
    for entry in figures.targets:
        mine = [promise for one, promise in found.values() if one is entry]
        kept += sorted(mine, key=_worst_first)[:_MOST]
    return kept


def of_requests(ranked: Ranked, stopped: Sequence[Stopped], target: Target, view: View) -> Verdict:
    """The verdict on requests' database time: none of a log that does not show whole requests.

    `stopped` were cancelled, each in one of these requests or in another one.
    """
    if view.sampling is not None:
        return verdicts.nothing("the log is a sample, which shows no whole request")
    if view.floor_ms is not None:
        return verdicts.nothing(
            f"statements faster than {view.floor_ms:g} ms are not logged, so no request is whole"
        )
    return judged(_requests(ranked, stopped), target, View())


def _requests(ranked: Ranked, stopped: Sequence[Stopped]) -> Evidence:
    return Evidence(
        ranked,
        cancelled_ms=times(stopped),
        what="requests",
        cancelled_told=told(stopped),
        apart=False,
    )


def _literally(name: str) -> str:
    """The glob that matches a name alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def missing(
    dimension: str,
    parts: Mapping[str, Sequence[Ranked]],
    target: Target,
    counted: Counted,
    view: View,
) -> list[Promise]:
    """The worst of a dimension's names that miss the run's target; durations by name, in parts.

    Behind them those of which there are too few to say so.
    """
    sure, few = [], []
    cancelled = by_name(counted.cancelled, dimension)
    for name, some in parts.items():
        own = PatternTarget({dimension: _literally(name)}, target)
        stopped = cancelled.get(name, [])
        if view.sampling is None and not _may_miss(some, len(stopped), target):
            continue
        logged = together(some)
        if dimension == "route":
            evidence = _requests(logged, stopped)
            verdict = of_requests(logged, stopped, target, view)
        else:
            evidence = counted.evidence(own, logged, stopped)
            verdict = judged(evidence, target, view)
        if verdict.verdict != "missed":
            continue
        if view.sampling is None and (slow := _too_few(evidence, verdict.count, target)):
            few.append(
                _undecided(Promise(dimension, name, target, verdict, configured=False), slow)
            )
        else:
            sure.append(Promise(dimension, name, target, verdict, configured=False))
    return [*sorted(sure, key=_worst_first)[:_WORST], *sorted(few, key=_worst_first)[:_WORST]]


def _too_few(evidence: Evidence, count: int, target: Target) -> int:
    """How many of a few executions were slower than the target, if that may be chance; else 0.

    It is where the lower end of the quantile's one-sided 95 % interval, that of order statistics, is not
    above the target: with a share of 1 - q slower, as many would be slower in one of twenty draws. (A
    sample's interval has that in it.)
    """
    tail = 1 - target.quantile
    if tail <= 0 or count * tail >= _MANY:
        return 0
    slow = evidence.logged.from_ms(math.nextafter(target.ms, math.inf)).total
    slow += int(np.count_nonzero(evidence.cancelled_ms > target.ms))
    fewer = sum(math.comb(count, n) * tail**n * target.quantile ** (count - n) for n in range(slow))
    return slow if 1 - fewer >= _CHANCE - _ROUNDING else 0


def _undecided(promise: Promise, slow: int) -> Promise:
    verdict = promise.verdict
    reason = (
        f"{verdict.reason}; {slow} of {verdict.count} slower than the target are too few to tell "
        "from chance"
    )
    return replace(
        promise, verdict=replace(verdict, verdict="unknown", reason=reason), too_few=True
    )


def _may_miss(parts: Sequence[Ranked], cancelled: int, target: Target) -> bool:
    """Whether enough of the executions may be slower: with those not logged, it takes more."""
    slow = sum(part.from_ms(target.ms).total for part in parts) + cancelled
    total = sum(part.total for part in parts) + cancelled
    return total > 0 and slow > total - 1 - rank_of(target.quantile, total)


def _worst_first(promise: Promise) -> tuple[int, float, str]:
    verdict = promise.verdict
    figure = verdict.value_ms if verdict.value_ms is not None else verdict.low_ms
    return _RANKS[verdict.verdict], -(figure or 0.0), promise.name
