"""Indexes for nearest neighbours (pgvector), with the parameters that rows, dimensions and LIMIT ask for.

The figures and where they come from are in model/vectors.py.
"""

from collections.abc import Iterator

from analyzer.model.catalog import Catalog
from analyzer.model.finding import Recommendation
from analyzer.model.remedy import VectorIndex
from analyzer.model.vectors import (
    EF_CONSTRUCTION,
    EXACT_ROWS,
    MOST_DIMENSIONS,
    M,
    build_time_s,
    ef_search_for,
    graph_bytes,
    kmeans_bytes,
    lists_for,
    memory_setting,
    probes_for,
)
from analyzer.sql.frequent_values import frequent_script
from analyzer.sql.quoting import comment, quote_identifier, quote_table

_HALF, _BITS = MOST_DIMENSIONS["halfvec"], MOST_DIMENSIONS["bit"]
_MB = 1 << 20
_MOST_PARTIAL = 20
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
        yield from filtered(remedy.table, remedy.filtered_by, f"hnsw ({key})")


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
            f"SET maintenance_work_mem = '{memory_setting(size)}'; -- {_needs('the graph', size)}\n"
            f"CREATE INDEX CONCURRENTLY ON {quote_table(remedy.table)} USING hnsw ({key}) "
            f"WITH (m = {M}, ef_construction = {EF_CONSTRUCTION});\n"
            f"-- in the transaction of a search: SET LOCAL hnsw.ef_search = {ef}; -- the LIMIT or more: more finds more and takes longer{again}"
        ),
        verified_by="rule",
        risk=(
            f"{_APPROXIMATE}Building takes {_time('hnsw', rows, dimensions)} on one core, and much longer where the "
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
            f"SET maintenance_work_mem = '{memory_setting(size)}'; -- {_needs('finding the lists', size)}\n"
            f"CREATE INDEX CONCURRENTLY ON {quote_table(remedy.table)} USING ivfflat ({key}) WITH (lists = {lists});\n"
            f"-- in the transaction of a search: SET LOCAL ivfflat.probes = {probes_for(lists)};"
        ),
        verified_by="rule",
        risk=(
            f"{_APPROXIMATE}Building takes {_time('ivfflat', rows, dimensions)} on one core. Build it when the rows are there: lists are "
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


def filtered(table: str, columns: tuple[str, ...], index: str) -> Iterator[Recommendation]:
    """What serves a search with a filter, which an index for distances applies afterwards.

    `index` is the method with its key.
    """
    keys = ", ".join(quote_identifier(one) for one in columns)
    yield Recommendation(
        kind="index",
        language="sql",
        title=f"Where {', '.join(comment(one) for one in columns)} leaves some thousand rows or less: compare these exactly",
        text=f"CREATE INDEX CONCURRENTLY ON {quote_table(table)} ({keys});",
        verified_by="rule",
        risk="The planner chooses between this index and one for distances by its statistics: ANALYZE where they are old.",
    )
    yield Recommendation(
        kind="index",
        language="sql",
        title=f"Where a value of {comment(columns[0])} has more: an index for each frequent value",
        text=frequent_script(table, columns[0], f"USING {index}", EXACT_ROWS, _MOST_PARTIAL),
        verified_by="rule",
        risk=(
            "A partial index serves only statements that name its value, or are planned for it (plan_cache_mode = "
            "force_custom_plan). For many values with many rows `pg95 indexes` has the table partitioned by them."
        ),
    )


def _needs(what: str, size: int | None) -> str:
    if size is None:
        return f"as much as the server can spare: {what} should fit"
    return f"{what} takes about {max(1, round(size / _MB)):,} MB"


def _time(method: str, rows: float, dimensions: int | None) -> str:
    seconds = build_time_s(method, rows, dimensions)
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
