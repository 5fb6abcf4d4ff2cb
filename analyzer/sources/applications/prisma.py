"""Prisma's query events, one JSON object per line, as `log: [{emit: 'event', level: 'query'}]` gives.

`timestamp` is when the call began, `duration` its milliseconds on the client's clock (waiting for
a connection included), `params` a string: a JSON array from Prisma 7, nearly one before. Lines
are in the order in which the calls ended. Transactions show their COMMIT or ROLLBACK; Prisma 6 shows
BEGIN as well.
"""

from analyzer.sources.applications.calls import CallSink, duration_of
from analyzer.sources.applications.lines import JsonLineReader, Record

KEYS = frozenset(("timestamp", "duration", "query", "params"))
_LATEST_US = 1 << 60


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
        given = params if isinstance(params, str) and params not in ("", "[]") else None
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
