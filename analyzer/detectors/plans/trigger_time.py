"""Writes whose time goes into triggers and foreign keys.

What it finds
    A plan that spends 20 % of its time, and 5 % of the target, in triggers.

Why it hurts
    A trigger runs once for each row. That of a foreign key looks for referring rows, and without an index on
    the referring column it reads that table through, for each row deleted.

How it decides
    The sum of all triggers' times against the execution time; one finding for the dearest. Silent where that
    is a foreign key whose check takes 0.05 ms or less: it has its index. Where the
    schema is known, the foreign key's column is looked up, and an index proposed.

When it is wrong
    An audit trigger that is meant to do its work there.

What to do
    Index the referring column. Write rows in batches with a statement-level trigger (REFERENCING NEW TABLE).
"""

from collections.abc import Iterator, Mapping

from analyzer.detectors._plan_rule import Gate, Spot, WholePlanRule
from analyzer.detectors._plan_view import PlanView
from analyzer.model.evidence_parts import ColumnCondition
from analyzer.model.plan_evidence import PlanFigures
from analyzer.model.remedy import Remedy, Rewrite, WantedIndex
from analyzer.records import record

SHARE = 0.2
QUICK_MS = 0.05
_FIND = (
    "SELECT conrelid::regclass AS referring_table, pg_get_constraintdef(oid)\n"
    "FROM pg_constraint WHERE conname = '{name}';"
)


@record
class TriggerFigures(PlanFigures):
    """The dearest trigger, its calls and time, and that of all triggers together."""

    trigger: str
    trigger_calls: float
    trigger_ms: float
    all_triggers_ms: float


class TriggerTime(WholePlanRule):
    """The rule; see the module's docstring."""

    id = "trigger-time"
    gate = Gate.SLOW

    def of(self, view: PlanView) -> Iterator[Spot]:
        """A plan whose triggers matter."""
        total_ms = sum(_figure(trigger, "Time") for trigger in view.plan.triggers)
        if total_ms < view.floor_ms or total_ms < SHARE * view.whole_ms:
            return
        worst = max(view.plan.triggers, key=lambda trigger: _figure(trigger, "Time"))
        constraint = worst.get("Constraint Name")
        name = str(constraint or worst.get("Trigger Name") or "a trigger")
        calls, spent_ms = _figure(worst, "Calls"), _figure(worst, "Time")
        relation = worst.get("Relation")
        table = relation if isinstance(relation, str) else view.plan.root.relation
        if constraint and spent_ms <= QUICK_MS * calls:
            return
        kind = "foreign key" if constraint else "trigger"
        yield Spot(
            node=view.plan.root,
            cost_ms=total_ms,
            title=f"{total_ms:,.0f} ms go into triggers, most of it into the {kind} {name}",
            reasons=(
                f"{calls:,.0f} calls, {spent_ms / max(calls, 1):.3f} ms each",
                f"{view.share(total_ms):.0%} of the statement's time",
            ),
            figures=TriggerFigures(name, calls, spent_ms, total_ms),
            subject=(name,),
            table=table,
            remedies=_remedies(view, name if constraint else None, calls, spent_ms),
            confidence=0.9 if constraint else 0.7,
            spared=0.8 if constraint else 0.3,
        )


def _figure(trigger: Mapping[str, object], key: str) -> float:
    value = trigger.get(key)
    return float(value) if isinstance(value, int | float) else 0.0


def _remedies(
    view: PlanView, constraint: str | None, calls: float, spent_ms: float
) -> tuple[Remedy, ...]:
    """The index on the referring column where the schema tells it, else how to find it."""
    if constraint is None:
        text = "-- FOR EACH STATEMENT with REFERENCING NEW TABLE AS added does the rows of a statement at once"
        return (
            Rewrite(
                "Let the trigger work by statement",
                text,
                "The trigger's body has to be rewritten for sets.",
            ),
        )
    for table in view.catalog or ():
        for key in table.foreign_keys:
            if key.name == constraint:
                columns = tuple(ColumnCondition(column, "=", "equality") for column in key.columns)
                read = float(table.rows or 0) * calls
                return (
                    WantedIndex(
                        table.name, columns, read, calls, max(calls, 1.0), round(spent_ms, 3)
                    ),
                )
    return (
        Rewrite(
            title="Index the column that refers: find it, then create the index",
            text=_FIND.format(name=constraint.replace("'", "''")),
            risk="An index costs every write of the referring table.",
            kind="index",
        ),
    )
