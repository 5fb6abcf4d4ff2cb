"""JSON that ends too early: what is whole in it, with its brackets closed."""

import re

from analyzer.patterns import regex

# A token: a string with its end, a bracket, a comma or colon, a word or number.
_TOKEN = regex(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},:]|[^\s\[\]{},:"]++', re.DOTALL)
_CLOSING = {"{": "}", "[": "]"}
_DEEPEST = 1500


class _Account:
    """Which brackets are open, and after which character everything before is whole."""

    def __init__(self) -> None:
        self.open: list[str] = []
        self.safe = -1
        self.sound = True
        self._key_next = False  # whether a string that comes is a key

    def take(self, piece: str, end: int, *, last: bool) -> None:
        """One token, which ends before `end`; the last of a text may be the beginning of a number."""
        if piece in _CLOSING:
            self.open.append(piece)
            self._key_next = piece == "{"
            self.sound = len(self.open) <= _DEEPEST
            self.safe = end
        elif piece in ("}", "]"):
            self.sound = bool(self.open) and _CLOSING[self.open.pop()] == piece
            self.safe = end
        elif piece in (",", ":"):
            self._key_next = piece == "," and self.open[-1:] == ["{"]
        elif not self._key_next and (piece[0] == '"' or not last):
            self.safe = end


def closed(text: str, start: int = 0) -> str | None:
    """The JSON from `start` on, cut after its last whole value and closed.

    None where it is whole, nothing in it is, it is nested too deeply, or its brackets do not match.
    """
    account = _Account()
    at = start
    while found := _TOKEN.search(text, at):
        if text[at : found.start()].strip():
            break  # the text ends inside a string
        at = found.end()
        account.take(found[0], at, last=at == len(text))
        if not account.sound or not account.open:
            return None
    if account.safe < 0:
        return None
    return text[start : account.safe] + "".join(_CLOSING[one] for one in reversed(account.open))
