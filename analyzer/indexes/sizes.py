"""How large a btree index will be, from row counts and column types.

PostgreSQL's page layout (storage/bufpage.h, access/itup.h, nbtree): 8 KB pages with a 24-byte
header and 16 bytes of btree data, filled to 90 % at build; a tuple costs 8 bytes of header, its key
padded to 8, and a 4-byte line pointer. Equal keys are merged (since 13) into one key and 6 bytes
a row, except where equal values may look different (numeric, floating point).
"""

from collections.abc import Sequence

from analyzer.model.catalog import Table

_PAGE_BYTES = 8192
_USABLE_BYTES = (_PAGE_BYTES - 24 - 16) * 0.9
_TUPLE_BYTES = 8 + 4
_ROW_POINTER_BYTES = 6
_UNKNOWN_BYTES = 20  # a short text with its length
_TYPE_BYTES = {
    "boolean": 1, "smallint": 2, "integer": 4, "bigint": 8, "real": 4, "double precision": 8,
    "numeric": 8, "date": 4, "uuid": 16, "oid": 4, "timestamp": 8, "time": 8, "interval": 16,
    "inet": 12, "cidr": 12, "macaddr": 6, "money": 8,
}  # fmt: skip
_UNMERGED = frozenset({"numeric", "real", "double precision"})


def distinct_values(table: Table, column: str, rows: int) -> float | None:
    """How many values a column has: pg_stats.n_distinct, which is a share of the rows below 0."""
    known = table.column(column)
    if known is None or known.distinct is None:
        return None
    return known.distinct if known.distinct >= 0 else -known.distinct * rows


def btree_bytes(table: Table | None, columns: Sequence[str], rows: int) -> int:
    """The expected size in bytes of a btree index over `columns` of `rows` rows, when built."""
    width = sum(_width(table, column) for column in columns)
    merges = not any(_base_type(table, column) in _UNMERGED for column in columns)
    entry = _TUPLE_BYTES + (width + 7) // 8 * 8
    distinct = 1.0
    for column in columns:
        values = distinct_values(table, column, rows) if table is not None else None
        distinct = min(float(rows), distinct * (values if values is not None else rows))
    merged = distinct * entry + rows * _ROW_POINTER_BYTES
    data = min(float(rows * entry), merged) if merges else float(rows * entry)
    leaves = max(1, -(-int(data) // int(_USABLE_BYTES)))
    return (leaves + leaves // 200 + 2) * _PAGE_BYTES  # inner pages, root and meta page


def _base_type(table: Table | None, column: str) -> str:
    known = table.column(column) if table is not None else None
    return known.type.lower().partition("(")[0].partition(" with")[0].strip() if known else ""


def _width(table: Table | None, column: str) -> int:
    return _TYPE_BYTES.get(_base_type(table, column), _UNKNOWN_BYTES)
