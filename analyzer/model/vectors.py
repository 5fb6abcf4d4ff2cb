"""Nearest neighbours by pgvector's indexes: parameters, and what building them takes.

Sources: pgvector's README (lists = rows / 1000 up to a million rows, then their square root; probes the square root
of lists; at most 2,000 dimensions of vector, 4,000 of halfvec, 64,000 of bit; hnsw.ef_search 40 by default and 1,000
at most); ivfkmeans.c (what k-means holds); hnsw.h for a row of the graph: its vector and 16 bytes for each of 2·m
neighbours on the ground level and m on each above, and 180 bytes beside (pgvector 0.8.5 held 854 rows of 128
dimensions in 1 MB). Times are those of one core: 0.75 ms a row of 128 dimensions for hnsw, 0.05 for ivfflat, measured on
20,000 rows and taken to grow with the dimensions; a rough guide.
"""

import math
from collections.abc import Sequence

from analyzer.patterns import regex
from analyzer.records import record

MOST_DIMENSIONS = {"vector": 2_000, "halfvec": 4_000, "bit": 64_000}
DISTANCES = {"<->": "l2", "<#>": "ip", "<=>": "cosine", "<+>": "l1"}
M, EF_CONSTRUCTION, EF_SEARCH = 16, 64, 40  # pgvector's defaults
HNSW_PARAMETERS = (("m", str(M)), ("ef_construction", str(EF_CONSTRUCTION)))
MOST_EF = 1_000
LARGEST_GRAPH_BYTES = (
    2 << 30
)  # more than servers give maintenance_work_mem; without, it is built on disk, for hours
EXACT_ROWS = 10_000  # so many are compared as fast as an index finds its candidates
_MANY_ROWS = 1_000_000
_GRAPH_ROW_BYTES = 180
_NEIGHBOR_BYTES = 16
_MS = {"hnsw": 0.75, "ivfflat": 0.05}  # a row of _MEASURED dimensions
_MEASURED = 128
_LEAST_SAMPLE, _SAMPLE = 10_000, 50  # rows that k-means looks at: so many, or so many a list
_MB = 1 << 20
_TYPE = regex(r"(?:\w+\.)?(vector|halfvec|bit|sparsevec)(?:\((\d{1,6})\))?")


@record
class FilterValues:
    """What a search's filter on a column was called with: of so many executions the most frequent values, most first.

    `values` are of the team's data. `distinct` counts different ones, None where there are too many to count.
    """

    executions: int
    values: Sequence[tuple[str, int]]
    distinct: int | None


def vector_type(type_: str) -> tuple[str, int | None] | None:
    """The kind of vector that a column's type is, and its dimensions where it tells them; None of others."""
    found = _TYPE.fullmatch(type_)
    return (found[1], int(found[2]) if found[2] else None) if found else None


def lists_for(rows: float) -> int:
    """How many lists an ivfflat index should have: one for each 1,000 rows, of more than a million their square root."""
    return max(1, round(rows / 1000 if rows <= _MANY_ROWS else math.sqrt(rows)))


def probes_for(lists: int) -> int:
    """How many of its lists a search should visit, to begin with."""
    return max(1, round(math.sqrt(lists)))


def ef_search_for(wanted: float) -> int:
    """How many candidates hnsw should look for: twice the LIMIT, within pgvector's bounds."""
    return min(MOST_EF, max(EF_SEARCH, round(2 * wanted)))


def graph_bytes(rows: float, dimensions: int, kind: str = "vector", m: int = M) -> int:
    """What hnsw's graph takes in maintenance_work_mem while it is built."""
    neighbors = _NEIGHBOR_BYTES * m * (2 + 1 / (m - 1))
    return round(rows * (_vector_bytes(dimensions, kind) + neighbors + _GRAPH_ROW_BYTES))


def kmeans_bytes(rows: float, lists: int, dimensions: int, kind: str = "vector") -> int:
    """What finding the lists takes in maintenance_work_mem (ivfkmeans.c): samples, centres, their bounds."""
    samples = min(rows, max(_LEAST_SAMPLE, _SAMPLE * lists))
    vector = _vector_bytes(dimensions, kind)
    return round((samples + 3 * lists) * vector + 4 * lists * (samples + lists))


def build_time_s(method: str, rows: float, dimensions: int | None) -> float:
    """How long one core builds an index, about."""
    return rows * _MS[method] * max(1.0, (dimensions or _MEASURED) / _MEASURED) / 1000


def memory_setting(size: int | None) -> str:
    """maintenance_work_mem for what takes so many bytes: the next power of two, 64 MB at least, 8 GB at most."""
    if size is None:
        return "1GB"
    mb = min(8192, max(64, 1 << math.ceil(math.log2(max(1.0, size * 1.2 / _MB)))))
    return f"{mb}MB" if mb < 1024 else f"{mb // 1024}GB"  # noqa: PLR2004 - a GB


def _vector_bytes(dimensions: int, kind: str) -> float:
    return 8 + dimensions * {"halfvec": 2, "bit": 1 / 8}.get(kind, 4)
