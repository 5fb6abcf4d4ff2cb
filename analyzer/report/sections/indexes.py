"""Index advice: what to create and to drop, before and after, size and write cost."""

from typing import Any

from analyzer.report.formats import count, is_number, ms, one_line, size
from analyzer.report.index_words import (
    measured_lines,
    prisma_head,
    prisma_others,
    verification_lines,
)
from analyzer.report.sections._base import Section, StatementLinks
from analyzer.report.values import Document
from analyzer.report.wording import VERIFIED

_STATEMENTS = 10
_MIGRATIONS = 30
# What documents of earlier versions do not have.
_NEWER = dict.fromkeys(
    ("locks", "build_seconds", "rollback", "prisma", "prisma_why_not", "fill_in", "settings")
)


def prepare(document: Document) -> dict[str, Any] | None:
    """The advice; None where none was computed or none is needed."""
    advice = document["indexes"]
    known = advice is not None and any(
        advice.get(name) for name in ("create", "drop", "notes", "prisma")
    )
    if advice is None or not known:
        return None
    links = StatementLinks(document)
    builds = {index.get("locks") for index in advice["create"]}
    return {
        # what building costs is the same for nearly all: told once, it leaves their differences
        "build": builds.pop() if len(advice["create"]) > 1 and len(builds) == 1 else None,
        "count": len(advice["create"]) + len(advice["drop"]),
        "create": [_created(index, links) for index in advice["create"]],
        "drop": [
            {"action": "drop", "rollback": None, "verification": None, **drop}
            for drop in advice["drop"]
        ],
        "notes": advice.get("notes") or [],
        "prisma": _project(advice.get("prisma")),
        "cost": advice["workload_cost"],
        "verification": verification_lines(document),
        "what_if_calls": advice["what_if_calls"],
    }


def _created(index: dict[str, Any], links: StatementLinks) -> dict[str, Any]:
    return {
        "i": {**_NEWER, **index},
        "measured": measured_lines(index),
        "verified": VERIFIED.get(index["verified_by"], index["verified_by"]),
        "statements": [
            {
                "ref": links.link(gain["shape_id"]),
                "g": {"node_before": None, "node_after": None, **gain},
            }
            for gain in index["statements"][:_STATEMENTS]
        ],
        "more": max(0, len(index["statements"]) - _STATEMENTS),
        "write_cost": [
            (name.replace("_", " "), _cost(name, value))
            for name, value in index["write_cost"].items()
            if value is not None
        ],
    }


def _project(made: dict[str, Any] | None) -> dict[str, Any] | None:
    """The change of a Prisma project, None where none was asked for."""
    if made is None:
        return None
    return {
        "head": prisma_head(made),
        "files": ", ".join(made["schema"]),
        "schema": made["schema_patch"],
        "migrations": made["migrations"][:_MIGRATIONS],
        "hidden": max(0, len(made["migrations"]) - _MIGRATIONS),
        "patch": made["patch"],
        "others": prisma_others(made),
    }


def _cost(name: str, value: object) -> str:
    if not is_number(value):
        return one_line(str(value))
    if name.endswith("_ms"):
        return ms(value)
    return size(value) if name.endswith("bytes") else count(value)


SECTION = Section("indexes", "Indexes", "sections/indexes.html.j2", prepare)
