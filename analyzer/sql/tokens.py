"""Finding literals, parameters and comments in SQL text, as PostgreSQL's lexer would.

Not a full lexer: identifiers, operators and white space are passed over as one run. The rules are
those of the safe key (docs/architecture.md, Safe key); a text that the pattern cannot account for
to its end (an unterminated string, a nested comment) is reported as such, never guessed at.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_IDENTIFIER = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+"
# Identifiers whose parenthesised number is part of the type or the value's precision:
# libpg_query's fingerprint depends on it, so it is no literal.
_KEPT_NUMBER = (
    r"(?i:float|current_time|current_timestamp|localtime|localtimestamp)\s*+\(\s*+\d++\s*+\)"
)
_PLAIN_RUN = rf"""
(?:
    {_KEPT_NUMBER}
  | (?i:array)\s*+\[
  | \[\s*+\d++\s*+(?::\s*+\d++\s*+)?\]
  | (?![eEbBxXnN]'|[uU]&['"]){_IDENTIFIER}
  | "(?:[^"]|"")*+"
  | [^A-Za-z_\x80-\U0010ffff"'$\d/.\-\[]
  | \.(?!\d)
  | -(?!-)
  | /(?!\*)
  | \[
)*+
"""
_QUOTED = r"'(?:[^']|'')*+'(?:[ \t\r\f]*+\n\s*+'(?:[^']|'')*+')*+"
_NUMBER = (
    r"0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++"
    r"|\d[\d_]*+(?:\.(?!\.)[\d_]*+)?(?:[eE][+-]?\d++)?|\.\d[\d_]*+(?:[eE][+-]?\d++)?"
)
_TOKEN = re.compile(
    rf"""
    (?P<plain>{_PLAIN_RUN})
    (?:
        (?P<escaped>[eE]'(?:[^'\\]|\\.|'')*+')
      | (?P<string>(?P<prefix>[bBxXnN]?){_QUOTED})
      | \$(?P<parameter>\d++)
      | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
      | (?P<number>{_NUMBER})
      | (?P<comment>--[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*+/)
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A literal, parameter or comment with the plain text before it.

    `kind`: escaped, string, dollar, number, parameter, comment or end; `text` as written
    (for a parameter the digits after `$`); `start` its offset in characters.
    """

    plain: str
    kind: str
    text: str
    start: int


class Unbalanced(Exception):  # noqa: N818 - not an error of the program: the text ends inside a token
    """The text cannot be split to its end.

    What cannot be read begins at `offset`; `read` is where the last whole token before it ends.
    """

    def __init__(self, read: int, offset: int) -> None:
        super().__init__(read, offset)
        self.read = read
        self.offset = offset


def tokens(text: str) -> Iterator[Token]:
    """Literals, parameters and comments in order; the last has kind "end".

    Raises Unbalanced at an unterminated literal or comment, a nested comment or a U&'' literal.
    """
    match = _TOKEN.match
    position = 0
    while True:
        found = match(text, position)
        if found is None:
            run = _PLAIN.match(text, position)
            raise Unbalanced(position, run.end() if run else position)
        kind = found.lastgroup or "end"
        if kind in ("prefix", "tag"):  # inner groups: the outer one is meant
            kind = "string" if kind == "prefix" else "dollar"
        token = found.group(kind)
        start = found.start(kind)
        if kind == "comment" and "/*" in token[2:] and token.startswith("/*"):
            raise Unbalanced(position, start)
        yield Token(found.group("plain"), kind, token, start)
        if kind == "end":
            return
        position = found.end()


_PLAIN = re.compile(_PLAIN_RUN, re.VERBOSE)
