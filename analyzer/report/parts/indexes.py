"""The key `indexes`: what to create, what to drop, and what the workload gains."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.index_advice import IndexAdvice


def indexes_part(advice: "IndexAdvice | None") -> dict[str, Any] | None:
    """The advice as given, None where none was asked for."""
    if advice is None:
        return None
    return {
        "create": [asdict(index) for index in advice.create],
        "drop": [asdict(index) for index in advice.drop],
        "notes": [asdict(note) for note in advice.notes],
        "workload_cost": {"before": advice.cost_before, "after": advice.cost_after},
        "what_if_calls": advice.what_if_calls,
    }
