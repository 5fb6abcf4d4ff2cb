r"""A SQL script cut into statements, as psql would, but never stopping at one that is broken.

PostgreSQL's own splitter refuses a text as a whole; a script may hold psql's commands, COPY data,
statements of other dialects. Quotes, dollar quotes and comments are respected; a quote that never
closes is taken for an ordinary character, so that the rest of the script is still read.
"""

import re
from collections.abc import Iterator

from analyzer.patterns import regex

_STOP = regex(r"""['"$;\\]|--|/\*""")
_BLANK = regex(r"\s*+")
_DOLLAR = regex(r"\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]{0,62})?\$")
_ANY_DOLLAR = regex(f"(?=({_DOLLAR.pattern}))")
_COMMENT_MARK = regex(r"/\*|\*/")
_ESCAPED_STRING_STOP = regex(r"[\\']")
_COPY_FROM_STDIN = regex(r"COPY\b.*\bFROM\s+STDIN\b", re.IGNORECASE | re.DOTALL)
_COPY_END = regex(r"^\\\.[ \t]*\r?$", re.MULTILINE)
_MAX_COPY_STATEMENT = 100_000  # characters: a list of columns, not data


def statements(text: str) -> Iterator[str]:
    r"""The statements of a script, each from its first word, without its semicolon.

    Comments before a statement are left out, those within it kept. psql's commands (`\connect`,
    `\restrict`) end at their line, COPY data at `\.`.
    """
    return _Splitter(text).run()


class _Splitter:
    """One pass over a script; `position` is what is looked at, `start` where a statement began."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.start = 0
        self.position = 0
        self._last_tag: dict[str, int] | None = None
        self._data_ends = True  # whether a COPY's data may end further on

    def run(self) -> Iterator[str]:
        self._begin(0)
        while found := _STOP.search(self.text, self.position):
            at, mark = found.start(), found.group()
            if mark == ";":
                yield from self._end(at)
                self._begin(self._after_copy(at))
            elif mark == "\\":
                yield from self._end(at)
                self._begin(self._line_end(at))
            elif mark in ("--", "/*"):
                self._skip_comment(at, mark)
            elif mark == "$":
                self.position = self._after_dollar_quote(at)
            else:
                self.position = self._after_quote(at, mark)
        yield from self._end(len(self.text))

    def _begin(self, position: int) -> None:
        found = _BLANK.match(self.text, position)
        self.start = self.position = found.end() if found else position

    def _end(self, at: int) -> Iterator[str]:
        statement = self.text[self.start : at].rstrip()
        if statement:
            yield statement

    def _skip_comment(self, at: int, mark: str) -> None:
        end = self._line_end(at) if mark == "--" else self._after_block_comment(at)
        if at == self.start:
            self._begin(end)
        else:
            self.position = end

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end + 1

    def _after_block_comment(self, at: int) -> int:
        depth, position = 1, at + 2
        while found := _COMMENT_MARK.search(self.text, position):
            depth += 1 if found.group() == "/*" else -1
            position = found.end()
            if depth == 0:
                return position
        return len(self.text)

    def _after_quote(self, at: int, mark: str) -> int:
        if mark == "'" and self._is_escape_string(at):
            return self._after_escape_string(at)
        end = self.text.find(mark, at + 1)
        return at + 1 if end < 0 else end + 1

    def _is_escape_string(self, at: int) -> bool:
        """Whether E stands before the quote, as a word of its own."""
        before = self.text[max(0, at - 2) : at]
        return before[-1:] in ("e", "E") and not (before[:-1].isalnum() or before[:-1] == "_")

    def _after_escape_string(self, at: int) -> int:
        position = at + 1
        while found := _ESCAPED_STRING_STOP.search(self.text, position):
            if found.group() == "'":
                return found.end()
            position = found.end() + 1
        return at + 1

    def _after_dollar_quote(self, at: int) -> int:
        tag = _DOLLAR.match(self.text, at)
        if tag is None or self._is_identifier(at):
            return at + 1
        if self._last_tag is None:  # so that tags that never close cost one pass together
            matches = _ANY_DOLLAR.finditer(self.text)
            self._last_tag = {found.group(1): found.start() for found in matches}
        if self._last_tag.get(tag.group(), -1) < tag.end():
            return at + 1
        return self.text.find(tag.group(), tag.end()) + len(tag.group())

    def _is_identifier(self, at: int) -> bool:
        before = self.text[at - 1 : at]
        return before.isalnum() or (before in ("_", "$") and before != "")

    def _after_copy(self, at: int) -> int:
        statement = self.text[self.start : min(at, self.start + _MAX_COPY_STATEMENT)]
        if self._data_ends and _COPY_FROM_STDIN.match(statement):
            end = _COPY_END.search(self.text, at)
            if end:
                return end.end()
            self._data_ends = False
        return at + 1
