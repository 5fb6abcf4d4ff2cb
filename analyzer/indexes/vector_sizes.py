"""How large pgvector's indexes will be: by the size of the vectors, which their type tells.

Of hnsw (pgvector, hnsw.h): every row has an element tuple (the vector with 80 bytes around it, as
HnswElementTupleData lays it out) and a neighbor tuple (6 bytes for each of 2·m neighbours on the ground
level, m on each above it; a row reaches level l with a chance of m^-l). Both stand on one page where they
fit, and only whole ones. Of ivfflat (ivfflat.h): a vector a row, and one a list.
"""

import math

from analyzer.indexes.layout import (
    HEADER_BYTES,
    LINE_POINTER_BYTES,
    PAGE_BYTES,
    TUPLE_HEADER_BYTES,
    aligned,
    column_of,
)
from analyzer.model.catalog import Column, Table
from analyzer.model.index_candidate import IndexCandidate
from analyzer.patterns import regex

_SPECIAL_BYTES = 8  # HnswPageOpaqueData, IvfflatPageOpaqueData
_ROOM_BYTES = PAGE_BYTES - HEADER_BYTES - _SPECIAL_BYTES
_ELEMENT_BYTES = 72  # HnswElementTupleData before its vector: 10 row pointers, neighbours, level
_NEIGHBOR_BYTES = 4  # HnswNeighborTupleData before its pointers
_POINTER_BYTES = 6
_DEFAULT_M = 16
_DEFAULT_LISTS = 100
_DIMENSIONS = regex(r"(?:\w+\.)?(vector|halfvec|bit|sparsevec)\((\d+)\)")
_DIMENSION_BYTES = {"vector": 4.0, "halfvec": 2.0, "bit": 1 / 8}
_VECTOR_HEADER_BYTES = 8


def hnsw_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int | None:
    """The expected size of an hnsw index, None where the vectors' size is not known."""
    vector = _vector_bytes(column_of(table, candidate.columns[0]))
    if vector is None:
        return None
    m = _parameter(candidate, "m", _DEFAULT_M)
    levels = 1.0 / (m - 1) if m > 1 else 0.0  # the mean of a geometric distribution
    neighbors = aligned(_NEIGHBOR_BYTES + (2 + levels) * m * _POINTER_BYTES)
    element = aligned(_ELEMENT_BYTES + vector)
    together = element + neighbors + 2 * LINE_POINTER_BYTES
    if together <= _ROOM_BYTES:
        pages = math.ceil(rows / (_ROOM_BYTES // together))
    else:
        apart = _ROOM_BYTES // (neighbors + LINE_POINTER_BYTES)
        pages = math.ceil(rows) + math.ceil(rows / apart)
    return (pages + 1) * PAGE_BYTES


def ivfflat_bytes(table: Table | None, candidate: IndexCandidate, rows: float) -> int | None:
    """The expected size of an ivfflat index, None where the vectors' size is not known."""
    vector = _vector_bytes(column_of(table, candidate.columns[0]))
    if vector is None:
        return None
    lists = _parameter(candidate, "lists", _DEFAULT_LISTS)
    entry = TUPLE_HEADER_BYTES + aligned(vector) + LINE_POINTER_BYTES
    in_page = max(1, _ROOM_BYTES // entry)
    of_lists = math.ceil(lists / max(1, _ROOM_BYTES // (aligned(16 + vector) + LINE_POINTER_BYTES)))
    # Each list begins a page of its own, and its last one is half full.
    pages = lists * math.ceil(max(1.0, rows / lists) / in_page) if rows >= lists else lists
    return (int(pages) + of_lists + 1) * PAGE_BYTES


def _vector_bytes(column: Column | None) -> float | None:
    found = _DIMENSIONS.fullmatch(column.type) if column is not None else None
    if found is not None and found.group(1) in _DIMENSION_BYTES:
        return _VECTOR_HEADER_BYTES + int(found.group(2)) * _DIMENSION_BYTES[found.group(1)]
    return column.width_bytes if column is not None else None


def _parameter(candidate: IndexCandidate, name: str, default: int) -> int:
    """A WITH parameter; one that is no number is the server's to refuse, and not reckoned with."""
    text = dict(candidate.parameters).get(name, "")
    return int(text) if text.isdigit() and int(text) > 0 else default
