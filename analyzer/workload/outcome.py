"""What a run's figures come to: how log and counters complete each other, and the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analyzer.model.coverage import Coverage
from analyzer.model.executions import Clock
from analyzer.model.recording import Recording
from analyzer.model.statement import Role, Statement, StatementCounters
from analyzer.model.target import RequestVerdict, Target, Verdict
from analyzer.model.workload import Promise
from analyzer.records import record
from analyzer.workload import verdicts
from analyzer.workload.cancelled import Stopped, by_name, times, told
from analyzer.workload.figures import Seen
from analyzer.workload.judging import Evidence, View, insist, judged
from analyzer.workload.partial import Figures
from analyzer.workload.promises import Counted, PatternFigures, configured, missing, of_requests
from analyzer.workload.statement_stats import Sums
from analyzer.workload.tails import EMPTY, Ranked, together
from analyzer.workload.windows import NO_COUNTERS, Pair, Relation, Span, relate

_FEW = 20  # the fastest of fewer executions does not tell the threshold of a log


@record
class Outcome:
    """All that a run's verdicts are read off: `seen` and `sums` are by the places of `statements`.

    `cancelled` are the team's executions that were.
    """

    recording: Recording
    figures: Figures
    statements: Sequence[Statement]
    seen: Mapping[int, Seen]
    sums: Mapping[int, Sums]
    target: Target
    view: View
    cancelled: Sequence[Stopped] = ()

    def overall(self) -> tuple[Verdict, Verdict | None]:
        """The database's verdict, and the client's where there are client events.

        Raises:
            UsageError: the method asked for cannot be had.
        """
        target, traffic = self.target, self.figures.traffic
        client = self._client()
        ranked = traffic.ranked(Clock.SERVER)
        evidence = self._evidence(ranked)
        if ranked.total == 0 and not evidence.counters and client is not None:
            return verdicts.from_client(client, target), client
        insist(evidence, target, self.view)
        return judged(evidence, target, self.view), client

    def _evidence(self, ranked: Ranked) -> Evidence:
        """What is known of all the team's executions."""
        counters: list[StatementCounters] = []
        uncounted = 0
        for number, found in self._working():
            counters += found.counters
            known = self.seen.get(number)
            if known is not None and not known.client:
                slow = known.ranked.from_ms(self.view.tail_ms or 0.0).total
                uncounted += max(0, slow - sum(row.calls for row in found.counters))
        sampling = self.view.sampling
        drawn = sampling is not None and sampling.whole_transactions
        return Evidence(
            ranked,
            counters,
            uncounted,
            times(self.cancelled),
            self.figures.requests.clustering() if drawn else 1.0,
            cancelled_told=told(self.cancelled),
        )

    def _working(self) -> list[tuple[int, Sums]]:
        """The team's statements: their places and sums."""
        return [
            (number, self.sums.get(number, Sums()))
            for number, statement in enumerate(self.statements)
            if statement.facts.role is Role.WORKLOAD
        ]

    def _client(self) -> Verdict | None:
        quantile, count = self.figures.client.overall([0], self.target.quantile)
        if untimed := self.figures.traffic.untimed:
            return verdicts.nothing(f"{untimed} client calls are logged without a duration")
        if quantile is None:
            return None
        return verdicts.from_quantile(quantile, count, self.target, None, "client calls")

    def requests(self) -> RequestVerdict | None:
        """The verdict on database time per request, None where there are none."""
        requests = self.figures.requests
        unit = requests.unit()
        if unit is None:
            return None
        ranked = together(list(requests.ranked().values()))
        if ranked.total == 0 and not self.cancelled:
            verdict = verdicts.nothing(
                "no request has a time: the log tells no durations, or not when requests began"
            )
        else:
            verdict = of_requests(ranked, self.cancelled, self.target, self.view)
        return RequestVerdict(unit, verdict, requests.round_trips(self.target.quantile))

    def promises(self, patterns: PatternFigures, routes: Sequence[str]) -> list[Promise]:
        """What has a target of its own, and the worst of each dimension that misses the run's.

        Entries of the configuration that nothing matched are a warning.
        """
        rows = [(self.statements[n], row) for n, found in self._working() for row in found.counters]
        counted = Counted(rows, self.cancelled)
        found = configured(patterns, counted, self.view)
        self._note_unmatched(patterns)
        own = {(one.dimension, one.name) for one in found}
        for dimension, parts in self._parts(routes).items():
            worst = missing(dimension, parts, self.target, counted, self.view)
            found += [one for one in worst if (one.dimension, one.name) not in own]
        return found

    def _note_unmatched(self, patterns: PatternFigures) -> None:
        matched = [id(one) for one, _name, _ranked in patterns.ranked(self.cancelled)]
        for one in patterns.targets:
            if id(one) not in matched:
                what = ", ".join(f"{of} = {glob}" for of, glob in one.patterns.items())
                self.recording.coverage.warnings.append(
                    f"the target of {what} is about nothing here: no logged execution matches"
                )

    def _parts(self, routes: Sequence[str]) -> dict[str, dict[str, list[Ranked]]]:
        """By dimension and name, the durations of what is not configured.

        One name alone is all there is: nothing new is said of it.
        """
        names = self.recording.names.texts
        found = {
            dimension: {names[number]: some for number, some in parts.items()}
            for dimension, parts in self.figures.speakers.ranked().items()
        }
        tables: dict[str, list[Ranked]] = {}
        for number, _ in self._working():
            known = self.seen.get(number)
            for table in self.statements[number].facts.tables if known else ():
                if known is not None and not known.client:
                    tables.setdefault(table, []).append(known.ranked)
        by_route = self.figures.requests.ranked()
        found["route"] = {routes[n]: [one] for n, one in by_route.items() if n >= 0}
        found["table"] = tables
        for dimension, parts in found.items():
            for name in by_name(self.cancelled, dimension):
                parts.setdefault(name, [])
        alone = [one for one, parts in found.items() if one != "route" and len(parts) == 1]
        return {one: parts for one, parts in found.items() if one not in alone}


