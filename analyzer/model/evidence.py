"""The evidence each detector gives, one type per detector: no open-ended dictionaries."""

from analyzer.model.evidence_parts import ColumnCondition, ExampleExecution, Spread, Timeline
from analyzer.model.plan_evidence import PlanEvidence
from analyzer.model.text_evidence import (
    FunctionOnColumnEvidence,
    ImplicitCastEvidence,
    LargeInListEvidence,
    LeadingWildcardEvidence,
    NotInSubqueryEvidence,
    OrderByRandomEvidence,
    SelectStarEvidence,
)
from analyzer.records import record


@record
class NPlusOneEvidence:
    """A parent statement whose rows are followed by one child statement each.

    `child`, `parent` are fingerprints, `*_shape_id` shapes. `child_table` is the table whose rows
    the child loads; `lookup_columns` what it is looked up by. `scope`: trace, transaction,
    session, cross-session or statistics. An occurrence is one run of the pattern;
    `children_per_occurrence` counts all children in it, `children_per_parent` those that follow
    one execution of the parent. `link` says how parent and child are known to belong together.
    `distinct_parameters` counts different parameter sets over all children. `wall_ms` is the
    elapsed time of the median occurrence, `timeline` the largest one over time. Of the values looked up
    `values_compared` were compared with what their parent's statement asked for, and `values_from_parent`
    were among that (None: it asked for nothing that tells).
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
    timeline: Timeline | None = None
    values_compared: int | None = None
    values_from_parent: int | None = None


@record
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


@record
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


@record
class WriteLoopEvidence:
    """Rows written one by one. `kind` is insert, update or delete.

    `per_occurrence` counts the rows of one run, `wall_ms` is the elapsed time of the median run.
    `own_commits`: each row is its own transaction. `varying` are the n of the
    statement's `$n` that differ from row to row, empty where values are not logged.
    """

    shape_id: str
    sql: str
    kind: str
    table: str | None
    key_columns: tuple[str, ...]
    scope: str
    occurrences: int
    executions: int
    per_occurrence: Spread
    distinct_parameters: int
    median_ms: float
    wall_ms: float
    own_commits: bool
    varying: tuple[int, ...]
    examples: tuple[ExampleExecution, ...]


@record
class OffsetPaginationEvidence:
    """Pages by OFFSET that skip many rows.

    `deepest_offset` is the largest that was read, `page_rows` the median LIMIT. `skipped_per_row` is how
    many rows are read and thrown away for one that is returned, over the executions read. A walk
    asks for page after page in one unit of work. `deep_ms`, `shallow_ms` are median durations of
    pages behind and before the thousandth row.
    """

    shape_id: str
    sql: str
    table: str | None
    order_columns: tuple[str, ...]
    executions: int
    deepest_offset: int
    page_rows: float | None
    skipped_per_row: float | None
    walks: int
    pages_per_walk: Spread | None
    deep_ms: float | None
    shallow_ms: float | None
    examples: tuple[ExampleExecution, ...]


@record
class UnboundedResultEvidence:
    """A SELECT without LIMIT that returns many rows.

    `rows_per_call` is a mean; `rows_known_by` says where it comes from: pg_stat_statements, plan or
    catalog. `table_rows` is the planner's estimate for the whole table, if known.
    """

    shape_id: str
    sql: str
    table: str | None
    calls: int
    rows_per_call: float
    rows_known_by: str
    table_rows: int | None
    mean_ms: float


@record
class CountByFetchingEvidence:
    """A whole result fetched beside a page of the same.

    `executions` counts those of the whole, `beside_page` how many of those compared had a page with
    the same values in their unit of work. `rows_per_call`, `rows_known_by` as in
    UnboundedResultEvidence, for the whole.
    """

    shape_id: str
    sql: str
    page_shape_id: str
    page_sql: str
    table: str | None
    executions: int
    compared: int
    beside_page: int
    rows_per_call: float
    rows_known_by: str
    examples: tuple[ExampleExecution, ...]


@record
class ChattyTransactionEvidence:
    """Transactions with many round trips behind their first lock, which `sql` takes.

    `transactions` of the `of_transactions` in which it takes the first lock are chatty.
    `round_trips` counts statements behind it, loops that other findings explain left out.
    `held_ms` is the median time from the lock to the end, `longest_ms` the largest, `running_share`
    the share (0..1) of that time in which statements ran.
    """

    shape_id: str
    sql: str
    table: str | None
    transactions: int
    of_transactions: int
    round_trips: Spread
    held_ms: float
    longest_ms: float
    running_share: float


@record
class IdleInTransactionEvidence:
    """Sessions that rest inside a transaction with locks, behind the statement `sql`.

    `lock_sql` took the first lock of the transaction with the longest rest, `next_sql` is what most
    often ended a rest (None: the transaction's end). `idle_ms` is the median rest of those of a
    second and more, `total_ms` all of them together. `terminated` counts sessions of the whole input
    that the server ended with idle_in_transaction_session_timeout.
    """

    shape_id: str
    sql: str
    lock_sql: str | None
    next_sql: str | None
    occurrences: int
    idle_ms: float
    longest_ms: float
    total_ms: float
    terminated: int


@record
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


Evidence = (
    NPlusOneEvidence
    | RepeatedLookupEvidence
    | RepeatedQueryEvidence
    | SeqScanEvidence
    | WriteLoopEvidence
    | OffsetPaginationEvidence
    | UnboundedResultEvidence
    | CountByFetchingEvidence
    | ChattyTransactionEvidence
    | IdleInTransactionEvidence
    | SelectStarEvidence
    | LeadingWildcardEvidence
    | FunctionOnColumnEvidence
    | ImplicitCastEvidence
    | NotInSubqueryEvidence
    | LargeInListEvidence
    | OrderByRandomEvidence
    | PlanEvidence
)
