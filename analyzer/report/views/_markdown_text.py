"""Untrusted text in Markdown: as code, or escaped so that nothing but itself comes of it."""

import re

from analyzer.patterns import regex
from analyzer.report.formats import cut, one_line, plural
from analyzer.report.layout import display

_CODE = 3_000
LINE = 300
_MARKUP = regex(r"([\\`*_\[\]|~$])")
_LINE_START = regex(r"^([#+\-=:]|\d+(?=[.)](?:\s|$)))")
_LINK = regex(r"(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def escape(text: str, width: int = LINE) -> str:
    """A text that shows as itself, on one line, at most `width` characters of it."""
    line = cut(one_line(text), width)
    line = _MARKUP.sub(r"\\\1", line)
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _LINK.sub(_entity, line)
    line = _LINE_START.sub(_entity, line)
    return line.replace("@", "@\u2060")  # a word joiner: nobody is notified


def _entity(found: re.Match[str]) -> str:
    """Punctuation as character references: it shows, and starts neither list nor link."""
    return "".join(f"&#{ord(character)};" for character in found[0])


def code(text: str, *, cell: bool = False) -> str:
    """A text as inline code, fenced by more backticks than it has; pipes escaped in a cell."""
    line = one_line(text) or " "
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if line[0] == "`" or line[-1] == "`" else ""
    if cell:
        line = line.replace("\\|", "\\ |").replace("|", "\\|")
    return f"{fence}{padding}{line}{padding}{fence}"


def block(text: str, language: str, length: int = _CODE) -> str:
    """A fenced block whose fence is longer than any run of backticks inside."""
    shown = display(text, length, language)
    fence = "`" * max(3, _longest_run(shown.text) + 1)
    name = re.sub(r"[^a-z0-9]", "", language.lower())
    cut_off = (
        f"\n{plural(shown.hidden, 'more character')} in report.json.\n" if shown.hidden else ""
    )
    return f"{fence}{name}\n{shown.text}\n{fence}\n{cut_off}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
