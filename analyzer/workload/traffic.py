"""The team's executions over time, and their units of work by route: sums that merge."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.model.columns import Column, Flags, Floats, Rows
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.model.sampling import Sampling
from analyzer.model.workload import STEPS_PER_DECADE, Hour, Route, Traffic
from analyzer.native import compiled, twin_in
from analyzer.records import changing
from analyzer.workload.quantiles import Quantile, rank_of
from analyzer.workload.requests import UNITS
from analyzer.workload.samples import design_effect
from analyzer.workload.tails import Ranked, ranked_groups, together
from analyzer.workload.totals import Arrays, Durations, Totals, named, part_of

_HOUR_US = 3_600_000_000
_CLOCKS = len(Clock)
_WIDE = 1 << 31
_SHOWN_OCTAVES = (math.log2(0.01), math.log2(1e9))  # what is beyond counts as these
_MIDDLE = 1 << 10
_DENSE = 1 << 20  # so many sums are made by place, without sorting

_twin = twin_in(compiled("analyzer.workload.native._figures"))


class TrafficFigures:
    """Executions of the team's statements by clock: when they ran and how long they took."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CLOCKS, dtype=np.int64)
        self._untimed = 0
        self._first_us: int | None = None
        self._last_us: int | None = None
        self._decades = Totals()
        self._hours = Durations()

    def add(self, columns: Mapping[str, Column]) -> None:
        """Executions: columns start_us, end_us, clock, duration_ms, untimed, octaves and micros."""
        if len(columns["clock"]) == 0:
            return
        client = int(np.count_nonzero(columns["clock"] == Clock.CLIENT))
        self._counts += (len(columns["clock"]) - client, client)
        timed = ~columns["untimed"]
        if not timed.all():
            self._untimed += int(np.count_nonzero(~timed))
        self._add_span(columns["start_us"], columns["end_us"])
        if not timed.all():
            columns = {name: column[timed] for name, column in columns.items()}
        steps = math.log10(2) * STEPS_PER_DECADE
        counts = shown_steps(columns["octaves"], columns["clock"], *_SHOWN_OCTAVES, steps, _MIDDLE)
        clock, step = np.nonzero(counts)
        self._decades.add(clock * _WIDE + step, counts[clock, step])
        hours = hours_of(columns["start_us"], columns["clock"])
        self._hours.add(hours, columns["duration_ms"], columns["octaves"], columns["micros"])

    def _add_span(self, start_us: Rows, end_us: Rows) -> None:
        """Rows with a time."""
        if int(start_us.min()) < FIRST_TIME_US:
            placed = start_us >= FIRST_TIME_US
            start_us, end_us = start_us[placed], end_us[placed]
        if len(start_us):
            self._span(int(start_us.min()), int(end_us.max()))

    def _span(self, first_us: int | None, last_us: int | None) -> None:
        firsts = [at for at in (first_us, self._first_us) if at is not None]
        lasts = [at for at in (last_us, self._last_us) if at is not None]
        self._first_us, self._last_us = min(firsts, default=None), max(lasts, default=None)

    def ranked(self, clock: Clock) -> Ranked:
        """The durations of all executions on a clock, in order."""
        groups = ranked_groups(self._hours)
        return together([one for group, one in groups.items() if group % _CLOCKS == clock])

    def durations(self) -> tuple[Rows, Floats]:
        """(buckets, counts) of all executions, on the server's clock if it saw any, else the client's."""
        clock = Clock.SERVER if self._counts[Clock.SERVER] else Clock.CLIENT
        totals = Totals("f8")
        for group, (buckets, counts) in self._hours.histograms().items():
            if group % _CLOCKS == clock:
                totals.add(buckets, counts.astype(np.float64))
        return totals.items()

    @property
    def untimed(self) -> int:
        """How many executions have no duration."""
        return self._untimed

    @property
    def span_us(self) -> tuple[int, int] | None:
        """From the beginning of the first execution to the end of the last, None without any."""
        if self._first_us is None or self._last_us is None:
            return None
        return self._first_us, self._last_us

    @property
    def first_us(self) -> int | None:
        """When the first execution began, None without any."""
        return self._first_us

    def finish(
        self, quantile: float, routes: Sequence[Route], sampling: Sampling | None = None
    ) -> Traffic:
        """All figures: those over time on the server's clock if it saw anything, else the client's.

        `sampling` is how the server's log was sampled.
        """
        server, client = self._counts.tolist()
        clock = Clock.SERVER if server or not client else Clock.CLIENT
        weighted = sampling if clock == Clock.SERVER else None
        return Traffic(
            server=server,
            client=client,
            first_us=self._first_us,
            last_us=self._last_us,
            distribution=self._distribution(clock, weighted),
            hours=self._by_hour(clock, quantile, weighted),
            routes=tuple(routes),
        )

    def _distribution(self, clock: Clock, sampling: Sampling | None) -> tuple[tuple[int, int], ...]:
        keys, counts = self._decades.items()
        mine = keys // _WIDE == clock
        decades, counts = keys[mine] % _WIDE - _MIDDLE, counts[mine]
        if sampling is not None:
            low, high = (10.0 ** ((decades + step) / STEPS_PER_DECADE) for step in (0, 1))
            counts = np.rint(counts * sampling.bucket_weights(low, high)).astype(np.int64)
        return tuple(zip(decades.tolist(), counts.tolist(), strict=True))

    def _by_hour(
        self, clock: Clock, quantile: float, sampling: Sampling | None
    ) -> tuple[Hour, ...]:
        found: dict[int, tuple[int, Quantile]]
        if sampling is None:
            sizes = {group: int(n.sum()) for group, (_, n) in self._hours.histograms().items()}
            quantiles = self._hours.quantiles((quantile,))
            found = {group: (sizes[group], p95) for group, (p95,) in quantiles.items()}
        else:
            samples = self._hours.samples(sampling)
            found = {
                group: (round(sample.calls), sample.quantile(quantile))
                for group, sample in samples.items()
            }
        return tuple(
            Hour(group // _CLOCKS * _HOUR_US, calls, p95.value_ms)
            for group, (calls, p95) in sorted(found.items())
            if group % _CLOCKS == clock and group // _CLOCKS * _HOUR_US >= FIRST_TIME_US
        )

    def arrays(self) -> Arrays:
        """All that there is, as arrays."""
        span = [at for at in (self._first_us, self._last_us) if at is not None]
        made = {
            "counts": self._counts,
            "untimed": np.array([self._untimed]),
            "span": np.array(span, dtype=np.int64),
        }
        made |= named("decades", self._decades.arrays())
        return made | named("hours", self._hours.arrays())

    def absorb(self, arrays: Arrays) -> None:
        """Add what another gave as arrays."""
        self._counts += arrays["counts"]
        self._untimed += int(arrays["untimed"][0])
        self._span(*(arrays["span"].tolist() or (None, None)))
        self._decades.absorb(part_of(arrays, "decades"))
        self._hours.absorb(part_of(arrays, "hours"))


class RequestFigures:
    """Units of work by route (a number, -1 none): their database time and round trips."""

    def __init__(self) -> None:
        self._units = np.zeros(len(UNITS), dtype=np.int64)
        self._durations = Durations()
        self._trips = Totals()
        self._shapes = Totals("f8")
        self._total_ms = Totals("f8")

    def add(self, work: "SummedRequests", statement: Rows, duration_ms: Column) -> None:
        """Requests, and the statements that each row of theirs ran."""
        some = work.round_trips > 0
        self._units += np.bincount(work.unit[some], minlength=len(UNITS))
        some &= work.whole
        route = work.route.astype(np.int64) + 1
        self._trips.count(route[some] * _WIDE + work.round_trips[some])
        some &= work.timed
        self._durations.add(route[some], work.duration_ms[some])
        self._total_ms.add(route[some], work.duration_ms[some])
        row_route = work.route[work.request]
        routed = row_route >= 0
        if routed.any():
            self._add_shapes(row_route[routed], statement[routed], duration_ms[routed])

    def _add_shapes(self, route: Rows, statement: Rows, duration_ms: Column) -> None:
        width = int(statement.max()) + 1
        if (int(route.max()) + 1) * width > _DENSE:
            self._shapes.add(route * _WIDE + statement, duration_ms)
            return
        place = route * width + statement
        some = np.flatnonzero(np.bincount(place))
        sums = np.bincount(place, weights=duration_ms)[some]
        self._shapes.add(some // width * _WIDE + some % width, sums)

    def unit(self) -> str | None:
        """What most requests are known by: trace, transaction or burst; None without any."""
        counts = dict(zip(UNITS, self._units.tolist(), strict=True))
        if not any(counts.values()):
            return None
        return min(counts, key=lambda name: (-counts[name], name))

    def ranked(self) -> Mapping[int, Ranked]:
        """Requests' database time by route, in order; -1 has those without one."""
        return {group - 1: ranked for group, ranked in ranked_groups(self._durations).items()}

    def round_trips(self, quantile: float) -> float:
        """The quantile of executions in one request; 0 without any."""
        keys, counts = self._trips.items()
        totals = Totals()
        totals.add(keys % _WIDE, counts)
        return _ranked(*totals.items(), quantile) if len(keys) else 0.0

    def by_route(self) -> dict[int, tuple[int, float, int]]:
        """(requests, ms together, round trips together) by route; -1 has those without one."""
        total_ms = dict(zip(*(part.tolist() for part in self._total_ms.items()), strict=True))
        keys, counts = self._trips.items()
        routes = keys // _WIDE
        found = {}
        for route, ms in total_ms.items():
            mine = routes == route
            trips = int((keys[mine] % _WIDE * counts[mine]).sum())
            found[route - 1] = (int(counts[mine].sum()), ms, trips)
        return found

    def histograms(self) -> dict[int, tuple[Rows, Rows]]:
        """(buckets, counts) of requests' database time by route; -1 has those without one."""
        return {group - 1: pair for group, pair in self._durations.histograms().items()}

    def clustering(self) -> float:
        """The design effect of drawing all executions of a request together."""
        keys, counts = self._trips.items()
        return design_effect(keys % _WIDE, counts)

    def routes(self, names: Sequence[str], quantile: float) -> list[Route]:
        """Figures of each route, most database time first."""
        quantiles = self._durations.quantiles((0.5, quantile))
        total_ms = dict(zip(*(part.tolist() for part in self._total_ms.items()), strict=True))
        keys, counts = self._trips.items()
        statements = self._statements()
        routes = []
        for number, (p50, p95) in quantiles.items():
            if number == 0:
                continue
            mine = keys // _WIDE == number
            routes.append(
                Route(
                    names[number - 1],
                    int(counts[mine].sum()),
                    total_ms[number],
                    p50.value_ms,
                    p95.value_ms,
                    _ranked(keys[mine] % _WIDE, counts[mine], quantile),
                    tuple(statements.get(number - 1, ())),
                )
            )
        return sorted(routes, key=lambda route: (-route.total_ms, route.name))

    def _statements(self) -> dict[int, list[tuple[int, float]]]:
        """By route: (statement, ms together) of what its requests ran."""
        keys, sums = self._shapes.items()
        found: dict[int, list[tuple[int, float]]] = {}
        for key, total_ms in zip(keys.tolist(), sums.tolist(), strict=True):
            found.setdefault(key // _WIDE, []).append((key % _WIDE, total_ms))
        return found

    def arrays(self) -> Arrays:
        """All that there is, as arrays."""
        made = {"units": self._units}
        for name, part in self._parts().items():
            made |= named(name, part.arrays())
        return made

    def absorb(self, arrays: Arrays) -> None:
        """Add what another gave as arrays, of the same routes."""
        self._units += arrays["units"]
        for name, part in self._parts().items():
            part.absorb(part_of(arrays, name))

    def _parts(self) -> dict[str, Totals | Durations]:
        return {
            "durations": self._durations,
            "trips": self._trips,
            "shapes": self._shapes,
            "total_ms": self._total_ms,
        }


@changing
class SummedRequests:
    """A slice's requests: `request` is the place of each row's in the other columns.

    `route` is a number (-1 none), `unit` one of TRACE, TRANSACTION, BURST. Where `round_trips` is 0
    no statement of the team's was run. `timed`: the durations of all its rows are known. `whole`: it is
    told from others, by a trace or by time.
    """

    request: Rows
    unit: Column
    route: Rows
    duration_ms: Floats
    round_trips: Rows
    timed: Flags
    whole: Flags


def sum_requests(
    request: Rows, unit: Column, route: Rows, duration_ms: Floats, untimed: Flags, whole: Flags
) -> SummedRequests:
    """Sum rows (the team's, in the order of time in each request) up by request.

    `untimed` marks rows without a duration, `whole` those whose request is told from others. `route` is that of each row's statement: the first that is known is the request's.
    """
    columns = by_request(request, unit, route, duration_ms, untimed, whole)
    return SummedRequests(request, *columns)


@_twin
def by_request(
    request: Rows, unit: Column, route: Rows, duration_ms: Floats, untimed: Flags, whole: Flags
) -> tuple[Column, Rows, Floats, Rows, Flags, Flags]:
    """The columns unit, route, duration_ms, round_trips, timed and whole of SummedRequests."""
    count = int(request.max()) + 1 if len(request) else 0
    units = np.zeros(count, dtype=np.int8)
    units[request] = unit
    routes = np.full(count, -1, dtype=np.int64)
    known = np.flatnonzero(route >= 0)[::-1]
    routes[request[known]] = route[known]
    return (
        units,
        routes,
        np.bincount(request, weights=duration_ms, minlength=count).astype(np.float64),
        np.bincount(request, minlength=count),
        np.bincount(request[untimed], minlength=count) == 0,
        np.bincount(request[~whole], minlength=count) == 0,
    )


@_twin
def hours_of(start_us: Rows, clock: Column) -> Rows:
    """The hour that each row began in (since 1970), and its clock, in one number."""
    return start_us // _HOUR_US * _CLOCKS + clock


@_twin
def shown_steps(
    octaves: Floats, clock: Column, low: float, high: float, steps: float, middle: int
) -> Rows:
    """By clock and step (moved up by `middle`), how many durations there are.

    `octaves` are their binary logarithms, of which each is so many `steps`; what is beyond `low` or `high` counts as
    these.
    """
    clipped = np.clip(octaves, low, high)
    step = np.floor(clipped * steps + 1e-9).astype(np.int64)
    place = clock.astype(np.int64) * (2 * middle) + step + middle
    return np.bincount(place, minlength=_CLOCKS * 2 * middle).reshape(_CLOCKS, 2 * middle)


def _ranked(values: Rows, counts: Rows, quantile: float) -> float:
    """The nearest-rank quantile of values (ascending) that occur `counts` times."""
    total = np.cumsum(counts)
    return float(values[np.searchsorted(total, rank_of(quantile, int(total[-1])), side="right")])
