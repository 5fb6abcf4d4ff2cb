"""What writers of a table pay for one more index.

In the planner's units, so that it can be held against what readers gain. An entry costs the way down the
tree (btcostestimate's: comparisons at cpu_operator_cost, 50 of them per page), a leaf page that will be
written once (seq_page_cost, 1.0: `write_cost` is that), and its bytes in the write-ahead log, as a share
of a page. An UPDATE that sets no indexed column may be HOT and write no entry at all; once an index has
one of the columns that it sets, it writes an entry into every index of the table, old ones included.
A DELETE leaves entries to be removed by VACUUM: half an entry. Of a partial index a row has an entry where
the predicate holds: once in its life if statements set the column that it tests (a job is open, then done), else
for the share of the rows that the planner expects.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import field

from analyzer.model.access import TableWrite
from analyzer.model.catalog import Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.records import changing, record

_OPERATOR_COST = 0.0025  # cpu_operator_cost
_PAGE_DESCENT = 50  # operator costs for each page on the way down
_FANOUT = 256
_PAGE_BYTES = 8192
_ENTRIES = {
    "gin": 5.0,
    "hnsw": 50.0,
    "brin": 0.05,
}  # a GIN row has several entries, a BRIN page few
_DELETE_SHARE = 0.5
_HOT_SHARE = 0.5  # of updates that could be HOT, where no statistics tell


@changing
class TableWrites:
    """Rows written in the window: inserted, deleted, and updated by the columns that are set."""

    inserted: float = 0.0
    deleted: float = 0.0
    updated: dict[tuple[str, ...], float] = field(default_factory=dict)

    @property
    def rows(self) -> float:
        """All of them."""
        return self.inserted + self.deleted + sum(self.updated.values())


def add_up(writes: Iterable[tuple[TableWrite, float]]) -> dict[str, TableWrites]:
    """Rows written by table, from each statement's writes and how many rows they wrote."""
    found: dict[str, TableWrites] = {}
    for write, rows in writes:
        table = found.setdefault(write.table, TableWrites())
        if write.kind == "insert":
            table.inserted += rows
        elif write.kind == "delete":
            table.deleted += rows
        else:
            table.updated[write.columns] = table.updated.get(write.columns, 0.0) + rows
    return found


@record
class WritePrice:
    """What an index costs writers in the window: `entries` of its own and of other indexes, and `cost`.

    `hot_lost` are updates that can no longer be HOT.
    """

    entries: float = 0.0
    hot_lost: float = 0.0
    cost: float = 0.0


def price(
    candidate: IndexCandidate,
    table: Table,
    writes: TableWrites | None,
    size_bytes: int,
    write_cost: float,
) -> WritePrice:
    """What writers pay for an index over the window."""
    if writes is None:
        return WritePrice()
    columns = _columns(candidate, table)
    hot = _HOT_SHARE if table.hot_ratio is None else table.hot_ratio
    share = 1.0 if candidate.share is None else candidate.share
    tested = _tested(candidate, table)
    passing = any(tested.intersection(names) for names in writes.updated)
    entries = writes.inserted * (1.0 if passing else share) + _DELETE_SHARE * writes.deleted * share
    others = lost = 0.0
    for names, rows in writes.updated.items():
        if columns.isdisjoint(names):
            entries += rows * (1 - hot) * share
            continue
        entries += rows * share
        if not any(set(names) & _indexed(index_columns) for index_columns in _existing(table)):
            lost += rows * hot
            others += rows * hot * len(table.indexes)
    each = _entry_cost(table.rows or 0, size_bytes, write_cost)
    factor = _ENTRIES.get(candidate.method, 1.0)
    return WritePrice(entries + others, lost, each * (entries * factor + others))


def _entry_cost(rows: int, size_bytes: int, write_cost: float) -> float:
    height = max(1.0, math.log(max(2, rows), _FANOUT))
    descent = (math.log2(max(2, rows)) + height * _PAGE_DESCENT) * _OPERATOR_COST
    entry_bytes = size_bytes / rows if rows else 0.0
    return write_cost * (1.0 + descent + min(1.0, entry_bytes / _PAGE_BYTES))


def _columns(candidate: IndexCandidate, table: Table) -> set[str]:
    return {*candidate.columns, *candidate.include, *_tested(candidate, table)}


def _tested(candidate: IndexCandidate, table: Table) -> set[str]:
    """The columns that a partial index's predicate tests."""
    if candidate.constant is not None:
        return {candidate.constant.column}
    predicate = candidate.predicate or ""
    return {column.name for column in table.columns if column.name in predicate}


def _existing(table: Table) -> Iterable[tuple[str, ...]]:
    return [(*index.columns, *index.include) for index in table.indexes if index.method != "brin"]


def _indexed(columns: tuple[str, ...]) -> set[str]:
    return set(columns)


def shown(
    found: WritePrice, writes: TableWrites | None, table: Table
) -> Mapping[str, float | int | None]:
    """The figures that the report shows."""
    return {
        "rows_written": round(writes.rows) if writes is not None else table.writes,
        "hot_ratio": table.hot_ratio,
        "entries_written": round(found.entries) if writes is not None else None,
        "hot_updates_lost": round(found.hot_lost) if writes is not None else None,
        "planner_cost": round(found.cost, 1) if writes is not None else None,
    }
