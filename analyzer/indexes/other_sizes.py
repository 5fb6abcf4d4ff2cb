"""How large GIN, GiST, BRIN and hash indexes will be; the sources of each formula stand beside it.

GIN and GiST depend on values that statistics say little of: docs/index-sizes.md has how far off these are.
"""

import math

from analyzer.indexes.duplicates import groups
from analyzer.indexes.layout import (
    HEADER_BYTES,
    LINE_POINTER_BYTES,
    PAGE_BYTES,
    TUPLE_HEADER_BYTES,
    aligned,
    base_type,
    column_of,
    data_bytes,
    width_bytes,
)
from analyzer.model.catalog import Column, Table
from analyzer.model.index_candidate import IndexCandidate

_SPECIAL_BYTES = 16  # HashPageOpaqueData, GISTPageOpaqueData
_ROOM_BYTES = PAGE_BYTES - HEADER_BYTES - _SPECIAL_BYTES
_HASH_ENTRY_BYTES = TUPLE_HEADER_BYTES + 8 + LINE_POINTER_BYTES  # the value's hash, padded
_HASH_FILL = 0.75
_HASH_QUARTERS_FROM = 512  # buckets: until there their number doubles, then it grows by quarters
_BRIN_ROOM_BYTES = PAGE_BYTES - HEADER_BYTES - 8  # BrinSpecialSpace
_BRIN_RANGE_PAGES = 128
_BRIN_ENTRY_BYTES = 8  # BrinTuple's header, with the bitmap of two columns' NULLs
_BRIN_MAP_ENTRIES = 1360  # REVMAP_PAGE_MAXITEMS
_GIST_FILL = {True: 0.7, False: 0.62}  # built from sorted rows, or by splitting pages: measured
_GIST_SORTED = ("point",)
_GIST_POINT_BYTES = 32.0  # a point is kept as a box
_GIN_POINTER_BYTES = 2.6  # a row in a compressed list: measured, 1 (dense) to 4 (sparse)
_GIN_TRIGRAM_POINTER_BYTES = 1.6  # most trigrams of a text are in many rows
_GIN_ENTRY_BYTES = 48  # an element's entry: key, header and what its short list leaves
_GIN_FILL = 0.85
_GIN_SHARED = 60  # rows an element has on average, where nothing tells
_BYTES_BY_ELEMENT = {"jsonb": 20.0, "tsvector": 9.0}
_DEFAULT_ELEMENTS = 5.0
_TRIGRAMS = 8_000  # different ones in texts of one language


def hash_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int:
    """A hash index (hashpage.c): buckets for 75 % full pages, rounded up, and pages beyond.

    The number of buckets is a power of two, from 512 on a quarter of one (_hash_spareindex). What a
    bucket's page does not hold goes to pages of its own: a value in many rows takes a chain of them.
    """
    in_page = _ROOM_BYTES // _HASH_ENTRY_BYTES
    wanted = max(2.0, rows / (PAGE_BYTES * _HASH_FILL // _HASH_ENTRY_BYTES))
    power = 2 ** math.floor(math.log2(wanted))
    step = power / 4 if power >= _HASH_QUARTERS_FROM else power
    buckets = power if wanted == power else power + math.ceil((wanted - power) / step) * step
    keys = [column_of(table, name) for name in candidate.columns]
    held = [group for group in groups(keys, rows) if group.rows > in_page]
    beyond = sum(group.values * (math.ceil(group.rows / in_page) - 1) for group in held)
    scattered = (rows - sum(group.values * group.rows for group in held)) / buckets
    beyond += buckets * _share_above(scattered, in_page)
    return int(1 + buckets + math.ceil(beyond) + 1) * PAGE_BYTES


def _share_above(mean: float, most: int) -> float:
    """The share of buckets with more than `most` rows, of `mean` on average (normal, for Poisson)."""
    if mean <= 0:
        return 0.0
    return 0.5 * math.erfc((most - mean) / math.sqrt(2 * mean))


def brin_bytes(table: Table | None, candidate: IndexCandidate, _rows: float) -> int | None:
    """A BRIN index (brin_page.h, brin_tuple.h): least and greatest of every 128 pages of the table."""
    if table is None or table.bytes is None:
        return None
    given = dict(candidate.parameters).get("pages_per_range", "")
    pages = int(given) if given.isdigit() and int(given) > 0 else _BRIN_RANGE_PAGES
    ranges = max(1, math.ceil(table.bytes / PAGE_BYTES / pages))
    columns = [column_of(table, name) for name in candidate.columns]
    entry = aligned(_BRIN_ENTRY_BYTES + 2 * sum(width_bytes(column) for column in columns))
    data = math.ceil(ranges * (entry + LINE_POINTER_BYTES) / _BRIN_ROOM_BYTES)
    return (1 + math.ceil(ranges / _BRIN_MAP_ENTRIES) + max(1, data)) * PAGE_BYTES


def gist_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int:
    """A GiST index: a tuple a row, in pages that are filled as far as was measured."""
    columns = [column_of(table, name) for name in candidate.columns]
    points = len(columns) == 1 and base_type(columns[0]) == "point"
    data = _GIST_POINT_BYTES if points else data_bytes(columns)
    entry = TUPLE_HEADER_BYTES + data + LINE_POINTER_BYTES
    by_order = all(base_type(column) in _GIST_SORTED for column in columns)
    leaves = math.ceil(rows * entry / (_ROOM_BYTES * _GIST_FILL[by_order]))
    inner = math.ceil(leaves * (entry + LINE_POINTER_BYTES) / (_ROOM_BYTES * _GIST_FILL[by_order]))
    return (max(1, leaves) + inner) * PAGE_BYTES


def gin_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int:
    """A GIN index (gindatapage.c, ginpostinglist.c): an entry an element, a compressed list of its rows."""
    columns = [column_of(table, name) for name in candidate.columns]
    size = 0.0
    for key, column in zip(candidate.keys, columns, strict=True):
        elements = _elements(column, key.operator_class)
        held = rows * elements * (1.0 - ((column.null_fraction or 0.0) if column else 0.0))
        trigrams = key.operator_class == "gin_trgm_ops"
        size += held * (_GIN_TRIGRAM_POINTER_BYTES if trigrams else _GIN_POINTER_BYTES)
        size += _different(key.operator_class, held) * _GIN_ENTRY_BYTES
    return (2 + math.ceil(size / _GIN_FILL / PAGE_BYTES)) * PAGE_BYTES


def _elements(column: Column | None, operator_class: str | None) -> float:
    """How many elements a value has: by statistics, else by its size."""
    if column is None:
        return _DEFAULT_ELEMENTS
    if operator_class == "gin_trgm_ops":
        return width_bytes(column) + 1  # n letters have n + 2 trigrams, and one byte is the length
    if column.elements is not None:
        return column.elements
    by_size = _BYTES_BY_ELEMENT.get(base_type(column))
    if by_size is not None and column.width_bytes:
        return max(1.0, column.width_bytes / by_size)
    return _DEFAULT_ELEMENTS


def _different(operator_class: str | None, held: float) -> float:
    if operator_class == "gin_trgm_ops":
        return min(_TRIGRAMS, held / _GIN_SHARED)
    return held / _GIN_SHARED
