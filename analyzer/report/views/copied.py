"""The Markdown that the page copies: the whole report's, and where in it each finding is.

The page holds it once. Findings for which the report's own Markdown has no room follow behind it.
"""

from analyzer.records import record
from analyzer.report.values import Document
from analyzer.report.views.markdown import finding_text, render
from analyzer.report.wording import open_findings

_FINDINGS = 100  # the page shows no more
_MORE_BYTES = 64 * 1024


@record
class Copied:
    """Markdown of the page (its first `page_lines` lines) and of more findings.

    `blocks` has for each finding's key "first line,lines" of its part.
    """

    text: str
    page_lines: int
    blocks: dict[str, str]


def copied_text(document: Document) -> Copied:
    """What can be copied from the page of a document."""
    text = render(document)
    page_lines = text.count("\n") + 1
    room = _MORE_BYTES
    blocks = {}
    for finding in open_findings(document)[:_FINDINGS]:
        block = finding_text(finding)
        place = text.find("\n" + block)
        if place < 0:
            room -= len(block.encode("utf-8", "replace"))
            if room < 0:
                break
            place = len(text)
            text += "\n" + block
        first = text.count("\n", 0, place + 1)
        blocks[finding["key"]] = f"{first},{block.count(chr(10)) + 1}"
    return Copied(text, page_lines, blocks)
