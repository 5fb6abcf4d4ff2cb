"""What clients draw around a plan: psql's borders, headers, continuation marks, CSV and HTML.

Made for JSON and XML: none of the marks taken off can stand at either end of a line of printed JSON, and
a JSON string never spans lines, so nothing of the plan is lost. In XML white space between elements
means nothing. Where it does (TEXT and YAML) dressing.py is used.
"""

import csv
import io

_RIGHT_MARKS = "+|\u21b5\u2502\u00b6 \t\r"
_LEFT_MARKS = "|\u2502>\t"
RULE = frozenset("-+=|_ \t\u2500\u2501\u2502\u250c\u2510\u2514\u2518\u251c\u2524\u252c\u2534\u253c")
_HEADER = "QUERY PLAN"
_WRAPS = ".\u2026"
_IN_CSV = ('""Plan""', 'xmlns=""')
_IN_HTML = ("&quot;Plan&quot;", "&lt;explain")
_IN_CELL = ('"Plan"', "<explain")


def undecorated(text: str) -> str:
    """The text without decoration, one line for each line of the plan."""
    if any(mark in text for mark in _IN_CSV):
        return _cells(text)
    if any(mark in text for mark in _IN_HTML):
        text = without_tags(text)
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.rstrip(_RIGHT_MARKS)
        inside = bare.lstrip()
        if inside[:1] and inside[0] in _LEFT_MARKS:
            bare = inside[1:]
        if bare.lstrip().startswith(_HEADER):
            bare = bare.lstrip()
            bare = bare[len(_HEADER) :].lstrip(_LEFT_MARKS)
        lines.append("" if RULE.issuperset(bare) else bare)
    return "\n".join(unwrapped(lines))


def unwrapped(lines: list[str]) -> list[str]:
    """Lines that psql broke (format wrapped) put together again; their rests become empty.

    psql begins each line with a space or that mark; a terminal may break "1.5..2.5" in its middle.
    """
    first = next((line for line in lines if line), " ")
    if first[0] not in f" {_WRAPS}":
        return lines
    whole: list[str] = []
    at = -1  # of the line that the next one may continue
    for line in lines:
        if at >= 0 and line[:1] and line[0] in _WRAPS and whole[at][-1:] in _WRAPS:
            whole[at] = whole[at][:-1] + line[1:]
            whole.append("")
        else:
            whole.append(line)
            at = len(whole) - 1
    return whole


def _cells(text: str) -> str:
    """The cells of a CSV that hold JSON or XML."""
    limit = csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    try:
        rows = list(csv.reader(io.StringIO(text)))
    except csv.Error:
        return text
    finally:
        csv.field_size_limit(limit)
    return "\n".join(cell for row in rows for cell in row if any(mark in cell for mark in _IN_CELL))


def without_tags(text: str) -> str:
    """HTML's text: a tag ends a line, entities are decoded."""
    pieces = []
    for piece in text.split("<"):
        _, closed, rest = piece.partition(">")
        pieces.append(rest if closed else piece)
    import html  # noqa: PLC0415 - its table of entities takes 2 ms, and few plans come as HTML

    return html.unescape("\n".join(pieces))
