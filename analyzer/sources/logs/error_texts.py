"""PostgreSQL's error messages: their SQLSTATE, and how they read without the values they quote.

A log without SQLSTATEs (stderr without %e, not verbose) tells an error's code by its text only; and
a text that is known can be shown without what it quotes of the team's data. The table has the texts
that logs have most, as PostgreSQL 13 to 18 write them in English.
"""

import functools
import re

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.error_table import TEXTS

_LOOKED_AT = 1_000  # characters of a message; what is known is told by much fewer
_TEMPLATE = 200
_REMEMBERED = 256  # messages
_CURSOR = regex(r" at character \d{1,10}\Z")  # stderr's log adds where in the statement
_NAME = regex(r'"[\w$.-]{1,128}"')
_PLACE = regex(r"(…|<name>)")
_VALUE = regex(r'"[^"]*"|\'[^\']*\'|["\'].*|\d+', re.DOTALL)


@record
class KnownText:
    """A message that is known: its SQLSTATE, and the text without what it quotes."""

    code: str
    text: str


@record
class _Pattern:
    """One text of the table: literal pieces with a gap between each two."""

    code: str
    fatal: bool
    pieces: tuple[str, ...]
    named: tuple[bool, ...]

    def shown(self, message: str) -> str | None:
        """The text as it may be shown, None if the message is another one."""
        first, last = self.pieces[0], self.pieces[-1]
        if not self.named:
            return first if message == first else None
        if not message.startswith(first) or not message.endswith(last):
            return None
        at, end = len(first), len(message) - len(last)
        parts = [first]
        for piece, named in zip(self.pieces[1:], self.named, strict=True):
            found = end if piece is last else message.find(piece, at, end)
            if found < at:
                return None
            gap = message[at:found]
            parts += (gap if named and _NAME.fullmatch(gap) else "…", piece)
            at = found + len(piece)
        return "".join(parts)


def _table() -> dict[str, list[_Pattern]]:
    """The patterns by the first word of what they begin with, "" where that is open."""
    table: dict[str, list[_Pattern]] = {}
    for line in TEXTS.strip().splitlines():
        code, text = line.split(" ", 1)
        fatal = text.startswith("FATAL ")
        pieces = _PLACE.split(text.removeprefix("FATAL "))
        named = tuple(place == "<name>" for place in pieces[1::2])
        word, space, _ = pieces[0].partition(" ")
        pattern = _Pattern(code, fatal, tuple(pieces[::2]), named)
        table.setdefault(word if space or not named else "", []).append(pattern)
    return table


_PATTERNS = _table()


def shortened(message: str) -> str:
    """The message without its middle if it is long: what lies there is quoted from somewhere."""
    if len(message) <= _LOOKED_AT:
        return message
    return message[: _LOOKED_AT // 2] + message[-_LOOKED_AT // 2 :]


def known_text(message: str, severity: str = "ERROR") -> KnownText | None:
    """What an error message of PostgreSQL's means, None if its text is not in the table."""
    return _looked_up(_CURSOR.sub("", shortened(message)), severity)


@functools.lru_cache(maxsize=_REMEMBERED)
def _looked_up(message: str, severity: str) -> KnownText | None:
    """`known_text` of a whole message; a log has few errors, often."""
    word = message.partition(" ")[0]
    for patterns in (_PATTERNS.get(word, ()), _PATTERNS[""]):
        for pattern in patterns:
            if pattern.fatal and severity != "FATAL":
                continue
            shown = pattern.shown(message)
            if shown is not None:
                return KnownText(pattern.code, shown)
    return None


def template(message: str) -> str:
    """An unknown message with quoted texts and numbers as …, to count equal ones together.

    Other values may be left in it: it is not to be shown where those are hidden.
    """
    line = _CURSOR.sub("", message[:_LOOKED_AT]).partition("\n")[0]
    return _VALUE.sub("…", line[: 2 * _TEMPLATE])[:_TEMPLATE]
