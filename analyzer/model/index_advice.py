"""What index advice concludes: indexes to create and to drop, with what each is worth."""

from collections.abc import Mapping
from dataclasses import field

from analyzer.records import record


@record
class StatementGain:
    """A statement that an index serves; costs are the planner's units, None without a what-if."""

    shape_id: str
    cost_before: float | None = None
    cost_after: float | None = None


@record
class CreatedIndex:
    """An index to create: `sql` is one runnable statement, `bytes` its expected size.

    `write_cost` says what writers of the table pay (figures by name), `verified_by` is execution,
    what-if, plan or rule, `rule` names what led to it, `risk` is the trade-off in words.
    """

    sql: str
    bytes: int | None
    statements: tuple[StatementGain, ...]
    write_cost: Mapping[str, float | int | str | None]
    verified_by: str
    rule: str
    risk: str


@record
class DroppedIndex:
    """An index to drop: `reason` in words, `bytes` what it gives back.

    `kind` is invalid, duplicate, unused or prefix, `covered_by` the index that does what this one does.
    `rollback` makes it anew, None where its definition is not known. `action` is drop, or review where the
    window is too short or not all servers were seen. `scans` are those of the window that `reason` states,
    `days` long. `verified_by` is rule: nothing was tried.
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


@record
class IndexNote:
    """Something about existing indexes that is for people to decide: never run as it is.

    `kind` is merge, constraints, invalid or bloat; `indexes` are their names, `sql` what would do it.
    """

    kind: str
    table: str
    indexes: tuple[str, ...]
    text: str
    sql: str | None = None
    bytes: int | None = None


@record
class IndexAdvice:
    """All of it. `cost_before`/`cost_after` are the workload's, in planner units times calls."""

    create: tuple[CreatedIndex, ...] = ()
    drop: tuple[DroppedIndex, ...] = ()
    notes: tuple[IndexNote, ...] = ()
    cost_before: float | None = None
    cost_after: float | None = None
    what_if_calls: int = field(default=0)
