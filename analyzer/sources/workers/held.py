"""Executions that are held between two ranges, as a reader's batch would hold them back."""

from analyzer.model.executions import ExecutionChunk, JoinedTexts, joined
from analyzer.sources.logs.rows import Batch, text_hash, with_literals


class Held:
    """Executions that were read and not handed on: what a reader's batch holds back.

    `before` are those up to the last flush, `behind` those read since; `row` is the number of the
    first of them.
    """

    def __init__(self) -> None:
        self.before = self.behind = joined([])
        self.row = 0
        self.next = 0  # the number of the next execution
        self._flushes = 0

    def begin(self) -> None:
        """A range begins."""
        self._flushes = 0

    def flushed(self, chunk: ExecutionChunk) -> ExecutionChunk:
        """A flush in the range gave `chunk`, the rows up to the flush before; what is handed on."""
        self.next += len(chunk)
        self._flushes += 1
        if self._flushes == 1:
            given, self.before, self.behind = self.before, self.behind, joined([])
        else:
            given = self._with_behind(chunk) if self._flushes == 2 else chunk  # noqa: PLR2004 - the range's first rows join the last one's
        self.row += len(given)
        return given

    def _with_behind(self, chunk: ExecutionChunk) -> ExecutionChunk:
        whole = joined([self.before, chunk]) if len(self.before) else chunk
        self.before = joined([])
        return whole

    def end(self, chunk: ExecutionChunk, rest: ExecutionChunk) -> None:
        """The range is over: its rows up to the last flush, and those behind that."""
        self.next += len(chunk) + len(rest)
        if self._flushes:
            self.before = joined([self.before, chunk])
            self.behind = rest
        else:
            self.behind = joined([self.behind, chunk, rest])

    def all(self) -> list[ExecutionChunk]:
        """What is left when the input was read."""
        return [chunk for chunk in (self.before, self.behind) if len(chunk)]

    def place_of(self, row: int) -> tuple[ExecutionChunk, int] | None:
        """Where a row is, if it is held."""
        row -= self.row
        for chunk in (self.before, self.behind):
            if 0 <= row < len(chunk):
                return chunk, row
            row -= len(chunk)
        return None


class HoldingBatch:
    """A Batch (analyzer.sources.logs.rows), and the executions held of the ranges before."""

    def __init__(self, batch: Batch, held: Held) -> None:
        self._batch = batch
        self._held = held
        self._first = batch.oldest

    @property
    def oldest(self) -> int:
        """As the Protocol says."""
        return min(self._held.row, self._batch.oldest)

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
        return self._batch.add(
            start_us, end_us, duration_ms, key, line, query_id, comment, trace, speaker
        )

    def describe(self, row: int, parameters: str) -> None:
        """As the Protocol says."""
        if row >= self._first:
            self._batch.describe(row, parameters)
        elif (found := self._held.place_of(row)) is not None:
            chunk, place = found
            literals = int(chunk.columns["parameters"][place])
            if literals >= 0:
                parameters = with_literals(parameters, chunk.parameters[literals])
            texts = JoinedTexts([chunk.parameters, [parameters]])
            chunk.parameters = texts
            _set(chunk, "parameters", place, len(texts) - 1)
            _set(chunk, "parameters_hash", place, text_hash(parameters))

    def mark_truncated(self, row: int) -> None:
        """As the Protocol says."""
        if row >= self._first:
            self._batch.mark_truncated(row)
        elif (found := self._held.place_of(row)) is not None:
            _set(found[0], "flags", found[1], ExecutionChunk.FLAG_TRUNCATED)

    def take(self, *, last: bool = False) -> list[ExecutionChunk]:
        """As the Protocol says."""
        return self._batch.take(last=last)


def _set(chunk: ExecutionChunk, name: str, row: int, value: int) -> None:
    column = chunk.columns[name].copy()
    column[row] = value
    chunk.columns[name] = column
