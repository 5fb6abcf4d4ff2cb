"""Python's way of writing parameters: placeholders in statements, and values as `repr` has them."""

import json
import re
from collections.abc import Iterator

from analyzer.patterns import regex

_PLACEHOLDER = regex(r"%(?:%|s|b|t|\((\w{1,200})\)s)")
# A string (with its prefix), a bracket, a comma, a colon, or a run of anything else.
_TOKEN = regex(
    r"""[bBrRuU]{0,2}'(?:[^'\\]++|\\.)*+'|[bBrRuU]{0,2}"(?:[^"\\]++|\\.)*+"|[\[({]|[\])}]|,|:|[^'"\[\](){},:]++""",
    re.DOTALL,
)
_OPENS, _CLOSES = "([{", ")]}"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
_ESCAPE = regex(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_LAST_CHARACTER = 0x10FFFF


def numbered(sql: str) -> tuple[str, list[str]]:
    """A statement with `$1`, `$2` … for `%s` and `%(name)s`, and the names in that order.

    `%%` is a percent sign, as for the driver that replaces placeholders. A name that occurs again
    has the number that it had; `%s` has the name "".
    """
    names: list[str] = []
    places: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found[1]
        if name is not None and name in places:
            return f"${places[name]}"
        names.append(name or "")
        if name is not None:
            places[name] = len(names)
        return f"${len(names)}"

    return _PLACEHOLDER.sub(number, sql), names


def end_of_value(text: str, start: int = 0) -> int:
    """Where the tuple, list or dict that begins at `start` ends; -1 if there is no whole one."""
    depth = 0
    for token in _tokens(text, start):
        if token[0] in _OPENS and len(token) == 1:
            depth += 1
        elif token[0] in _CLOSES and len(token) == 1:
            depth -= 1
        start += len(token)
        if depth == 0:
            return start
    return -1


def _tokens(text: str, start: int) -> Iterator[str]:
    """Tokens that lie one behind the other; ends where a string does not."""
    while found := _TOKEN.match(text, start):
        yield found[0]
        start = found.end()


def items(text: str) -> dict[str, str] | list[str] | None:
    """The values of a tuple, list or dict as text, by name for a dict; None if it is none of these.

    Strings lose their quotes; other values (dates, lists) stay as they are written.
    """
    if text[:1] not in _OPENS or end_of_value(text) != len(text):
        return None
    parts: list[list[str]] = [[]]
    depth = 0
    for piece in _tokens(text, 0):
        alone = len(piece) == 1
        if alone and piece in _CLOSES:
            depth -= 1
        if depth == 1 and piece == ",":
            parts.append([])
        elif depth >= 1:
            parts[-1].append(piece)
        if alone and piece in _OPENS:
            depth += 1
    values = [part for part in parts if "".join(part).strip()]
    if text[0] != "{":
        return [_plain(part) for part in values]
    pairs: dict[str, str] = {}
    for part in values:
        if ":" not in part:
            return None  # a set
        colon = part.index(":")
        pairs[_plain(part[:colon])] = _plain(part[colon + 1 :])
    return pairs


def _plain(tokens: list[str]) -> str:
    text = "".join(tokens).strip()
    whole = _TOKEN.fullmatch(text)
    quote = text[-1:]
    if whole is None or quote not in ("'", '"'):
        return text
    return _ESCAPE.sub(_unescaped, text[text.index(quote) + 1 : -1])


def _unescaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number <= _LAST_CHARACTER else found[0]
    return _ESCAPES.get(code, code)


def parameters(text: str, names: list[str]) -> str | None:
    """Parameters as a JSON array in the order of `names` (as `numbered` gives them); None without any.

    What can't be taken apart (several sets, a text that was shortened) stays as it is.
    """
    if not names:
        return None
    found = items(text)
    if isinstance(found, dict) and all(name in found for name in names):
        return json.dumps([found[name] for name in names])
    if isinstance(found, list) and len(found) == len(names):
        return json.dumps(found)
    return text
