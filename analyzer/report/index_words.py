"""How index advice is known, in words: what was run on a scratch server, and what was not."""

from typing import Any

from analyzer.report.formats import ms, one_line, plural
from analyzer.report.values import Document

_REASONS = 5
_GAINS = 3
_SCRATCH = "--verify DSN runs the statements on a scratch server with data."
_OPTIMISM = (
    "Not verified by execution: a planner's costs are a little optimistic, and a statement may get slower though "
    f"they say otherwise. {_SCRATCH}"
)
_RULES = f"Not verified by execution: what is advised here follows rules. {_SCRATCH}"


def verification_lines(document: Document) -> list[str]:
    """What is to be said of all advice on indexes to create; nothing where there is none."""
    advice = document["indexes"] or {}
    found = advice.get("verification")
    if found is None:
        return _not_executed([one["verified_by"] for one in advice.get("create") or ()])
    measured = found["statements"]
    slower = sum(one["worse"] for one in measured)
    said = (
        f"Run on {one_line(found['server'])}: {plural(len(measured), 'statement')} without and with these "
        f"indexes, by turns, medians; {slower or 'none'} slower beyond noise."
    )
    lines = [said]
    for reason, number in list(found["not_run"].items())[:_REASONS]:
        lines.append(f"{plural(number, 'statement')} not run: {one_line(reason)}")
    return lines


def _not_executed(ways: list[str]) -> list[str]:
    if not ways:
        return []
    return [_OPTIMISM if "what-if" in ways else _RULES]


def measured_lines(index: dict[str, Any]) -> list[str]:
    """What was measured of one index that is advised, and of the statements that use it."""
    said = [one_line(index["verification"])] if index.get("verification") else []
    gains = [one for one in index["statements"] if one.get("before_ms") is not None]
    said += [
        f"{one_line(one['shape_id'])}: {ms(one['before_ms'])} to {ms(one['after_ms'])}"
        for one in gains[:_GAINS]
    ]
    if len(gains) > _GAINS:
        said.append(f"and {plural(len(gains) - _GAINS, 'more statement')}")
    return said
