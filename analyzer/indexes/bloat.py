"""Hints that a table or an index takes more room than its rows need.

The room they need is an estimate: rows and the mean width of columns from statistics, laid out as
PostgreSQL does (layout.py). So it is a hint, and only one where much more room is taken; pgstattuple counts.
"""

from analyzer.indexes.layout import has_fixed_width, heap_bytes
from analyzer.indexes.sizes import btree_bytes
from analyzer.model.catalog import Column, Index, Table
from analyzer.model.snapshot import TableUse
from analyzer.records import record

_TIMES = 2.0  # what random inserts, HOT and one update of every row may leave is below that
_LEAST_BYTES = 10 * 2**20


@record
class Bloat:
    """`bytes` are taken where about `expected_bytes` would do."""

    bytes: int
    expected_bytes: int

    @property
    def wasted_bytes(self) -> int:
        """What a rewrite would give back, about."""
        return self.bytes - self.expected_bytes


def table_bloat(table: Table, use: TableUse) -> Bloat | None:
    """Of a table's rows alone, without TOAST and indexes; None where nothing stands out or is known."""
    rows = use.rows if use.rows is not None else table.rows
    if not use.heap_bytes or not rows or not _all_known(table.columns):
        return None
    return _standing_out(use.heap_bytes, heap_bytes(table, rows, use.fillfactor or 100))


def index_bloat(table: Table, index: Index) -> Bloat | None:
    """Of a btree over plain columns of all rows; None for others, or where nothing stands out."""
    columns = [table.column(name) for name in (*index.columns, *index.include)]
    known = [column for column in columns if column is not None]
    plain = index.method == "btree" and index.predicate is None and len(known) == len(columns)
    if not plain or not index.bytes or not table.rows or not _all_known(tuple(known)):
        return None
    if index.partitioned or not index.valid:
        return None
    return _standing_out(index.bytes, btree_bytes(table, index.columns, table.rows, index.include))


def _all_known(columns: tuple[Column, ...]) -> bool:
    return bool(columns) and all(
        column.width_bytes is not None or has_fixed_width(column) for column in columns
    )


def _standing_out(taken: int, expected: int) -> Bloat | None:
    found = Bloat(taken, expected)
    return found if taken >= _TIMES * expected and found.wasted_bytes >= _LEAST_BYTES else None
