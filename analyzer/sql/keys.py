"""The safe key: a statement's text without its literals, the cache key of its fingerprint.

Two texts with one key have one libpg_query fingerprint (never the reverse); what hangs on it is in
docs/architecture.md (Safe key). Keys are themselves valid SQL. The rules are those of
careful_keys.py and tokens.py; here they are applied at speed:

One regular expression splits a text, in C, at what looks like a literal, parameter or comment; with
a placeholder for each of these, the rest makes a *rough key*. The expression is sloppy: it does not
know quoted identifiers, dollar quotes, prefixes, subscripts and more. But whatever it gets wrong
leaves a trace in the rough key (`_DOUBTS` lists them). So doubts depend on the rough key alone and
are settled once for all texts that share it, and a doubtful text takes the careful way.
"""

import functools
import re
from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from analyzer.model.strings import Strings
from analyzer.patterns import regex
from analyzer.sql.careful_keys import (
    LITERAL_SEPARATOR,
    NAMES_WITHOUT_LISTS,
    NUL,
    STRIPPABLE,
    Keyed,
    careful_key,
    collapse,
    trimmed,
)
from analyzer.sql.tokens import (
    BLOCK_COMMENT_REST,
    DECIMAL_REST,
    ESCAPED_REST,
    IDENTIFIER_CHARACTERS,
    IN_NAME,
    LETTER,
    LINE_COMMENT_REST,
    STRING_REST,
    either,
    neither,
)

__all__ = ["LITERAL_SEPARATOR", "StatementKeyTable", "safe_key"]

_QUOTED_SEPARATOR = f"'{LITERAL_SEPARATOR}'"
_CACHED_TEXTS = 50_000  # bounds the memory of the first-level cache; cleared when full
_CACHED_FORMS = 2048
CHECK_EVERY = 10_007  # a prime: no round interval of a log falls in with it
_LONGEST_CACHED = 8192  # characters of a rough key: with _CACHED_FORMS, bounds the forms' memory

_IN_PATH = either(IDENTIFIER_CHARACTERS + ".")
_NO_IDENTIFIER = rf"(?<!{IN_NAME})"
_AFTER_E = rf"(?<=[eE]')(?<!{IN_NAME}[eE]')"
_NOT_AFTER_E = rf"(?:(?<![eE]')|(?<={IN_NAME}[eE]'))"


def _sloppy(string_rest: str) -> re.Pattern[str]:
    """The expression that splits; `string_rest`: a string after its first quote.

    Every alternative begins with one of a few characters, so that the search skips all others
    fast; look-behinds then tell which it was. A list that collapses anyway is one token.
    """
    return re.compile(
        rf"""([('0-9$/-](?:
            (?<=')(?:{string_rest})
          | (?<=[0-9])(?<!{_IN_PATH}.){DECIMAL_REST}
          | (?<=\$)(?<!{IN_NAME}.)(?:[0-9]++|\$[^$]*+\$\$(?!{IN_NAME}))
          | (?<=-){LINE_COMMENT_REST}
          | (?<=/)(?:{BLOCK_COMMENT_REST}|\*.*+)
          | (?<=\()(?:(?<=[ ][iI][nN].)|(?<=[ ][iI][nN][ ].))(?:
                [0-9]++,[0-9, ]*+(?<=[0-9])\)
              | \$[0-9]++,[$0-9, ]*+(?<=[0-9])\)
              | '[^']*+',[^()]*+(?<=')\)
            )
        ))""",
        re.VERBOSE | re.DOTALL,
    )


_SPLIT = _sloppy(STRING_REST).split
_SPLIT_ESCAPED = _sloppy(f"{_AFTER_E}{ESCAPED_REST}|{_NOT_AFTER_E}{STRING_REST}").split

# By a token's first character; `$` and `(` need a second look. A comment's placeholder cannot be
# mistaken: the expression leaves no `/*` standing.
_COMMENT = "/**/"
_PLACEHOLDERS = dict.fromkeys("0123456789", "0") | {"'": "''", "-": _COMMENT, "/": _COMMENT}
_placeholder = _PLACEHOLDERS.__getitem__
_first = itemgetter(0)

