"""Names that applications give, without what is data in them: routes, application names.

A route has places for ids, not ids; the name of an application says which one it is, and not by which
token or from which address it came. What looks like a word is left: nobody can tell a user's name
from a page's.
"""

import ipaddress
import re

from analyzer.patterns import regex

PLACE = "{id}"  # where a route takes a value
HIDDEN = "?"

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_ID = regex(rf"\d+|{_UUID}|(?=[a-f]*\d)[0-9a-f]{{12,}}", re.IGNORECASE)
# Prefixes that say of themselves that a secret follows (Stripe, GitHub, Slack, AWS, JSON Web Tokens).
_TOKEN = regex(r"(?:[sprw]k|tok|key)_[A-Za-z0-9_]{8}|gh[pousr]_|xox[abeprs]-|AKIA[0-9A-Z]{12}|eyJ")
_EMAIL = regex(r"[^\s@\"']+@[^\s@\"']+\.[^\s@\"']")
_MIXED = regex(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{12,}")
_FOUR = regex(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
# A path that is a regular expression (Django's) has no query, and `?` of its own.
_REGULAR = regex(r"\(\?|[\^$\\]")
_HOST = regex(r"\A[a-z][a-z0-9+.\-]{1,20}://[^/?#]*", re.IGNORECASE)
_QUERY = regex(r"[?#].*", re.DOTALL)
_WORD = regex(r"[^\s,;|()\[\]<>\"']+")
_SECRET = regex(
    r"\A([\w.\-]*(?:token|pass(?:word|wd)?|pwd|secret|auth|api_?key|session)[\w.\-]*[=:]).+\Z",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = 5  # digits that a worker's or a port's number has at most
_LONGEST = 512  # characters that are looked at


def is_private(word: str) -> bool:
    """Whether a word without white space is an address, a key or a token: of people or machines."""
    word = word[:_LONGEST]
    return bool(_EMAIL.search(word) or _TOKEN.match(word) or is_address(word))


def is_address(word: str) -> bool:
    """Whether a word is an IP address, with a port or a prefix length or none."""
    if _FOUR.search(word):
        return True
    if word.count(":") < 2:  # noqa: PLR2004 - IPv6 has that many at least
        return False
    try:
        ipaddress.ip_address(word.strip("[]").partition("/")[0].partition("%")[0])
    except ValueError:
        return False
    return True


def is_value(word: str) -> bool:
    """Whether a part of a path or a name is a value: a number, an id, a token, an address."""
    return bool(
        _ID.fullmatch(word)
        or any(_MIXED.fullmatch(part) for part in re.split(r"[-_.~]", word))
        or "%" in word
        or is_private(word)
    )


def plain_path(path: str) -> str:
    r"""A path as a route: without host and query, `{id}` for what is a value in it.

    What is a place in a pattern (`/users/:id`, `^users/(?P<id>\d+)/$`) stays as it is.
    """
    method, space, rest = path.partition(" ")
    if space and method.isalpha() and rest.startswith("/"):
        return f"{method} {plain_path(rest)}"
    bare = _HOST.sub("", path)
    if (bare != path or path.startswith("/")) and not _REGULAR.search(path):
        path = _QUERY.sub("", bare)
    return "/".join(PLACE if is_value(part[:_LONGEST]) else part for part in path.split("/"))


def shown_name(name: str) -> str:
    """The name of an application, a user or a database with `?` for tokens and addresses in it."""
    return _WORD.sub(_shown_word, name[:_LONGEST]) if name else name


def _shown_word(found: re.Match[str]) -> str:
    word = found[0]
    if secret := _SECRET.match(word):
        return secret[1] + HIDDEN
    if is_private(word):
        return HIDDEN
    parts = re.split(r"([/=:])", word)
    return "".join(HIDDEN if len(part) > _NUMBER and is_value(part) else part for part in parts)
