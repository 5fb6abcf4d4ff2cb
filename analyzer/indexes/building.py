"""How an index is built and undone: locks, time, the way back, and what an ORM's schema says of it."""

from collections.abc import Mapping, Sequence

from analyzer.model.catalog import Catalog, Table
from analyzer.model.index_advice import CreatedIndex, StatementGain
from analyzer.model.index_candidate import IndexCandidate
from analyzer.sql.prisma_index import Declaration, declaration, partial_known
from analyzer.sql.quoting import quote_identifier

LOCKS = (
    "CREATE INDEX CONCURRENTLY takes SHARE UPDATE EXCLUSIVE: reads and writes go on; other DDL and VACUUM of the "
    "table wait, and it waits for transactions that are older than it. It runs outside a transaction: one "
    "migration each. If it fails it leaves an invalid index: drop that, then try again."
)
_SCAN_BYTES_A_SECOND = 200e6  # two passes of the table, from cache or SSD
_ROWS_A_SECOND = 1.5e6  # sorted and written, of one btree key
_SLOWER: Mapping[str, float] = {
    "gin": 8.0,
    "gist": 6.0,
    "hnsw": 200.0,
    "ivfflat": 20.0,
    "brin": 0.1,
    "hash": 1.5,
}


def rollback(candidate: IndexCandidate) -> str:
    """The statement that takes the index away again."""
    schema, dot, _ = candidate.table.partition(".")
    prefix = f"{quote_identifier(schema)}." if dot else ""
    return f"DROP INDEX CONCURRENTLY {prefix}{quote_identifier(candidate.name)};"


def build_seconds(candidate: IndexCandidate, table: Table | None) -> float | None:
    """A rough estimate (an order of magnitude: disks and load differ), None where the rows are not known.

    Built concurrently the table is read twice; rows are sorted once.
    """
    if table is None or table.rows is None:
        return None
    factor = _SLOWER.get(candidate.method, 1.0)
    scan = 2 * (table.bytes or 0) / _SCAN_BYTES_A_SECOND
    return round(scan + factor * table.rows / _ROWS_A_SECOND, 1)


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
) -> CreatedIndex:
    """The advice to create a candidate, with how it is built and undone; fields as in CreatedIndex."""
    declared = _declared(candidate, catalog)
    table = catalog.table(candidate.table) if catalog is not None else None
    return CreatedIndex(
        sql="\n".join([*candidate.prerequisites, candidate.sql]),
        bytes=size,
        statements=tuple(statements),
        write_cost=write_cost,
        verified_by=verified_by,
        rule=candidate.rule,
        risk=risk,
        table=candidate.table,
        name=candidate.name,
        method=candidate.method,
        locks=LOCKS,
        build_seconds=build_seconds(candidate, table),
        rollback=rollback(candidate),
        prisma=declared.line,
        prisma_why_not=declared.why_not,
    )
