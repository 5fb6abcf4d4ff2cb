"""The evidence each detector gives, one type per detector: no open-ended dictionaries."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, middle and largest of a set of counts."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class ExampleExecution:
    """One execution shown as evidence. `at` is ISO 8601 in UTC; `parameters` are raw values.

    Views and report.json show parameters only as the redaction mode allows.
    """

    at: str
    session: str
    duration_ms: float
    shape_id: str
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NPlusOneEvidence:
    """A parent statement whose rows are followed by one child statement each.

    `child`, `parent` are fingerprints, `*_shape_id` shapes. `child_table` is the table whose rows
    the child loads; `lookup_columns` what it is looked up by. `scope`: trace, transaction,
    session, cross-session or statistics. An occurrence is one run of the pattern;
    `children_per_occurrence` counts all children in it, `children_per_parent` those that follow
    one execution of the parent. `link` says how parent and child are known to belong together.
    `distinct_parameters` counts different parameter sets over all children. `wall_ms` is the
    elapsed time of the median occurrence.
    """

    child: str
    parent: str
    child_shape_id: str
    parent_shape_id: str
    child_sql: str
    parent_sql: str
    child_table: str | None
    child_tables: tuple[str, ...]
    parent_table: str | None
    lookup_columns: tuple[str, ...]
    parent_columns: tuple[str, ...]
    link: str
    scope: str
    occurrences: int
    executions: int
    children_per_occurrence: Spread
    children_per_parent: Spread
    distinct_parameters: int
    median_child_ms: float
    wall_ms: float
    reasons: tuple[str, ...]
    examples: tuple[ExampleExecution, ...]


@dataclass(frozen=True, slots=True)
class RepeatedLookupEvidence:
    """A single-row-style lookup run again and again in one unit of work, no parent linked."""

    shape_id: str
    sql: str
    child_table: str | None
    lookup_columns: tuple[str, ...]
    scope: str
    occurrences: int
    executions: int
    per_occurrence: Spread
    distinct_parameters: int
    median_ms: float
    examples: tuple[ExampleExecution, ...]


@dataclass(frozen=True, slots=True)
class RepeatedQueryEvidence:
    """The same statement with the same parameters, again and again in one unit of work."""

    shape_id: str
    sql: str
    scope: str
    occurrences: int
    executions: int
    per_occurrence: Spread
    distinct_parameters: int
    median_ms: float
    examples: tuple[ExampleExecution, ...]


@dataclass(frozen=True, slots=True)
class ColumnCondition:
    """One column of a scan's filter: `kind` is equality, range, sort or other.

    `sargable` says that an index on the column itself can serve the condition. `expression` is
    what is compared instead of the bare column; `immutable` says that it may be indexed as it is.
    `pattern` is LIKE's: prefix, anywhere, or None. `value_type` is the compared value's type.
    """

    column: str
    operator: str
    kind: str
    sargable: bool = True
    expression: str | None = None
    immutable: bool = False
    pattern: str | None = None
    value_type: str | None = None


@dataclass(frozen=True, slots=True)
class SeqScanEvidence:
    """A sequential scan that reads much and keeps little.

    `rows_read`, `rows_kept` are over all loops, `scans` is how often the table was read through; `share` is the node's self time of the plan's
    (0..1); `pages` are the blocks read or hit, None without BUFFERS. `filter` is plan text (untrusted, holds
    literals: shown as the redaction mode allows). `plans` counts the plans that show it.
    """

    plan_key: str
    node_id: int
    table: str
    filter: str
    conditions: tuple[ColumnCondition, ...]
    rows_read: float
    rows_kept: float
    kept_ratio: float
    self_ms: float
    share: float
    plan_total_ms: float
    pages: int | None
    plans: int
    sql: str | None
    shape_id: str | None
    reasons: tuple[str, ...]
    scans: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadingWildcardEvidence(ColumnEvidence):
    """A pattern that may match anywhere.

    `subjects` are the columns and expressions to index. Of `looked_at` patterns `anywhere` began
    with a wildcard.
    """

    subjects: tuple[str, ...]
    looked_at: int
    anywhere: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOnColumnEvidence(ColumnEvidence):
    """Something computed from a column is compared; `rewritten_sql` compares the bare column."""

    computed_by: str
    rewritten_sql: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImplicitCastEvidence(ColumnEvidence):
    """A column is cast to the type of what it is compared with. `index` would serve the column."""

    cast_to: str
    index: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInSubqueryEvidence(StatementEvidence):
    """`column NOT IN (SELECT …)`. `nullable`: whether the list may hold NULL, None if not known."""

    table: str
    column: str
    excluded_table: str | None
    excluded_column: str | None
    nullable: bool | None
    rewritten_sql: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderByRandomEvidence(StatementEvidence):
    """Rows are sorted by random() to pick some. `key` is an integer primary key, if there is one.

    `filtered` says that the statement has conditions of its own.
    """

    table: str
    limit: int | None
    table_rows: int | None
    key: str | None
    filtered: bool


Evidence = (
    NPlusOneEvidence
    | RepeatedLookupEvidence
    | RepeatedQueryEvidence
    | SeqScanEvidence
    | SelectStarEvidence
    | LeadingWildcardEvidence
    | FunctionOnColumnEvidence
    | ImplicitCastEvidence
    | NotInSubqueryEvidence
    | LargeInListEvidence
    | OrderByRandomEvidence
)
