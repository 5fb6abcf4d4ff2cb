"""What index advice concludes: indexes to create and to drop, with what each is worth."""

from collections.abc import Mapping
from dataclasses import field

from analyzer.model.verification import Verification
from analyzer.records import record


@record
class StatementGain:
    """A statement that an index serves; costs are the planner's units, None without a what-if.

    `before_ms` and `after_ms` are medians without and with the whole set, where it was executed.
    `cost_after` is with all advised indexes together. `node_before` and `node_after` are what the plan
    does to get at the index's table, `name` is the query's file, `weight` its executions.
    """

    shape_id: str
    cost_before: float | None = None
    cost_after: float | None = None
    before_ms: float | None = None
    after_ms: float | None = None
    node_before: str | None = None
    node_after: str | None = None
    name: str | None = None
    weight: float | None = None


@record
class CreatedIndex:
    """An index to create: `sql` is one runnable statement, `bytes` its expected size.

    `write_cost` says what writers of the table pay (figures by name), `verified_by` is execution,
    what-if, plan or rule, `rule` names what led to it, `risk` is the trade-off in words. Where it was built
    on a scratch server, `built_bytes` and `build_ms` are what that took, and `verification` says what came of it; where its
    table has another size there, `scaled_bytes` is `built_bytes` for all rows. `locks` says how it
    is built, `build_seconds` about how long that takes, `rollback` takes it away again. `prisma` is the
    line of schema.prisma, None where `prisma_why_not` says why there is none. `settings` are SQL with their reason: what
    to set while it is built, and in the transaction of a search (pgvector). `secret` is the predicate where its
    literal is a value of the data, as it stands in the other texts: it is not to be shown as it is.
    """

    sql: str
    bytes: int | None
    statements: tuple[StatementGain, ...]
    write_cost: Mapping[str, float | int | str | None]
    verified_by: str
    rule: str
    risk: str
    built_bytes: int | None = None
    build_ms: float | None = None
    verification: str | None = None
    scaled_bytes: int | None = None
    table: str = ""
    name: str = ""
    method: str = "btree"
    locks: str = ""
    build_seconds: float | None = None
    rollback: str | None = None
    prisma: str | None = None
    prisma_why_not: str | None = None
    secret: str | None = None
    settings: tuple[str, ...] = ()


@record
class DroppedIndex:
    """An index to drop: `reason` in words, `bytes` what it gives back.

    `kind` is invalid, duplicate, unused, prefix or superseded (by an index that is advised beside it: the drop
    comes after that), `covered_by` the index that does what this one does.
    `rollback` makes it anew, None where its definition is not known. `action` is drop, or review where the
    window is too short or not all servers were seen. `scans` are those of the window that `reason` states,
    `days` long. `verified_by` is rule, or execution where statements that read it were run without it on a scratch
    server; `verification` says what came of that.
    """

    sql: str
    reason: str
    bytes: int | None = None
    risk: str = ""
    table: str = ""
    index: str = ""
    kind: str = "unused"
    covered_by: str | None = None
    rollback: str | None = None
    action: str = "drop"
    scans: int | None = None
    days: float | None = None
    verified_by: str = "rule"
    verification: str | None = None


@record
class IndexNote:
    """Something about indexes that is for people to decide: never run as it is.

    `kind` is merge, constraints, bloat, rejected (an index to create that makes a statement slower), kept (one to
    drop without which a statement is slower) or vectors (another way to search by distance); `indexes` are their
    names, `sql` what would do it. `own`: its literals are pg95's, no data.
    """

    kind: str
    table: str
    indexes: tuple[str, ...]
    text: str
    sql: str | None = None
    bytes: int | None = None
    own: bool = False


@record
class IndexAdvice:
    """All of it. `cost_before`/`cost_after` are the workload's, in planner units times calls.

    `method` says how indexes were tried (hypopg, clone, none), `budget_bytes` what was allowed and `bytes` what
    is taken; `finished` is False where the limits ended the search: what was best until then is advised.
    `unanswered` are what-if questions that nobody answered (a timeout, an index refused), by reason: what they
    were about counts as nothing gained.
    """

    create: tuple[CreatedIndex, ...] = ()
    drop: tuple[DroppedIndex, ...] = ()
    notes: tuple[IndexNote, ...] = ()
    cost_before: float | None = None
    cost_after: float | None = None
    what_if_calls: int = field(default=0)
    verification: Verification | None = None
    method: str = "none"
    budget_bytes: int | None = None
    bytes: int | None = None
    finished: bool = True
    unanswered: Mapping[str, int] = field(default_factory=dict)
