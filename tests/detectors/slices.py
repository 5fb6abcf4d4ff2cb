"""The captured slices of three ORMs: one behaviour each, with the pairs that each holds.

No test itself; conftest.py lets the tests import it from beside them.
"""

import json
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parents[1] / "data" / "nplusone"
ORMS = ("django", "prisma7", "sequelize")
SLICES = [
    (orm, name)
    for orm in ORMS
    for name in sorted(json.loads((CORPUS / orm / "labels.json").read_text()))
]


@dataclass(frozen=True)
class Wanted:
    """A parent and a child table, and how many children one parent has."""

    parent: str
    child: str
    count: int


def wanted(orm: str, name: str) -> list[Wanted] | None:
    """The labelled pairs of a slice; None where the label counts neither way."""
    label = json.loads((CORPUS / orm / "labels.json").read_text())[name]
    if label["n_plus_one"] is None or label.get("below_threshold"):
        return None
    if not label["n_plus_one"]:
        return []
    return [
        Wanted(one["parent_table"], one["child_table"], one["n"])
        for one in [label, *label.get("also", [])]
    ]


def schema_of(orm: str) -> str:
    """The schema that a program's slices ran on."""
    own = CORPUS / orm / "schema.sql"
    return str(own if own.exists() else CORPUS / "schema.sql")
