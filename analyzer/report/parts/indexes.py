"""The key `indexes`: what to create, what to drop, and what the workload gains."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from analyzer.records import plain

if TYPE_CHECKING:
    from analyzer.model.index_advice import CreatedIndex, DroppedIndex, IndexAdvice, IndexNote
    from analyzer.model.verification import Measured, Verification
    from analyzer.report.redaction import Redactor

# The texts of an index to create that quote its predicate.
_WITH_PREDICATE = ("sql", "rule", "risk", "prisma", "prisma_why_not", "verification")


def indexes_part(advice: "IndexAdvice | None", redactor: "Redactor") -> dict[str, Any] | None:
    """The advice as given, None where none was asked for.

    What defines indexes that exist is without the literals of its conditions, so it is to be read, not run;
    the index itself is dropped by its name. An index to create has literals where the team's own files of
    queries (`--queries`) do, and labels of enumerated types; a value of a log's statements has a placeholder,
    and `fill_in` says what it stands for.
    """
    if advice is None:
        return None
    return {
        "create": [_created(index, redactor) for index in advice.create],
        "drop": [_dropped(index, redactor) for index in advice.drop],
        "notes": [_note(note, redactor) for note in advice.notes],
        "workload_cost": {"before": advice.cost_before, "after": advice.cost_after},
        "what_if_calls": advice.what_if_calls,
        "method": advice.method,
        "budget_bytes": advice.budget_bytes,
        "bytes": advice.bytes,
        "finished": advice.finished,
        "unanswered": dict(advice.unanswered),
        "verification": _verification(advice.verification),
    }


def _created(index: "CreatedIndex", redactor: "Redactor") -> dict[str, Any]:
    fields: dict[str, Any] = plain(index)
    secret = fields.pop("secret")
    shown = redactor.text(secret) if secret is not None else None
    fields["fill_in"] = None
    if secret is not None and shown != secret:
        for name in _WITH_PREDICATE:
            if fields[name] is not None:
                fields[name] = fields[name].replace(secret, shown)
        fields["fill_in"] = (
            f"In {shown} stands a value in place of the placeholder: the one that statements on {index.table} compare "
            "it with at every execution seen. --no-redact prints it"
        )
    return fields


def _dropped(index: "DroppedIndex", redactor: "Redactor") -> dict[str, Any]:
    back = index.rollback
    return {**plain(index), "rollback": None if back is None else redactor.definition(back)}


def _note(note: "IndexNote", redactor: "Redactor") -> dict[str, Any]:
    fields: dict[str, Any] = plain(note)
    if note.sql is not None and not fields.pop("own"):
        fields["sql"] = redactor.definition(note.sql)
    fields.pop("own", None)
    return fields


def _verification(found: "Verification | None") -> dict[str, Any] | None:
    """What was measured on a scratch server, and what did not run there and why."""
    if found is None:
        return None
    statements = found.trial.statements
    return {
        "server": found.origin,
        "statements": [_measured(one) for one in statements if one.enough],
        "not_run": dict(Counter(one.why_not for one in statements if one.why_not)),
        "not_built": {one.name: one.why_not for one in found.trial.built.values() if one.why_not},
        "rejected": {
            name: [_measured(one) for one in some] for name, some in found.rejected.items()
        },
        "flagged": {name: [_measured(one) for one in some] for name, some in found.flagged.items()},
        "not_dropped": {sql: why for sql, why in found.trial.dropped.items() if why},
        "same_plan": sum(one.same_plan for one in statements),
        "scales": [{**plain(one), "factor": one.factor} for one in found.scales],
        "finished": found.finished,
    }


def _measured(one: "Measured") -> dict[str, Any]:
    return {
        "shape_id": one.shape_id,
        "name": one.name,
        "before_ms": one.before,
        "after_ms": one.after,
        "noise_ms": one.noise_ms,
        "rounds": len(one.before_ms),
        "indexes": sorted(one.used),
        "drops": sorted(one.lost),
        "worse": one.worse,
        "clear": one.settled,
        "ended": one.ended,
        "surprise": one.surprise,
    }
