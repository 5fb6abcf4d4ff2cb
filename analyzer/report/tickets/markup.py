"""A ticket's blocks in the markup of a tracker: Markdown (GitHub, GitLab) or Jira's wiki markup.

Every text is untrusted: it shows as itself, and neither formats nor links nor notifies anybody.
"""

import re
from collections.abc import Callable, Mapping, Sequence

from analyzer.patterns import regex
from analyzer.report.formats import cut, one_line, plural
from analyzer.report.layout import display
from analyzer.report.tickets.content import Block, Code, Heading, Items, Paragraph, Rows
from analyzer.report.views import markdown

LIMITS: Mapping[str, int] = {
    "markdown": 64 * 1024,  # bytes: GitHub's body of an issue or a comment
    "jira": 32_767,  # characters: Jira's text fields, by default
}
_CODE_LENGTHS = (4_000, 1_000, 250)  # characters of a block of code, from roomy to tight
_TEXT = 600
_JIRA = regex(
    r"(?P<reference>[\\&])"  # a backslash can be written in no other way
    # Brackets and bars format anywhere, marks of emphasis unless letters are on both sides.
    r"|(?P<mark>[{}\[\]|#!]|(?<!\w)[*_\-+^~?]|[*_\-+^~?](?!\w))"
    # What becomes a picture or a link: :) (x) (off) https://
    r"|(?P<sign>[:;](?=[/)(DP])|\((?=(?:[!?/xiyn+\-*]|on|off|\*[rgby])\)))"
)
_JIRA_LANGUAGES = {
    "sql": "sql",
    "prisma": "javascript",
    "sequelize": "javascript",
    "typeorm": "javascript",
    "django": "python",
    "sqlalchemy": "python",
    "rails": "ruby",
}


def write(blocks: Sequence[Block], form: str) -> str:
    """The ticket's text in a form, `markdown` or `jira`, within what its tracker takes.

    Code is cut first, with a count of what is missing; whole blocks at the end go last.
    """
    block_of = _WRITERS[form]
    limit = LIMITS[form]
    for length in _CODE_LENGTHS:
        text = "\n\n".join(block_of(block, length) for block in blocks) + "\n"
        if _size(text, form) <= limit:
            return text
    return _beginning(blocks, block_of, form)


def _beginning(blocks: Sequence[Block], block_of: Callable[[Block, int], str], form: str) -> str:
    """As many whole blocks as fit, and how many do not."""
    kept: list[str] = []
    room = LIMITS[form] - 100  # for the line that counts what was left out
    for block in blocks:
        text = block_of(block, _CODE_LENGTHS[-1])
        room -= _size(text, form) + 2
        if room < 0:
            break
        kept.append(text)
    left = plural(len(blocks) - len(kept), "more part")
    return "\n\n".join([*kept, f"{left} in report.json"]) + "\n"


def _size(text: str, form: str) -> int:
    return len(text) if form == "jira" else len(text.encode("utf-8"))


def _markdown(block: Block, code_length: int) -> str:
    escape = markdown.escape
    if isinstance(block, Heading):
        return f"{'#' if block.top else '##'} {escape(block.text)}"
    if isinstance(block, Paragraph):
        text = escape(block.text, _TEXT)
        return f"**{text}**" if block.strong else text
    if isinstance(block, Items):
        marks = _marks(block, "1.", "-")
        return "\n".join(
            f"{mark} {escape(text, _TEXT)}" for mark, text in zip(marks, block.texts, strict=True)
        )
    if isinstance(block, Rows):
        lines = [_row(block.columns), "|" + "---|" * len(block.columns)]
        return "\n".join([*lines, *(_row(row) for row in block.rows)])
    return markdown.block(block.text, block.language, code_length).rstrip("\n")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(markdown.escape(cell) for cell in cells) + " |"


def _marks(block: Items, numbered: str, plain: str) -> list[str]:
    return [numbered if block.numbered else plain] * len(block.texts)


def _jira(block: Block, code_length: int) -> str:
    if isinstance(block, Heading):
        return f"h{1 if block.top else 2}. {jira_escape(block.text)}"
    if isinstance(block, Paragraph):
        text = jira_escape(block.text)
        return f"*{text}*" if block.strong else text
    if isinstance(block, Items):
        marks = _marks(block, "#", "*")
        return "\n".join(
            f"{mark} {jira_escape(text)}" for mark, text in zip(marks, block.texts, strict=True)
        )
    if isinstance(block, Rows):
        head = "||" + "||".join(jira_escape(cell) for cell in block.columns) + "||"
        rows = [
            "|" + "|".join(jira_escape(cell) or " " for cell in row) + "|" for row in block.rows
        ]
        return "\n".join([head, *rows])
    return _jira_code(block, code_length)


def jira_escape(text: str) -> str:
    """A text that shows as itself on one line of wiki markup, at most 600 characters of it."""
    return _JIRA.sub(_jira_sign, cut(one_line(text), _TEXT))


def _jira_sign(found: re.Match[str]) -> str:
    sign = found[0]
    if found["reference"]:
        return f"&#{ord(sign)};"
    return f"\\{sign}" if found["mark"] else f"{sign}\u2060"


def _jira_code(block: Code, code_length: int) -> str:
    shown = display(block.text, code_length, block.language)
    language = _JIRA_LANGUAGES.get(block.language)
    # A block ends at the next `{code}`, whatever is around it: a word joiner keeps it from being one.
    text = re.sub(r"\{(?=code|noformat)", "{\u2060", shown.text, flags=re.IGNORECASE)
    head = f"{{code:{language}}}" if language else "{code}"
    hidden = f"\n{plural(shown.hidden, 'more character')} in report.json" if shown.hidden else ""
    return f"{head}\n{text}\n{{code}}{hidden}"


_WRITERS: Mapping[str, Callable[[Block, int], str]] = {"markdown": _markdown, "jira": _jira}
