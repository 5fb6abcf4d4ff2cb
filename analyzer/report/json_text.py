"""JSON text with one value a line, as `json.dumps(…, indent=1)` writes it.

json writes indented text in Python, one small piece at a time; a report of some hundred statements
is written in a third of the time here. The bytes are the same, which the tests hold.
"""

import json
import math
import re
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

# Harmless in JSON, and not where a terminal shows it: C1, DEL, and marks that reorder a text.
_POWER = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_WORDS = {None: "null", True: "true", False: "false"}


def indented(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """`value` (dictionaries with text keys, lists, texts, numbers, booleans, None) as JSON text.

    Raises ValueError for NaN and infinities, TypeError for what JSON has not.
    """
    pieces: list[str] = []
    _write(value, "\n", pieces.append)
    return "".join(pieces)


def powerless(text: str) -> str:
    """JSON text with characters that have power over a terminal as escapes: the same values."""
    return _POWER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_text(value: Any, indent: int | None = 1) -> str:  # noqa: ANN401 - any JSON value
    """`value` as JSON to be printed."""
    return powerless(json.dumps(value, indent=indent, ensure_ascii=False))


def _write(value: Any, indent: str, put: Callable[[str], None]) -> None:  # noqa: ANN401 - as above
    kind = type(value)
    if kind is dict:
        deeper = indent + " "
        before = "{" + deeper
        for name, item in value.items():
            if type(item) is dict or type(item) is list:
                put(f"{before}{quoted(name)}: ")
                _write(item, deeper, put)
            else:
                put(f"{before}{quoted(name)}: {_plain(item)}")
            before = "," + deeper
        put(indent + "}" if value else "{}")
    elif kind is list:
        deeper = indent + " "
        before = "[" + deeper
        for item in value:
            put(before)
            _write(item, deeper, put)
            before = "," + deeper
        put(indent + "]" if value else "[]")
    else:
        put(_plain(value))


def _plain(value: Any) -> str:  # noqa: ANN401 - as above
    kind = type(value)
    if kind is str:
        return quoted(value)
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not JSON")
        return repr(value)
    if kind is int:
        return str(value)
    if value is None or kind is bool:
        return _WORDS[value]
    raise TypeError(f"{kind.__name__} is not JSON")
