"""From what a detector of plans knows to help to recommendations: SQL that can be run as it stands."""

from collections.abc import Iterator, Sequence

from analyzer.advice.indexes import recommend_index
from analyzer.advice.vectors import filtered, recommend_vector
from analyzer.model.catalog import Catalog
from analyzer.model.finding import Recommendation
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.remedy import (
    Analyze,
    ExtendedStatistics,
    Remedy,
    Rewrite,
    Setting,
    Vacuum,
    VectorFilter,
    VectorIndex,
    WantedIndex,
)
from analyzer.sql.quoting import quote_identifier, quote_table

_NAME_BYTES = 63
_MOST = 5  # recommendations of one finding
_LOCKS = "It reads a sample of the table and takes no lock that blocks reads or writes."


def recommend_remedies(
    remedies: Sequence[Remedy],
    candidate: IndexCandidate | NoCandidate | None,
    catalog: Catalog | None,
) -> tuple[Recommendation, ...]:
    """A few recommendations, in the order of the remedies.

    Args:
        remedies: a finding's.
        candidate: what index advice made of the first index among them; None leaves indexes out.
        catalog: for an index in the words of an ORM's schema.
    """
    made: list[Recommendation] = []
    for remedy in remedies:
        if isinstance(remedy, WantedIndex):
            if candidate is not None:
                made += recommend_index(remedy, candidate, catalog)
                candidate = None
        else:
            made += _written(remedy, catalog)
    return tuple(made[:_MOST])


def _written(remedy: Remedy, catalog: Catalog | None) -> Iterator[Recommendation]:
    match remedy:
        case Setting():
            yield Recommendation(
                "setting", "sql", remedy.title, _setting(remedy), "rule", remedy.risk
            )
        case Analyze():
            text = f"ANALYZE {quote_table(remedy.table)};"
            title = f"Gather the statistics of {remedy.table} anew"
            yield Recommendation("maintenance", "sql", title, text, "rule", _LOCKS)
        case ExtendedStatistics():
            yield _statistics(remedy)
        case Vacuum():
            yield _vacuum(remedy)
        case VectorIndex():
            yield from recommend_vector(remedy, catalog)
        case VectorFilter():
            key = f"{quote_identifier(remedy.column)} {remedy.operator_class}"
            yield from filtered(remedy.table, remedy.columns, f"hnsw ({key})")
        case Rewrite():
            yield Recommendation(remedy.kind, "sql", remedy.title, remedy.text, "rule", remedy.risk)


def _setting(remedy: Setting) -> str:
    return (
        f"BEGIN;\nSET LOCAL {remedy.name} = '{remedy.value}';\n"
        "-- the statement here, with EXPLAIN (ANALYZE, BUFFERS) to compare\nCOMMIT;"
    )


def _statistics(remedy: ExtendedStatistics) -> Recommendation:
    columns = ", ".join(quote_identifier(column) for column in remedy.columns)
    plain = "_".join(["stats", remedy.table.rpartition(".")[2], *remedy.columns])
    name = plain.encode()[:_NAME_BYTES].decode("utf-8", "ignore")
    return Recommendation(
        kind="maintenance",
        language="sql",
        title=f"Let the planner know that {', '.join(remedy.columns)} depend on each other",
        text=(
            f"CREATE STATISTICS {quote_identifier(name)} ON {columns} FROM {quote_table(remedy.table)};\n"
            f"ANALYZE {quote_table(remedy.table)};"
        ),
        verified_by="rule",
        risk="ANALYZE takes a little longer; it helps conditions on these columns of one table, not joins.",
    )


def _vacuum(remedy: Vacuum) -> Recommendation:
    table = quote_table(remedy.table)
    sooner = (
        f"ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = 0.02, "
        "autovacuum_vacuum_insert_scale_factor = 0.05);"
    )
    full = f"-- to give the space back: VACUUM (FULL, ANALYZE) {table}, which locks it; pg_repack does not"
    return Recommendation(
        kind="maintenance",
        language="sql",
        title=f"Vacuum {remedy.table}, and sooner from then on, {remedy.why}",
        text="\n".join([f"VACUUM (ANALYZE) {table};", *([full] if remedy.full else []), sooner]),
        verified_by="rule",
        risk="VACUUM reads the table and cannot run in a transaction; the insert factor needs PostgreSQL 13.",
    )
