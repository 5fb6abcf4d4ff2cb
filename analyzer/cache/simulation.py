"""What caches of several times to live would have done with the executions of a log.

Cache-aside, keyed by statement and parameters: the first read fills an entry, reads within its time to live
are hits, the first one after fills it again. A write to any table of the statement makes what is cached
stale, or, with invalidation, empties it: told by table, as a log does not say which rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.model.cache import TtlOutcome
from analyzer.model.columns import Flags, Floats, Rows
from analyzer.model.statement import Kind
from analyzer.model.work import WorkSlice

TTLS_S = (5, 30, 60, 300, 900, 3600)
MOST_EXECUTIONS = 5_000_000  # 33 bytes each are kept: what follows is left out, and said
_WRITES = (Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)
_US = 1_000_000


class CacheReplay:
    """Observes a run's executions; afterwards `outcomes` replays those of a statement."""

    def __init__(self) -> None:
        self._parts: list[tuple[Rows, Rows, Rows, Floats, Rows]] = []
        self.kept = 0
        self.left_out = 0
        self._routes: dict[str, int] = {}
        self._whole: tuple[Rows, Rows, Rows, Floats, Rows] | None = None

    @property
    def routes(self) -> Sequence[str]:
        """The routes that were seen, by the number that `of` gives."""
        return list(self._routes)

    def observe(self, work: WorkSlice) -> None:
        """Keep what the replay needs of a slice: when, which statement and parameters, how long, route."""
        room = MOST_EXECUTIONS - self.kept
        rows = min(len(work), room)
        self.left_out += len(work) - rows
        if not rows:
            return
        self.kept += rows
        numbers = np.array(
            [self._routes.setdefault(name, len(self._routes)) for name in work.route_names],
            dtype="i8",
        )
        routes = work.routes[work.request[:rows] - work.first_request].astype("i8")
        if len(numbers):
            routes = np.where(routes >= 0, numbers[routes], -1)
        self._parts.append(
            (
                work.start_us[:rows].astype("i8"),
                work.statement[:rows].astype("i4"),
                work.parameters_hash[:rows].astype("u4"),
                work.duration_ms[:rows].astype("f4"),
                routes.astype("i4"),
            )
        )

    def finish(self) -> None:
        """Put what was kept into order, by statement and time; called once, after the run."""
        columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
        self._parts = []
        if columns:
            times, statements, keys, durations, routes = columns
            order = np.lexsort((times, statements))
            self._whole = (
                times[order],
                statements[order],
                keys[order],
                durations[order],
                routes[order],
            )

    def seconds(self) -> float:
        """The span of the executions."""
        if self._whole is None:
            return 0.0
        times = self._whole[0]
        return float(times.max() - times.min()) / _US

    def of(self, statement: int) -> tuple[Rows, Rows, Floats, Rows]:
        """Times, parameters, durations and routes of a statement's executions, in order of time."""
        if self._whole is None:
            empty = np.zeros(0, dtype="i8")
            return empty, empty, np.zeros(0), empty
        times, statements, keys, durations, routes = self._whole
        start, end = np.searchsorted(statements, [statement, statement + 1])
        rows = slice(int(start), int(end))
        return times[rows], keys[rows], durations[rows].astype("f8"), routes[rows]

    def writes(
        self, kinds: Mapping[int, Kind], tables: Mapping[int, Sequence[str]]
    ) -> dict[str, Rows]:
        """When each table was written, in order of time.

        Args:
            kinds: of each statement, by number.
            tables: of each statement, by number.
        """
        found: dict[str, list[Rows]] = {}
        for statement, kind in kinds.items():
            if kind in _WRITES:
                times = self.of(statement)[0]
                for table in tables[statement]:
                    found.setdefault(table, []).append(times)
        return {table: np.sort(np.concatenate(times)) for table, times in found.items()}


def replay(times: Rows, keys: Rows, writes: Rows, ttl_s: int) -> tuple[TtlOutcome, Flags]:
    """One statement's executions against one time to live.

    Args:
        times: µs, ascending.
        keys: which parameters each had.
        writes: µs of writes to its tables, ascending.
        ttl_s: seconds that an entry lives.

    Returns:
        The outcome, and which executions the cache would have answered (without invalidation).
    """
    ttl = ttl_s * _US
    order = np.lexsort((times, keys))
    sorted_times, sorted_keys = times[order], keys[order]
    epochs = np.searchsorted(writes, sorted_times, side="right")
    fills, owner = _fills(sorted_times, sorted_keys, ttl)
    hits = np.ones(len(times), dtype=bool)
    hits[fills] = False
    stale = hits & (epochs != epochs[owner])
    # Each write begins the entries of its tables anew; within a parameter set, epochs only rise.
    changes = (np.diff(sorted_keys.astype("i8"), prepend=-1) != 0) | (
        np.diff(epochs, prepend=-1) != 0
    )
    filled, _ = _fills(sorted_times, np.cumsum(changes), ttl)
    answered = np.zeros(len(times), dtype=bool)
    answered[order] = hits
    size = max(len(times), 1)
    outcome = TtlOutcome(
        ttl_s,
        hit=float(hits.sum()) / size,
        stale=float(stale.sum()) / size,
        hit_invalidated=1 - len(filled) / size,
        entries=_most_alive(sorted_times[fills], ttl),
    )
    return outcome, answered


def _fills(times: Rows, groups: Rows, ttl: int) -> tuple[Rows, Rows]:
    """Which rows fill an entry, and for every row the one that filled what it finds.

    Rows are sorted by group and time. Each group's first row fills; the next fill is the first row after
    the time to live: all groups jump at once.
    """
    if not len(times):
        return np.zeros(0, dtype="i8"), np.zeros(0, dtype="i8")
    starts = np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
    ends = np.append(starts[1:], len(times))
    # Groups laid behind one another on one axis of time, so that one search finds all next fills.
    span = int(times.max() - times.min()) + ttl + 2
    number = np.repeat(np.arange(len(starts)), ends - starts)
    axis = number * span + (times - times.min())
    following = np.searchsorted(axis, axis + ttl, side="right")
    last = np.repeat(ends, ends - starts)
    current = starts
    found = [current]
    while len(current):
        after = following[current]
        current = after[after < last[current]]
        found.append(current)
    fills = np.sort(np.concatenate(found))
    return fills, fills[np.searchsorted(fills, np.arange(len(times)), side="right") - 1]


def _most_alive(filled: Rows, ttl: int) -> int:
    """How many entries live at once at most, each from its fill until its time is over."""
    begins = np.sort(filled)
    alive = np.arange(1, len(begins) + 1) - np.searchsorted(begins, begins - ttl, side="left")
    return int(alive.max()) if len(alive) else 0
