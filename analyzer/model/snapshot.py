"""A server's cumulative counters at one time, and what changed between two such times.

A snapshot is what `pg95 snapshot` and `pg95 nightly` take of a live server, and what history keeps.
Its figures only grow until something resets them; a window is the difference of two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from analyzer.model.blueprint import Blueprint
from analyzer.model.statement import StatementCounters

TextKey: TypeAlias = tuple[int, str]
"""What a statement's text is kept by: its database's number and its query id. Texts of several users are one."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Which server, and which run of it.

    `system_identifier` is the one that initdb gave the cluster (decimal text): a replica shares it,
    a restored or upgraded server has another. `started_us` is when the postmaster was started
    (UTC). `version` is server_version_num. `address` is postgresql://user@host:port/database.
    """

    address: str
    system_identifier: str | None
    version: int
    started_us: int | None
    in_recovery: bool = False


@dataclass(frozen=True, slots=True)
class TableUse:
    """One table's row of pg_stat_user_tables with its sizes; counts since `stats_reset`.

    `name` as model/catalog.py writes it. `bytes` is the total size with indexes and TOAST, `heap_bytes` that
    of the rows alone, `index_bytes` that of all indexes. `modified` are rows changed since the last ANALYZE,
    `xid_age` transactions since all rows were frozen, of which autovacuum lets `freeze_max_age` pass.
    `autovacuum` and `fillfactor` are the table's own settings. `blocks_hit` and `blocks_read` are those of rows, TOAST and indexes. What an older snapshot lacks is None.
    """

    database: str
    name: str
    rows: int | None
    bytes: int | None
    seq_scans: int
    seq_rows: int
    index_scans: int
    index_rows: int
    inserted: int
    updated: int
    deleted: int
    hot_updated: int
    dead_rows: int
    vacuumed_us: int | None
    analyzed_us: int | None
    heap_bytes: int | None = None
    index_bytes: int | None = None
    modified: int | None = None
    xid_age: int | None = None
    freeze_max_age: int | None = None
    autovacuum: bool | None = None
    fillfactor: int | None = None
    blocks_hit: int | None = None
    blocks_read: int | None = None


@dataclass(frozen=True, slots=True)
class IndexUse:
    """One index's row of pg_stat_user_indexes with its size; `last_scan_us` (UTC) is told from 16 on."""

    database: str
    table: str
    name: str
    bytes: int | None
    scans: int
    rows_read: int
    rows_fetched: int
    last_scan_us: int | None = None


@dataclass(frozen=True, slots=True)
class DatabaseUse:
    """One database's row of pg_stat_database; blocks, commits … since its `reset_us` (UTC)."""

    name: str
    bytes: int | None
    commits: int
    rollbacks: int
    blocks_hit: int
    blocks_read: int
    temp_bytes: int
    deadlocks: int
    reset_us: int | None

    @property
    def hit_ratio(self) -> float | None:
        """Share of blocks that were in the buffer pool, 0 to 1; None where none were asked for."""
        asked = self.blocks_hit + self.blocks_read
        return self.blocks_hit / asked if asked else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything counted on a server at `taken_us` (µs since 1970, UTC).

    `counters` are the rows of pg_stat_statements of all databases that were looked at, `reset_us` when they
    were last reset as a whole, `evictions` how often rows were pushed out since then (pg_stat_statements_info.dealloc;
    both None where the extension does not tell). `settings` are those that decide what is seen and how the
    server works, by name, with their unit behind a space ("20 ms", "16384 8kB", "on"). `own` are the keys of
    statements that are pg95's own: they are not among the counters, and their texts need not be asked for again.
    `hidden` is how many rows are not among them because their texts could not be seen.
    `replicas` is how many stream from this server. `io` are sums of pg_stat_io or pg_stat_bgwriter, by name.
    `warnings` tell what could not be read and what to do. `blueprint` is there only where it was asked for:
    it holds values of the data, and no history keeps it.
    """

    server: ServerIdentity
    taken_us: int
    counters: Sequence[StatementCounters]
    reset_us: int | None = None
    evictions: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    databases: Sequence[DatabaseUse] = ()
    tables: Sequence[TableUse] = ()
    indexes: Sequence[IndexUse] = ()
    io: Mapping[str, int | float] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    own: Sequence[TextKey] = ()
    hidden: int = 0
    blueprint: Blueprint | None = None
    replicas: int = 0

    def texts(self) -> dict[TextKey, str]:
        """The texts in it by database number and query id: what the next snapshot need not read again.

        A text that is pg95's own is empty.
        """
        known = {
            (row.database_id, row.query_id): row.query
            for row in self.counters
            if row.database_id is not None and row.query_id is not None
        }
        return known | dict.fromkeys(self.own, "")

    def setting(self, name: str) -> float | None:
        """A setting's figure in its own unit (of log_min_duration_statement: ms), None where there is none."""
        figure = self.settings.get(name, "").partition(" ")[0]
        try:
            return float(figure)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class CounterWindow:
    """What was counted between two snapshots of one server.

    `counters` have the calls, total, mean, deviation and rows of the window itself; `stddev_ms` is None where
    it cannot be told from rounding. `min_ms` and `max_ms` are there only where they are sure to be the window's
    (the row began in it, or went below or beyond what it was before).
    `complete` is False where a reset, an eviction, a restart without saved counters or an upgrade lost some of the window;
    `caveats` say what and how much of it is covered. `counted_from_us` is when counting began where a reset cut
    off the window's beginning, else `from_us`.
    """

    from_us: int
    to_us: int
    counters: Sequence[StatementCounters]
    complete: bool = True
    caveats: Sequence[str] = ()
    counted_from_us: int | None = None
