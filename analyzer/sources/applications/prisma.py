"""Prisma's query events, one JSON object per line, as `log: [{emit: 'event', level: 'query'}]` gives.

`timestamp` is when the call began, `duration` its milliseconds on the client's clock (waiting for
a connection included), `params` a string: a JSON array from Prisma's client engine (7, and 6 where it
is chosen), nearly one from the query engine before it, which does not escape quotes. Lines are in the
order in which the calls ended. Transactions show their COMMIT or ROLLBACK, not BEGIN.
"""

import json
import re

from analyzer.patterns import regex
from analyzer.sources.applications.calls import CallSink, duration_of
from analyzer.sources.applications.lines import JsonLineReader, Record

_LATEST_US = 1 << 60
# A string of the old query engine ends where a value does: behind it is a comma and another value, or the end.
_OLD_VALUE = regex(
    r"""\s*(?:"((?:[^"]++|"(?!\s*(?:\]?\s*\Z|,\s*(?:["\d\[{<-]|null|true|false))))*+)"|([^",\[\]]++)|(\[[^\[\]]*+\]))\s*(?:,|\Z)""",
    re.DOTALL,
)


class PrismaEventReader(JsonLineReader):
    """Reads one file of query events."""

    NAME = "prisma-events"
    WHAT = "Prisma's query events"

    def __init__(self, sink: CallSink) -> None:
        """As a LineReader."""
        super().__init__(sink)
        self._speaker = sink.speaker()

    def record(self, record: Record, size: int) -> bool | None:  # noqa: ARG002 - as JsonLineReader says
        """An event, False if it is none."""
        start_us = self._start(record.get("timestamp"))
        value, query = record.get("duration"), record.get("query")
        duration_ms = None if isinstance(value, str) else duration_of(value)
        if start_us is None or duration_ms is None or not isinstance(query, str):
            return False
        params = record.get("params")
        given = _json(params) if isinstance(params, str) and params not in ("", "[]") else None
        self.sink.call(
            query,
            start_us=start_us,
            duration_ms=duration_ms,
            speaker=self._speaker,
            line=self.number,
            parameters=given,
        )
        return True

    def _start(self, value: object) -> int | None:
        """ISO 8601, or milliseconds since the epoch where a logger wrote a number."""
        if isinstance(value, str):
            return self.sink.clock.read(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return round(value * 1000) if 0 <= value < _LATEST_US / 1000 else None


def _json(params: str) -> str:
    """Parameters as a JSON array, as far as they can be taken apart; else as they are."""
    try:
        json.loads(params)
    except (ValueError, RecursionError):
        return _repaired(params) or params
    return params


def _repaired(params: str) -> str | None:
    """What the query engine wrote without escaping: `["it"s",5]`; None where it is cut."""
    if not (params.startswith("[") and params.endswith("]")):
        return None
    body, values, place = params[1:-1], [], 0
    while place < len(body):
        found = _OLD_VALUE.match(body, place)
        if found is None:
            return None
        text, bare, several = found.groups()
        values.append(text if text is not None else _plain(bare or several))
        place = found.end()
    return json.dumps(values)


def _plain(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # a date, `<5 bytes blob>`
        return text.strip()
