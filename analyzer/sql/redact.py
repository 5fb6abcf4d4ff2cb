"""Taking values out of SQL text: what is shown of a statement holds no literal and no comment."""

import re
from collections.abc import Callable, Sequence

from analyzer.patterns import regex
from analyzer.sql.hidden_words import hide_words
from analyzer.sql.shown_comments import shown_comment
from analyzer.sql.tokens import Token, Unbalanced, tokens

# A single space is left as it is: it is what white space becomes.
_WHITE = regex(r'("[^"]*+(?:""[^"]*+)*"(?!"))|\s\s+|[^\S ]')
_LIST = regex(r"\b(in ?\( ?)(\$\d+)((?: ?, ?\$\d+)+)( ?\))", re.IGNORECASE)
_ROWS = regex(r"\b(values ?)(\([^()]*\))((?: ?, ?\([^()]*\))+)", re.IGNORECASE)
_ALWAYS_TRUE = "1"  # both sides of an ORM's 1=1
CUT = " /* … the text ends inside a literal */"


def redact_text(
    text: str, placeholder: str = "?", named: Callable[[str], str] | None = None
) -> str:
    """SQL or a plan's condition with every literal replaced and comments dropped.

    Works on any text: what follows an unterminated literal is cut off, not shown. `named` gives a
    literal (as it is written) its own placeholder.
    """
    parts: list[str] = []
    try:
        for plain, kind, token, _ in tokens(text):
            parts.append(plain)
            if kind in ("parameter", "kept"):
                parts.append(token)
            elif kind == "comment":
                parts.append(" ")
            elif kind != "end":
                parts.append(named(token) if named else placeholder)
    except Unbalanced as cut:
        parts.append(text[cut.read : cut.offset])
        parts.append(placeholder + CUT)
    return hide_words("".join(parts).strip())


def with_shown_comments(text: str) -> str:
    """A text whose values are taken out already, with what of its comments is no value either."""
    if "--" not in text and "/*" not in text:
        return text
    read = read_tokens(text)
    if read is None:
        return normalise(text)
    return "".join(
        plain + (shown_comment(token) if kind == "comment" else token)
        for plain, kind, token, _ in read
    )


def read_tokens(text: str) -> list[Token] | None:
    """The text's tokens, to be read once for all who need them; None where they are unbalanced."""
    try:
        return list(tokens(text))
    except Unbalanced:
        return None


def normalise(text: str, read: Sequence[Token] | None = None) -> str:
    """A statement as it is shown and stored: literals numbered `$n` after its own parameters.

    `read` are its tokens, where they are at hand. White space is collapsed, comments are dropped, lists and VALUES rows beyond the first are
    written `/*, ... */` as PostgreSQL 18's pg_stat_statements does.
    """
    highest = 0
    one = -1  # where the last literal stands, if it was 1
    pieces: list[str | None] = []
    try:
        for plain, kind, token, _ in read or tokens(text):
            pieces.append(plain)
            if kind == "parameter":
                highest = max(highest, int(token[1:7]))
                pieces.append(token)
            elif kind == "kept":
                pieces.append(token)
            elif kind == "comment":
                pieces.append(" ")
            elif (
                token == _ALWAYS_TRUE
                and plain.strip() == "="
                and one >= 0
                and one == len(pieces) - 2
            ):
                pieces[one] = "1"  # an ORM's 1=1 is no value
                pieces.append("1")
            elif kind != "end":
                # date'2020-01-01' must not become date$1
                pieces.append(" " if plain[-1:].isalnum() else "")
                pieces.append(None)
                one = len(pieces) - 1 if token == _ALWAYS_TRUE else -1
    except Unbalanced:
        return redact_text(text, "'…'")
    numbered: list[str] = []
    for piece in pieces:
        if piece is None:
            highest += 1
            numbered.append(f"${highest}")
        else:
            numbered.append(piece)
    joined = _WHITE.sub(lambda found: found[1] or " ", "".join(numbered)).strip().rstrip("; ")
    joined = _LIST.sub(r"\1\2 /*, ... */\4", joined)
    return hide_words(_ROWS.sub(r"\1\2 /*, ... */", joined))
