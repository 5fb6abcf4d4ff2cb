"""Coverage and caveats: what each input gave, what was left out, what could not be judged."""

from typing import Any

from analyzer.report.explain_words import explained_sentence, refusals
from analyzer.report.layout import brief
from analyzer.report.sections._base import Section
from analyzer.report.values import Document
from analyzer.report.wording import ruled_out

_SHOWN = 100
_SQL = 200  # characters


def prepare(document: Document) -> dict[str, Any]:
    """Warnings, every input's account, every detector's answer."""
    coverage = document["coverage"]
    sources = coverage["sources"]
    return {
        "warnings": coverage["warnings"],
        "explained": explained_sentence(document),
        "refused": refusals(document),
        "sources": sources[:_SHOWN],
        "hidden": max(0, len(sources) - _SHOWN),
        "detectors": [one for one in document["detectors"] if one["status"] != "clean"],
        "ruled_out": [one | {"sql": brief(one["sql"], _SQL)} for one in ruled_out(document)][
            :_SHOWN
        ],
        "clean": [one["id"] for one in document["detectors"] if one["status"] == "clean"],
        "reason": document["target"].get("reason"),
    }


SECTION = Section("coverage", "Coverage and caveats", "sections/coverage.html.j2", prepare)
