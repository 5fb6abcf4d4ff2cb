"""Indexes for nearest neighbours (pgvector), with the parameters that rows, dimensions and LIMIT ask for.

Sources: pgvector's README (lists = rows / 1000 up to a million rows, then their square root; probes the square root
of lists; at most 2,000 dimensions of vector, 4,000 of halfvec, 64,000 of bit; hnsw.ef_search 40 by default and 1,000
at most); ivfkmeans.c (what k-means holds); hnsw.h for a row of the graph: its vector and 16 bytes for each of 2·m
neighbours on the ground level and m on each above, and 180 bytes beside (pgvector 0.8.5 held 854 rows of 128
dimensions in 1 MB). Times are those of one core: 0.75 ms a row of 128 dimensions for hnsw, 0.05 for ivfflat, measured on
20,000 rows and taken to grow with the dimensions; a rough guide.
"""

import math
from collections.abc import Iterator

from analyzer.model.catalog import Catalog
from analyzer.model.finding import Recommendation
from analyzer.model.remedy import VectorIndex
from analyzer.model.vectors import MOST_DIMENSIONS, lists_for
from analyzer.sql.quoting import comment, quote_identifier, quote_table

M, EF_CONSTRUCTION, EF_SEARCH = 16, 64, 40  # pgvector's defaults
MOST_EF = 1_000
_HALF, _BITS = MOST_DIMENSIONS["halfvec"], MOST_DIMENSIONS["bit"]
_GRAPH_ROW_BYTES = 180
_NEIGHBOR_BYTES = 16
_HNSW_MS, _IVFFLAT_MS = 0.75, 0.05  # a row of _MEASURED dimensions
_MEASURED = 128
_LEAST_SAMPLE, _SAMPLE = 10_000, 50  # rows that k-means looks at: so many, or so many a list
_MB = 1 << 20
_IVFFLAT = ("vector_l2_ops", "vector_ip_ops", "vector_cosine_ops", "halfvec_l2_ops", "halfvec_ip_ops", "halfvec_cosine_ops")  # fmt: skip
_APPROXIMATE = "The answer becomes approximate: compare it with the exact one for your data (SET enable_indexscan = off). "
_OPERATORS = {"cosine_ops": "<=>", "l2_ops": "<->", "ip_ops": "<#>", "l1_ops": "<+>"}


def recommend_vector(remedy: VectorIndex, catalog: Catalog | None) -> Iterator[Recommendation]:
    """Hnsw first, then ivfflat, which is built sooner and finds less; then what a filter asks for."""
    dimensions = remedy.dimensions or _dimensions(remedy, catalog)
    kind, _, distance = remedy.operator_class.partition("_")
    column, operator_class = quote_identifier(remedy.column), remedy.operator_class
    key = f"{column} {operator_class}"
    if dimensions is not None and dimensions > MOST_DIMENSIONS.get(kind, dimensions):
        if dimensions > _HALF:
            yield _quantized(remedy, dimensions)
            return
        kind, operator_class = "halfvec", f"halfvec_{distance}"
        key = f"(({column}::halfvec({dimensions})) {operator_class})"[1:-1]
        yield _hnsw(remedy, key, kind, dimensions)
        yield _asked_as_half(remedy, distance, dimensions)
    else:
        yield _hnsw(remedy, key, kind, dimensions)
    if operator_class in _IVFFLAT:
        yield _ivfflat(remedy, key, kind, dimensions)
    if remedy.filtered_by:
        yield filtered(remedy.table, remedy.filtered_by, f"hnsw ({key})")


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


def _vector_bytes(dimensions: int, kind: str) -> float:
    return 8 + dimensions * {"halfvec": 2, "bit": 1 / 8}.get(kind, 4)


def _hnsw(remedy: VectorIndex, key: str, kind: str, dimensions: int | None) -> Recommendation:
    rows = remedy.in_table or remedy.rows
    size = graph_bytes(rows, dimensions, kind) if dimensions else None
    ef = ef_search_for(remedy.wanted)
    again = ""
    if remedy.filtered_by:
        again = "\n-- SET LOCAL hnsw.iterative_scan = 'strict_order'; -- goes on until enough rows pass the filter (pgvector 0.8)"
    return Recommendation(
        kind="index",
        language="sql",
        title=f"Create an hnsw index for {comment(remedy.table)}.{comment(remedy.column)} ({key.rsplit(' ', 1)[1]})",
        text=(
            f"SET maintenance_work_mem = '{_memory(size)}'; -- {_needs('the graph', size)}\n"
            f"CREATE INDEX CONCURRENTLY ON {quote_table(remedy.table)} USING hnsw ({key}) "
            f"WITH (m = {M}, ef_construction = {EF_CONSTRUCTION});\n"
            f"-- in the transaction of a search: SET LOCAL hnsw.ef_search = {ef}; -- the LIMIT or more: more finds more and takes longer{again}"
        ),
        verified_by="rule",
        risk=(
            f"{_APPROXIMATE}Building takes {_time(rows, dimensions, _HNSW_MS)} on one core, and much longer where the "
            "graph does not fit in maintenance_work_mem; an INSERT becomes slower. Where recall is too low: m = 24 to 32, "
            "ef_construction at least 4 · m, then ef_search. Up to 2,000 dimensions (halfvec: 4,000)."
        ),
        effect=_effect(remedy, size),
    )


