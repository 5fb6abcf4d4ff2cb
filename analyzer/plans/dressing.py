"""What clients draw around lines whose indentation counts (TEXT and YAML), taken off.

psql in all its formats (borders, header, `+` and `.` at the ends of lines, records, CSV, HTML, AsciiDoc),
pgAdmin (each line in quotes), DBeaver (`|` at the end), Markdown (fences, quotes, tables), and the
tab with which PostgreSQL's log begins the further lines of an entry. Lines keep their numbers.
"""

import re

from analyzer.patterns import regex
from analyzer.plans.decoration import RULE, unwrapped, without_tags

_BORDERS = "|\u2502\u2551"
_LINE_ENDS = "+\u21b5\u00b6"
# What no line of a plan begins or ends with; else each line is looked at.
FIRST = frozenset('\t"|\u2502\u2551>`+=*[\u250c')
LAST = "+|\u2502\u2551\u21b5\u00b6\r.\u2026"
_BAR = regex(r"^ {1,20}[|\u2502\u2551]|[|\u2502\u2551] {1,9}$", re.MULTILINE)
_HEADER = regex(r"(?:\^l)?[|\u2502]?[ ]{0,999}\"?QUERY PLAN\"?\s{0,999}(?:[|\u2502]|$)")
_FOOTER = regex(r"\s{0,9}\((?:\d{1,9}) [^\s()]{1,20}\)\s*")
_RECORD = regex(r"\s{0,9}(?:-\[ RECORD \d+ \]|\* Record \d+|\[options=|```|~~~|\|====)")
_HTML = regex(r"<t[dr][ >]")


def undressed(text: str) -> list[str]:
    """The lines of a text without decoration; a line that is nothing else becomes empty."""
    if "<t" in text and _HTML.search(text):
        text = without_tags(text).replace("\u00a0", " ")
    lines = text.split("\n")
    if not is_dressed(text, lines):
        return lines
    lines = [line.removesuffix("\r") for line in lines]
    quoted = sum(line.lstrip().startswith('"') for line in lines) > 0
    bare = [_unbordered(line) for line in _untabbed(lines)]
    bare = unwrapped(bare)
    if quoted:
        bare = _unquoted(bare)
    return [_cleared(line) for line in bare]


def is_dressed(text: str, lines: list[str]) -> bool:
    """Whether a line may begin or end as no line of a plan does; most plans come bare."""
    if "QUERY PLAN" in text or "```" in text:
        return True
    ends = {line[-1:] for line in lines}
    if not ends.isdisjoint(LAST):
        return True
    begins = {line[:1] for line in lines}
    return not FIRST.isdisjoint(begins) or ("|" in text and _BAR.search(text) is not None)


def _untabbed(lines: list[str]) -> list[str]:
    return [line.removeprefix("\t") for line in lines]


def _unbordered(line: str) -> str:
    """A line without header, borders and marks of continuation; a rule becomes empty."""
    if RULE.issuperset(line) or _RECORD.match(line):
        return ""
    bare = line.rstrip()
    if "QUERY PLAN" in bare and (header := _HEADER.match(bare.lstrip())):
        bare = bare.lstrip()[header.end() :]
    if bare[-1:] and bare[-1] in _BORDERS:
        bare = bare[:-1].rstrip()
    left = bare.lstrip()
    if left[:1] and left[0] in _BORDERS:
        bare = left[1:]
    elif bare.startswith(("> ", ">>")):
        bare = bare.lstrip(">").removeprefix(" ")
    if bare[-1:] and bare[-1] in _LINE_ENDS:
        bare = bare[:-1].rstrip()
    return "" if bare == ">" else bare


def _unquoted(lines: list[str]) -> list[str]:
    """Lines or whole texts out of the double quotes of CSV and of pgAdmin's clipboard."""
    bare, inside = [], False
    for line in lines:
        text = line.strip().rstrip(",;")
        if inside:
            ends = line.endswith('"') and line.count('"') % 2 == 1
            bare.append((line[:-1] if ends else line).replace('""', '"'))
            inside = not ends
        elif (
            len(text) > 1 and text.startswith('"') and text.count('"') % 2 == 0 and text[-1] == '"'
        ):
            bare.append(text[1:-1].replace('""', '"'))
        elif text.startswith('"') and text.count('"') % 2 == 1:
            bare.append(text[1:].replace('""', '"'))
            inside = True
        else:
            bare.append(line)
    return bare


def _cleared(line: str) -> str:
    return "" if _FOOTER.fullmatch(line) else line
