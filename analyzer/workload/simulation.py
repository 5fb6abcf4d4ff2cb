"""Requests and statements as they would be if findings were fixed."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from analyzer.model.columns import Flags, Floats, Rows
from analyzer.model.saving import (
    LoopKey,
    Quantiles,
    RequestSaving,
    RoundTripCost,
    Saving,
    Savings,
)
from analyzer.records import record
from analyzer.workload.partial import Figures
from analyzer.workload.quantiles import buckets_of, from_histogram, octaves
from analyzer.workload.savings import SavingFigures
from analyzer.workload.totals import Totals

_WIDE = 1 << 32
_DAY_MS = 86_400_000.0
_LONG_MS = 6 * 3_600_000.0  # a window from which a day is told; shorter ones say little of a day


def round_trip_cost(figures: SavingFigures, given_ms: float | None) -> RoundTripCost:
    """What a round trip costs: as given, else as the shortest gaps in loops show it."""
    gap, means = figures.gap_ms()
    shown = f"the shortest twentieth of {means} means of four gaps in loops"
    if given_ms is not None:
        note = "as --rtt-ms says; the application's own time is left out"
        seen = "" if gap is None else f" (the log shows {gap:.3g} ms for both: {shown})"
        return RoundTripCost(given_ms, "given", note + seen)
    if gap is None:
        return RoundTripCost(None, "none", "no loop shows what a round trip costs: give --rtt-ms")
    return RoundTripCost(gap, "estimated", f"{shown}: network and the application's own time")


class Simulation:
    """A run's figures, ready to answer what fixes would change."""

    def __init__(
        self, figures: Figures, savings: SavingFigures, routes: Sequence[str], quantile: float
    ) -> None:
        self._figures = figures
        self._savings = savings
        self._routes = routes
        self._quantile = quantile

    def fixed(
        self,
        findings: Mapping[str, LoopKey],
        occurrences: Mapping[str, int],
        window_ms: float | None,
        rtt_ms: float | None,
        exact: tuple[float | None, float | None],
    ) -> Savings | None:
        """All that fixing `findings` (loops by key) saves; None where there is nothing to fix.

        `window_ms` is the time that the log spans, `exact` are the quantiles (ms) of statements
        and of requests as they are known; what histograms give is put beside them.
        """
        known = {key: loop for key, loop in findings.items() if loop in self._savings.loops}
        if not known:
            return None
        cost = round_trip_cost(self._savings, rtt_ms)
        fixed = np.zeros(len(self._savings.numbers), dtype=bool)
        fixed[[self._savings.numbers[loop] for loop in known.values()]] = True
        hit = _Hit.of(self._savings, fixed)
        histograms = self._figures.requests.histograms()
        routes = self._by_route(fixed, hit, histograms)
        return Savings(
            cost=cost,
            findings={
                key: self._saving(loop, occurrences[key], cost, window_ms)
                for key, loop in known.items()
            },
            routes=routes,
            requests=self._overall(hit, histograms, routes, exact[1]),
            statements=self._statements(known.values(), exact[0]),
            unit=self._figures.requests.unit(),
            note=_sampled(self._savings.step),
        )

    def _saving(
        self, loop: LoopKey, occurrences: int, cost: RoundTripCost, window_ms: float | None
    ) -> Saving:
        sums = self._savings.loops[loop]
        wall = None if cost.ms is None else sums.server_ms + sums.round_trips * cost.ms
        runs = max(occurrences, 1)
        each = (
            sums.round_trips / runs,
            sums.server_ms / runs,
            None if wall is None else wall / runs,
        )
        day, note = None, "the input spans no time"
        if window_ms:
            note = f"the window of {_hours(window_ms)} is too short to tell of a day"
        if window_ms and window_ms >= _LONG_MS:
            factor = _DAY_MS / window_ms
            day = (
                sums.round_trips * factor,
                sums.server_ms * factor,
                None if wall is None else wall * factor,
            )
            note = f"of a day as the window of {_hours(window_ms)} is, on average"
        return Saving(occurrences, sums.round_trips, sums.server_ms, wall, each, day, note)

    def _by_route(
        self, fixed: Flags, hit: "_Hit", histograms: Mapping[int, tuple[Rows, Rows]]
    ) -> list[RequestSaving]:
        """Routes that hold a fixed loop, most time saved first."""
        total = self._figures.requests.by_route()
        spared_ms, spared_trips = (self._spared(one, fixed) for one in self._savings.by_route)
        found = []
        for route in sorted(total.keys() & spared_trips.keys()):  # some have no time at all
            count, before_ms, trips = total[route]
            mine = hit.on(route)
            known = [histograms[route]] if route in histograms else []
            found.append(
                RequestSaving(
                    self._routes[route] if route >= 0 else None,
                    count,
                    mine.fixed,
                    before_ms,
                    before_ms - spared_ms[route],
                    trips,
                    trips - int(spared_trips[route]),
                    self._quantiles(known, mine),
                )
            )
        return sorted(found, key=lambda one: (one.after_ms - one.before_ms, one.route or ""))

    def _spared(self, totals: Totals, fixed: Flags) -> dict[int, float]:
        keys, sums = totals.items()
        some = fixed[keys % _WIDE]
        found: dict[int, float] = {}
        for key, amount in zip(
            (keys[some] // _WIDE - 1).tolist(), sums[some].tolist(), strict=True
        ):
            found[key] = found.get(key, 0.0) + amount
        return found

    def _overall(
        self,
        hit: "_Hit",
        histograms: Mapping[int, tuple[Rows, Rows]],
        routes: Sequence[RequestSaving],
        exact: float | None,
    ) -> RequestSaving:
        totals = self._figures.requests.by_route().values()
        count, before, trips = (sum(one[n] for one in totals) for n in range(3))
        return RequestSaving(
            None,
            int(count),
            hit.fixed,
            before,
            before + sum(one.after_ms - one.before_ms for one in routes),
            int(trips),
            int(trips) + sum(one.round_trips_after - one.round_trips_before for one in routes),
            _beside(self._quantiles(histograms.values(), hit), exact),
        )

    def _quantiles(self, histograms: Iterable[tuple[Rows, Rows]], hit: "_Hit") -> Quantiles:
        """The quantile of requests before and after: `histograms` are of all, `hit` those that change."""
        everything = Totals("f8")
        for buckets, counts in histograms:
            everything.add(buckets, counts.astype(np.float64))
        before = everything.items()
        after = Totals("f8")
        after.add(*before)
        after.add(hit.buckets, -hit.counts.astype(np.float64))
        if len(hit.after_ms):
            weights = np.full(len(hit.after_ms), hit.seen / len(hit.after_ms))
            after.add(buckets_of(octaves(hit.after_ms)), weights)
        return Quantiles(
            _quantile(before, self._quantile), _quantile(after.items(), self._quantile)
        )

    def _statements(self, loops: Collection[LoopKey], exact: float | None) -> Quantiles:
        """The quantile over all executions: without the spared ones, with those in their place."""
        before = self._figures.traffic.durations()
        after = Totals("f8")
        after.add(*before)
        for loop in loops:
            sums = self._savings.loops[loop]
            for totals, sign in ((sums.spared, -1.0), (sums.added, 1.0)):
                buckets, counts = totals.items()
                after.add(buckets, sign * counts)
        found = Quantiles(
            _quantile(before, self._quantile), _quantile(after.items(), self._quantile)
        )
        return _beside(found, exact)


@record
class _Hit:
    """Requests that hold a loop, in the order of their routes.

    `routes`, `buckets` and `counts` are of all of them, by their time before; `kept_routes`,
    `after_ms` and `touched` of those that were kept, with their time after the fixes and whether
    one is theirs.
    """

    routes: Rows
    buckets: Rows
    counts: Rows
    kept_routes: Rows
    after_ms: Floats
    touched: Flags

    @classmethod
    def of(cls, savings: SavingFigures, fixed: Flags) -> "_Hit":
        """All of them; `fixed` marks loops by number."""
        seen, changes = savings.routes_hit(), savings.changes()
        if changes is None:
            return cls(*seen, np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=bool))
        some = fixed[changes.loop]
        size = len(changes.before_ms)
        spared = np.bincount(changes.place[some], weights=changes.ms[some], minlength=size)
        touched = np.bincount(changes.place[some], minlength=size) > 0
        after = np.maximum(changes.before_ms - spared, 0.0)
        order = np.argsort(changes.route, kind="stable")
        return cls(*seen, changes.route[order], after[order], touched[order])

    def on(self, route: int) -> "_Hit":
        """Those of one route."""
        mine, kept = _run(self.routes, route), _run(self.kept_routes, route)
        return _Hit(
            self.routes[mine],
            self.buckets[mine],
            self.counts[mine],
            self.kept_routes[kept],
            self.after_ms[kept],
            self.touched[kept],
        )

    @property
    def seen(self) -> float:
        """How many there are."""
        return float(self.counts.sum())

    @property
    def fixed(self) -> int:
        """How many the fixes change, as the kept ones show it."""
        kept = len(self.touched)
        return round(int(np.count_nonzero(self.touched)) / kept * self.seen) if kept else 0


