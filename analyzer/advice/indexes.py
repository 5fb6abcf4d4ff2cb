"""From a sequential scan and its index candidate to recommendations, also in Prisma's words."""

import re

from analyzer.model.catalog import Catalog
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.finding import Recommendation
from analyzer.model.index_candidate import IndexCandidate, NoCandidate
from analyzer.model.remedy import WantedIndex
from analyzer.patterns import regex
from analyzer.sql.prisma_index import declaration, partial_known
from analyzer.sql.quoting import comment, quote_identifier, quote_table

_NOT_RUN = "not verified by execution"
_CAST = regex(r"\((?P<inner>.*)\)::(?P<target>[a-z ]+)\Z", re.DOTALL)
_DATES = ("date_trunc(", "EXTRACT(", "date_part(", "date(")


def recommend_for_scan(
    evidence: SeqScanEvidence,
    candidate: IndexCandidate | NoCandidate,
    catalog: Catalog | None = None,
) -> tuple[Recommendation, ...]:
    """What to do about a selective scan, the most direct first.

    Args:
        evidence: the finding's.
        candidate: what index advice made of it (analyzer.indexes.candidates).
        catalog: with Prisma's model names, an index is also written as `@@index`.

    Returns:
        At least one recommendation: a rewrite where the condition hides the column, the index,
        or a look at the statistics where a fitting index exists and is not used.
    """
    found: list[Recommendation] = [
        rewrite
        for condition in evidence.conditions
        if (rewrite := _rewrite(evidence, condition, candidate)) is not None
    ]
    found += recommend_index(evidence, candidate, catalog)
    if not found:
        found.append(_by_hand(evidence, candidate))
    return tuple(found)


def prisma_index(candidate: IndexCandidate, catalog: Catalog | None) -> Recommendation | None:
    """The candidate as a line of schema.prisma; None where the table is no Prisma model's, or Prisma has no words.

    What cannot be declared there belongs into a migration as SQL.
    """
    table = catalog.table(candidate.table) if catalog is not None else None
    if table is None or table.model is None:
        return None
    fields = {column.name: column.field or column.name for column in table.columns}
    if any(not key.expression and key.column not in fields for key in candidate.keys):
        return None
    declared = declaration(candidate.as_index(), fields, partial=partial_known(catalog))
    if declared.line is None:
        return None
    line = f"  {declared.line}"
    what = " and ".join(declared.beyond)
    beyond = f" Of {what} it says nothing: create the index by its SQL." if what else ""
    return Recommendation(
        kind="index",
        language="prisma",
        title=f"Declare the index in model {table.model}",
        text=f"model {table.model} {{\n  // \u2026\n{line}\n}}",
        verified_by="rule",
        risk=(
            "prisma migrate writes CREATE INDEX without CONCURRENTLY, which blocks writers while it "
            "builds: edit the migration, or create the index first (the same name is then in place)."
            + beyond
        ),
    )


def recommend_index(
    evidence: SeqScanEvidence | WantedIndex,
    candidate: IndexCandidate | NoCandidate,
    catalog: Catalog | None = None,
) -> tuple[Recommendation, ...]:
    """The index itself, or a look at one that is there and not used; nothing where none serves."""
    if isinstance(candidate, IndexCandidate):
        prisma = prisma_index(candidate, catalog)
        return (_create(evidence, candidate), *((prisma,) if prisma else ()))
    return (_unused(evidence, candidate),) if candidate.existing is not None else ()


def _create(evidence: SeqScanEvidence | WantedIndex, candidate: IndexCandidate) -> Recommendation:
    return Recommendation(
        kind="index",
        language="sql",
        title=f"Create an index on {candidate.table} ({', '.join(candidate.columns)}): {candidate.rule}",
        text="\n".join(candidate.statements),
        verified_by="plan",
        risk=f"{candidate.trade_off} The scan is measured, the gain is an estimate, {_NOT_RUN}.",
        effect={
            "rows_read_before": round(evidence.rows_read),
            "rows_read_after": round(evidence.rows_kept),
            "scan_ms_before": round(
                evidence.self_ms if isinstance(evidence, SeqScanEvidence) else evidence.cost_ms, 3
            ),
            "index_bytes": candidate.bytes,
        },
    )


def _unused(evidence: SeqScanEvidence | WantedIndex, candidate: NoCandidate) -> Recommendation:
    table = quote_table(evidence.table)
    return Recommendation(
        kind="maintenance",
        language="sql",
        title=f"Find out why {candidate.existing} is not used: {candidate.reason}",
        text=(
            f"ANALYZE {table};\n"
            "-- then EXPLAIN the statement again; also compare the type of the parameter with the\n"
            "-- column's, the collation, and random_page_cost (1.1 for solid-state disks)"
        ),
        verified_by="rule",
        risk="ANALYZE reads a sample of the table and takes no lock that blocks reads or writes.",
    )


def _by_hand(evidence: SeqScanEvidence, candidate: IndexCandidate | NoCandidate) -> Recommendation:
    reason = candidate.reason if isinstance(candidate, NoCandidate) else candidate.rule
    columns = ", ".join(dict.fromkeys(c.column for c in evidence.conditions))
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Say which rows are wanted: {reason}",
        text=(
            f"-- {comment(f'the condition on {columns} rules out rows; an index finds rows that are')}\n"
            "-- named. List the wanted values (= ANY ($1)), or index only the wanted rows:\n"
            f"-- CREATE INDEX CONCURRENTLY \u2026 ON {comment(quote_table(evidence.table))} (\u2026) WHERE <this condition>;"
        ),
        verified_by="rule",
        risk="A partial index serves only statements that repeat its condition.",
    )


def _rewrite(
    evidence: SeqScanEvidence, condition: ColumnCondition, candidate: IndexCandidate | NoCandidate
) -> Recommendation | None:
    """How to write a condition so that the column stands alone, None where nothing hides it."""
    if condition.expression is None or condition.sargable:
        return None
    if _is_served(condition, candidate):
        return None
    column = quote_identifier(condition.column)
    cast = _CAST.match(condition.expression)
    if condition.expression.startswith(_DATES) or (cast and cast["target"] == "date"):
        text = f"WHERE {column} >= $1 AND {column} < $2  -- the first moment wanted, the first no longer wanted"
        title = f"Compare {condition.column} with a range instead of computing from every row"
    elif cast:
        text = f"WHERE {column} {_operator(condition)} $1  -- $1 of {condition.column}'s own type, no cast on the column"
        title = f"Compare {condition.column} in its own type: the cast hides it from indexes"
    else:
        text = f"WHERE {column} {_operator(condition)} $1  -- with the computation done on the value's side"
        title = f"Move the computation away from {condition.column}"
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"{title} ({condition.expression})",
        text=_one_line(text),
        verified_by="rule",
        risk=f"Check that it means the same (time zones, NULLs); then an index on {evidence.table} ({condition.column}) can serve it.",
    )


def _is_served(condition: ColumnCondition, candidate: IndexCandidate | NoCandidate) -> bool:
    if not isinstance(candidate, IndexCandidate):
        return False
    return any(key.expression == condition.expression for key in candidate.keys)


def _operator(condition: ColumnCondition) -> str:
    return condition.operator if condition.operator in ("=", "<", "<=", ">", ">=") else "="


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))
