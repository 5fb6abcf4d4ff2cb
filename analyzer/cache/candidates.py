"""Which statements a cache would serve, with the smallest time to live that does it.

Worth caching: at least 80 % of its executions would be hits, and what the hits spare is a share of all
database time that is worth a cache. Stale answers are weighed: where more than 1 % of the answers would be
stale, it is the time to live with invalidation that is judged, and the writes to hang it on are named.
"""

from collections.abc import Sequence

import numpy as np

from analyzer.cache.lru import entry_size, lru
from analyzer.cache.simulation import TTLS_S, CacheReplay, replay
from analyzer.model.cache import CacheCandidate, TtlOutcome
from analyzer.model.columns import Floats, Rows
from analyzer.model.statement import Kind, Role
from analyzer.model.workload import Workload

HIT = 0.8
_STALE = 0.01
_SHARE = 0.01  # of all database time
_CALLS = 20
_WINDOWS = 3  # times to live that the window must hold, for what happens after one to be seen
_ROUTES = 5


def candidates(
    workload: Workload, kept: CacheReplay, hit: float = HIT, memory_bytes: int | None = None
) -> list[CacheCandidate]:
    """Statements worth caching, by database time that it saves; `memory_bytes` is what each may take."""
    tables = {number: one.facts.tables for number, one in enumerate(workload.statements)}
    kinds = {number: one.facts.kind for number, one in enumerate(workload.statements)}
    writes = kept.writes(kinds, tables)
    total = sum(stat.total_ms for stat in workload.stats) or 1.0
    ttls = [ttl for ttl in TTLS_S if ttl * _WINDOWS <= kept.seconds()]
    found = []
    for number, statement in enumerate(workload.statements):
        if (
            kinds[number] is not Kind.SELECT
            or statement.facts.role is not Role.WORKLOAD
            or not tables[number]
        ):
            continue
        if workload.stats[number].total_ms < _SHARE * total or not ttls:
            continue
        made = _candidate(workload, kept, number, writes, (ttls, hit, memory_bytes))
        if made is not None and made.saved_ms >= _SHARE * total:
            found.append(made)
    return sorted(found, key=lambda one: -one.saved_ms)


def _candidate(
    workload: Workload,
    kept: CacheReplay,
    number: int,
    writes: dict[str, Rows],
    asked: tuple[Sequence[int], float, int | None],
) -> CacheCandidate | None:
    ttls, hit, memory_bytes = asked
    times, keys, durations, routes = kept.of(number)
    if len(times) < _CALLS:
        return None
    statement = workload.statements[number]
    own = [writes[table] for table in statement.facts.tables if table in writes]
    written = np.sort(np.concatenate(own)) if own else np.zeros(0, dtype="i8")
    tried = [replay(times, keys, written, ttl) for ttl in ttls]
    outcomes = [outcome for outcome, _ in tried]
    place, invalidate = _choice(outcomes, hit)
    if place is None:
        return None
    chosen = outcomes[place]
    entry = entry_size(statement, workload.stats[number], workload.catalog)
    share = outcomes[place].hit_invalidated / outcomes[place].hit if invalidate else 1.0
    answered = np.where(tried[place][1], np.nan_to_num(durations), 0.0) * share
    limited = None
    if memory_bytes is not None:
        room = max(1, memory_bytes // entry.bytes)
        limited, hits = lru(times, keys, written, chosen.ttl_s, room, invalidate=invalidate)
        answered = np.where(hits, np.nan_to_num(durations), 0.0)
    return CacheCandidate(
        shape_id=statement.shape_id,
        calls=len(times),
        distinct=len(np.unique(keys)),
        total_ms=float(np.nansum(durations)),
        outcomes=outcomes,
        chosen=chosen,
        invalidate=invalidate,
        saved_ms=float(answered.sum()),
        saved_by_route=_by_route(kept.routes, routes, answered),
        writers=_writers(workload, statement.facts.tables),
        entry=entry,
        memory_bytes=chosen.entries * entry.bytes,
        lru=limited,
    )


def _choice(outcomes: Sequence[TtlOutcome], hit: float) -> tuple[int | None, bool]:
    """The smallest time to live that serves, and whether only invalidation makes it right."""
    for place, one in enumerate(outcomes):
        if one.hit >= hit and one.stale <= _STALE:
            return place, False
    for place, one in enumerate(outcomes):
        if one.hit_invalidated >= hit:
            return place, True
    return None, False


def _by_route(names: Sequence[str], routes: Rows, saved: Floats) -> list[tuple[str, float]]:
    sums = {
        names[route]: float(saved[routes == route].sum())
        for route in np.unique(routes[routes >= 0]).tolist()
    }
    return sorted(sums.items(), key=lambda pair: -pair[1])[:_ROUTES]


def _writers(workload: Workload, tables: Sequence[str]) -> list[str]:
    """The statements that write one of the tables, most frequent first."""
    found = [
        (workload.stats[number].calls, one.shape_id)
        for number, one in enumerate(workload.statements)
        if one.facts.kind in (Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)
        and set(one.facts.tables) & set(tables)
    ]
    return [shape for _, shape in sorted(found, reverse=True)]
