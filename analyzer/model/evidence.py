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
    """One execution shown as evidence. `at` is ISO 8601 in UTC, None where the log has no times.

    `parameters` are raw values.

    Views and report.json show parameters only as the redaction mode allows.
    """

    at: str | None
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


Evidence = NPlusOneEvidence | RepeatedLookupEvidence | RepeatedQueryEvidence | SeqScanEvidence
