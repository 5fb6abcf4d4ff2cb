"""What is known of a statement from its text alone, and the figures of its executions."""

from dataclasses import field
from enum import StrEnum

from analyzer.records import record


class Kind(StrEnum):
    """What a statement does."""

    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"
    TRANSACTION = "transaction"
    UTILITY = "utility"
    UNKNOWN = "unknown"

    @property
    def writes(self) -> bool:
        """Whether rows are written."""
        return self in (Kind.INSERT, Kind.UPDATE, Kind.DELETE, Kind.MERGE)


class Role(StrEnum):
    """Whose statement it is: the target is about `WORKLOAD` alone."""

    WORKLOAD = "workload"
    TRANSACTION = "transaction"  # BEGIN, COMMIT, SAVEPOINT …
    SESSION = "session"  # SET, SHOW, DISCARD, set_config(), CLOSE …
    HEALTH_CHECK = "health-check"  # SELECT 1
    CATALOG = "catalog"  # reads pg_catalog or information_schema only
    OWN = "own"  # issued by pg95 itself


class Arity(StrEnum):
    """How many values a comparison takes: the difference between a loop and a batch."""

    ONE = "one"  # = $1, IN ($1)
    MANY = "many"  # IN ($1, $2), = ANY($1)
    COLUMN = "column"  # compared with another column
    EXPRESSION = "expression"  # compared with a computed value or a subquery


class Effect(StrEnum):
    """What a statement does to the transaction that it stands in."""

    NONE = "none"
    LOCKS = "locks"  # it writes, or takes locks that somebody may wait for
    DEFINES = "defines"  # it changes the schema, which locks as well
    ROLLS_BACK = "rolls-back"


@record
class Predicate:
    """One condition `table.column operator value` of a WHERE or JOIN … ON, ANDed with the rest.

    `table` is the table's name ("authors", "sales.orders"; the schema public is left out), None
    where the text alone cannot tell. `operator` is as written in PostgreSQL's tree: "=", "<",
    ">=", "<>", "like", "ilike", "is null", "is not null", "between", "@>" … (`IN` and `= ANY` are
    "=" with arity MANY, or ONE for a list of one). `parameter` is the n of `$n` (≥ 1), or
    -(k + 1) for the k-th literal of the text (0-based), 0 where it is neither.
    `expression` is the function or cast around the column ("lower", "::date"), None for the bare
    column.
    """

    table: str | None
    column: str
    operator: str
    arity: Arity
    parameter: int = 0
    expression: str | None = None


@record
class ValueList:
    """`table.column` is held against a list of values, ANDed with the rest.

    `first` is the code (as in Predicate) of the list's first value, `behind` how many values of its
    kind, bound or literals, an execution has behind the last. An `array` is one value that holds all.
    """

    table: str | None
    column: str
    first: int
    behind: int
    array: bool = False


@record
class Join:
    """An equality between columns of two tables of one statement."""

    left_table: str
    left_column: str
    right_table: str
    right_column: str


class Hindrance(StrEnum):
    """Why an index on a column does not serve a condition."""

    PATTERN = "pattern"  # LIKE, ILIKE or a regular expression
    FUNCTION = "function"  # something is computed from the column
    CAST = "cast"  # the column is cast
    VALUE_TYPE = "value-type"  # the value has a type that the column may have to be cast to


@record
class Obstacle:
    """A condition that an index on its column may not serve, anywhere in WHERE or JOIN … ON.

    `expression` is SQL of what is compared instead of the bare column, `computed_by` the function,
    operator or type in it. A pattern has `anywhere` (whether it begins with a wildcard, None where
    the text does not tell) and in `parameter` the value it begins with, coded as in Predicate.
    `value_type` is the type that the text gives the value, as PostgreSQL prints it.
    """

    hindrance: Hindrance
    table: str | None
    column: str
    operator: str
    expression: str | None = None
    computed_by: str = ""
    parameter: int = 0
    anywhere: bool | None = None
    value_type: str | None = None


@record
class Exclusion:
    """`table.column NOT IN (SELECT excluded_column FROM excluded_table …)`.

    `never_null` says that the subquery itself leaves NULLs out.
    """

    table: str | None
    column: str
    excluded_table: str | None
    excluded_column: str | None
    never_null: bool = False


