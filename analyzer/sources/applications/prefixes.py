"""What stands before a message in a line that a logger wrote: time, level, process, thread, request.

The format is the application's own choice, so nothing is assumed of it but what a time looks like.
What is left of a prefix, without time, level and logger, tells sessions apart: it is the same for
what one thread, or one request, says.
"""

import re

from analyzer.patterns import regex
from analyzer.records import record
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.text import text_of
from analyzer.sql.comments import trace_number

LONGEST = 300  # characters of a prefix
TIME = regex(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?"
)
ANSI = regex(rb"\x1b\[[0-9;]{0,20}m")
_UUID = regex(r"\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b", re.IGNORECASE)
_LEVEL = regex(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR)\b|\bsqlalchemy\.[\w.]+")
_NO_NAME = " \t|-:,;[](){}<>"
_REMEMBERED = 10_000


@record
class Said:
    """When something was logged (µs, None unknown), in which session, of which request (0: unknown)."""

    at_us: int | None
    session: str
    trace: int


class Prefixes:
    """Reads prefixes of one input; those that differ in their time only are read once."""

    def __init__(self, clock: Clock) -> None:
        """`clock` reads the times."""
        self._clock = clock
        self._known: dict[str, tuple[str, int]] = {}

    def read(self, prefix: bytes) -> Said:
        """What a prefix says."""
        text = text_of(prefix[:LONGEST])
        found = TIME.search(text)
        rest = text[: found.start()] + text[found.end() :] if found else text
        who = self._known.get(rest)
        if who is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            who = self._known[rest] = _who(rest)
        at_us = self._clock.read(found[0].replace("Z", " UTC")) if found else None
        return Said(at_us, *who)


def _who(rest: str) -> tuple[str, int]:
    """The session that a prefix without its time names, and the number of its request."""
    request = _UUID.search(rest)
    if request:
        return "", trace_number(request[0].lower())
    return " ".join(_LEVEL.sub(" ", rest).split()).strip(_NO_NAME), 0
