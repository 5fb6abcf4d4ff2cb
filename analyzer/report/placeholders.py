"""What stands for a value that is not shown: `?`, or one name for equal values.

With `--redact stable`, equal values have one name within a report: `?1`, `?2` … in the order in which
the report meets them. So the same input still gives the same bytes, and a name tells nothing of its
value but where else it stands. To compare reports, a key is given (PG95_REDACTION_KEY); names are then
the beginning of an HMAC-SHA256 by it, and the same in each report of that key. Without a key there is one at random, which
dies with the run. A key is never written anywhere; who has it can try values out.
"""

import hashlib
import hmac
import os
import re

from analyzer.errors import UsageError
from analyzer.patterns import regex

VARIABLE = "PG95_REDACTION_KEY"
HIDDEN = "?"
_SHORTEST_KEY = 16
_DIGITS = (
    12  # hexadecimal ones: by chance, two of a million values share a name once in 500 reports
)
_PLAIN = regex(r"[bBxXnN]?'(.*)'\Z", re.DOTALL)
_DOLLAR = regex(r"\$(\w*)\$(.*)\$\1\$\Z", re.DOTALL)
_ESCAPED = regex(r"[eE]'(.*)'\Z", re.DOTALL)
_ESCAPE = regex(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|''", re.DOTALL
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def given_key() -> bytes | None:
    """The key of the environment, None without one.

    Raises:
        UsageError: it is too short to keep names from being undone by trying.
    """
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    key = text.encode("utf-8", "surrogateescape")
    if len(key) < _SHORTEST_KEY:
        raise UsageError(
            f"{VARIABLE} has {len(key)} bytes: give {_SHORTEST_KEY} or more at random, "
            "for example what `openssl rand -hex 32` prints"
        )
    return key


class Placeholders:
    """Names for values, the same for the same value: an object of one report."""

    def __init__(self, key: bytes | None = None) -> None:
        """`key` makes names that other reports share; without one they count."""
        self._shared = key is not None
        self._key = key or os.urandom(32)
        self._numbers: dict[bytes, int] = {}  # by digest: no value is kept

    def of(self, literal: str) -> str:
        """The name of a value, as SQL writes it or bare."""
        value = plain_value(literal).encode("utf-8", "surrogatepass")
        digest = hmac.new(self._key, value, hashlib.sha256).digest()
        if self._shared:
            return HIDDEN + digest.hex()[:_DIGITS]
        return f"{HIDDEN}{self._numbers.setdefault(digest, len(self._numbers) + 1)}"


def plain_value(literal: str) -> str:
    r"""The value of a literal: `'it''s'`, `E'it\'s'` and `$$it's$$` are one; so are `5` and `'5'`."""
    if found := _DOLLAR.match(literal):
        return found[2]
    if found := _ESCAPED.match(literal):
        return _ESCAPE.sub(_unescaped, found[1])
    if found := _PLAIN.match(literal):
        return found[1].replace("''", "'")
    return literal


def _unescaped(found: re.Match[str]) -> str:
    octal, byte, short, long, letter = found.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    if octal is None and byte is None and short is None and long is None:
        return "'"
    code = int(octal, 8) if octal is not None else int(byte or short or long, 16)
    return chr(code) if code <= 0x10FFFF else found[0]  # noqa: PLR2004 - the last of Unicode