@record
class StatementFacts:
    """What the text tells: read off the syntax tree, no server needed.

    `tables` are all tables in order of appearance, `main_table` is the first of FROM, or the
    table written to. `columns` are plain columns of the target list as (table, column), `star`
    says that `*` or `t.*` is selected. `limit`/`offset`: None absent, a number if literal, -1 a
    parameter (its number in `limit_parameter`/`offset_parameter`, coded as in Predicate).
    `order_by` are plain columns sorted on. `one_row` says that an aggregate without GROUP BY (or an EXISTS)
    returns exactly one row. `disjunctive` says that the WHERE has an OR at its top, so that predicates are not
    all required. `rows_written` counts the rows of an INSERT's VALUES (0 = not VALUES).
    `written_columns` are the columns of INSERT, or those that UPDATE sets. `boundary` is +1 for what
    opens a transaction, -1 for what ends one. `star_tables` are the tables whose columns are all
    asked for by `*` or `t.*`. `random_order` says that rows are sorted by random(). `obstacles` and
    `exclusions` are conditions that keep indexes from being used. `effect` is that on a transaction.
    `lists` are lists of values that a SELECT's rows are chosen by.
    """

    kind: Kind
    role: Role
    tables: tuple[str, ...] = ()
    main_table: str | None = None
    predicates: tuple[Predicate, ...] = ()
    joins: tuple[Join, ...] = ()
    columns: tuple[tuple[str | None, str], ...] = ()
    star: bool = False
    limit: int | None = None
    limit_parameter: int = 0
    offset: int | None = None
    offset_parameter: int = 0
    order_by: tuple[tuple[str | None, str], ...] = ()
    one_row: bool = False
    grouped: bool = False
    disjunctive: bool = False
    effect: Effect = Effect.NONE
    rows_written: int = 0
    written_columns: tuple[str, ...] = ()
    cursor: bool = False
    boundary: int = 0
    star_tables: tuple[str, ...] = ()
    random_order: bool = False
    obstacles: tuple[Obstacle, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    lists: tuple[ValueList, ...] = ()


@record
class Statement:
    """A shape: all executions whose text differs in literals (and list lengths) only.

    `fingerprint`, `shape_id` and `lineage` are described in docs/architecture.md (Identity).
    `sql` is the normalised text: literals replaced by `$n`, never a value. `parsed` is False
    where PostgreSQL's grammar refused the text (truncated, another dialect).
    """

    shape_id: str
    fingerprint: str
    lineage: str
    sql: str
    parsed: bool
    facts: StatementFacts


@record
class StatementStats:
    """Figures of one statement's executions (same position as its Statement).

    Times are milliseconds; percentiles are nearest rank. `method` says how the percentiles are
    known: exact, estimated, bound or none (docs/p95.md). `p95_low_ms`/`p95_high_ms` bound the P95.
    `parse_ms`/`bind_ms` are totals of those phases. `requests` counts units of work that ran it.
    `rows` is the number of rows returned or affected by `rows_calls` executions, where counters tell:
    not always as many as `calls`. `sources` names inputs. `samples` counts the executions seen in
    logs, `calls` all that are known of. `verdict` is that on its own `target_ms`, both None where the
    statement is not the team's.
    """

    calls: int
    total_ms: float
    mean_ms: float
    min_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p95_low_ms: float | None
    p95_high_ms: float | None
    method: str
    parse_ms: float = 0.0
    bind_ms: float = 0.0
    rows: int | None = None
    rows_calls: int = 0
    requests: int | None = None
    calls_per_request_p95: float | None = None
    samples: int = 0
    client: bool = False
    query_ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    histogram: tuple[tuple[float, int], ...] = field(default=())
    verdict: str | None = None
    target_ms: float | None = None

    @property
    def rows_per_call(self) -> float | None:
        """Rows that an execution returns or affects on average, None where nothing tells."""
        return self.rows / self.rows_calls if self.rows is not None and self.rows_calls else None


@record
class StatementCounters:
    """One row of pg_stat_statements, summed over users where the source did.

    Times are milliseconds. `calls`, `rows` are counts since the last reset; `stddev_ms` is the
    population standard deviation. `query_id` is PostgreSQL's, as decimal text, None if not given.
    `read_ms` and `write_ms` are the time spent reading and writing blocks (0 without track_io_timing),
    `planning_ms` and `plans` count only with pg_stat_statements.track_planning, `jit_ms` is the time spent
    compiling (from 15 on). `since_us` is when the row's counting began (UTC), `minmax_since_us` that of its
    minimum and maximum, both None before PostgreSQL 17. `database_id` and `user_id` are the server's
    numbers for them (names may be gone). `shape_id`, and `limited` where the text
    has a LIMIT (a shape has both), are filled in when the statement is known.
    """

    query: str
    query_id: str | None
    calls: int
    total_ms: float
    min_ms: float | None
    max_ms: float | None
    mean_ms: float
    stddev_ms: float | None
    rows: int | None
    planning_ms: float | None = None
    database: str | None = None
    user: str | None = None
    toplevel: bool = True
    shared_blocks_hit: int | None = None
    shared_blocks_read: int | None = None
    temp_blocks_written: int | None = None
    wal_bytes: int | None = None
    source: int = -1
    read_ms: float | None = None
    since_us: int | None = None
    shape_id: str | None = None
    limited: bool = False
    database_id: int | None = None
    user_id: int | None = None
    minmax_since_us: int | None = None
    plans: int | None = None
    write_ms: float | None = None
    jit_ms: float | None = None
    shared_blocks_dirtied: int | None = None
    shared_blocks_written: int | None = None
    temp_blocks_read: int | None = None
    wal_records: int | None = None
