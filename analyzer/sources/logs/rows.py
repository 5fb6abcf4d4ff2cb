"""Executions on their way into columns: a bounded batch that becomes an ExecutionChunk."""

from typing import Any, Protocol
from zlib import crc32

import numpy as np

from analyzer.model.executions import Clock, ExecutionChunk
from analyzer.sources.logs.sessions import Speaker
from analyzer.sql.keys import LITERAL_SEPARATOR

# In order: start_us, end_us, duration_ms, key, line, query_id, comment, trace, and the speaker's
# numbers: session, database, user and application.
Row = tuple[int, int, float, int, int, int, int, int, Speaker]


def text_hash(text: str) -> int:
    """The hash of parameters in an ExecutionChunk: CRC-32 of their UTF-8, 0 becoming 1."""
    return crc32(text.encode("utf-8", "surrogatepass")) or 1


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
        """Set what the execution in `row` was called with: before the literals of its text, if any."""
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
        "_ready",
        "_source",
        "_truncated",
        "parameters",
        "rows",
    )

    def __init__(self, source: int, clock: Clock = Clock.SERVER, first: int = 0) -> None:
        """A batch of the input number `source`, measured by `clock`; `first` is its first row's number.

        What adds rows in bulk appends to `rows` and, as many, to `parameters`.
        """
        self._source = source
        self._clock = clock
        self._ready: tuple[list[Row], list[str | None]] = ([], [])
        self._first = first  # the number of the first of `_ready`
        self._truncated: set[int] = set()
        self._base = first  # the number of the first of `rows`
        self.rows: list[Row] = []
        self.parameters: list[str | None] = []

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
        rows = self.rows
        rows.append((start_us, end_us, duration_ms, key, line, query_id, comment, trace, speaker))
        self.parameters.append(None)
        return self._base + len(rows) - 1

    @property
    def base(self) -> int:
        """The number of the first of `rows`."""
        return self._base

    def describe(self, row: int, parameters: str) -> None:
        """As the Protocol says."""
        if row >= self._base:
            texts, place = self.parameters, row - self._base
        else:
            texts, place = self._ready[1], row - self._first
        texts[place] = with_literals(parameters, texts[place])

    def mark_truncated(self, row: int) -> None:
        """As the Protocol says."""
        self._truncated.add(row)

    def take(self, *, last: bool = False) -> list[ExecutionChunk]:
        """As the Protocol says."""
        if last:
            return [*self.take(), *self.take()]
        (rows, parameters), first = self._ready, self._first
        self._ready, self._first = (self.rows, self.parameters), self._base
        self._base += len(self.rows)
        self.rows, self.parameters = [], []
        return [self._chunk(rows, parameters, first)] if rows else []

    def _chunk(self, rows: list[Row], parameters: list[str | None], first: int) -> ExecutionChunk:
        names = ("start_us", "end_us", "duration_ms", "key", "line", "query_id", "comment", "trace")
        *plain, speakers = zip(*rows, strict=True)
        columns: dict[str, Any] = dict(zip(names, plain, strict=True))
        columns |= _speaker_columns(speakers)
        described = np.array([text is not None for text in parameters])
        texts = [text for text in parameters if text is not None]
        hashes = [text_hash(text) for text in texts]
        columns["parameters"] = np.where(described, np.cumsum(described) - 1, -1)
        columns["parameters_hash"] = hashed = np.zeros(len(rows), dtype="u4")
        hashed[described] = hashes
        columns["flags"] = flags = np.zeros(len(rows), dtype="i1")
        for row in self._truncated:
            if first <= row < first + len(rows):
                flags[row - first] = ExecutionChunk.FLAG_TRUNCATED
        self._truncated = {row for row in self._truncated if row >= first + len(rows)}
        columns["source"] = np.full(len(rows), self._source, dtype="i4")
        columns["clock"] = np.full(len(rows), self._clock, dtype="i1")
        typed = {
            name: np.asarray(columns[name], dtype=kind)
            for name, kind in ExecutionChunk.NAMES.items()
        }
        return ExecutionChunk(typed, texts)


def with_literals(bound: str, literals: str | None) -> str:
    """The parameters of an execution whose text has literals beside `$n` (analyzer.sql.parameters)."""
    return bound if literals is None else f"{bound}{LITERAL_SEPARATOR}{literals}"


def _speaker_columns(speakers: tuple[Speaker, ...]) -> dict[str, "np.ndarray[Any, Any]"]:
    """The numbers of session, database, user and application; of few speakers, each often."""
    place = {speaker: number for number, speaker in enumerate(dict.fromkeys(speakers))}
    each = np.array(list(place), dtype="i4").reshape(len(place), 4)
    chosen = each[[place[speaker] for speaker in speakers]]
    names = ("session", "database", "user", "application")
    return {name: np.ascontiguousarray(chosen[:, number]) for number, name in enumerate(names)}
