"""How an index is built and undone: locks, time, the way back, and what an ORM's schema says of it."""

from collections.abc import Mapping, Sequence

from analyzer.indexes.partitions import for_all_partitions
from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_advice import CreatedIndex, StatementGain
from analyzer.model.index_candidate import IndexCandidate
from analyzer.model.vectors import (
    EXACT_ROWS,
    build_time_s,
    ef_search_for,
    graph_bytes,
    kmeans_bytes,
    lists_for,
    memory_setting,
    probes_for,
    vector_type,
)
from analyzer.sql.prisma_index import Declaration, declaration, partial_known
from analyzer.sql.quoting import quote_identifier

LOCKS = (
    "CREATE INDEX CONCURRENTLY takes SHARE UPDATE EXCLUSIVE: reads and writes go on; other DDL and VACUUM of the "
    "table wait, and it waits for transactions that are older than it. It runs outside a transaction: one "
    "migration each. If it fails it leaves an invalid index: drop that, then try again."
)
_LOCKS_OF_PARTITIONS = (
    "The table is partitioned, where CONCURRENTLY is not possible: the index is made ON ONLY the table (invalid, at "
    "once; SHARE waits for its writers), then each partition's CONCURRENTLY (reads and writes go on; each outside a "
    "transaction, one migration each), then attached, which takes a moment. With the last one it is valid, and new "
    "partitions get theirs by themselves. DROP INDEX of it locks the table and all partitions for a moment."
)
_CUSTOM = (
    "A statement that sends the value as a parameter uses this index only where it is planned with the value: not in "
    "a generic plan (plan_cache_mode = force_generic_plan, or a prepared statement whose generic plan looks as cheap)."
)
_SCAN_BYTES_A_SECOND = 200e6  # two passes of the table, from cache or SSD
_ROWS_A_SECOND = 1.5e6  # sorted and written, of one btree key
_MB = 1 << 20
# Of a method: how many candidates, and going on where a filter leaves too few.
SETTINGS: Mapping[str, tuple[str, str, str]] = {
    "hnsw": ("hnsw.ef_search", "hnsw.iterative_scan", "strict_order"),
    "ivfflat": ("ivfflat.probes", "ivfflat.iterative_scan", "relaxed_order"),
}
_SLOWER: Mapping[str, float] = {
    "gin": 8.0,
    "gist": 6.0,
    "brin": 0.1,
    "hash": 1.5,
}


def rollback(candidate: IndexCandidate) -> str:
    """The statement that takes the index away again."""
    schema, dot, _ = candidate.table.partition(".")
    prefix = f"{quote_identifier(schema)}." if dot else ""
    how = "" if candidate.recipe else " CONCURRENTLY"  # which a partitioned index does not allow
    return f"DROP INDEX{how} {prefix}{quote_identifier(candidate.name)};"


def build_seconds(candidate: IndexCandidate, table: Table | None) -> float | None:
    """A rough estimate (an order of magnitude: disks and load differ), None where the rows are not known.

    Built concurrently the table is read twice; rows are sorted once.
    """
    if table is None or table.rows is None:
        return None
    if candidate.method in SETTINGS:
        kind_of = _vectors(candidate, table)
        rows = table.rows if candidate.predicate is None else EXACT_ROWS
        return round(build_time_s(candidate.method, rows, kind_of[1] if kind_of else None), 1)
    factor = _SLOWER.get(candidate.method, 1.0)
    scan = 2 * (table.bytes or 0) / _SCAN_BYTES_A_SECOND
    return round(scan + factor * table.rows / _ROWS_A_SECOND, 1)


def search_settings(
    candidate: IndexCandidate, table: Table | None, wanted: float = 0, *, filtered: bool = False
) -> tuple[str, ...]:
    """What to set while an index for nearest neighbours is built, and in the transaction of a search; else nothing.

    Args:
        candidate: hnsw or ivfflat; one of another method needs no setting.
        table: its table, for rows and dimensions.
        wanted: the largest LIMIT of a search, 0 where it is not known.
        filtered: searches have a filter, which is applied to what the index found.
    """
    if candidate.method not in SETTINGS:
        return ()
    kind, dimensions = _vectors(candidate, table) or ("vector", None)
    rows = table.rows if table is not None else None
    lists = int(dict(candidate.parameters).get("lists", 0)) or lists_for(rows or 0)
    size = None
    if rows is not None and dimensions and candidate.predicate is None:
        of_lists = kmeans_bytes(rows, lists, dimensions, kind)
        size = graph_bytes(rows, dimensions, kind) if candidate.method == "hnsw" else of_lists
    need = (
        f"about {max(1, round(size / _MB)):,} MB of it are needed"
        if size is not None
        else "as much as can be spared"
    )
    told = [f"SET maintenance_work_mem = '{memory_setting(size)}'; -- while it is built: {need}"]
    name, again, order = SETTINGS[candidate.method]
    value = ef_search_for(wanted) if candidate.method == "hnsw" else probes_for(lists)
    told.append(
        f"SET LOCAL {name} = {value}; -- in the transaction of a search: more finds more and takes longer"
    )
    if filtered:
        told.append(
            f"SET LOCAL {again} = '{order}'; -- goes on until enough rows pass the filter (pgvector 0.8)"
        )
    return tuple(told)


def _vectors(candidate: IndexCandidate, table: Table | None) -> tuple[str, int | None] | None:
    """The kind of vector that an index holds, and its dimensions."""
    expression = candidate.keys[0].expression
    if expression is not None:
        return vector_type(expression.rpartition("::")[2])
    column = table.column(candidate.columns[0]) if table is not None else None
    return vector_type(column.type.lower()) if column is not None else None


def _declared(candidate: IndexCandidate, catalog: Catalog | None) -> Declaration:
    """What schema.prisma says of the index."""
    table = catalog.table(candidate.table) if catalog is not None else None
    columns = table.columns if table is not None else ()
    fields = {column.name: column.field or column.name for column in columns}
    return declaration(candidate.as_index(), fields, partial=partial_known(catalog))


def created_index(
    candidate: IndexCandidate,
    catalog: Catalog | None,
    *,
    size: int | None,
    statements: Sequence[StatementGain],
    write_cost: Mapping[str, float | int | str | None],
    verified_by: str,
    risk: str,
    settings: tuple[str, ...] | None = None,
) -> CreatedIndex:
    """The advice to create a candidate, with how it is built and undone; fields as in CreatedIndex."""
    candidate = for_all_partitions(candidate, catalog)
    declared = _declared(candidate, catalog)
    constant = candidate.constant
    table = catalog.table(candidate.table) if catalog is not None else None
    return CreatedIndex(
        sql="\n".join(candidate.statements),
        bytes=size,
        statements=tuple(statements),
        write_cost=write_cost,
        verified_by=verified_by,
        rule=candidate.rule,
        risk=risk if constant is None else f"{risk} {_CUSTOM}",
        table=candidate.table,
        name=candidate.name,
        method=candidate.method,
        locks=_LOCKS_OF_PARTITIONS if candidate.recipe else LOCKS,
        build_seconds=build_seconds(candidate, table),
        rollback=rollback(candidate),
        prisma=declared.line,
        prisma_why_not=declared.why_not,
        secret=candidate.predicate if constant is not None and constant.secret else None,
        settings=search_settings(candidate, table) if settings is None else settings,
    )
