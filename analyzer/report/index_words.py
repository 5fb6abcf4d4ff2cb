"""How index advice is known, in words: what was run on a scratch server, and what was not."""

from typing import Any

from analyzer.report.formats import count, ms, one_line, plural, size
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
    lines = _unanswered(advice.get("unanswered") or {})
    if found is None:
        return lines + _not_executed([one["verified_by"] for one in advice.get("create") or ()])
    lines.append(_run(found))
    lines += _not_clear(found)
    for reason, number in list(found["not_run"].items())[:_REASONS]:
        lines.append(f"{plural(number, 'statement')} not run: {one_line(reason)}")
    return lines + _scales(found.get("scales") or [])


def _run(found: dict[str, Any]) -> str:
    """What was run, and what came of all of it together."""
    measured = found["statements"]
    slower = sum(one["worse"] for one in measured)
    said = (
        f"Run on {one_line(found['server'])}: {plural(len(measured), 'statement')} without and with this change, by "
        f"turns, medians; {slower or 'none'} slower beyond noise."
    )
    if measured:
        before, after = (sum(one[side] for one in measured) for side in ("before_ms", "after_ms"))
        said += f" One execution of each: {ms(before)} to {ms(after)} together."
    if found.get("same_plan"):
        said += f" {plural(found['same_plan'], 'statement')} kept the plan that they had, and were not run."
    return said


def _not_clear(found: dict[str, Any]) -> list[str]:
    """What more time might have told."""
    unclear = [one for one in found["statements"] if not one.get("clear", True)]
    lines = []
    if unclear:
        some = "; ".join(
            f"{one_line(one.get('name') or one['shape_id'])} {ms(one['before_ms'])} to {ms(one['after_ms'])}"
            for one in unclear[:_REASONS]
        )
        lines.append(f"{plural(len(unclear), 'statement')} varied too much to be sure: {some}")
    if not found.get("finished", True):
        lines.append("The time (--verify-seconds) was over before all was clear.")
    return lines


def _scales(scales: list[dict[str, Any]]) -> list[str]:
    """Tables of the scratch server that are not as large as those that the advice is for."""
    lines = []
    unknown = [one_line(one["table"]) for one in scales if one["there"] is None]
    if unknown:
        lines.append(
            f"The scratch server has no statistics of {', '.join(unknown[:_REASONS])}: run ANALYZE there and verify again."
        )
    known = [one for one in scales if one["there"] is not None]
    if known:
        some = "; ".join(
            f"{one_line(one['table'])} {count(one['there'])} of {count(one['rows'])} rows"
            for one in known[:_REASONS]
        )
        lines.append(
            f"The scratch server holds other sizes ({some}): times, built sizes and plans are of its data, not of yours."
        )
    return lines


def _unanswered(reasons: dict[str, int]) -> list[str]:
    """What the choice does not know, because its planner did not say."""
    if not reasons:
        return []
    why = "; ".join(one_line(reason) for reason in list(reasons)[:_REASONS])
    number = plural(sum(reasons.values()), "what-if question")
    said = f"{number} not answered, so what these indexes would bring counts as nothing: {why}"
    return [said]


def _not_executed(ways: list[str]) -> list[str]:
    if not ways:
        return []
    return [_OPTIMISM if "what-if" in ways else _RULES]


def measured_lines(index: dict[str, Any]) -> list[str]:
    """What was measured of one index that is advised, and of the statements that use it."""
    said = [one_line(index["verification"])] if index.get("verification") else []
    if index.get("built_bytes") is not None:
        scaled = index.get("scaled_bytes")
        more = "" if scaled is None else f", about {size(scaled)} for all rows"
        said.append(f"built there: {size(index['built_bytes'])} in {ms(index['build_ms'])}{more}")
    gains = [one for one in index["statements"] if one.get("before_ms") is not None]
    said += [
        f"{one_line(one.get('name') or one['shape_id'])}: {ms(one['before_ms'])} to {ms(one['after_ms'])}"
        for one in gains[:_GAINS]
    ]
    if len(gains) > _GAINS:
        said.append(f"and {plural(len(gains) - _GAINS, 'more statement')}")
    return said


def prisma_head(made: dict[str, Any]) -> str:
    """What the change of a Prisma project is, in a sentence."""
    if not made["patch"]:
        return "For the Prisma project: no change."
    count = plural(len(made["migrations"]), "migration")
    checked = (
        f"; {made['checked_by']}'s own parser finds the changed schema valid"
        if made["checked_by"]
        else ""
    )
    return f"For the Prisma project: a patch of the schema and {count} (--format patch | git apply), applied by nobody yet{checked}."


def prisma_others(made: dict[str, Any]) -> list[dict[str, str]]:
    """What is not in the patch, with its statement, and what is to be known: `text`, `sql` ("" of a note)."""
    left = [
        {"text": f"not in the patch: {one_line(one['reason'])}", "sql": str(one["sql"])}
        for one in made["left_out"]
    ]
    return left + [{"text": one_line(note), "sql": ""} for note in made["notes"]]
