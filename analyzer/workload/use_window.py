"""How tables and indexes were used between two snapshots of a server, or since its counters were reset.

Counts of pg_stat_user_tables and pg_stat_user_indexes only grow until something resets them, which shows by
a count that fell or by another time of reset; then the later figures stand for themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import unquote

from analyzer.model.snapshot import IndexUse, Snapshot, TableUse
from analyzer.model.use import CountedUse, Use

_TABLE_COUNTS = (
    "seq_scans", "seq_rows", "index_scans", "index_rows", "inserted", "updated", "deleted", "hot_updated",
    "blocks_hit", "blocks_read",
)  # fmt: skip
_INDEX_COUNTS = ("scans", "rows_read", "rows_fetched")
Row = TypeVar("Row", TableUse, IndexUse)
Key = TypeVar("Key")


def use_of(snapshots: Sequence[Snapshot]) -> Use:
    """The use of the connected database's tables over the time from the first snapshot to the last.

    One snapshot alone, or a reset between, gives what was counted since the reset. Sizes, dead rows and times
    are those of the last snapshot. A table or index that the first one does not know counts from nothing.
    """
    first, last = snapshots[0], snapshots[-1]
    database = unquote(last.server.address.rpartition("/")[2])
    tables = {row.name: row for row in last.tables if row.database == database}
    indexes = {(row.table, row.name): row for row in last.indexes if row.database == database}
    reset_us = next((one.reset_us for one in last.databases if one.name == database), None)
    since = CountedUse(
        from_us=reset_us,
        to_us=last.taken_us,
        started_us=last.server.started_us,
        in_recovery=last.server.in_recovery,
        replicas=last.replicas,
    )
    if first is last or (reset_us is not None and reset_us > first.taken_us):
        return Use(since, tables, indexes)
    old_tables = {row.name: row for row in first.tables if row.database == database}
    old_indexes = {(row.table, row.name): row for row in first.indexes if row.database == database}
    if _fell(tables, old_tables, _TABLE_COUNTS) or _fell(indexes, old_indexes, _INDEX_COUNTS):
        return Use(since, tables, indexes)
    return Use(
        replace(since, from_us=first.taken_us, between=True),
        {key: _less(row, old_tables.get(key), _TABLE_COUNTS) for key, row in tables.items()},
        {key: _less(row, old_indexes.get(key), _INDEX_COUNTS) for key, row in indexes.items()},
    )


def _fell(new: Mapping[Key, Row], old: Mapping[Key, Row], names: Sequence[str]) -> bool:
    """Whether any count is lower than it was: some were reset in between."""
    return any(
        _count(row, name) < _count(old[key], name)
        for key, row in new.items()
        if key in old
        for name in names
    )


def _less(row: Row, before: Row | None, names: Sequence[str]) -> Row:
    if before is None:
        return row
    changed: dict[str, Any] = {
        name: _count(row, name) - _count(before, name)
        for name in names
        if getattr(row, name) is not None and getattr(before, name) is not None
    }
    return replace(row, **changed)


def _count(row: Row, name: str) -> int:
    value: int | None = getattr(row, name)
    return value or 0
