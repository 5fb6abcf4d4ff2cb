"""What all query logs of applications come to: calls, on the client's clock, as executions.

A reader takes its lines apart and hands each call to a `CallSink`. What an application's log says of
the request beside the SQL (route, job, request id) is written down as a comment in the statement
would have been, so all that comes later knows one way to be told of it.
"""

import math
from collections.abc import Mapping
from urllib.parse import quote

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import Clock as WhoseClock
from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.sources.logs.clock import Clock
from analyzer.sources.logs.rows import RowBatch
from analyzer.sources.logs.text import safe, shown
from analyzer.sources.options import ReadOptions
from analyzer.sql.comments import split_trace
from analyzer.sql.keys import is_checked

LONGEST_MS = 1e12
_LONGEST_TAG = 300
_SPEAKERS = 100_000  # remembered at a time
_UNTOLD_MS = math.nan

Speaker = tuple[int, int, int, int]  # session, database, user, application


class CallSink:
    """Takes the calls of one input and fills `recording` and the input's `coverage`.

    Readers call `entry` for the bytes of each record that is understood, `foreign` for those of
    sound records that are none of a call, and `unparsed` for the rest.
    """

    def __init__(
        self, recording: Recording, coverage: SourceCoverage, source: int, options: ReadOptions
    ) -> None:
        """Prepare for the input whose account is `coverage`, number `source` of the recording."""
        self.entry_bytes = 0
        self.recording = recording
        self.coverage = coverage
        self.options = options
        self.clock = Clock(options.timezone, self.warn)
        self._source = source
        self._batch = RowBatch(source, WhoseClock.CLIENT)
        self._speakers: dict[tuple[str, str, str, str], Speaker] = {}
        self._latest_us = 0  # of calls without a time: where the last one ended
        self._untimed = 0
        self._placeless = 0

    def warn(self, message: str) -> None:
        """Add a warning about this input to the run's coverage."""
        self.recording.coverage.warnings.append(f"{self.coverage.path}: {message}")

    def speaker(
        self, session: str = "", database: str = "", user: str = "", application: str = ""
    ) -> Speaker:
        """The numbers of who makes a call; `session` tells it apart from others of the input."""
        key = (session, database, user, application)
        known = self._speakers.get(key)
        if known is not None:
            return known
        if len(self._speakers) >= _SPEAKERS:
            self._speakers.clear()
        path, add = self.coverage.path, self.recording.names.add
        name = f"client:{path}#{session}" if session else f"client:{path}"
        made = self._speakers[key] = (
            self.recording.sessions.add(name),
            add(database or None),
            add(user or None),
            add(application or None),
        )
        return made

    def call(
        self,
        sql: str,
        *,
        start_us: int | None,
        duration_ms: float | None,
        speaker: Speaker,
        line: int,
        parameters: str | None = None,
        trace: int = 0,
        tags: str = "",
    ) -> int:
        """Record one call; its row, -1 where --since or --until leave it out.

        None for a time or a duration that the log does not tell. `parameters` are as in an
        ExecutionChunk (but for the literals of `sql`, which are known), `trace` numbers the request (0: what comments
        tell), `tags` is what `tagged` gave.
        """
        duration = _UNTOLD_MS if duration_ms is None else duration_ms
        begin_us = self._placed(start_us, duration_ms)
        if start_us is not None and not self.wanted(start_us):
            return -1
        text = safe(sql)
        key, literals, comments = self.recording.keys.add(text)
        if is_checked(begin_us, duration_ms or 0.0):
            self.recording.keys.check(text, key)
        rest, told = (None, 0) if comments is None else split_trace(comments)
        comment = f"{rest} {tags}" if rest and tags else rest or tags or None
        row = self._batch.add(
            begin_us,
            begin_us + round((duration_ms or 0.0) * 1000),
            duration,
            key,
            line,
            0,
            self.recording.comments.add(comment),
            trace or told,
            speaker,
        )
        for given in (literals, None if parameters is None else safe(parameters)):
            if given is not None:
                self._batch.describe(row, given)
        if duration_ms is None:
            self._untimed += 1
        elif self.coverage.minimum_ms is None or duration_ms < self.coverage.minimum_ms:
            self.coverage.minimum_ms = duration_ms
        return row

    def _placed(self, start_us: int | None, duration_ms: float | None) -> int:
        """When a call began; of one without a time its place: behind the one before it."""
        if start_us is not None:
            return start_us
        begin_us = self._latest_us + 1
        self._latest_us = begin_us + round((duration_ms or 0.0) * 1000)
        self._placeless += 1
        return begin_us

    def wanted(self, at_us: int) -> bool:
        """Whether --since and --until leave a time in."""
        since, until = self.options.since_us, self.options.until_us
        return (since is None or at_us >= since) and (until is None or at_us < until)

    def rows(self, row: int, sql: str, rows: int) -> None:
        """The call in `row` returned or wrote so many rows."""
        if row >= 0:
            totals = self.recording.rows
            key = self._source, self.recording.keys.add(safe(sql))[0]
            totals[key] = totals.get(key, 0) + rows

    def entry(self, size: int) -> None:
        """A record of `size` bytes was understood."""
        self.coverage.entries += 1
        self.entry_bytes += size

    def part(self, size: int) -> None:
        """So many bytes belong to an entry that is counted already, or will be."""
        self.entry_bytes += size

    def foreign(self, size: int) -> None:
        """A sound record of `size` bytes that tells of no call."""
        self.coverage.foreign_bytes += size

    def unparsed(self, data: bytes, number: int, offset: int, size: int) -> None:
        """`size` bytes at `offset`, the input's line `number`, that could not be understood."""
        self.coverage.unparsed_lines += 1
        self.coverage.bytes_unparsed += size
        if self.coverage.first_unparsed is None:
            self.coverage.first_unparsed = f"line {number}, byte {offset}: {shown(data)}"

    def flush(self, *, last: bool = False) -> list[ExecutionChunk]:
        """The calls that are complete; readers call it between blocks and hand them on."""
        chunks = self._batch.take(last=last)
        self.coverage.executions += sum(map(len, chunks))
        if last:
            self._tell()
        return chunks

    def _tell(self) -> None:
        since, until = self.options.since_us, self.options.until_us
        if self._placeless and (since is not None or until is not None):
            self.warn("its calls have no times, so --since and --until leave none of them out")
        if self._untimed:
            self.warn(
                f"{self._untimed} calls came without a duration, which this log does not tell: they "
                "count as round trips and show loops, but not in any percentile"
            )


def duration_of(value: object, per_ms: float = 1.0) -> float | None:
    """A number from a record as milliseconds, `per_ms` of its unit being one; None if it is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = value / per_ms
    except OverflowError:
        return None
    return found if 0 <= found < LONGEST_MS else None


def tagged(tags: Mapping[str, str]) -> str:
    """Tags of a request as sqlcommenter writes them: what comments and logs tell looks the same."""
    parts = [
        f"{name}='{quote(safe(value)[:_LONGEST_TAG], safe='/#:. {}')}'"
        for name, value in tags.items()
        if value
    ]
    return f"/*{','.join(parts)}*/" if parts else ""
