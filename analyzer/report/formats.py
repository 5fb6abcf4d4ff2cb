"""How figures and foreign texts are written for people; every view writes them alike."""

import re
from collections.abc import Mapping

from analyzer.patterns import regex

NOTHING = "–"
_CONTROL = regex(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"
)
_PICTURES = 0x2400  # Unicode's control pictures: U+241B for escape
_C0 = 0x20
_DELETE = 0x7F


def neutralise(text: str) -> str:
    r"""A text without power over what shows it.

    Control characters become their pictures (escape: U+241B) or `\x9b`, and marks that reorder
    text become `\u202e`; tab and newline stay. Right-to-left letters are left as they are.
    """
    return _CONTROL.sub(_visible, text)


def _visible(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < _C0:
        return chr(_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def one_line(text: str) -> str:
    """The text neutralised, with white space collapsed to single spaces."""
    return " ".join(neutralise(text).split())


def sentence(text: str) -> str:
    """A reason as a sentence: a capital first, a full stop last."""
    line = one_line(text)
    line = line[:1].upper() + line[1:]
    return line if not line or line[-1] in ".!?…:" else line + "."


def cut(text: str, width: int) -> str:
    """The text's first `width` characters, the last of them … where more followed."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def is_number(value: object) -> bool:
    """Whether a value from a document can be calculated with."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def ms(value: object) -> str:
    """Milliseconds in the unit that reads best, with two or three digits that matter."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOTHING
    for limit, text in (
        (0.0005, "0 ms"),
        (0.995, f"{value:.2f} ms"),
        (9.95, f"{value:.1f} ms"),
        (999.5, f"{value:.0f} ms"),
        (9_995.0, f"{value / 1e3:.2f} s"),
        (99_950.0, f"{value / 1e3:.1f} s"),
        (599_500.0, f"{value / 1e3:,.0f} s"),
        (5_970_000.0, f"{value / 60e3:.1f} min"),
    ):
        if value < limit:
            return text
    return f"{value / 3.6e6:,.1f} h"


def count(value: object) -> str:
    """A whole number with thousands separated; a fraction keeps one digit."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def plural(value: object, singular: str, several: str = "") -> str:
    """A count with its noun: "1 query", "2 queries"."""
    return f"{count(value)} {singular if value == 1 else several or singular + 's'}"


def size(value: object) -> str:
    """Bytes, in units of 1024."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOTHING
    amount = float(value)
    for unit in ("bytes", "kB", "MB", "GB"):
        if abs(amount) < 1024:  # noqa: PLR2004 - PostgreSQL's own step
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TB"


def percent(value: object) -> str:
    """A share of one as a percentage; what is neither none nor all never looks like it."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return NOTHING
    shown = round(value * 100, 6)
    if 0 < shown < 0.1:  # noqa: PLR2004 - the last digit shown
        return "<0.1 %"
    if 99.95 <= shown < 100:  # noqa: PLR2004 - as above
        return ">99.9 %"
    return f"{shown:.0f} %" if float(shown).is_integer() else f"{shown:.1f} %"


def quantile_name(value: object) -> str:
    """0.95 is P95."""
    return f"P{float(value) * 100:g}" if isinstance(value, (int, float)) else "quantile"


def moment(value: object) -> str:
    """An ISO 8601 time as people write it: date, time to the second, UTC."""
    if not isinstance(value, str):
        return NOTHING
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$", r"\1 \2 UTC", value)


def window(start: object, end: object) -> str:
    """A span of time to the minute: the date once where it is the same day; to the second within a minute."""
    first, last = moment(start), moment(end)
    if not (first.endswith(" UTC") and last.endswith(" UTC")):
        return f"{first} to {last}"
    end_of = 19 if first[:16] == last[:16] else 16
    until = last[11:end_of] if first[:10] == last[:10] else last[:end_of]
    return f"{first[:end_of]} to {until} UTC"


def spread(value: object) -> str:
    """Smallest, middle and largest: "20", or "3 to 48, median 20"."""
    if not isinstance(value, Mapping):
        return NOTHING
    low, middle, high = (value.get(name) for name in ("min", "median", "max"))
    if low == high:
        return count(high)
    return f"{count(low)} to {count(high)}, median {count(middle)}"