def view_of(
    recording: Recording,
    server_sources: Sequence[int],
    seen: Mapping[int, Seen],
    sums: Mapping[int, Sums],
    statements: Sequence[Statement],
    figures: Figures,
    method: str,
) -> View:
    """What the logs show, and whether the counters are of their window; the latter is a warning if not."""
    coverage = recording.coverage
    view = View(_floor(coverage, server_sources), coverage.sampling, NO_COUNTERS, method)
    tail_ms = view.tail_ms
    if tail_ms is None:
        return view
    pairs = []
    for number, statement in enumerate(statements):
        if statement.facts.role is Role.WORKLOAD:
            known = seen.get(number)
            logged = EMPTY if known is None or known.client else known.ranked.from_ms(tail_ms)
            pairs.append(Pair(sums[number].counters if number in sums else (), logged))
    span_us = figures.traffic.span_us
    span = None if span_us is None else Span(*span_us, *recording.asked_us)
    relation = relate(pairs, tail_ms, span, recording.counter_windows)
    if coverage.sampling is None:
        _note_relation(coverage, relation)
    return replace(view, relation=relation)


def _note_relation(coverage: Coverage, relation: Relation) -> None:
    if relation.kind == "about":
        coverage.warnings.append(
            f"how many executions the log left out is known roughly: {relation.reason}"
        )
    elif relation.kind != "same" and relation.reason:
        coverage.warnings.append(
            f"log and counters do not complete each other: {relation.reason}; what the log leaves out "
            "stays unknown, and figures are bounds"
        )
    elif relation.kind == "same" and relation.reason.startswith("assumed"):
        coverage.warnings.append(f"log and counters are {relation.reason}")


def _floor(coverage: Coverage, server_sources: Sequence[int]) -> float | None:
    """From which duration on (ms) the log holds every execution; None: from 0.

    Where nobody says so, it is the fastest entry: what is missing was faster, whatever the setting.
    """
    if not coverage.log_min_duration_inferred or not coverage.log_min_duration_ms:
        return coverage.log_min_duration_ms
    sources = [coverage.sources[number] for number in server_sources]
    fastest = [(one.executions >= _FEW, one.minimum_ms) for one in sources if one.minimum_ms]
    many = [ms for enough, ms in fastest if enough]
    return max(many) if many else min(ms for _, ms in fastest)
