"""The evidence of detectors that read a statement's text."""

from analyzer.model.evidence_parts import Spread
from analyzer.records import record


@record(kw_only=True)
class StatementEvidence:
    """What the detectors that read a statement's text have in common.

    `typical_ms` is the statement's P95, or its mean where no P95 is known; `time_share` its part
    (0..1) of the time of all the team's statements. `reasons` are sentences without values.
    """

    shape_id: str
    sql: str
    calls: int
    total_ms: float
    typical_ms: float
    time_share: float
    reasons: tuple[str, ...]


@record(kw_only=True)
class SelectStarEvidence(StatementEvidence):
    """All columns of a wide table are asked for.

    `columns` counts those of the table, `wide_columns` are those of types without a bound, and
    `row_bytes` is what a row takes on disk with its share of the indexes. `rows_per_call` is known
    from counters alone.
    """

    table: str
    columns: int
    wide_columns: tuple[str, ...]
    kept_columns: tuple[str, ...]
    star: bool
    row_bytes: int | None
    rows_per_call: float | None


@record(kw_only=True)
class ColumnEvidence(StatementEvidence):
    """A condition that an index on its column cannot serve.

    `expression` is what is compared instead of the bare column, and `indexable` says that an index
    can be made on it. `column_type` is None where the schema is not known. `seen_in_plan`: a plan
    of the statement reads the table without an index.
    """

    table: str
    column: str
    operator: str
    expression: str | None
    column_type: str | None
    indexable: bool
    seen_in_plan: bool


@record(kw_only=True)
class LeadingWildcardEvidence(ColumnEvidence):
    """A pattern that may match anywhere.

    `subjects` are the columns and expressions to index. Of `looked_at` patterns `anywhere` began
    with a wildcard.
    """

    subjects: tuple[str, ...]
    looked_at: int
    anywhere: int


@record(kw_only=True)
class FunctionOnColumnEvidence(ColumnEvidence):
    """Something computed from a column is compared; `rewritten_sql` compares the bare column."""

    computed_by: str
    rewritten_sql: str | None


@record(kw_only=True)
class ImplicitCastEvidence(ColumnEvidence):
    """A column is cast to the type of what it is compared with. `index` would serve the column."""

    cast_to: str
    index: str | None


@record(kw_only=True)
class NotInSubqueryEvidence(StatementEvidence):
    """`column NOT IN (SELECT …)`. `nullable`: whether the list may hold NULL, None if not known."""

    table: str
    column: str
    excluded_table: str | None
    excluded_column: str | None
    nullable: bool | None
    rewritten_sql: str | None


@record(kw_only=True)
class LargeInListEvidence(StatementEvidence):
    """IN lists with many items. `items` are those of the executions looked at (`looked_at`).

    `lengths` counts the different lengths among them; `parse_ms` and `bind_ms` are totals, where
    the extended protocol shows these phases.
    """

    items: Spread
    lengths: int
    looked_at: int
    parse_ms: float
    bind_ms: float


@record(kw_only=True)
class OrderByRandomEvidence(StatementEvidence):
    """Rows are sorted by random() to pick some. `key` is an integer primary key, if there is one.

    `filtered` says that the statement has conditions of its own.
    """

    table: str
    limit: int | None
    table_rows: int | None
    key: str | None
    filtered: bool