def _ivfflat(remedy: VectorIndex, key: str, kind: str, dimensions: int | None) -> Recommendation:
    rows = remedy.in_table or remedy.rows
    lists = lists_for(rows)
    size = kmeans_bytes(rows, lists, dimensions, kind) if dimensions else None
    return Recommendation(
        kind="index",
        language="sql",
        title=f"Or an ivfflat index, built sooner, which finds less ({lists:,} lists)",
        text=(
            f"SET maintenance_work_mem = '{_memory(size)}'; -- {_needs('finding the lists', size)}\n"
            f"CREATE INDEX CONCURRENTLY ON {quote_table(remedy.table)} USING ivfflat ({key}) WITH (lists = {lists});\n"
            f"-- in the transaction of a search: SET LOCAL ivfflat.probes = {probes_for(lists)};"
        ),
        verified_by="rule",
        risk=(
            f"{_APPROXIMATE}Building takes {_time(rows, dimensions, _IVFFLAT_MS)} on one core. Build it when the rows are there: lists are "
            "made of them, and are to be made anew (REINDEX) when the table has become several times larger."
        ),
        effect=_effect(remedy, size),
    )


def _asked_as_half(remedy: VectorIndex, distance: str, dimensions: int) -> Recommendation:
    operator, column = _OPERATORS.get(distance, "<=>"), quote_identifier(remedy.column)
    half = f"halfvec({dimensions})"
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Ask by the halfvec that the index has: {dimensions:,} dimensions are too many for vector's",
        text=f"-- ORDER BY {column}::{half} {operator} $1::{half} LIMIT …",
        verified_by="rule",
        risk="halfvec has half of the precision; the index serves this form alone.",
    )


def _quantized(remedy: VectorIndex, dimensions: int) -> Recommendation:
    table, column = quote_table(remedy.table), quote_identifier(remedy.column)
    if dimensions > _BITS:
        return Recommendation(
            "rewrite", "sql", f"No index takes {dimensions:,} dimensions: use a smaller model",
            f"-- {table}.{column} has more than {_BITS:,} dimensions", "rule", "All vectors are to be made anew.",
        )  # fmt: skip
    bits = f"binary_quantize({column})::bit({dimensions})"
    return Recommendation(
        kind="index",
        language="sql",
        title=f"Index the signs of {dimensions:,} dimensions, which are too many for halfvec, and order again",
        text=(
            f"CREATE INDEX CONCURRENTLY ON {table} USING hnsw (({bits}) bit_hamming_ops);\n"
            f"-- the nearest 200 by {bits} <~> binary_quantize($1), and of these the nearest 10 by {column} <=> $1"
        ),
        verified_by="rule",
        risk=f"{_APPROXIMATE}Signs alone tell little: order many candidates again, or use a smaller model.",
    )


def filtered(table: str, columns: tuple[str, ...], index: str) -> Recommendation:
    """What serves a search with a filter, which an index for distances applies afterwards.

    `index` is the method with its key.
    """
    name, first = quote_table(table), quote_identifier(columns[0])
    keys = ", ".join(quote_identifier(one) for one in columns)
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Serve the filter on {', '.join(comment(one) for one in columns)} as well",
        text=(
            f"-- where it leaves some thousand rows or less, these are compared exactly:\n"
            f"CREATE INDEX CONCURRENTLY ON {name} ({keys});\n"
            f"-- a few frequent values: an index for each\n"
            f"-- CREATE INDEX CONCURRENTLY ON {name} USING {index} WHERE {first} = 'value';\n"
            f"-- many values: PARTITION BY LIST ({first}), or HASH, with an index in each partition"
        ),
        verified_by="rule",
        risk="A partial index serves only statements that name its value; partitioning means a new table.",
    )


def _needs(what: str, size: int | None) -> str:
    if size is None:
        return f"as much as the server can spare: {what} should fit"
    return f"{what} takes about {max(1, round(size / _MB)):,} MB"


def _memory(size: int | None) -> str:
    """maintenance_work_mem for what takes so many bytes: the next power of two, 64 MB at least, 8 GB at most."""
    if size is None:
        return "1GB"
    mb = min(8192, max(64, 1 << math.ceil(math.log2(max(1.0, size * 1.2 / _MB)))))
    return f"{mb}MB" if mb < 1024 else f"{mb // 1024}GB"  # noqa: PLR2004 - a GB


def _time(rows: float, dimensions: int | None, each_ms: float) -> str:
    seconds = rows * each_ms * max(1.0, (dimensions or _MEASURED) / _MEASURED) / 1000
    if seconds < 1:
        return "less than a second"
    return f"about {seconds:,.0f} s" if seconds < 120 else f"about {seconds / 60:,.0f} min"  # noqa: PLR2004 - two minutes


def _effect(remedy: VectorIndex, size: int | None) -> dict[str, float | int | str | None]:
    known: dict[str, float | int | str | None] = (
        {"build_memory_bytes": size} if size is not None else {}
    )
    return {"rows_compared_before": round(remedy.rows), **known}


def _dimensions(remedy: VectorIndex, catalog: Catalog | None) -> int | None:
    """What the column's type says, `vector(1536)`."""
    table = catalog.table(remedy.table) if catalog is not None else None
    column = table.column(remedy.column) if table is not None else None
    digits = column.type.partition("(")[2].rstrip(")") if column is not None else ""
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < len(digits) < 6 else None  # noqa: PLR2004 - 64,000 at most
