"""What a report section is: an id, a title, a template, and what it makes of a document."""

from collections.abc import Callable
from typing import Any

from analyzer.records import record
from analyzer.report.layout import brief
from analyzer.report.values import Document

SHOWN_STATEMENTS = 2_000
DETAILED = 150  # of them with the whole text and a distribution
_BRIEF = 110


@record
class Section:
    """One section of the HTML report.

    `prepare` gives the template's variables from the document, or None where the section has
    nothing to say and is left out. A context's `count` is shown in the navigation.
    """

    id: str
    title: str
    template: str
    prepare: Callable[[Document], dict[str, Any] | None]


class StatementLinks:
    """Turns a shape_id into a label and an anchor, for statements that the page shows."""

    __slots__ = ("_labels", "_linked", "_whole")

    def __init__(self, document: Document) -> None:
        statements = document["statements"]
        self._labels = {statement["shape_id"]: statement["sql"] for statement in statements}
        self._whole = {statement["shape_id"] for statement in statements[:DETAILED]}
        self._linked = {statement["shape_id"] for statement in statements[:SHOWN_STATEMENTS]}

    def link(self, shape_id: str | None, fallback: str | None = None) -> dict[str, Any] | None:
        """`label` and `anchor` (None beyond the rows shown) of a statement, None if unknown."""
        sql = self._labels.get(shape_id) if fallback is None else fallback
        if sql is None:
            return None
        anchor = f"q-{shape_id}" if shape_id in self._linked else None
        return {"label": brief(sql, _BRIEF), "anchor": anchor}

    def has_text(self, shape_id: object) -> bool:
        """Whether the page has the statement's whole text among the statements."""
        return shape_id in self._whole
