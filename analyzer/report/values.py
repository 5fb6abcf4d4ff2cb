"""Plain JSON values: rounded numbers, safe texts, times. Nothing leaves a report unclean."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from analyzer.patterns import regex

Document = dict[str, Any]

_SURROGATE = regex("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a zone would have to be cut off again
_DIGITS_MS = 3
_DIGITS = 6
_AS_THEY_ARE = frozenset((int, bool, type(None)))


def clean_text(text: str) -> str:
    r"""The text with lone surrogates (undecodable bytes of a log) written out as `\udcxx`."""
    if text.isascii():  # far quicker than a search, and nearly always all there is to do
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text


def clean_number(value: float, *, digits: int = _DIGITS) -> float | None:
    """A float rounded to `digits` decimals; None for NaN and infinities, which JSON has not."""
    if not math.isfinite(value):
        return None
    return round(value, digits) + 0.0  # -0.0 becomes 0.0


def clean(value: Any, key: str = "") -> Any:  # noqa: ANN401 - any fact in, any JSON value out
    """`value` as JSON: numbers under a key ending in `_ms` get 3 decimals, other floats 6.

    Tuples become lists, NumPy scalars Python numbers, enumerations their text. Raises TypeError
    for what has no place in a document.
    """
    kind = type(value)  # nearly all values are of these types themselves; the rest is below
    if kind is float:
        # Of what is whole there is nothing to round.
        return value + 0.0 if value.is_integer() else clean_number(value, digits=_digits(key))
    if kind is dict:
        return _clean_dict(value)
    if kind is list or kind is tuple:
        return [clean(item, key) for item in value] if value else []
    if kind is str:
        return clean_text(value)
    if kind in _AS_THEY_ARE:
        return value
    return _clean_other(value, key)


def _clean_dict(value: Mapping[Any, Any]) -> Document:
    cleaned = {}
    for name, item in value.items():
        key = name if type(name) is str and name.isascii() else clean_text(str(name))
        kind = type(item)
        as_it_is = kind in _AS_THEY_ARE or (kind is str and item.isascii())
        cleaned[key] = item if as_it_is else clean(item, key)
    return cleaned


def _digits(key: str) -> int:
    return _DIGITS_MS if key.endswith("_ms") or key == "ms" else _DIGITS


def _clean_other(value: Any, key: str) -> Any:  # noqa: ANN401 - as above
    """`clean` of subtypes: enumerations, NumPy scalars, other mappings and sequences."""
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return clean_number(float(value), digits=_digits(key))
    if isinstance(value, Mapping):
        return _clean_dict(value)
    if isinstance(value, Sequence):
        return [clean(item, key) for item in value]
    raise TypeError(f"{type(value).__name__} under {key!r} is not a value of report.json")


def iso(microseconds: int | None, timespec: str = "milliseconds") -> str | None:
    """Microseconds since the epoch as ISO 8601 in UTC; None where there is no such date."""
    if microseconds is None:
        return None
    try:
        moment = _EPOCH + timedelta(microseconds=int(microseconds))
    except OverflowError:
        return None
    return moment.isoformat(timespec=timespec) + "Z"
