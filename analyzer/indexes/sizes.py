"""How large an index will be when it is built, from row counts, column types and statistics.

Of a btree (nbtsort.c, nbtdedup.c): a leaf page of 8,192 bytes has a header of 24 and 16 of btree data,
and is filled until less than 10 % is free; its last tuple becomes the next page's. A tuple is its header
of 8 bytes and the key, padded to 8, with a line pointer of 4. Since 13 equal keys are merged into one
key and 6 bytes a row, in tuples of up to 812 bytes, except where equal values may look different
(numeric, floating point, jsonb, interval, arrays, ranges), in a unique index, and with INCLUDE. Pages
above the leaves are filled to 70 %.

How far off that is: docs/index-sizes.md. An index that was written to for long is larger.
"""

import math
from collections.abc import Callable, Mapping, Sequence

from analyzer.indexes.duplicates import groups
from analyzer.indexes.layout import (
    HEADER_BYTES,
    LINE_POINTER_BYTES,
    NULLS_HEADER_BYTES,
    PAGE_BYTES,
    TUPLE_HEADER_BYTES,
    aligned,
    base_type,
    column_of,
    data_bytes,
)
from analyzer.indexes.other_sizes import brin_bytes, gin_bytes, gist_bytes, hash_bytes
from analyzer.indexes.vector_sizes import hnsw_bytes, ivfflat_bytes
from analyzer.model.catalog import Column, Table
from analyzer.model.index_candidate import IndexCandidate

_SPECIAL_BYTES = 16  # BTPageOpaqueData
_LEAF_FREE_BYTES = PAGE_BYTES * 10 // 100  # BTREE_DEFAULT_FILLFACTOR is 90
_INNER_FREE_BYTES = PAGE_BYTES * 30 // 100  # BTREE_NONLEAF_FILLFACTOR is 70
_POINTER_BYTES = 6  # ItemPointerData
_POSTING_BYTES = PAGE_BYTES // 10 // 8 * 8 - LINE_POINTER_BYTES  # a merged tuple's most, at build
_UNMERGED = frozenset(
    {"numeric", "real", "double precision", "interval", "jsonb", "tsvector", "tsquery", "record"}
)
_Sizer = Callable[[Table | None, IndexCandidate, float], int | None]


def index_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int | None:
    """The expected size in bytes of an index when it is built, None for a method without a formula.

    Args:
        table: its table, with the columns' statistics where they are known.
        candidate: the index.
        rows: how many rows it will hold: of a partial index those that its predicate leaves.
    """
    sizer = _SIZERS.get(candidate.method)
    return sizer(table, candidate, max(0.0, rows)) if sizer is not None else None


def distinct_values(table: Table, column: str, rows: int) -> float | None:
    """How many values a column has: pg_stats.n_distinct, which is a share of the rows below 0."""
    known = table.column(column)
    if known is None or known.distinct is None:
        return None
    return known.distinct if known.distinct >= 0 else -known.distinct * rows


def btree_bytes(
    table: Table | None, columns: Sequence[str], rows: float, include: Sequence[str] = ()
) -> int:
    """The expected size in bytes of a btree index over `columns` of `rows` rows, when built."""
    keys = [column_of(table, name) for name in columns]
    carried = [column_of(table, name) for name in include]
    whole = table is not None and table.is_unique(frozenset(columns))
    merges = not carried and not whole and all(_merges(key) for key in keys)
    data = data_bytes([*keys, *carried])
    empty = _null_share([*keys, *carried])
    if merges:
        used, tuples = _merged(keys, data, rows)
    else:
        entry = TUPLE_HEADER_BYTES + data + LINE_POINTER_BYTES
        tuples = rows
        used = rows * (entry + empty * (NULLS_HEADER_BYTES - TUPLE_HEADER_BYTES))
    return _pages(used, tuples, data_bytes(keys)) * PAGE_BYTES


def _btree(table: Table | None, candidate: IndexCandidate, rows: float) -> int:
    return btree_bytes(table, candidate.columns, rows, candidate.include)


def _merges(column: Column | None) -> bool:
    """Whether equal values of its type look the same, so that their keys may be merged."""
    kind = base_type(column)
    return kind not in _UNMERGED and not kind.endswith(("[]", "range"))


def _null_share(columns: Sequence[Column | None]) -> float:
    """The share of rows in which some column is NULL, whose tuples need a bitmap of NULLs."""
    present = 1.0
    for column in columns:
        present *= 1.0 - ((column.null_fraction or 0.0) if column is not None else 0.0)
    return 1.0 - present


def _merged(keys: Sequence[Column | None], data: float, rows: float) -> tuple[float, float]:
    """Bytes (with line pointers) and tuples of the leaves, equal keys merged."""
    used = tuples = 0.0
    for group in groups(keys, rows):
        header = NULLS_HEADER_BYTES if group.nulls else TUPLE_HEADER_BYTES
        key = header + (0.0 if group.nulls and len(keys) == 1 else data)
        below = math.floor(group.rows)
        above = group.rows - below
        for count, share in ((below, 1.0 - above), (below + 1, above)):
            size, parts = _posting(key, count)
            used += group.values * share * size
            tuples += group.values * share * parts
    return used, tuples


def _posting(key: float, rows: int) -> tuple[float, int]:
    """Bytes and tuples of `rows` equal keys: tuples of up to 812 bytes, and one of what is left."""
    most = max(1, int((_POSTING_BYTES - key) // _POINTER_BYTES))
    full, left = divmod(rows, most)
    size = full * (_tuple(key, most) + LINE_POINTER_BYTES)
    if left:
        size += _tuple(key, left) + LINE_POINTER_BYTES
    return size, full + bool(left)


def _tuple(key: float, rows: int) -> float:
    return key if rows == 1 else aligned(key + rows * _POINTER_BYTES)


def _pages(used: float, tuples: float, key: float) -> int:
    """Pages of the tree: leaves, the levels above them, and the meta page."""
    mean = used / tuples if tuples else 0.0
    room = PAGE_BYTES - HEADER_BYTES - _SPECIAL_BYTES
    leaves = pages = max(1, math.ceil(used / (room - _LEAF_FREE_BYTES - mean / 2)))
    pivot = TUPLE_HEADER_BYTES + key + LINE_POINTER_BYTES
    fanout = max(2.0, (room - _INNER_FREE_BYTES) / pivot)
    while leaves > 1:
        leaves = math.ceil(leaves / fanout)
        pages += leaves
    return pages + 1


_SIZERS: Mapping[str, _Sizer] = {
    "btree": _btree,
    "hash": hash_bytes,
    "brin": brin_bytes,
    "gin": gin_bytes,
    "gist": gist_bytes,
    "hnsw": hnsw_bytes,
    "ivfflat": ivfflat_bytes,
}
