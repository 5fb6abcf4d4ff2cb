"""What a log says of PostgreSQL's settings that decide what it logs: changes at a reload."""

from analyzer.model.sampling import LoggedSetting
from analyzer.patterns import regex

_CHANGED = regex(r'parameter "([a-z_]{1,64})" changed to "([^"\n]{1,64})"')
_REMOVED = regex(r'parameter "([a-z_]{1,64})" removed from configuration file, reset to def')
_AMOUNT = regex(r"\s{0,8}([-+0-9.eE]{1,32})\s{0,8}(us|ms|s|min|h|d)?\s{0,8}")
_UNITS_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 6e4, "h": 3.6e6, "d": 8.64e7}
_DEFAULTS = {  # PostgreSQL's own; the durations are in milliseconds
    "log_min_duration_statement": -1.0,
    "log_min_duration_sample": -1.0,
    "log_statement_sample_rate": 1.0,
    "log_transaction_sample_rate": 0.0,
}


def logged_setting(message: str, at_us: int) -> tuple[str, LoggedSetting] | None:
    """The name and new value of a setting that says what is logged; None of any other message."""
    found = _CHANGED.match(message)
    if found:
        value = _value(found[2]) if found[1] in _DEFAULTS else None
        return None if value is None else (found[1], LoggedSetting(at_us, value))
    found = _REMOVED.match(message)
    if found and found[1] in _DEFAULTS:
        return found[1], LoggedSetting(at_us, _DEFAULTS[found[1]])
    return None


def _value(text: str) -> float | None:
    """A number, or a duration as milliseconds; None if it is neither."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        return None
    try:
        return float(found[1]) * _UNITS_MS[found[2] or "ms"]
    except ValueError:
        return None
