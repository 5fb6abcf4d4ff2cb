"""Pages and tuples of PostgreSQL's indexes and tables: the constants that sizes are reckoned with.

Sources: storage/bufpage.h (page header, line pointers), access/itup.h (index tuples), c.h (MAXALIGN),
the access methods' own headers where named. All are those of 8 KB pages on 64-bit machines.
"""

from collections.abc import Sequence

from analyzer.model.catalog import Column, Table

PAGE_BYTES = 8192
HEADER_BYTES = 24  # PageHeaderData
LINE_POINTER_BYTES = 4  # ItemIdData
TUPLE_HEADER_BYTES = 8  # IndexTupleData
NULLS_HEADER_BYTES = 16  # with IndexAttributeBitMapData, aligned
ALIGNED_BYTES = 8  # MAXIMUM_ALIGNOF
_ROW_HEADER_BYTES = 23  # HeapTupleHeaderData

_UNKNOWN_BYTES = 20  # a short text with its length
# By type: bytes and alignment.
_FIXED = {
    "boolean": (1, 1), '"char"': (1, 1), "smallint": (2, 2), "integer": (4, 4), "bigint": (8, 8),
    "real": (4, 4), "double precision": (8, 8), "date": (4, 4), "uuid": (16, 1), "oid": (4, 4),
    "timestamp": (8, 8), "timestamp with time zone": (8, 8), "time": (8, 8), "money": (8, 8),
    "time with time zone": (12, 8), "interval": (16, 8), "macaddr": (6, 4), "macaddr8": (8, 4),
    "name": (64, 1), "point": (16, 8), "xid": (4, 4), "pg_lsn": (8, 8),
}  # fmt: skip
_TYPICAL_BYTES = {"numeric": 8.0, "inet": 7.0, "cidr": 7.0, "jsonb": 60.0}  # where nothing is known
_ENUM_BYTES = 4


def aligned(size: float) -> float:
    """A size rounded up as PostgreSQL aligns tuples (MAXALIGN)."""
    return -(-size // ALIGNED_BYTES) * ALIGNED_BYTES


def base_type(column: Column | None) -> str:
    """A column's type without length, precision and "without time zone"; "" where not known."""
    if column is None:
        return ""
    before, bracket, after = column.type.partition("(")
    words = (before.strip() + after.partition(")")[2] if bracket else before).strip()
    return words.removesuffix(" without time zone").lower()


def column_of(table: Table | None, name: str) -> Column | None:
    """The table's column of that name, if both are known."""
    return table.column(name) if table is not None else None


def width_bytes(column: Column | None) -> float:
    """The mean size of a column's value: by its type where that is fixed, else by statistics."""
    kind = base_type(column)
    if kind in _FIXED:
        return float(_FIXED[kind][0])
    if column is not None and column.width_bytes:
        return column.width_bytes
    return _TYPICAL_BYTES.get(kind, _UNKNOWN_BYTES)


def has_fixed_width(column: Column) -> bool:
    """Whether all values of its type are as long."""
    return base_type(column) in _FIXED


def data_bytes(columns: Sequence[Column | None]) -> float:
    """The mean size of an index tuple's data, padded to full alignment.

    Values of fixed size stand at multiples of their alignment; others are stored with a header of one
    byte (up to 126 bytes), unaligned. Behind one of those all positions are equally likely, and the
    padding is half of what it can be.
    """
    size, certain = 0.0, True
    for column in columns:
        fixed = _FIXED.get(base_type(column)) or _enumerated(column)
        if fixed is None:
            size += width_bytes(column)
            certain = False
            continue
        length, alignment = fixed
        if certain:
            size = -(-size // alignment) * alignment + length
        else:
            size += length + (alignment - 1) / 2
    return aligned(size) if certain else size + (ALIGNED_BYTES - 1) / 2


def heap_bytes(table: Table, rows: float, fillfactor: int = 100) -> int:
    """The room that so many rows take in the table itself, without TOAST and indexes, when they are written.

    A row has a header of 23 bytes and a bitmap of NULLs, padded to 8, and a line pointer of 4 (storage/bufpage.h,
    access/htup_details.h); widths are means by statistics.
    """
    bitmap = (len(table.columns) + 7) // 8
    row = aligned(_ROW_HEADER_BYTES + bitmap) + aligned(data_bytes(table.columns))
    room = (PAGE_BYTES - HEADER_BYTES) * fillfactor / 100
    per_page = max(1, int(room // (row + LINE_POINTER_BYTES)))
    return int(-(-rows // per_page)) * PAGE_BYTES


def _enumerated(column: Column | None) -> tuple[int, int] | None:
    """An enum is 4 bytes; statistics tell it from a text: all of its values are as long."""
    known = column is not None and column.width_bytes == _ENUM_BYTES
    return (4, 4) if known and base_type(column) not in _TEXTUAL else None


_TEXTUAL = frozenset(
    {"text", "character varying", "character", "bytea", "numeric", "citext", "bit"}
)
