"""Pages by OFFSET → pages behind the last row seen."""

from analyzer.advice.stacks import Page, Stacks
from analyzer.model.evidence import OffsetPaginationEvidence
from analyzer.model.finding import Recommendation
from analyzer.model.workload import Workload
from analyzer.sql.keyset import keyset
from analyzer.sql.quoting import comment

_KEYS = ("id", "uuid")


def recommend_keyset(
    evidence: OffsetPaginationEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """The page behind a row, where the statement is sorted by columns that can tell rows apart.

    In plain SQL; in each stack that the input shows, too, where one column alone is sorted by.
    """
    unique, known = _unique(evidence, workload)
    if not unique:
        return ()
    made = keyset(evidence.sql, unique)
    if made is None:
        return ()
    told = "\n".join(
        f"-- ${number}: {comment(column)} of the last row of the page before"
        for column, number in zip(made.columns, made.parameters, strict=True)
    )
    risk = "no page numbers: readers go on, or back, from where they are; columns that may be NULL need IS NULL beside"
    if not known:
        risk += f"; {', '.join(unique)} is taken to be unique: give --schema to be sure"
    effect = {"rows_skipped_before": evidence.deepest_offset, "rows_skipped_after": 0}
    orm: tuple[Recommendation, ...] = ()
    if len(made.columns) == 1 and evidence.table is not None:
        page = Page(
            evidence.table, made.columns[0], made.descending[0], evidence.sql, workload.catalog
        )
        orm = stacks.written([evidence.sql], lambda stack: stack.page(page), effect)
    return (
        *orm,
        Recommendation(
            kind="rewrite",
            language="sql",
            title=f"Ask for what comes behind the last row, and index {evidence.table} on ({', '.join(made.columns)})",
            text=f"-- the first page is the same without this condition\n{told}\n{made.sql};",
            verified_by="rule",
            risk=risk,
            effect=effect,
        ),
    )


def _unique(evidence: OffsetPaginationEvidence, workload: Workload) -> tuple[tuple[str, ...], bool]:
    """Columns that tell the table's rows apart, and whether a schema says so."""
    table = workload.catalog.table(evidence.table) if workload.catalog else None
    if table is not None and table.primary_key:
        return table.primary_key, True
    statement = workload.statement(evidence.shape_id)
    columns = [column for _, column in statement.facts.columns]
    named = [name for name in _KEYS if name in (*evidence.order_columns, *columns)]
    return tuple(named[:1]), False
