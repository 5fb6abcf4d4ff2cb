"""Coverage and caveats: what each input gave, what was left out, what could not be judged."""

from typing import Any

from analyzer.report.explain_words import explained_sentence, refusals
from analyzer.report.sections._base import Section
from analyzer.report.values import Document

_SHOWN = 100


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
        "clean": [one["id"] for one in document["detectors"] if one["status"] == "clean"],
        "reason": document["target"].get("reason"),
    }


SECTION = Section("coverage", "Coverage and caveats", "sections/coverage.html.j2", prepare)