# The traces in a rough key of what the sloppy expression does not know.
_DOUBTS = regex(
    rf"""(?<!')'(?!')|'''                              # an unterminated string
      | {_NO_IDENTIFIER}0{_IN_PATH}    # 0x1F, 1..2, 1a
      | \.[0-9]                                        # .5
      | {_NO_IDENTIFIER}\$(?!1(?!{IN_NAME}))  # a dollar quote
      | {_NO_IDENTIFIER}u&['"]                         # an escaped string or name
      | ''(?:\s|/\*\*/)*''                             # a string that goes on
      | (?<![(,=>&|]array)(?<![(,=>&|][ ]array)\[(?!\])  # a subscript or an array type
      | (?:float|current_time|current_timestamp|localtime|localtimestamp)(?:\s|/\*\*/)*\(
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_TOKEN = neither(IDENTIFIER_CHARACTERS + "\"'/")
# Names in quotes in which the sloppy expression finds no token.
_PLAIN_NAMES = regex(
    rf"""[^"]*+(?:"(?:{LETTER}{IN_NAME}*+|{_NO_TOKEN})*"[^"]*+)*""",
    re.VERBOSE,
)
_MAY_BE_NAMED = regex(
    r"\s*(?:declare|savepoint|release|rollback|close|deallocate|fetch)", re.IGNORECASE
)
_PREFIXES = frozenset("eEbBxXnN")
_COMMENT_STARTS = frozenset("-/")
_PREFIXED = regex(rf"{_NO_IDENTIFIER}[eEbBxXnN]''")


class _Form(NamedTuple):
    """What is known of all texts with one rough key."""

    key: str | None  # None: the text is its own key, with neither literals nor comments
    simple: bool  # every token is a literal as written: no parameter, comment or prefix
    prefixed: bool  # some string has a prefix, which the token lacks
    commented: bool  # of what is not simple there is one comment, and no parameter


def safe_key(text: str) -> Keyed:
    """The key of a statement's text, with its literals and its comments.

    Returns (key, literals joined by U+001F or None, comments joined by a space or None). Where
    stripping is not safe the text itself is the key, and no literals are told.
    """
    if NUL in text:
        return text, None, None
    pieces = _SPLIT_ESCAPED(text) if "\\" in text else _SPLIT(text)
    values = pieces[1::2]
    try:
        pieces[1::2] = map(_placeholder, map(_first, values))
    except KeyError:
        placeholders = _look_again(values)
        if placeholders is None:
            return careful_key(text)
        pieces[1::2] = placeholders
    rough = "".join(pieces)
    form = _known_form(rough) if len(rough) <= _LONGEST_CACHED else _form(rough)
    if form is None:
        return careful_key(text)
    key, simple, prefixed, commented = form
    if key is None:
        return text, None, None
    if simple:
        return key, LITERAL_SEPARATOR.join(values) if values else None, None
    if prefixed:
        values = [
            _with_prefix(before, token) if before[-1:] in _PREFIXES else token
            for before, token in zip(pieces[::2], values, strict=False)
        ]
    return _sorted_out(text, key, values, commented=commented)


def _sorted_out(text: str, key: str, values: list[str], *, commented: bool) -> Keyed:
    """The answer where comments and empty texts (parameters) are among the values.

    `commented`: there is one comment and nothing is empty.
    """
    if commented:  # frequent: applications put one in front of or behind a statement
        place = -1 if values[-1][0] in _COMMENT_STARTS else 0
        if values[place][0] in _COMMENT_STARTS:
            comment = values.pop(place)
            if not _is_whole_comment(comment):
                return careful_key(text)
            return key, LITERAL_SEPARATOR.join(values) if values else None, comment
    comments = [value for value in values if value[:1] in _COMMENT_STARTS]
    if not all(map(_is_whole_comment, comments)):
        return careful_key(text)
    literals = [value for value in values if value and value[0] not in _COMMENT_STARTS]
    joined = LITERAL_SEPARATOR.join(literals) if literals else None
    return key, joined, " ".join(comments) if comments else None


def _form(rough: str) -> _Form | None:
    """What a rough key tells; None if texts with it need care."""
    if _DOUBTS.search(rough) or not _PLAIN_NAMES.fullmatch(rough):
        return None
    commented = _COMMENT in rough
    key = trimmed(rough.replace(_COMMENT, " "))
    if not STRIPPABLE.match(key) or ";" in key:
        if commented or _MAY_BE_NAMED.match(rough):
            return None
        return _Form(None, simple=True, prefixed=False, commented=False)
    if not NAMES_WITHOUT_LISTS.fullmatch(key):
        return None  # lists do not collapse then
    prefixed = _PREFIXED.search(rough) is not None
    empty = "$1" in rough
    simple = not (commented or prefixed or empty)
    return _Form(collapse(key), simple, prefixed, rough.count(_COMMENT) == 1 and not empty)


_known_form = functools.lru_cache(maxsize=_CACHED_FORMS)(_form)


def _look_again(tokens: list[str]) -> list[str] | None:
    """Placeholders for tokens with parameters, dollar quotes or lists; None if a list needs care.

    In `tokens`, what holds no literal becomes empty and a list its joined literals.
    """
    placeholders = []
    for number, token in enumerate(tokens):
        first = token[0]
        if first == "(":
            items = _items(token)
            if items is None:
                return None
            placeholder, tokens[number] = items
        elif first != "$":
            placeholder = _PLACEHOLDERS[first]
        elif token[1] == "$":
            placeholder = "''"
        else:
            placeholder, tokens[number] = "$1", ""
        placeholders.append(placeholder)
    return placeholders


def _items(token: str) -> tuple[str, str] | None:
    """A list's placeholder and joined literals: (1, 2), ('a', 'b') or ($1, $2), which has none.

    None if it is something else, or spaced in another way.
    """
    if token[1] == "'":
        parts = token.split("'")
        if len(parts) % 2 and {", ", ","}.issuperset(parts[2:-1:2]):
            return "('', '')", f"'{_QUOTED_SEPARATOR.join(parts[1::2])}'"
        return None
    dollar = "$" if token[1] == "$" else ""
    body = token[1 + len(dollar) : -1]
    for comma in (", ", ","):
        items = body.split(comma + dollar)
        if "".join(items).isdigit() and "" not in items:
            return ("($1, $1)", "") if dollar else ("(0, 0)", LITERAL_SEPARATOR.join(items))
    return None


def _with_prefix(before: str, token: str) -> str:
    """A string with its prefix, if the letter before it is one; any other token as it is."""
    if token[:1] == "'" and _PREFIXED.search(before[-2:] + "''"):
        return before[-1] + token
    return token


def _is_whole_comment(comment: str) -> bool:
    """Whether a comment has an end and none inside it."""
    return comment[1] == "-" or (comment.endswith("*/", 2) and "/*" not in comment[2:])


def is_checked(at_us: int, duration_ms: float) -> bool:
    """Whether the key of a statement that was logged then is to be checked (see `StatementKeyTable`).

    It depends on nothing else, so that parts of a log read side by side check what reading them in
    turn would.
    """
    return (at_us // 1000 + int(duration_ms * 1000.0 + 0.5)) % CHECK_EVERY == 0


class StatementKeyTable:
    """Interns statement texts by their safe key.

    `texts[k]` is the first text seen with key k: its fingerprint is that of all of them. Readers
    hold about one in CHECK_EVERY statements against that (`is_checked`); `disagreed` of `checked`
    were wrong.
    """

    __slots__ = ("_cache", "_fingerprints", "_keys", "checked", "disagreed", "texts")

    def __init__(self) -> None:
        self._keys = Strings()
        self._cache: dict[str, tuple[int, str | None, str | None]] = {}
        self._fingerprints: dict[int, str | None] = {}  # of keys that texts were held against
        self.checked = 0
        self.disagreed = 0
        self.texts: list[str] = []

    def add(self, text: str) -> tuple[int, str | None, str | None]:
        """The number of the text's key, its literals and its comments (see `safe_key`)."""
        known = self._cache.get(text)
        if known is not None:
            return known
        known = self.add_new(text)
        if len(self._cache) >= _CACHED_TEXTS:
            self._cache.clear()
        self._cache[text] = known
        return known

    def add_new(self, text: str) -> tuple[int, str | None, str | None]:
        """As `add`, for who remembers texts himself, and checks what he remembers."""
        key, literals, comments = safe_key(text)
        number = self.known_as(key, text)
        return number, literals, comments

    def known_as(self, key: str, text: str) -> int:
        """The number of a safe key, new or known; `text` is one that has it."""
        number = self._keys.add(key)
        if number == len(self.texts):
            self.texts.append(text)
        return number

    @property
    def safe_keys(self) -> Sequence[str]:
        """The keys by their numbers."""
        return self._keys.texts

    def check(self, text: str, number: int) -> None:
        """Hold a text that was taken for key `number` against the fingerprint of that key."""
        from analyzer.sql.tree import fingerprint  # noqa: PLC0415 - a worker that reads does without the parser

        self.checked += 1
        if number not in self._fingerprints:
            self._fingerprints[number] = fingerprint(self.texts[number])
        if fingerprint(text) != self._fingerprints[number]:
            self.disagreed += 1

    def __len__(self) -> int:
        return len(self.texts)
