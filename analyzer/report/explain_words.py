"""What a document says of the plans that a server was asked for, in words. Shared by all views."""

from analyzer.report.formats import count, one_line, plural
from analyzer.report.values import Document


def explained_sentence(document: Document) -> str:
    """What came of the plans that a server was asked for; empty where it was not asked."""
    found = document["coverage"].get("explained")
    if not found:
        return ""
    text = f"{plural(found['explained'], 'statement')} of {count(found['asked'])} explained"
    text += f" by {one_line(found['origin'])}, {count(found['analyzed'])} of them also run"
    if found["timed_out"]:
        text += f", {count(found['timed_out'])} ended by a time limit"
    return text + "."


def refusals(document: Document) -> list[tuple[int, str]]:
    """Why statements were not explained, or not run though that was asked for: how many, and the reason."""
    found = document["coverage"].get("explained") or {}
    ranked = sorted(found.get("refused", {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return [(number, one_line(reason)) for reason, number in ranked]
