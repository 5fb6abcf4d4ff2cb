"""Figures of rows that detectors of loops found, summed up slice by slice in bounded memory."""

from collections import Counter

import numpy as np

from analyzer.detectors._orders import run_sizes
from analyzer.model.columns import (
    Column,
    Flags,
    Floats,
    Rows,
    counted,
    run_starts,
    sorted_distinct,
    sorted_rows,
    spread,
    stable_order,
    starts_of_runs,
)
from analyzer.model.evidence_parts import Spread
from analyzer.model.work import WorkSlice
from analyzer.native import compiled, twin_in

_twin = twin_in(compiled("analyzer.detectors.native._figures"))

_KEPT = 10_000  # values of which a median is taken; of more, an even share
_DISTINCT = 50_000  # different parameters that are told apart
_ROUTES = 1_000


class Sample:
    """Values for a median: all of them while they are few, then every second or fourth."""

    def __init__(self) -> None:
        self._values = np.zeros(0)
        self._waiting: list[Floats] = []
        self._size = 0
        self._step = 1

    def add(self, values: Floats) -> None:
        """Add values in the order of time."""
        # A copy: a view of every sixty-fourth value would keep all sixty-four.
        self._waiting.append(np.array(values[:: self._step], dtype=np.float64))
        self._size += len(self._waiting[-1])
        if self._size > _KEPT:
            self._settle()

    def quantile(self, share: float) -> float | None:
        """The quantile (interpolated between neighbours), None of nothing."""
        self._settle()
        return _interpolated(self._values, share) if len(self._values) else None

    @property
    def median(self) -> float:
        """The middle value; 0 of nothing."""
        return self.quantile(0.5) or 0.0

    def _settle(self) -> None:
        self._values = np.concatenate([self._values, *self._waiting])
        self._waiting = []
        while len(self._values) > _KEPT:
            self._values = self._values[::2]
            self._step *= 2
        self._size = len(self._values)


def _interpolated(values: Floats, share: float) -> float:
    """As np.quantile, which is slow on few values and makes NumPy import its masked arrays."""
    place = share * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    parted = np.partition(values, (low, high))
    least, most = float(parted[low]), float(parted[high])
    above = place - low
    if above < 0.5:  # noqa: PLR2004 - from the nearer neighbour, for the rounding
        return least + (most - least) * above
    return most - (most - least) * (1 - above)


