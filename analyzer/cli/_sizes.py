"""Sizes as options give them."""

import re

from analyzer.errors import UsageError
from analyzer.patterns import regex

_SIZE = regex(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?B?)", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def size_in_bytes(text: str | None, option: str) -> int | None:
    """A size such as 500MB or 2GB in bytes (1 MB = 2^20), None where none is given.

    Raises:
        UsageError: it is no size.
    """
    if text is None:
        return None
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{option} {text!r} is no size: write 500MB, 2GB or a number of bytes")
    unit = found[2].upper().replace("I", "")
    return int(float(found[1]) * _UNITS[unit if unit.endswith("B") or not unit else f"{unit}B"])