def _run(ordered: Rows, value: int) -> slice:
    first, end = np.searchsorted(ordered, (value, value + 1))
    return slice(int(first), int(end))


def _quantile(histogram: tuple[Rows, Floats], quantile: float) -> float | None:
    buckets, counts = histogram
    whole = np.rint(np.maximum(counts, 0.0)).astype(np.int64)
    some = whole > 0
    if not some.any():
        return None
    return from_histogram(buckets[some], whole[some], quantile).value_ms


def _beside(found: Quantiles, exact: float | None) -> Quantiles:
    """A histogram's quantiles, moved so that the one before is the one that is known exactly."""
    if exact is None or found.before_ms is None or found.after_ms is None or not found.before_ms:
        return found
    return Quantiles(exact, found.after_ms * exact / found.before_ms)


def _hours(window_ms: float) -> str:
    hours = window_ms / 3_600_000
    if hours >= 48:  # noqa: PLR2004 - from two days on, days tell more
        return f"{hours / 24:,.0f} days"
    return f"{hours:.3g} h" if hours >= 1 else f"{max(window_ms / 60_000, 0.1):.2g} min"


def _sampled(step: int) -> str:
    if step == 1:
        return "every request that holds a loop was simulated"
    return f"one in {step} of the requests that hold a loop was simulated"
