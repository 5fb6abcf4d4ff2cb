"""JSON as text that can be shown: one value a line, or all on one."""

import json
from typing import Any

import orjson

from analyzer.patterns import regex

# Harmless in JSON, and not where a terminal shows it: C1, DEL, and marks that reorder a text.
_POWER = regex("[\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
_PLAIN = bytes(range(0x7F))


def json_text(value: Any, *, on_one_line: bool = False) -> str:  # noqa: ANN401 - any JSON value
    """`value` (dictionaries with text keys, lists, texts, numbers, booleans, None) as JSON to be printed.

    Characters with power over a terminal are written as escapes. Raises TypeError for what JSON has not.
    """
    try:
        written = orjson.dumps(value, option=0 if on_one_line else orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:
        # Lone surrogates, integers of more than 64 bits, hundreds of values in each other: json takes them.
        text = json.dumps(
            value, ensure_ascii=False, indent=None if on_one_line else 2, allow_nan=False
        )
        return _harmless(text)
    text = written.decode()
    # Few texts have any: to look through what is not plain ASCII takes a tenth of the time.
    return _harmless(text) if _POWER.search(written.translate(None, _PLAIN).decode()) else text


def _harmless(text: str) -> str:
    return _POWER.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
