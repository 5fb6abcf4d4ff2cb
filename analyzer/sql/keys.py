"""The safe key: a statement's text without its literals, the cache key of its fingerprint.

Two texts with one key have one libpg_query fingerprint (never the reverse); the rules, and how
they were tested, are in docs/architecture.md (Safe key). Keys are themselves valid SQL.
"""

import re

from analyzer.model.strings import Strings
from analyzer.sql.tokens import Unbalanced, tokens

LITERAL_SEPARATOR = "\x1f"
_CACHED_TEXTS = 50_000  # bounds the memory of the first-level cache; cleared when full

_STRIPPABLE = re.compile(
    r"[\s(]*(?:select|insert|update|delete|with|values|merge)\b", re.IGNORECASE
)
_CURSOR = re.compile(
    r"""\s*declare\s+(?:"[^"]*"|[\w$]+)\s+
        (?P<options>(?:(?:binary|asensitive|insensitive|no\s+scroll|scroll)\s+)*
        cursor\s+(?:with(?:out)?\s+hold\s+)?for\s+)""",
    re.IGNORECASE | re.VERBOSE,
)
_NAMED = re.compile(
    r"""\s*(?P<command>savepoint|release\s+savepoint|release|rollback\s+to\s+savepoint|rollback\s+to
        |close|deallocate|fetch\s+(?:(?:forward|backward)\s+)?(?:\d+|all|next)\s+(?:from|in))
        \s+(?!all\b)(?:"[^"]*"|[\w$]+)\s*;?\s*$""",
    re.IGNORECASE | re.VERBOSE,
)
_IN_LIST = re.compile(r"\b(in ?\()([^()]*)\)", re.IGNORECASE)
_ITEM_RUN = re.compile(
    r"""(?<=[(,\s])
        (-?(?:0|[eEbBxXnN]?''|\$1)(?:::[\w."\[\] ]*[\w"\]])?)
        (?:\s*,\s*\1)+(?=\s*[,)])""",
    re.VERBOSE,
)
_VALUES_RUN = re.compile(r"\b(values ?)(\([^()]*\))(?: ?, ?\2)+", re.IGNORECASE)
_UNEVEN = re.compile(r"[\t-\r\x1c-\x1f\x85\xa0]|\s\s")  # not only single spaces
_WHITE = re.compile(r'("[^"]*+(?:""[^"]*+)*"(?!"))|\s+')


def safe_key(text: str) -> tuple[str, str | None, str | None]:
    """The key of a statement's text, with its literals and its comments.

    Returns (key, literals joined by U+001F or None, comments joined by a space or None). Where
    stripping is not safe the text itself is the key, and no literals are told.
    """
    cursor = _CURSOR.match(text) if "ursor" in text or "URSOR" in text else None
    head, body = "", text
    if cursor:
        head = "DECLARE c " + " ".join(cursor["options"].upper().split()) + " "
        body = text[cursor.end() :]
    try:
        key, literals, comments = _strip(body)
    except Unbalanced:
        return text, None, None
    if not _STRIPPABLE.match(key) or ";" in key:
        named = _NAMED.match(text)
        if named:
            return " ".join(named["command"].upper().split()) + " c", None, None
        return text, None, comments
    return head + _collapse(key), literals, comments


def _strip(text: str) -> tuple[str, str | None, str | None]:
    """The text with a placeholder per literal class; trailing semicolons and white space go."""
    parts: list[str] = []
    literals: list[str] = []
    comments: list[str] = []
    for plain, kind, token, _ in tokens(text):
        if kind == "number":
            parts += (plain, "0")
            literals.append(token)
        elif kind == "string" or kind == "escaped":  # noqa: PLR1714 - measured: faster than a tuple
            # The prefix (E, B, X, N) decides the node's type, so it stays in the key.
            parts += (plain, "''" if token[0] == "'" else token[0] + "''")
            literals.append(token)
        elif kind == "parameter":
            parts += (plain, "$1")
        elif kind == "dollar":
            parts += (plain, "''")
            literals.append(token)
        elif kind == "comment":
            parts += (plain, " ")
            comments.append(token)
        else:  # a kept number, or the end
            parts += (plain, token)
    key = "".join(parts).strip().rstrip("; \t\r\n")
    joined = LITERAL_SEPARATOR.join(literals) if literals else None
    return key, joined, " ".join(comments) if comments else None


def _collapse(key: str) -> str:
    """Collapse white space, and repeated items of IN lists and VALUES rows to two of them."""
    if _UNEVEN.search(key):
        quoted = '"' in key
        key = _WHITE.sub(lambda found: found[1] or " ", key) if quoted else " ".join(key.split())
    if "," in key:
        lower = key.lower()
        if "in (" in lower or "in(" in lower:
            key = _IN_LIST.sub(
                lambda found: found[1] + _ITEM_RUN.sub(r"\1, \1", f"({found[2]})")[1:], key
            )
        if "values" in lower:
            key = _VALUES_RUN.sub(r"\1\2, \2", key)
    return key


class StatementKeyTable:
    """Interns statement texts by their safe key.

    `texts[k]` is the first text seen with key k: its fingerprint is that of all of them.
    """

    __slots__ = ("_cache", "_keys", "texts")

    def __init__(self) -> None:
        self._keys = Strings()
        self._cache: dict[str, tuple[int, str | None, str | None]] = {}
        self.texts: list[str] = []

    def add(self, text: str) -> tuple[int, str | None, str | None]:
        """The number of the text's key, its literals and its comments (see `safe_key`)."""
        known = self._cache.get(text)
        if known is not None:
            return known
        key, literals, comments = safe_key(text)
        number = self._keys.add(key)
        if number == len(self.texts):
            self.texts.append(text)
        if len(self._cache) >= _CACHED_TEXTS:
            self._cache.clear()
        self._cache[text] = (number, literals, comments)
        return number, literals, comments

    def __len__(self) -> int:
        return len(self.texts)
