"""Finding literals, parameters and comments in SQL text, as PostgreSQL's lexer would.

Not a full lexer: identifiers, operators and white space are passed over as one run of plain text.
A text that cannot be accounted for to its end is reported as such, never guessed at. The rules are
complete here, because the safe key (keys.py) and its native twin rest on them to the character:

Characters. An *identifier character* is A-Z a-z 0-9 _ $ and everything beyond ASCII; an identifier
begins with one that is neither digit nor `$`. *White space* is space, tab, newline, carriage
return, form feed and vertical tab, nothing beyond ASCII (for PostgreSQL a no-break space is a
letter). Digits and letters below are ASCII, letters in either case.

Tokens. From where the last token ended, plain text runs on over identifiers, quoted identifiers
(`"…"`, with `""` inside) and every other character that does not begin a token; an identifier
is passed over whole, so that neither its digits nor a letter before a quote begin anything. A token
begins with the first of these that matches, tried in this order:

1. *escaped*: `E'…'`, where a backslash takes the next character with it and `''` is a quote.
2. *string*: `'…'` with `''` inside, or the same after one of B, X, N. Strings that follow it
   after white space with a newline or carriage return in it belong to the token.
3. *parameter*: `$` and digits.
4. *dollar*: `$tag$…$tag$`; the tag is empty or an identifier without `$`.
5. *number*: `0x`, `0o` or `0b` and at least one digit of that base or `_`; otherwise a digit, then
   digits and `_`, then, unless two dots follow, a dot with digits and `_` (or none), then an
   exponent if it is whole (`e5`, `E+05`); or a dot, a digit, digits and `_`, an exponent.
6. *comment*: `--` up to (not including) newline, carriage return or the end; `/* … */`.
7. *end*: the end of the text.

An identifier that would begin at `E'`, `B'`, `X'`, `N'`, `U&'` or `U&"` is no plain text.

Refused (Unbalanced): what is unterminated; `U&'…'` and `U&"…"`; a block comment that holds
another `/*`; a `$` that begins nothing; a string without prefix after an escaped one with only
white space and comments between (PostgreSQL reads on as in the escaped one).

A number is *kept*, that is no literal, where a fingerprint can depend on it: where the plain text
before it (since the last token that is no comment; comments count as a space) ends, apart from
white space, with

- `float(`, `current_time(`, `current_timestamp(`, `localtime(` or `localtimestamp(`, white space
  allowed before the bracket, no identifier character before the word;
- `[`, unless that opens an array constructor: the word ARRAY, at most one white space, `[`; and
  before ARRAY, after any white space, a character that is no identifier character and none of
  `.` `"` `)` `]`, or, after at least one white space, one of the keywords in `_BEFORE_ARRAY`
  which follows no identifier character, dot or double quote (`x::int ARRAY[3]` is a type);
- `:` and has nothing else, the last token but comments being a kept number (`a[1:2]`).
"""

import re
from collections.abc import Iterator

from analyzer.patterns import regex


def either(characters: str) -> str:
    """A character class: these ASCII characters, or any that is not ASCII.

    `characters` are as they stand inside a regular expression's brackets. The class is written
    as what it leaves out: classes that reach beyond ASCII take long to compile.
    """
    return f"[^{_left_out(characters)}]"


def neither(characters: str) -> str:
    """A character class: any ASCII character but these."""
    return f"[{_left_out(characters)}]"


def _left_out(characters: str) -> str:
    is_one = re.compile(f"[{characters}]", re.ASCII).match
    return "".join(f"\\x{code:02x}" for code in range(128) if not is_one(chr(code)))


LETTER = either("A-Za-z_")
IDENTIFIER_CHARACTERS = "A-Za-z0-9_$"  # and what is not ASCII
IN_NAME = either(IDENTIFIER_CHARACTERS)
WHITE = " \t\n\r\f\v"

