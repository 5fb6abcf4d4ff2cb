"""What clients draw around a plan: psql's borders, headers, continuation marks, CSV and HTML.

Made for JSON: none of the marks taken off can stand at either end of a line of printed JSON, and
a JSON string never spans lines, so nothing of the plan is lost.
"""

import csv
import io

_RIGHT_MARKS = "+|\u21b5\u2502\u00b6 \t\r"
_LEFT_MARKS = "|\u2502 \t"
_RULE = frozenset(
    "-+=|_ \t\u2500\u2501\u2502\u250c\u2510\u2514\u2518\u251c\u2524\u252c\u2534\u253c"
)
_HEADER = "QUERY PLAN"


def undecorated(text: str) -> str:
    """The text without decoration, one line for each line of the plan."""
    if '""Plan""' in text:
        return _cells(text)
    if "&quot;Plan&quot;" in text:
        text = _without_tags(text)
    lines = []
    for line in text.splitlines():
        bare = line.rstrip(_RIGHT_MARKS).lstrip(_LEFT_MARKS)
        if bare.startswith(_HEADER):
            bare = bare[len(_HEADER) :].lstrip(_LEFT_MARKS)
        lines.append("" if _RULE.issuperset(bare) else bare)
    return "\n".join(lines)


def _cells(text: str) -> str:
    """The cells of a CSV that hold JSON."""
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return text
    finally:
        csv.field_size_limit(limit)
    return "\n".join(cell for row in rows for cell in row if '"Plan"' in cell)


def _without_tags(text: str) -> str:
    """HTML's text: a tag ends a line, entities are decoded."""
    pieces = []
    for piece in text.split("<"):
        _, closed, rest = piece.partition(">")
        pieces.append(rest if closed else piece)
    import html  # noqa: PLC0415 - its table of entities takes 2 ms, and few plans come as HTML

    return html.unescape("\n".join(pieces))
