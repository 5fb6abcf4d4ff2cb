"""Plain JSON values: rounded numbers, safe texts, times. Nothing leaves a report unclean."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

Document = dict[str, Any]

SURROGATE = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS_MS = 3
_DIGITS = 6


def clean_text(text: str) -> str:
    r"""The text with lone surrogates (undecodable bytes of a log) written out as `\udcxx`."""
    return SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


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
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(str(value))
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        digits = _DIGITS_MS if key.endswith("_ms") or key == "ms" else _DIGITS
        return clean_number(float(value), digits=digits)
    if isinstance(value, Mapping):
        return {clean_text(str(name)): clean(item, str(name)) for name, item in value.items()}
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
    return moment.isoformat(timespec=timespec).replace("+00:00", "Z")


def nearest_rank(ascending: "np.ndarray[Any, Any]", quantile: float) -> float | None:
    """The nearest-rank quantile (0..1) of values in ascending order, None if there are none."""
    count = len(ascending)
    if count == 0:
        return None
    # 0.95 * 20 must not become rank 20 by a rounding error of the product.
    rank = math.ceil(quantile * count - 1e-9)
    return float(ascending[min(max(rank, 1), count) - 1])
