"""Index advice: what to create and to drop, before and after, size and write cost."""

from typing import Any

from analyzer.report.formats import count, is_number, ms, one_line, size
from analyzer.report.index_words import measured_lines, verification_lines
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import VERIFIED

_STATEMENTS = 10


def prepare(document: Document) -> dict[str, Any] | None:
    """The advice; None where none was computed or none is needed."""
    advice = document["indexes"]
    if advice is None or not (advice["create"] or advice["drop"] or advice.get("notes")):
        return None
    links = StatementLinks(document)
    return {
        "count": len(advice["create"]) + len(advice["drop"]),
        "create": [_created(index, links) for index in advice["create"]],
        "drop": [{"action": "drop", "rollback": None, **drop} for drop in advice["drop"]],
        "notes": advice.get("notes") or [],
        "cost": advice["workload_cost"],
        "verification": verification_lines(document),
        "what_if_calls": advice["what_if_calls"],
    }


def _created(index: dict[str, Any], links: StatementLinks) -> dict[str, Any]:
    return {
        "i": index,
        "measured": measured_lines(index),
        "verified": VERIFIED.get(index["verified_by"], index["verified_by"]),
        "statements": [
            {"ref": links.link(gain["shape_id"]), "g": gain}
            for gain in index["statements"][:_STATEMENTS]
        ],
        "more": max(0, len(index["statements"]) - _STATEMENTS),
        "write_cost": [
            (name.replace("_", " "), _cost(name, value))
            for name, value in index["write_cost"].items()
            if value is not None
        ],
    }


def _cost(name: str, value: object) -> str:
    if not is_number(value):
        return one_line(str(value))
    if name.endswith("_ms"):
        return ms(value)
    return size(value) if name.endswith("bytes") else count(value)


SECTION = Section("indexes", "Indexes", "sections/indexes.html.j2", prepare)
