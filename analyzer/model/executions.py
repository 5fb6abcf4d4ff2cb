"""Executions as columns: what a source hands on, with no Python object per execution."""

from bisect import bisect_right
from collections.abc import Sequence
from enum import IntEnum
from itertools import accumulate
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from analyzer.native import compiled, twin_in
from analyzer.records import changing

Column = npt.NDArray[Any]

# A client's log without times: what is before this (the year 1971) is a place in its log, no time.
FIRST_TIME_US = 31_536_000_000_000

_twin = twin_in(compiled("analyzer.model.native._columns"))


class Clock(IntEnum):
    """Whose clock measured a duration: two figures, never mixed."""

    SERVER = 0
    CLIENT = 1


class Texts(Protocol):
    """Texts by number."""

    def __getitem__(self, number: int, /) -> str:
        """The text of a number from 0 to len - 1."""
        ...

    def __len__(self) -> int: ...


@changing
class ExecutionChunk:
    """Some executions of one source, one row each, in the order of their source.

    `columns` has an array for each of NAMES, all of one length. Times are microseconds since the
    epoch (UTC) and `duration_ms` is milliseconds. Of a client's calls both may be unknown: times below
    FIRST_TIME_US only tell the order, and a duration is NaN. `key` (statement text), `session`, `database`,
    `user`, `application`, `comment` and `source` are numbers into the tables of a `Recording`;
    -1 is none. `parameters` is a number into this chunk's own `parameters` texts (-1 none): what an
    execution was called with would fill the memory if all of it were kept, so it goes with its
    chunk. `parameters_hash` is a hash of that text (0 without one): equal texts, equal hashes.
    `trace` is a hash of the trace or request id that the statement carried, 0 none.
    `line` is the entry's number within its session where the format tells, else within its file;
    `query_id` is PostgreSQL's, 0 where unknown; `flags` is a sum of the FLAG_ constants.
    """

    FLAG_TRUNCATED: ClassVar[int] = 2

    NAMES: ClassVar[dict[str, str]] = {  # column: NumPy type
        "start_us": "i8",
        "end_us": "i8",
        "duration_ms": "f8",
        "key": "i4",
        "parameters": "i4",
        "parameters_hash": "u4",
        "comment": "i4",
        "trace": "i8",
        "session": "i4",
        "line": "i8",
        "database": "i4",
        "user": "i4",
        "application": "i4",
        "query_id": "i8",
        "source": "i4",
        "clock": "i1",
        "flags": "i1",
    }

    columns: dict[str, Column]
    parameters: Texts

    def __len__(self) -> int:
        return len(self.columns["key"])


class ByteTexts:
    """Texts as UTF-8, one behind the other; `ends` has where in `data` each of them ends."""

    __slots__ = ("_places", "data", "ends")

    def __init__(self, data: bytes | memoryview, ends: Column) -> None:
        self.data = data
        self.ends = ends
        self._places = ends.data  # gives one number several times quicker

    @classmethod
    def of(cls, texts: Texts) -> "ByteTexts":
        """Any texts in this form."""
        if isinstance(texts, ByteTexts):
            return texts
        return cls.some_of(texts, range(len(texts)))

    @classmethod
    def some_of(cls, texts: Texts, numbers: Sequence[int] | Column) -> "ByteTexts":
        """Some of any texts in this form, with bytes of their own."""
        wanted = np.asarray(numbers, dtype="i8")
        tables = texts.tables if isinstance(texts, JoinedTexts) else [texts]
        known = [table for table in tables if isinstance(table, ByteTexts)]
        if len(known) < len(tables):
            encoded = [texts[number].encode("utf-8", "surrogatepass") for number in wanted.tolist()]
            ends = np.cumsum(np.array([len(text) for text in encoded], dtype="i8"), dtype="i8")
            return cls(b"".join(encoded), ends)
        first = np.cumsum([0, *(len(table) for table in known)])
        ends = np.concatenate([np.zeros(0, dtype="i8"), *(table.ends for table in known)])
        starts = np.concatenate([[0], ends[:-1]])[: len(ends)]
        starts[first[:-1][first[:-1] < len(ends)]] = 0
        table = np.searchsorted(first, wanted, side="right") - 1
        spans = starts[wanted], ends[wanted]
        data = cut_out([one.data for one in known], table, *spans)
        return cls(data, np.cumsum(spans[1] - spans[0], dtype="i8"))

    def __getitem__(self, number: int) -> str:
        start = self._places[number - 1] if number else 0
        return str(self.data[start : self._places[number]], "utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self.ends)


@_twin
def cut_out(texts: list[bytes | memoryview], which: Column, starts: Column, ends: Column) -> bytes:
    """Pieces of texts, each of the one that is told by its number, one behind the other."""
    places = zip(which.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return b"".join([texts[number][start:end] for number, start, end in places])


class JoinedTexts:
    """Several tables of texts as one: the numbers of part k begin where those of part k - 1 end."""

    __slots__ = ("_parts", "_starts", "tables")

    def __init__(self, parts: Sequence[Texts]) -> None:
        self._parts = list(accumulate(map(len, parts), initial=0))
        # A part that was joined itself is taken apart, so that a text is looked for but once.
        self.tables: list[Texts] = [
            table
            for part in parts
            for table in (part.tables if isinstance(part, JoinedTexts) else (part,))
        ]
        self._starts = list(accumulate(map(len, self.tables), initial=0))

    def start(self, part: int) -> int:
        """The number that the first text of a part has here."""
        return self._parts[part]

    def __getitem__(self, number: int) -> str:
        table = bisect_right(self._starts, number) - 1
        return self.tables[table][number - self._starts[table]]

    def __len__(self) -> int:
        return self._starts[-1]


def joined(chunks: Sequence[ExecutionChunk]) -> ExecutionChunk:
    """Chunks one behind the other as one chunk."""
    texts = JoinedTexts([chunk.parameters for chunk in chunks])
    columns: dict[str, Column] = {}
    for name, kind in ExecutionChunk.NAMES.items():
        pieces = [chunk.columns[name] for chunk in chunks]
        if name == "parameters":
            pieces = [
                np.where(piece < 0, piece, piece + texts.start(part)).astype("i4", copy=False)
                for part, piece in enumerate(pieces)
            ]
        columns[name] = np.concatenate(pieces) if pieces else np.empty(0, dtype=kind)
    return ExecutionChunk(columns, texts)
