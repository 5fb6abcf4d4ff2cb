"""Finding literals, parameters and comments in SQL text, as PostgreSQL's lexer would.

Not a full lexer: identifiers, operators and white space are passed over as one run. The rules are
those of the safe key (docs/architecture.md, Safe key); a text that the pattern cannot account for
to its end (an unterminated string, a nested comment) is reported as such, never guessed at.
"""

import re
from collections.abc import Iterator

_IDENTIFIER = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+"
_PLAIN_RUN = rf"""
(?:
    (?![eEbBxXnN]'|[uU]&['"]){_IDENTIFIER}
  | [^A-Za-z_\x80-\U0010ffff"'$\d/.\-]++
  | \.(?!\d)
  | "[^"]*+(?:""[^"]*+)*"(?!")
  | -(?!-)
  | /(?!\*)
)*
"""
# Loops are unrolled rather than made possessive: Python before 3.11.4 gets possessive groups
# wrong that hold another repetition (CPython issue 106052). The look-ahead behind a closing
# quote leaves one way to read a text, so that what is unterminated fails in linear time.
_STRING = r"'[^']*+(?:''[^']*+)*'(?!')"
_QUOTED = rf"{_STRING}(?:[ \t\r\f]*+\n\s*+{_STRING})*"
_NUMBER = (
    r"0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++"
    r"|\d[\d_]*+(?:\.(?!\.)[\d_]*+)?(?:[eE][+-]?\d++)?|\.\d[\d_]*+(?:[eE][+-]?\d++)?"
)
_TOKEN = re.compile(
    rf"""
    (?P<plain>{_PLAIN_RUN})
    (?:
        (?P<escaped>[eE]'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*'(?!'))
      | (?P<string>[bBxXnN]?{_QUOTED})
      | \$(?P<parameter>\d++)
      | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
      | (?P<number>{_NUMBER})
      | (?P<comment>--[^\n]*+|/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/)
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)


# Numbers that are part of a type, of a value's precision or of a subscript: libpg_query's
# fingerprint depends on them, so they are no literals.
_KEPT = re.compile(
    r"""(?:\b(?:float|current_time|current_timestamp|localtime|localtimestamp)\s*\(
        |(?<!array)(?<!array\s)\[)\s*\Z""",
    re.IGNORECASE | re.VERBOSE,
)


# (plain text before it, kind, the token as written, its offset in characters); kinds: escaped,
# string, dollar, number, kept (a number that is no literal), parameter, comment, end. A tuple,
# because one is made for every literal of every statement.
Token = tuple[str, str, str, int]


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
    kept = False
    while True:
        found = match(text, position)
        if found is None:
            run = _PLAIN.match(text, position)
            raise Unbalanced(position, run.end() if run else position)
        kind = found.lastgroup or "end"
        plain = found[1]
        start, end = found.end(1), found.end()
        token = text[start:end]
        if kind == "number":
            kept = plain[-2:].rstrip()[-1:] in _BEFORE_KEPT and (
                _KEPT.search(plain) is not None or (kept and plain.strip() == ":")
            )
            yield plain, "kept" if kept else kind, token, start
        elif kind == "comment" and "/*" in token[2:] and token.startswith("/*"):
            raise Unbalanced(position, start)
        else:
            yield plain, kind, token, start
            if kind == "end":
                return
        position = end


_BEFORE_KEPT = frozenset("([:")
_PLAIN = re.compile(_PLAIN_RUN, re.VERBOSE)