_IDENTIFIER = rf"{LETTER}{IN_NAME}*+"
_PLAIN_CHARACTER = neither(r"""A-Za-z_"'$0-9/.\-""")
_PLAIN_RUN = rf"""
(?:
    (?![eEbBxXnN]'|[uU]&['"]){_IDENTIFIER}
  | {_PLAIN_CHARACTER}++
  | \.(?![0-9])
  | "[^"]*+(?:""[^"]*+)*"(?!")
  | -(?!-)
  | /(?!\*)
)*
"""
# Loops are unrolled rather than made possessive: Python before 3.11.4 gets possessive groups
# wrong that hold another repetition (CPython issue 106052). The look-ahead behind a closing
# quote leaves one way to read a text, so that what is unterminated fails in linear time.
# Each is what comes after the token's first character (an escaped string's is its quote).
STRING_REST = r"[^']*+(?:''[^']*+)*'(?!')"
ESCAPED_REST = r"[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*'(?!')"
DECIMAL_REST = r"[0-9_]*+(?:\.(?!\.)[0-9_]*+)?(?:[eE][+-]?[0-9]++)?"
LINE_COMMENT_REST = r"-[^\n\r]*+"
BLOCK_COMMENT_REST = r"\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/"
_STRING = f"'{STRING_REST}"
_QUOTED = rf"{_STRING}(?:[ \t\f\v]*+[\n\r]\s*+{_STRING})*"
_NUMBER = (
    r"0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++"
    rf"|[0-9]{DECIMAL_REST}|\.[0-9][0-9_]*+(?:[eE][+-]?[0-9]++)?"
)
_TOKEN = regex(
    rf"""
    (?P<plain>{_PLAIN_RUN})
    (?:
        (?P<escaped>[eE]'{ESCAPED_REST})
      | (?P<string>[bBxXnN]?{_QUOTED})
      | \$(?P<parameter>[0-9]++)
      | (?P<dollar>\$(?P<tag>(?:{LETTER}{either("A-Za-z0-9_")}*)?)\$.*?\$(?P=tag)\$)
      | (?P<number>{_NUMBER})
      | (?P<comment>-{LINE_COMMENT_REST}|/{BLOCK_COMMENT_REST})
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PLAIN = regex(_PLAIN_RUN, re.VERBOSE)

_BEFORE_KEPT = frozenset("([:")
_KEPT = regex(
    rf"""(?:(?<!{IN_NAME})
           (?:float|current_time|current_timestamp|localtime|localtimestamp)\s*\(
        |\[)\s*\Z""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_BEFORE_ARRAY = (
    "select|all|distinct|and|or|not|like|ilike|from|case|when|then|else|returning|by|where|on"
    "|between|to|variadic"
)
_BEFORE_CONSTRUCTOR = neither(IDENTIFIER_CHARACTERS + r'\s.")\]')
_BEFORE_WORD = either(IDENTIFIER_CHARACTERS + '."')
_CONSTRUCTOR = regex(
    rf"""(?:{_BEFORE_CONSTRUCTOR}|(?<!{_BEFORE_WORD})(?:{_BEFORE_ARRAY})\s)
        \s*array\s?\[\s*\Z""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_WHITE_RUN = regex(r"\s+", re.ASCII)
_SEEN_BEFORE_COMMENT = 64  # characters: more than any of the words above, with what is before it

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

    Raises Unbalanced at what the module's docstring names as refused.
    """
    match = _TOKEN.match
    position = 0
    context = last = ""  # since the last token but comments: the plain text; and that token's kind
    commented = False
    while True:
        found = match(text, position)
        if found is None:
            run = _PLAIN.match(text, position)
            raise Unbalanced(position, run.end() if run else position)
        kind = found.lastgroup or "end"
        plain = found[1]
        start, end = found.end(1), found.end()
        token = text[start:end]
        context = _joined(context, plain) if commented else plain
        commented = kind == "comment"
        if commented:
            if "/*" in token[2:] and token.startswith("/*"):
                raise Unbalanced(position, start)
        elif kind == "number":
            if _is_kept(context, after_kept=last == "kept"):
                kind = "kept"
        elif (
            last == "escaped" and kind == "string" and token[0] == "'" and not context.strip(WHITE)
        ):
            raise Unbalanced(position, start)  # it goes on with the escaped string
        yield plain, kind, token, start
        if kind == "end":
            return
        if not commented:
            last = kind
        position = end


def _joined(context: str, plain: str) -> str:
    """Plain text before and after a comment, white space collapsed.

    Only its end, however many comments there are: more than the rules for kept numbers look at.
    """
    seen = _WHITE_RUN.sub(" ", context)[-_SEEN_BEFORE_COMMENT:]
    return _WHITE_RUN.sub(" ", f"{seen} {plain}")


def _is_kept(context: str, *, after_kept: bool) -> bool:
    """Whether a number after this plain text is part of a type or of a value's precision."""
    if context.rstrip(WHITE)[-1:] not in _BEFORE_KEPT:
        return False
    if after_kept and context.strip(WHITE) == ":":
        return True
    return _KEPT.search(context) is not None and _CONSTRUCTOR.search(context) is None
