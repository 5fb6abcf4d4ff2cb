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
    """An index to drop: `reason` in words, `bytes` what it gives back."""

    sql: str
    reason: str
    bytes: int | None = None
    risk: str = ""


@record
class IndexAdvice:
    """All of it. `cost_before`/`cost_after` are the workload's, in planner units times calls."""

    create: tuple[CreatedIndex, ...] = ()
    drop: tuple[DroppedIndex, ...] = ()
    cost_before: float | None = None
    cost_after: float | None = None
    what_if_calls: int = field(default=0)
