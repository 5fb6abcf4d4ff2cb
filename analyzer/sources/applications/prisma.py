"""Prisma's query events, one JSON object per line, as `log: [{emit: 'event', level: 'query'}]` gives.

`timestamp` is when the call began, `duration` its milliseconds on the client's clock (waiting for
a connection included), `params` a string: a JSON array from Prisma 7, nearly one before. Lines
are in the order in which the calls ended. Transactions show their COMMIT or ROLLBACK, not BEGIN.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import Clock as WhoseClock
from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.framing import LONGEST_ENTRY_BYTES, Block, blocks, lines
from analyzer.sources.logs.rows import RowBatch
from analyzer.sources.logs.text import json_text_of, safe, shown
from analyzer.sources.options import ReadOptions
from analyzer.sql.comments import split_trace
from analyzer.sql.keys import is_checked

KEYS = frozenset(("timestamp", "duration", "query", "params"))
_LONGEST_MS = 1e12
_LATEST_US = 1 << 60


class PrismaEventReader:
    """Reads one file of query events; `entry_bytes` counts the bytes of events."""

    def __init__(
        self, recording: Recording, coverage: SourceCoverage, source: int, options: ReadOptions
    ) -> None:
        """Prepare for the input whose account is `coverage`, number `source` of the recording."""
        self.entry_bytes = 0
        self._recording = recording
        self._coverage = coverage
        self._options = options
        self._clock = Clock(options.timezone, self._warn)
        self._batch = RowBatch(source, WhoseClock.CLIENT)
        self._speaker = (recording.sessions.add(f"client:{coverage.path}"), -1, -1, -1)
        self._line = 0

    def _warn(self, message: str) -> None:
        self._recording.coverage.warnings.append(f"{self._coverage.path}: {message}")

    def read(
        self, stream: BinaryIO, longest: int = LONGEST_ENTRY_BYTES
    ) -> Iterator[ExecutionChunk]:
        """Read all of `stream`; a line longer than `longest` bytes is left out as truncated."""
        for block in blocks(stream, tabs=False, longest=longest):
            if block.cut:
                self._line += 1
                self._coverage.truncated += 1
                self._unparsed(block.data[:-1], block.offset, block.length)
            else:
                self._block(block)
            yield from self._flush(last=False)
        yield from self._flush(last=True)

    def _flush(self, *, last: bool) -> list[ExecutionChunk]:
        chunks = self._batch.take(last=last)
        self._coverage.executions += sum(map(len, chunks))
        return chunks

    def _block(self, block: Block) -> None:
        for line, offset, size in lines(block):
            self._line += 1
            if self._event(line):
                self.entry_bytes += size
            else:
                self._unparsed(line, offset, size)

    def _unparsed(self, line: bytes, offset: int, size: int) -> None:
        self._coverage.unparsed_lines += 1
        self._coverage.bytes_unparsed += size
        if self._coverage.first_unparsed is None:
            self._coverage.first_unparsed = f"line {self._line}, byte {offset}: {shown(line)}"

    def _event(self, line: bytes) -> bool:
        """Record the event on a line; False if there is none."""
        try:
            event = json.loads(json_text_of(line))
        except (ValueError, RecursionError):
            return False
        if not isinstance(event, dict):
            return False
        start_us = self._start(event.get("timestamp"))
        duration_ms, query = event.get("duration"), event.get("query")
        if start_us is None or not isinstance(query, str) or isinstance(duration_ms, bool):
            return False
        if not isinstance(duration_ms, int | float) or not 0 <= duration_ms < _LONGEST_MS:
            return False
        self._coverage.entries += 1
        if self._wanted(start_us):
            self._execution(start_us, float(duration_ms), safe(query), event.get("params"))
        return True

    def _start(self, value: object) -> int | None:
        """ISO 8601, or milliseconds since the epoch where a logger wrote a number."""
        if isinstance(value, str):
            return self._clock.read(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return round(value * 1000) if 0 <= value < _LATEST_US / 1000 else None

    def _wanted(self, at_us: int) -> bool:
        since, until = self._options.since_us, self._options.until_us
        return (since is None or at_us >= since) and (until is None or at_us < until)

    def _execution(self, start_us: int, duration_ms: float, query: str, params: object) -> None:
        recording = self._recording
        key, literals, comments = recording.keys.add(query)
        if is_checked(start_us, duration_ms):
            recording.keys.check(query, key)
        given = safe(params) if isinstance(params, str) and params not in ("", "[]") else literals
        end_us = start_us + round(duration_ms * 1000)
        rest, trace = (None, 0) if comments is None else split_trace(comments)
        row = self._batch.add(
            start_us,
            end_us,
            duration_ms,
            key,
            self._line,
            0,
            recording.comments.add(rest),
            trace,
            self._speaker,
        )
        if given is not None:
            self._batch.describe(row, given)
        least = self._coverage.minimum_ms
        if least is None or duration_ms < least:
            self._coverage.minimum_ms = duration_ms