class Sizes:
    """How often each size occurred: the smallest, the middle and the largest are exact."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, sizes: Column) -> None:
        """Add the sizes of some things."""
        for size, count in zip(*map(np.ndarray.tolist, counted(sizes)), strict=True):
            self._counts[size] += count

    @property
    def count(self) -> int:
        """How many things there were."""
        return self._counts.total()

    @property
    def largest(self) -> int:
        """The largest size; 0 of nothing."""
        return max(self._counts, default=0)

    def spread(self) -> Spread:
        """Smallest, middle and largest of the sizes (at least one)."""
        values = sorted(self._counts)
        total = np.cumsum([self._counts[value] for value in values])
        middle = [
            values[int(np.searchsorted(total, rank, side="right"))]
            for rank in ((self.count - 1) // 2, self.count // 2)
        ]
        return Spread(float(values[0]), sum(middle) / 2, float(values[-1]))


class RowFigures:
    """Sums over the executions of one statement in loops, and what holds them together."""

    def __init__(self) -> None:
        self.executions = 0
        self.total_ms = 0.0
        self.transactions = 0
        self.requests = 0
        self.all_traced = True
        self.all_inside = True  # explicit transactions
        self.whole = 0  # of them in units of work that are known to be one request
        self._durations = Sample()
        self._gaps = Sample()
        self._parameters = np.zeros(0, dtype=np.uint32)
        self._waiting: list[Column] = []  # parameters that are not among those yet
        self._unsorted = 0  # how many
        self._routes: Counter[str] = Counter()

    def add(self, work: WorkSlice, rows: Rows, within: Rows) -> None:
        """Add rows; a gap is between two that follow each other in a session, alike in `within`."""
        self.executions += len(rows)
        took_ms = work.duration_ms[rows]
        self.total_ms += float(took_ms.sum())
        transactions, whole, traced, inside = held_by(
            rows, work.transaction, work.whole, work.trace
        )
        self.transactions += transactions
        self.whole += whole
        self.all_traced &= traced
        self.all_inside &= inside
        self._durations.add(took_ms)
        self._gaps.add(gaps_ms(rows, within, work.session, work.start_us, work.end_us))
        if len(self._parameters) + self._unsorted >= _DISTINCT:
            self._tell_parameters_apart()
        if len(self._parameters) < _DISTINCT:
            self._waiting.append(work.parameters_hash[rows])
            self._unsorted += len(rows)

    def add_requests(self, work: WorkSlice, requests: Rows) -> None:
        """Count the units of work (numbers, each once) that the rows belong to, and their routes."""
        self.requests += len(requests)
        routes = work.routes[requests - work.first_request]
        for route in routes[routes >= 0].tolist():
            name = work.route_names[route]
            if name in self._routes or len(self._routes) < _ROUTES:
                self._routes[name] += 1

    @property
    def distinct_parameters(self) -> int:
        """How many different parameter texts there were, up to a bound."""
        self._tell_parameters_apart()
        return len(self._parameters)

    def _tell_parameters_apart(self) -> None:
        if self._waiting:
            self._parameters = sorted_distinct(np.concatenate([self._parameters, *self._waiting]))
            self._waiting, self._unsorted = [], 0

    @property
    def median_ms(self) -> float:
        """The middle duration."""
        return self._durations.median

    @property
    def gap_ms(self) -> float | None:
        """Time from the end of an execution to the start of the next: round trip and client.

        The lower quartile, so that pauses for the application's own work do not count; None where
        nothing follows.
        """
        return self._gaps.quantile(0.25)

    @property
    def rest_ms(self) -> float | None:
        """The same, with the pauses: the middle one."""
        return self._gaps.quantile(0.5)

    @property
    def scope(self) -> str:
        """trace, transaction or session: what holds the executions together."""
        if self.all_traced:
            return "trace"
        return "transaction" if self.all_inside else "session"

    @property
    def routes(self) -> tuple[str, ...]:
        """The routes that the units of work came from, most frequent first."""
        return tuple(name for name, _ in self._routes.most_common(5))


@_twin
def held_by(
    rows: Rows, transaction: Rows, whole: Flags, trace: Rows
) -> tuple[int, int, bool, bool]:
    """Of how many transactions some rows are, and how many rows are `whole`; whether all have a trace, and a transaction.

    -1 in `transaction` is one as well: autocommit. 0 in `trace` is none.
    """
    mine = transaction[rows]
    transactions, count = len(sorted_distinct(mine)), int(np.count_nonzero(whole[rows]))
    return transactions, count, bool(trace[rows].all()), bool((mine >= 0).all())


@_twin
def occurrences(
    owners: Rows, rows: Rows, end_us: Rows, transaction: Rows
) -> tuple[Rows, Rows, Rows, bool]:
    """Rows by their owners: these ascending, how many rows each has, when its last one ended.

    And whether each one's rows are of one transaction. The last two arguments are by row.
    """
    order = stable_order(owners)
    owners, rows = owners[order], rows[order]
    starts = run_starts(owners)
    last_us = np.maximum.reduceat(end_us[rows], starts) if len(rows) else end_us[rows]
    mine = transaction[rows]
    same = mine == spread(mine[starts], starts, len(rows))
    return owners[starts], run_sizes(starts, len(rows)), last_us, bool(same.all())


@_twin
def gaps_ms(rows: Rows, within: Rows, session: Column, start_us: Rows, end_us: Rows) -> Floats:
    """The times between rows that follow each other in a session, alike in `within`; in their order."""
    sessions = session[rows]
    order = sorted_rows(within, sessions, end_us[rows], rows)
    rows = rows[order]
    follows = ~starts_of_runs(within[order], sessions[order])[1:]
    gaps = (start_us[rows][1:] - end_us[rows][:-1])[follows] / 1000
    found: Floats = np.maximum(gaps, 0.0)
    return found
