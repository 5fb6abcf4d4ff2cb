"""The three things to do first: each one line, what it saves, and where to read on."""

from typing import Any

from analyzer.report.sections._base import Section
from analyzer.report.values import Document
from analyzer.report.wording import actions, answers, silent


def prepare(document: Document) -> dict[str, Any]:
    """The actions that save most; without any, what the detectors said instead."""
    detectors = document["detectors"]
    return {
        "actions": [{**action, "short": _short(action)} for action in actions(document)],
        "clean": sum(1 for detector in detectors if detector["status"] == "clean"),
        "silent": len(silent(document)),
        "reasons": answers(silent(document)),
        "detectors": len(detectors),
    }


def _short(action: dict[str, Any]) -> str:
    """What to do, without the reason behind its colon: the line has to have room for the cause."""
    do: str = action["do"]
    return do if do == action["title"] else do.partition(": ")[0]


SECTION = Section("actions", "Do first", "sections/actions.html.j2", prepare)
