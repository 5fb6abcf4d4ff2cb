"""Rows written one by one → one statement for all of them."""

from analyzer.advice.stacks import Inserts, Stacks
from analyzer.model.evidence import WriteLoopEvidence
from analyzer.model.finding import Recommendation, round_trips
from analyzer.model.workload import Workload
from analyzer.sql.quoting import comment, quote_identifier, quote_table
from analyzer.sql.write_rewrite import write_many

_COPY_FROM = 100  # rows in one go from which COPY is worth its own code
_RISK = "all rows are written or none: one bad row refuses them all; for thousands send some thousand at a time"


def recommend_write(
    evidence: WriteLoopEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """Inserts in each stack that the input shows; the statement for many rows, and COPY for many more."""
    made = [*_inserted(evidence, workload, stacks), _together(evidence, workload)]
    if evidence.kind == "insert" and evidence.per_occurrence.median >= _COPY_FROM:
        made.append(_copy(evidence, workload))
    return tuple(one for one in made if one is not None)


def _inserted(
    evidence: WriteLoopEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    columns = _plain_columns(evidence, workload)
    if evidence.kind != "insert" or not columns or evidence.table is None:
        return ()
    inserts = Inserts(evidence.table, columns, evidence.sql, workload.catalog)
    return stacks.written(
        [evidence.sql],
        lambda stack: stack.insert(inserts),
        round_trips(evidence.per_occurrence.median),
    )


def _plain_columns(evidence: WriteLoopEvidence, workload: Workload) -> tuple[str, ...]:
    """The columns that an INSERT writes; none where it says what a duplicate does.

    What takes its place then depends on that, which other ways of inserting say each differently.
    """
    if " on conflict " in evidence.sql.lower():
        return ()
    return workload.statement(evidence.shape_id).facts.written_columns


def _together(evidence: WriteLoopEvidence, workload: Workload) -> Recommendation | None:
    table = workload.catalog.table(evidence.table) if workload.catalog else None
    types = {column.name: column.type for column in table.columns} if table else {}
    many = write_many(evidence.sql, types, set(evidence.varying) or None)
    if many is None:
        return None
    told = "\n".join(
        f"-- ${number}: {comment(what)}" for number, what in enumerate(many.parameters, 1)
    )
    return Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Collect the rows and write them to {evidence.table} together",
        text=f"{told}\n{many.sql};",
        verified_by="rule",
        risk="; ".join(part for part in (_RISK, many.note) if part),
        effect=round_trips(evidence.per_occurrence.median),
    )


def _copy(evidence: WriteLoopEvidence, workload: Workload) -> Recommendation | None:
    columns = _plain_columns(evidence, workload)
    if not columns or evidence.table is None:
        return None
    named = ", ".join(quote_identifier(name) for name in columns)
    return Recommendation(
        kind="rewrite",
        language="sql",
        title="Send thousands of rows with COPY",
        text=f"COPY {quote_table(evidence.table)} ({named}) FROM STDIN (FORMAT csv);",
        verified_by="rule",
        risk="COPY returns no keys, knows no ON CONFLICT and computes no values: send all columns as data",
        effect=round_trips(evidence.per_occurrence.median),
    )
