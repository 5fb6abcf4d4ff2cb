"""The safe key's rules, applied token by token: right for every text, at Python's pace.

keys.py answers most texts faster and everything it doubts from here; both give the same, to the
byte. The rules of tokens are in tokens.py. On top of them:

1. `DECLARE name … CURSOR … FOR` (`_CURSOR`) is taken off first; the rest is keyed as below, and
   the key begins with `DECLARE c`, the options in capitals and single spaces.
2. Placeholders: number `0`; string and escaped string `''` after the prefix (E, B, X, N) as
   written; dollar quote `''`; parameter `$1`; comment one space. A number that begins with a dot
   right after an identifier character, and a dollar quote right after `U&` (no identifier character
   before that), have a space before the placeholder. Kept numbers and plain text stay.
3. White space goes at both ends, and `;` at the end.
4. A key that does not begin with one of `STRIPPABLE`'s words (after white space and `(`; no
   identifier character follows the word), or holds a `;`, is not stripped: if the text is one of
   `_NAMED`, its key is that command in capitals and single spaces and ` c`, without literals or
   comments; otherwise the text is its own key, without literals, with its comments. A text that
   tokens() refuses, or that holds a NUL (libpg_query reads no further), is its own key with neither.
5. White space outside quoted identifiers becomes single spaces.
6. Lists collapse, unless a quoted identifier holds `(`, `)` or `,`:
   - in `IN (…)` (the word, no identifier character before it, at most one space, brackets with
     none inside): an item is an optional `-`, one of `0`, `''` (prefixed or not), `$1`, and an
     optional cast `::` with a type of letters, digits, `_`, `.`, `"`, `[`, `]` and spaces,
     that ends in none of dot, `[` and space. Two or more equal items side by side, the first after `(`,
     `,` or white space, the last before `,` or `)`, white space and a comma between them, become
     `item, item`; leftmost first, as many as there are;
   - after `VALUES` (no identifier character before it, at most one space): two or more equal rows
     `(…)` without brackets inside, from the first row on, a comma with at most one space on each
     side between them, become `row, row`.
"""

import re

from analyzer.patterns import regex
from analyzer.sql.tokens import IN_NAME, WHITE, Unbalanced, either, tokens

LITERAL_SEPARATOR = "\x1f"
NUL = "\x00"
# The key, the literals joined by LITERAL_SEPARATOR or None, the comments joined by a space or None.
Keyed = tuple[str, str | None, str | None]

