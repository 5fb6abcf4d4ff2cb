"""Executions on their way into columns: a bounded batch that becomes an ExecutionChunk."""

import zlib
from typing import Any, Protocol

import numpy as np

from analyzer.model.executions import Clock, ExecutionChunk

# In order: start_us, end_us, duration_ms, key, line, query_id, comment, trace, and the speaker's
# numbers: session, database, user and application.
Row = tuple[int, int, float, int, int, int, int, int, tuple[int, ...]]


def text_hash(text: str) -> int:
    """The hash of parameters in an ExecutionChunk: CRC-32 of their UTF-8, 0 becoming 1."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass")) or 1


class Batch(Protocol):
    """Executions of one input until they are complete, by their number in it.

    What is learnt later of an execution (its DETAIL, that it was cut) is taken note of until its
    chunk is made. That is one `take` later than it was added: a DETAIL may be the first entry of
    the next block.
    """

    @property
    def oldest(self) -> int:
        """The first row of which something may still be learnt."""
        ...

    def add(  # noqa: PLR0913, PLR0917 - one argument a column: no object is made for an execution
        self,
        start_us: int,
        end_us: int,
        duration_ms: float,
        key: int,
        line: int,
        query_id: int,
        comment: int,
        trace: int,
        speaker: tuple[int, ...],
    ) -> int:
        """Add an execution (columns as in ExecutionChunk); its row."""
        ...

    def describe(self, row: int, parameters: str) -> None:
        """Set what the execution in `row` was called with."""
        ...

    def mark_truncated(self, row: int) -> None:
        """The execution in `row` lost the end of its text."""
        ...

    def take(self, *, last: bool = False) -> list[ExecutionChunk]:
        """The rows that were there at the last call; `last`: all that there are."""
        ...


class RowBatch:
    """The Batch in Python."""

    __slots__ = (
        "_base",
        "_clock",
        "_first",
        "_parameters",
        "_ready",
        "_rows",
        "_source",
        "_truncated",
    )

    def __init__(self, source: int, clock: Clock = Clock.SERVER, first: int = 0) -> None:
        """A batch of the input number `source`, measured by `clock`; `first` is its first row's number."""
        self._source = source
        self._clock = clock
        self._ready: list[Row] = []
        self._first = first
        self._parameters: dict[int, str] = {}
        self._truncated: set[int] = set()
        self._base = first  # the number of the first of `_rows`
        self._rows: list[Row] = []

    @property
    def oldest(self) -> int:
        """As the Protocol says."""
        return self._first

    def add(  # noqa: PLR0913, PLR0917 - as the Protocol says
        self,
        start_us: int,
        end_us: int,
        duration_ms: float,
        key: int,
        line: int,
        query_id: int,
        comment: int,
        trace: int,
        speaker: tuple[int, ...],
    ) -> int:
        """As the Protocol says."""
        rows = self._rows
        rows.append((start_us, end_us, duration_ms, key, line, query_id, comment, trace, speaker))
        return self._base + len(rows) - 1

    def describe(self, row: int, parameters: str) -> None:
        """As the Protocol says."""
        self._parameters[row] = parameters

    def mark_truncated(self, row: int) -> None:
        """As the Protocol says."""
        self._truncated.add(row)

    def take(self, *, last: bool = False) -> list[ExecutionChunk]:
        """As the Protocol says."""
        if last:
            return [*self.take(), *self.take()]
        ready, first = self._ready, self._first
        self._ready, self._first = self._rows, self._base
        self._base += len(self._rows)
        self._rows = []
        return [self._chunk(ready, first)] if ready else []

    def _chunk(self, rows: list[Row], first: int) -> ExecutionChunk:
        count = len(rows)
        names = ("start_us", "end_us", "duration_ms", "key", "line", "query_id", "comment", "trace")
        *plain, speakers = zip(*rows, strict=True)
        columns: dict[str, Any] = dict(zip(names, plain, strict=True))
        speaker = np.array(speakers, dtype="i4").reshape(count, 4)
        for place, name in enumerate(("session", "database", "user", "application")):
            columns[name] = np.ascontiguousarray(speaker[:, place])
        texts: list[str] = []
        number = np.full(count, -1, dtype="i4")
        hashed = np.zeros(count, dtype="u4")
        flags = np.zeros(count, dtype="i1")
        for row in range(first, first + count):
            text = self._parameters.pop(row, None)
            if text is not None:
                number[row - first] = len(texts)
                hashed[row - first] = text_hash(text)
                texts.append(text)
            if row in self._truncated:
                self._truncated.discard(row)
                flags[row - first] = ExecutionChunk.FLAG_TRUNCATED
        columns |= {"parameters": number, "parameters_hash": hashed, "flags": flags}
        columns["source"] = np.full(count, self._source, dtype="i4")
        columns["clock"] = np.full(count, self._clock, dtype="i1")
        typed = {
            name: np.asarray(columns[name], dtype=kind)
            for name, kind in ExecutionChunk.NAMES.items()
        }
        return ExecutionChunk(typed, texts)
