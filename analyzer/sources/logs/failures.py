"""What an error's entry says by itself: its SQLSTATE, how its text is shown, and what it cancelled.

A log has few errors, often: each is judged once, and remembered.
"""

import functools
from typing import NamedTuple

from analyzer.patterns import regex
from analyzer.sources.logs.error_texts import known_text, template

_REMEMBERED = 256
_CODE = regex(r"[0-9A-Z]{5}\Z")
_CANCELLED = (  # how a message begins, what it was cancelled by
    ("canceling statement due to statement timeout", "statement-timeout"),
    ("canceling statement due to user request", "user-request"),
    ("canceling statement due to lock timeout", "lock-timeout"),
    ("canceling statement due to conflict with recovery", "recovery-conflict"),
    ("terminating connection due to conflict with recovery", "recovery-conflict"),
    ("terminating connection due to idle-in-transaction timeout", "idle-in-transaction-timeout"),
    ("terminating connection due to idle-session timeout", "idle-session-timeout"),
    ("terminating connection due to transaction timeout", "transaction-timeout"),
    ("terminating connection due to administrator command", "administrator"),
    ("canceling autovacuum task", "autovacuum-task"),
    ("canceling authentication due to timeout", "authentication-timeout"),
    ("could not obtain lock on ", "lock-not-available"),
)
_CANCELLED_STARTS = tuple(start for start, _ in _CANCELLED)
_CANCELLED_CODES = {  # where the text is not known: another language
    "25P03": "idle-in-transaction-timeout",
    "25P04": "transaction-timeout",
    "55P03": "lock-not-available",
    "57014": "unknown",
    "57P01": "administrator",
    "57P05": "idle-session-timeout",
}


class Failure(NamedTuple):
    """An error: its SQLSTATE ("" unknown), and whether that was `derived` from its text.

    `text` is a "message" of PostgreSQL's that is known, or another "text", as `what` says; `cancelled_by`
    is what cancelled the statement or session, "" if nothing did.
    """

    code: str
    derived: bool
    what: str
    text: str
    cancelled_by: str


@functools.lru_cache(maxsize=_REMEMBERED)
def failure_of(message: str, severity: str, code: str) -> Failure:
    """The failure that a `shortened` message tells of; `code` is its SQLSTATE where that was logged."""
    known = known_text(message, severity)
    told = _CODE.match(code) is not None
    code = code if told else known.code if known else ""
    what, text = ("message", known.text) if known else ("text", template(message))
    return Failure(code, not told and known is not None, what, text, _cancelled_by(message, code))


def _cancelled_by(message: str, code: str) -> str:
    """What cancelled a statement or session, "" if nothing did."""
    if message.startswith(_CANCELLED_STARTS):
        return next(reason for start, reason in _CANCELLED if message.startswith(start))
    return _CANCELLED_CODES.get(code, "")