_IN_TYPE = either(r'A-Za-z_0-9."\[\] ')
_ENDS_TYPE = either(r'A-Za-z_0-9"\]')
_NAME = rf'(?:"[^"]*"|{IN_NAME}+)'
_NO_IDENTIFIER = rf"(?<!{IN_NAME})"
STRIPPABLE = regex(
    rf"[\s(]*(?:select|insert|update|delete|with|values|merge)(?!{IN_NAME})",
    re.IGNORECASE | re.ASCII,
)
_CURSOR = regex(
    rf"""\s*declare\s+{_NAME}\s+
        (?P<options>(?:(?:binary|asensitive|insensitive|no\s+scroll|scroll)\s+)*
        cursor\s+(?:with(?:out)?\s+hold\s+)?for\s+)""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_NAMED = regex(
    rf"""\s*(?P<command>savepoint|release\s+savepoint|release|rollback\s+to\s+savepoint|rollback\s+to
        |close|deallocate|fetch\s+(?:(?:forward|backward)\s+)?(?:[0-9]+|all|next)\s+(?:from|in))
        \s+(?!all(?!{IN_NAME})){_NAME}\s*;?\s*\Z""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_IN_LIST = regex(rf"{_NO_IDENTIFIER}(in ?\()([^()]*)\)", re.IGNORECASE | re.ASCII)
_ITEM_RUN = regex(
    rf"""(?<=[(,\s])
        (-?(?:0|[eEbBxXnN]?''|\$1)(?:::{_IN_TYPE}*{_ENDS_TYPE})?)
        (?:\s*,\s*\1)+(?=\s*[,)])""",
    re.VERBOSE | re.ASCII,
)
_VALUES_RUN = regex(
    rf"{_NO_IDENTIFIER}(values ?)(\([^()]*\))(?: ?, ?\2)+", re.IGNORECASE | re.ASCII
)
_UNEVEN = regex(r"[\t-\r]|  ")  # not only single spaces
_WHITE = regex(r'("[^"]*+(?:""[^"]*+)*"(?!"))|\s+', re.ASCII)
_WHITE_RUN = regex(r"\s+", re.ASCII)
_ENDS_IN_NAME = regex(rf"{IN_NAME}\Z")
_ENDS_IN_U = regex(rf"{_NO_IDENTIFIER}[uU]&\Z")
# Quoted identifiers that do not look like lists: only with these do lists collapse.
NAMES_WITHOUT_LISTS = regex(r'[^"]*+(?:"[^"(),]*+"[^"]*+)*')


def careful_key(text: str) -> Keyed:
    """The safe key of any text (see keys.safe_key)."""
    if NUL in text:
        return text, None, None
    cursor = _CURSOR.match(text)
    head, body = "", text
    if cursor:
        head = f"DECLARE c {_capitals(cursor['options'])} "
        body = text[cursor.end() :]
    try:
        key, literals, comments = _strip(body)
    except Unbalanced:
        return text, None, None
    if not STRIPPABLE.match(key) or ";" in key:
        named = _NAMED.match(text)
        if named:
            return _capitals(named["command"]) + " c", None, None
        return text, None, comments
    return head + collapse(key), literals, comments


def _capitals(words: str) -> str:
    return _WHITE_RUN.sub(" ", words).strip().upper()


def _strip(text: str) -> Keyed:
    """The text with a placeholder per literal class; trailing semicolons and white space go."""
    parts: list[str] = []
    literals: list[str] = []
    comments: list[str] = []
    for plain, kind, token, _ in tokens(text):
        if kind == "number":
            # LIMIT.5 must not become the name LIMIT0.
            parts += (plain, " 0" if token[0] == "." and _ENDS_IN_NAME.search(plain) else "0")
            literals.append(token)
        elif kind == "string" or kind == "escaped":  # noqa: PLR1714 - measured: faster than a tuple
            # The prefix (E, B, X, N) decides the node's type, so it stays in the key.
            parts += (plain, "''" if token[0] == "'" else token[0] + "''")
            literals.append(token)
        elif kind == "parameter":
            parts += (plain, "$1")
        elif kind == "dollar":
            # u & $$a$$ without spaces must not become a U&'' string.
            parts += (plain, " ''" if _ENDS_IN_U.search(plain) else "''")
            literals.append(token)
        elif kind == "comment":
            parts += (plain, " ")
            comments.append(token)
        else:  # a kept number, or the end
            parts += (plain, token)
    joined = LITERAL_SEPARATOR.join(literals) if literals else None
    return trimmed("".join(parts)), joined, " ".join(comments) if comments else None


def trimmed(key: str) -> str:
    """A key without white space around it and semicolons behind it."""
    return key.strip(WHITE).rstrip(";" + WHITE)


def collapse(key: str) -> str:
    """Collapse white space, and repeated items of IN lists and VALUES rows to two of them."""
    if _UNEVEN.search(key):
        key = _WHITE.sub(lambda found: found[1] or " ", key)
    if "," in key and NAMES_WITHOUT_LISTS.fullmatch(key):
        lower = key.lower()
        if "in (" in lower or "in(" in lower:
            key = _IN_LIST.sub(
                lambda found: found[1] + _ITEM_RUN.sub(r"\1, \1", f"({found[2]})")[1:], key
            )
        if "values" in lower:
            key = _VALUES_RUN.sub(r"\1\2, \2", key)
    return key
