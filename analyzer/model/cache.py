"""A cache in front of the database: what is measured of one, and what one would do."""

from collections.abc import Sequence

from analyzer.records import record


@record
class CacheUse:
    """Reads of a cache under one name (a key's prefix, or a route), and how many found something."""

    name: str
    reads: int
    hits: int

    @property
    def rate(self) -> float | None:
        """Hits per read, None without reads."""
        return self.hits / self.reads if self.reads else None


@record
class RedisInfo:
    """Counters of Redis INFO since it started, or since CONFIG RESETSTAT.

    `shared` is whether something else than the cache reads there by scripts, as BullMQ does: such reads
    are in the counters, too. None where it is not known.
    """

    hits: int
    misses: int
    origin: str
    shared: bool | None = None


@record
class CacheMeasure:
    """A hit rate: `method` is endpoints (an application's log), monitor, info or none.

    `verdict` is met, missed or unknown against `target`. `uses` are the parts, by name. `note` says what
    the figure does not say, or what would make it known.
    """

    rate: float | None
    reads: int
    target: float
    method: str
    verdict: str
    uses: Sequence[CacheUse] = ()
    note: str = ""
    origin: str = ""


@record
class TtlOutcome:
    """What a cache with one time to live would have done with a statement's executions.

    `hit` is the share of its executions that the cache would have answered, `stale` the share answered
    with what a write to one of its tables had overtaken since; `hit_invalidated` the share answered if
    each such write emptied the entries (by table: single rows would be emptied less often).
    `entries` is how many the cache would have held at most.
    """

    ttl_s: int
    hit: float
    stale: float
    hit_invalidated: float
    entries: int


@record
class EntrySize:
    """How large an entry is, in bytes; an estimate, and `basis` says of what."""

    bytes: int
    basis: str


@record
class LruOutcome:
    """What a cache with room for `capacity` entries would have done: the share answered, and live entries evicted."""

    capacity: int
    hit: float
    evicted: int


@record
class CacheCandidate:
    """A statement worth caching. `chosen` is the TTL to take, with or without `invalidate`.

    `saved_ms` is database time in the window, `saved_by_route` the same by route (None without routes);
    `writers` are shapes of the statements that write its tables. `distinct` counts its parameter sets. `entry` is
    an entry's size, `memory_bytes` what all at once take; `lru` is the cache with the memory that it is given, None where
    that was not said; then `saved_ms` is what this one saves.
    """

    shape_id: str
    calls: int
    distinct: int
    total_ms: float
    outcomes: Sequence[TtlOutcome]
    chosen: TtlOutcome
    invalidate: bool
    saved_ms: float
    saved_by_route: Sequence[tuple[str, float]]
    writers: Sequence[str]
    entry: EntrySize
    memory_bytes: int
    lru: LruOutcome | None = None
