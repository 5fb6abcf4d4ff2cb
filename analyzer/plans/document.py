"""From a plan document (the keys of EXPLAIN (FORMAT JSON)) to a Plan with its tree of nodes."""

from collections.abc import Mapping

from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans.fields import figure
from analyzer.plans.found import Found, PlanProblemError
from analyzer.plans.tree import tree_of

_DOCUMENT_FIELDS = {
    *("Plan", "Query Text", "Query Parameters", "Settings", "Triggers", "JIT"),
    *("Planning Time", "Execution Time", "Total Runtime"),
}


def build_plan(found: Found, recorded: RecordedPlan) -> Plan:
    """The plan of a document.

    Args:
        found: its document has "Plan"; "Query Text", "Planning Time", "Execution Time", "Settings",
            "Triggers" and "JIT" are read where present.
        recorded: where the text was found.

    Raises:
        PlanProblemError: a key has a value of the wrong kind, or the tree is too deep.
    """
    document = found.document
    tree = tree_of(document["Plan"])
    statement = document.get("Query Text")
    text = statement if isinstance(statement, str) else None
    return Plan(
        key=tree.key(text),
        root=tree.nodes[0],
        origin=recorded.origin,
        format=recorded.format,
        analyzed="Actual Loops" in _mapping(document["Plan"]),
        statement=text,
        duration_ms=found.duration_ms if recorded.duration_ms is None else recorded.duration_ms,
        execution_ms=_number(document, "Execution Time", _number(document, "Total Runtime")),
        planning_ms=_number(document, "Planning Time"),
        settings={key: str(value) for key, value in _mapping(document.get("Settings")).items()},
        triggers=_triggers(document.get("Triggers")),
        jit=_mapping(document.get("JIT")),
        raw=found.raw,
        statement_key=recorded.statement_key,
        truncated=found.truncated,
        wrapped=found.wrapped,
        parameters=_text(document, "Query Parameters"),
        extra={key: value for key, value in document.items() if key not in _DOCUMENT_FIELDS},
    )


def _text(keys: Mapping[str, object], key: str) -> str | None:
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value
    raise PlanProblemError(f'"{key}" of a {keys.get("Node Type")} node is no text')


def _number(keys: Mapping[str, object], key: str, default: float | None = None) -> float | None:
    value = keys.get(key)
    return default if value is None else figure(key, value)


def _mapping(value: object) -> Mapping[str, object]:
    return value if type(value) is dict or isinstance(value, Mapping) else {}


def _triggers(value: object) -> tuple[Mapping[str, object], ...]:
    items = value if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, Mapping))
