"""How an index is built and undone: locks, time, the way back, and what an ORM's schema says of it."""

from collections.abc import Mapping, Sequence

from analyzer.model.catalog import Table
from analyzer.model.index_advice import CreatedIndex, StatementGain
from analyzer.model.index_candidate import IndexCandidate
from analyzer.records import record
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
_PRISMA_TYPES: Mapping[str, str] = {
    "btree": "", "hash": "Hash", "gin": "Gin", "gist": "Gist", "brin": "Brin",
}  # fmt: skip
_PRISMA_CLASSES: Mapping[str, str] = {
    "jsonb_path_ops": "JsonbPathOps", "jsonb_ops": "JsonbOps", "inet_ops": "InetOps",
    "gin_trgm_ops": 'raw("gin_trgm_ops")', "text_pattern_ops": 'raw("text_pattern_ops")',
}  # fmt: skip


@record
class PrismaLine:
    """`text` is the @@index line of the model, else `why_not` says why it takes SQL."""

    text: str | None = None
    why_not: str | None = None


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


def prisma_line(candidate: IndexCandidate, table: Table | None) -> PrismaLine:
    """What the model's block in schema.prisma says of the index."""
    for what, there in (
        ("a WHERE (partial index)", candidate.predicate),
        ("INCLUDE columns", candidate.include),
        ("an expression", any(key.expression for key in candidate.keys)),
        (f"the method {candidate.method}", candidate.method not in _PRISMA_TYPES),
    ):
        if there:
            return PrismaLine(
                why_not=f"schema.prisma cannot express {what}: put the SQL into a migration "
                "(prisma migrate dev --create-only)"
            )
    fields = []
    for key in candidate.keys:
        known = table.column(key.column) if table is not None else None
        name = known.field if known is not None and known.field else key.column
        options = ["sort: Desc"] if key.descending else []
        if key.operator_class:
            if key.operator_class not in _PRISMA_CLASSES:
                return PrismaLine(why_not=f"schema.prisma does not know {key.operator_class}")
            options.append(f"ops: {_PRISMA_CLASSES[key.operator_class]}")
        fields.append(f"{name}({', '.join(options)})" if options else name)
    kind = _PRISMA_TYPES[candidate.method]
    extra = f", type: {kind}" if kind else ""
    return PrismaLine(f'@@index([{", ".join(fields)}]{extra}, map: "{candidate.name}")')


def created_index(
    candidate: IndexCandidate,
    table: Table | None,
    *,
    size: int | None,
    statements: Sequence[StatementGain],
    write_cost: Mapping[str, float | int | str | None],
    verified_by: str,
    risk: str,
) -> CreatedIndex:
    """The advice to create a candidate, with how it is built and undone; fields as in CreatedIndex."""
    prisma = prisma_line(candidate, table)
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
        prisma=prisma.text,
        prisma_why_not=prisma.why_not,
    )
