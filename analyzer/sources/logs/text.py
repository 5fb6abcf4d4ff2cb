"""Bytes of a log to text that can be stored, interned and printed without harm."""

import re

from analyzer.patterns import regex

SHOWN_CHARACTERS = 200
_NOT_UTF8 = regex("[\udc80-\udcff]")


def text_of(data: bytes) -> str:
    r"""UTF-8 as text. What is not UTF-8 (Latin-1, cut characters) and NUL become `\xNN`."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "backslashreplace")
    return text.replace("\0", "\\x00") if "\0" in text else text


def json_text_of(data: bytes) -> str:
    r"""JSON as text. What is not UTF-8, and NUL, become `\\xNN`: in a string that is `\xNN` (text_of)."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = _NOT_UTF8.sub(_escaped_byte, data.decode("utf-8", "surrogateescape"))
    return text.replace("\0", "\\\\x00") if "\0" in text else text


def _escaped_byte(found: re.Match[str]) -> str:
    return f"\\\\x{ord(found[0]) & 0xFF:02x}"


def safe(text: str) -> str:
    r"""Text from JSON, which can hold lone surrogates and NUL: those become `\uNNNN`, `\x00`."""
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def shown(data: bytes) -> str:
    """The beginning of some bytes for a message: one line, control characters escaped."""
    line = data[: SHOWN_CHARACTERS * 4].partition(b"\n")[0]
    text = text_of(line.rstrip(b"\r"))
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
