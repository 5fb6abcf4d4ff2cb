"""Rows written one by one → one statement for all of them."""

from analyzer.model.evidence import WriteLoopEvidence
from analyzer.model.finding import Recommendation
from analyzer.model.workload import Workload
from analyzer.sql.quoting import quote_identifier, quote_table
from analyzer.sql.write_rewrite import write_many

_COPY_FROM = 100  # rows in one go from which COPY is worth its own code
_RISK = "all rows are written or none: one bad row refuses them all; for thousands send some thousand at a time"


def recommend_write(evidence: WriteLoopEvidence, workload: Workload) -> tuple[Recommendation, ...]:
    """The statement for many rows, and COPY for many more."""
    made = [_together(evidence, workload)]
    if evidence.kind == "insert" and evidence.per_occurrence.median >= _COPY_FROM:
        made.append(_copy(evidence, workload))
    return tuple(one for one in made if one is not None)


def _together(evidence: WriteLoopEvidence, workload: Workload) -> Recommendation | None:
    table = workload.catalog.table(evidence.table) if workload.catalog else None
    types = {column.name: column.type for column in table.columns} if table else {}
    many = write_many(evidence.sql, types, set(evidence.varying) or None)
    if many is None:
        return None
    told = "\n".join(f"-- ${number}: {what}" for number, what in enumerate(many.parameters, 1))
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Collect the rows and write them to {evidence.table} together",
        text=f"{told}\n{many.sql};",
        verified_by="rule",
        risk="; ".join(part for part in (_RISK, many.note) if part),
        effect={
            "round_trips_before": evidence.per_occurrence.median,
            "round_trips_after": 1,
        },
    )


def _copy(evidence: WriteLoopEvidence, workload: Workload) -> Recommendation | None:
    statement = next(one for one in workload.statements if one.shape_id == evidence.shape_id)
    columns = statement.facts.written_columns
    if not columns or evidence.table is None or " on conflict " in evidence.sql.lower():
        return None
    named = ", ".join(quote_identifier(name) for name in columns)
    return Recommendation(
        kind="rewrite",
        language="sql",
        title="Send thousands of rows with COPY",
        text=f"COPY {quote_table(evidence.table)} ({named}) FROM STDIN (FORMAT csv);",
        verified_by="rule",
        risk="COPY returns no keys, knows no ON CONFLICT and computes no values: send all columns as data",
        effect={
            "round_trips_before": evidence.per_occurrence.median,
            "round_trips_after": 1,
        },
    )
