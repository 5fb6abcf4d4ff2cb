"""The key `indexes`: what to create, what to drop, and what the workload gains."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.index_advice import DroppedIndex, IndexAdvice, IndexNote
    from analyzer.model.verification import Measured, Verification
    from analyzer.report.redaction import Redactor


def indexes_part(advice: "IndexAdvice | None", redactor: "Redactor") -> dict[str, Any] | None:
    """The advice as given, None where none was asked for.

    What defines indexes that exist is without the literals of its conditions, so it is to be read, not run;
    the index itself is dropped by its name. An index to create has literals where the team's own files of
    queries (`--queries`) do.
    """
    if advice is None:
        return None
    return {
        "create": [asdict(index) for index in advice.create],
        "drop": [_dropped(index, redactor) for index in advice.drop],
        "notes": [_note(note, redactor) for note in advice.notes],
        "workload_cost": {"before": advice.cost_before, "after": advice.cost_after},
        "what_if_calls": advice.what_if_calls,
        "method": advice.method,
        "budget_bytes": advice.budget_bytes,
        "bytes": advice.bytes,
        "finished": advice.finished,
        "verification": _verification(advice.verification),
    }


def _dropped(index: "DroppedIndex", redactor: "Redactor") -> dict[str, Any]:
    back = index.rollback
    return {**asdict(index), "rollback": None if back is None else redactor.definition(back)}


def _note(note: "IndexNote", redactor: "Redactor") -> dict[str, Any]:
    sql = None if note.sql is None else redactor.definition(note.sql)
    return {**asdict(note), "sql": sql}


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
    }


def _measured(one: "Measured") -> dict[str, Any]:
    return {
        "shape_id": one.shape_id,
        "before_ms": one.before,
        "after_ms": one.after,
        "noise_ms": one.noise_ms,
        "rounds": len(one.before_ms),
        "indexes": sorted(one.used),
        "worse": one.worse,
    }
