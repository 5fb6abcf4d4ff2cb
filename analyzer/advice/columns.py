"""All columns of a wide table → those that are used."""

from analyzer.advice.stacks import Columns, Stacks
from analyzer.model.finding import Recommendation
from analyzer.model.text_evidence import SelectStarEvidence
from analyzer.model.workload import Workload
from analyzer.sql.quoting import comment, quote_identifier, quote_table


def recommend_columns(
    evidence: SelectStarEvidence, workload: Workload, stacks: Stacks
) -> tuple[Recommendation, ...]:
    """The columns by name without the large ones: in each stack that the input shows, then in SQL."""
    catalog, call = workload.catalog, workload.call(evidence.shape_id)
    table = catalog.table(evidence.table) if catalog is not None else None
    kept = evidence.kept_columns or tuple(column.name for column in table.columns) if table else ()
    if not kept or not evidence.wide_columns:
        return ()
    asked = Columns(evidence.table, kept, evidence.wide_columns, evidence.sql, catalog, call)
    left_out = ", ".join(evidence.wide_columns)
    columns = ", ".join(quote_identifier(name) for name in kept)
    plain = Recommendation(
        kind="rewrite",
        language="sql",
        title=f"Name the columns that are used, and load {left_out} where it is shown",
        text=f"SELECT {columns}\nFROM {quote_table(evidence.table)}\n-- joins, conditions and order as they are; without {comment(left_out)}",
        verified_by="rule",
        risk="Code that reads a column that is no longer loaded gets nothing, or loads it row by row.",
    )
    return (*stacks.written([evidence.sql], lambda stack: stack.omit(asked), {}), plain)
