"""What stands out in the figures of one table: vacuum, bloat, how it is read and written, its keys.

Thresholds are those from which on PostgreSQL itself acts by default (autovacuum_vacuum_scale_factor 0.2,
autovacuum_analyze_scale_factor 0.1, twice of which is late), or such that small tables are left alone.
"""

from collections.abc import Iterator

from analyzer.indexes.bloat import table_bloat
from analyzer.model.catalog import Table
from analyzer.model.snapshot import TableUse
from analyzer.model.table_diagnosis import TableNote
from analyzer.model.use import CountedUse
from analyzer.sql.quoting import quote_table

_MB = 2**20
_DEAD_SHARE = 0.2
_DEAD_ROWS = 10_000
_STALE_SHARE = 0.2
_STALE_ROWS = 1_000
_XID_LATE = 1.0  # of autovacuum_freeze_max_age, at which autovacuum forces itself
_XID_DANGER = 1_500_000_000  # of 2^31 transactions, before which the server stops writing
_UPDATES = 10_000
_HOT_LOW = 0.5
_SCAN_ROWS = 10_000
_SCAN_SHARE = 0.5
_BLOCKS = 10_000
_HIT_LOW = 0.9
_MANY_INDEXES = 6


def table_notes(
    table: Table | None, use: TableUse | None, counted: CountedUse | None
) -> Iterator[TableNote]:
    """The notes on one table, what is worst first in each kind.

    Args:
        table: as the catalog has it, if there is one.
        use: how it is used, if a server told.
        counted: over which time.
    """
    if use is not None:
        yield from _vacuum(use)
        yield from _statistics(use)
        yield from _reading(use)
        yield from _updates(use)
        yield from _cache(use)
    if table is not None and use is not None:
        yield from _bloat(table, use)
        yield from _idle(table, use, counted)
        yield from _indexes(table, use)
    if table is not None and table.columns and not (table.primary_key or table.unique_keys):
        yield TableNote(
            "no-primary-key",
            "low",
            "no primary key and no unique key: rows cannot be told apart, and logical replication needs one",
        )


def _vacuum(use: TableUse) -> Iterator[TableNote]:
    statement = f"VACUUM (ANALYZE) {quote_table(use.name)};"
    live = use.rows or 0
    share = use.dead_rows / (use.dead_rows + live) if use.dead_rows else 0.0
    if use.dead_rows >= _DEAD_ROWS and share >= _DEAD_SHARE:
        never = "" if use.vacuumed_us is not None else ", and it was never vacuumed"
        yield TableNote(
            "dead-rows",
            "medium" if use.vacuumed_us is not None else "high",
            f"{use.dead_rows:,} dead rows, {share:.0%} of all{never}: a long transaction or slot may hold "
            "vacuum back, or autovacuum is too slow for it",
            statement,
        )
    if use.autovacuum is False:
        yield TableNote(
            "autovacuum-off",
            "medium",
            "autovacuum is switched off for it",
            f"ALTER TABLE {quote_table(use.name)} RESET (autovacuum_enabled);",
        )
    if use.xid_age is not None and use.freeze_max_age:
        danger = use.xid_age >= _XID_DANGER
        if danger or use.xid_age > _XID_LATE * use.freeze_max_age:
            yield TableNote(
                "xid-age",
                "critical" if danger else "medium",
                f"its oldest rows are {use.xid_age:,} transactions old, and autovacuum begins at "
                f"{use.freeze_max_age:,}: it does not keep up; at 2,147,483,648 the server stops writing",
                f"VACUUM (FREEZE) {quote_table(use.name)};",
            )


def _statistics(use: TableUse) -> Iterator[TableNote]:
    rows = use.rows or 0
    statement = f"ANALYZE {quote_table(use.name)};"
    changed = use.inserted + use.updated + use.deleted
    if use.analyzed_us is None and max(rows, changed) >= _STALE_ROWS:
        yield TableNote(
            "never-analyzed",
            "medium",
            "never analysed: the planner guesses what is in it",
            statement,
        )
    elif use.modified and use.modified >= _STALE_ROWS and use.modified >= _STALE_SHARE * rows:
        yield TableNote(
            "stale-statistics",
            "low",
            f"{use.modified:,} rows changed since its last ANALYZE, of {rows:,}",
            statement,
        )


def _reading(use: TableUse) -> Iterator[TableNote]:
    read = use.seq_rows + use.index_rows
    if not use.seq_scans or not read:
        return
    each, share = use.seq_rows / use.seq_scans, use.seq_rows / read
    if each >= _SCAN_ROWS and share >= _SCAN_SHARE:
        yield TableNote(
            "sequential-reads",
            "medium",
            f"{share:.0%} of the rows read come from {use.seq_scans:,} sequential scans of {each:,.0f} rows each",
        )


def _updates(use: TableUse) -> Iterator[TableNote]:
    hot = use.hot_updated / use.updated if use.updated else 1.0
    if use.updated >= _UPDATES and hot < _HOT_LOW:
        room = (
            f"; its pages are filled to {use.fillfactor} %"
            if use.fillfactor
            else "; its pages are filled to 100 %, which leaves an update no room beside the old row"
        )
        yield TableNote(
            "low-hot",
            "low",
            f"{hot:.0%} of {use.updated:,} updates were HOT: the others write to every index{room}. Columns "
            "that are updated and indexed rule HOT out",
            None
            if use.fillfactor
            else f"ALTER TABLE {quote_table(use.name)} SET (fillfactor = 90);",
        )


def _cache(use: TableUse) -> Iterator[TableNote]:
    if use.blocks_hit is None or use.blocks_read is None:
        return
    asked = use.blocks_hit + use.blocks_read
    if use.blocks_read >= _BLOCKS and use.blocks_hit < _HIT_LOW * asked:
        yield TableNote(
            "cache-misses",
            "low",
            f"{use.blocks_hit / asked:.0%} of {asked:,} blocks were in the buffer pool; {use.blocks_read:,} were "
            "asked of the operating system",
        )


def _bloat(table: Table, use: TableUse) -> Iterator[TableNote]:
    bloat = table_bloat(table, use)
    if bloat is not None:
        yield TableNote(
            "bloat",
            "low",
            f"its rows take {bloat.bytes / _MB:,.0f} MB where about {bloat.expected_bytes / _MB:,.0f} MB would do "
            "(an estimate from statistics; pgstattuple counts). New rows use the room; pg_repack gives it back "
            "without a lock, VACUUM FULL with one",
            bytes=bloat.wasted_bytes,
        )


def _idle(table: Table, use: TableUse, counted: CountedUse | None) -> Iterator[TableNote]:
    used = use.seq_scans + use.index_scans + use.inserted + use.updated + use.deleted
    days = counted.days if counted is not None else None
    if not used and table.bytes and days is not None and days >= 1 and counted is not None:
        yield TableNote(
            "idle",
            "info",
            f"neither read nor written in {days:.0f} days"
            + (", on this server alone" if counted.replicas_missed or counted.in_recovery else ""),
            bytes=table.bytes,
        )


def _indexes(table: Table, use: TableUse) -> Iterator[TableNote]:
    written = use.inserted + use.updated - use.hot_updated
    if len(table.indexes) >= _MANY_INDEXES and written >= _UPDATES:
        yield TableNote(
            "many-indexes",
            "low",
            f"{len(table.indexes)} indexes, each of which {written:,} inserts and updates wrote to",
        )
