"""The scanner's columns as a Batch, and as chunks."""

from collections.abc import Callable
from ctypes import Array, c_ubyte
from typing import Any

import numpy as np

from analyzer.model.executions import ByteTexts, ExecutionChunk
from analyzer.sources.logs.native import _scan
from analyzer.sources.logs.sessions import Speaker

LENDERS: list[Callable[[], Array[c_ubyte] | None]] = []  # see lend_columns


class NativeBatch:
    """The Batch (analyzer.sources.logs.rows) in the scanner's columns."""

    __slots__ = ("_scanner", "_source")

    def __init__(self, scanner: _scan.Scanner, source: int) -> None:
        self._scanner = scanner
        self._source = source
        self._borrow()

    @property
    def oldest(self) -> int:
        """As the Protocol says."""
        return self._scanner.oldest

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
        speaker: Speaker,
    ) -> int:
        """As the Protocol says."""
        return self._scanner.add_row(
            start_us, end_us, duration_ms, key, line, query_id, comment, trace, speaker
        )

    def describe(self, row: int, parameters: str) -> None:
        """As the Protocol says."""
        self._scanner.set_parameters(row, parameters.encode("utf-8", "surrogatepass"))

    def mark_truncated(self, row: int) -> None:
        """As the Protocol says."""
        self._scanner.set_flags(row, ExecutionChunk.FLAG_TRUNCATED)

    def take(self, *, last: bool = False) -> list[ExecutionChunk]:
        """As the Protocol says."""
        taken = [self._scanner.take()]
        if last:
            taken.append(self._scanner.take())
            self._scanner.give_back()
        else:
            self._borrow()
        return [self._chunk(*found) for found in taken if found is not None]

    def _borrow(self) -> None:
        for lender in LENDERS:
            if (memory := lender()) is not None:
                self._scanner.lend(memory)

    def _chunk(
        self,
        columns: "dict[str, np.ndarray[Any, Any]]",
        texts: bytes | memoryview,
        ends: "np.ndarray[Any, Any]",
    ) -> ExecutionChunk:
        count = len(columns["key"])
        columns["source"] = np.full(count, self._source, dtype="i4")
        columns["clock"] = np.zeros(count, dtype="i1")
        return ExecutionChunk(columns, ByteTexts(texts, ends))
