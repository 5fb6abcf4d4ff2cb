"""Executions as columns: what a source hands on, with no Python object per execution."""

from array import array
from enum import IntEnum
from typing import ClassVar


class Clock(IntEnum):
    """Whose clock measured a duration: two figures, never mixed."""

    SERVER = 0
    CLIENT = 1


class ExecutionColumns:
    """Growing columns, one row per execution, in the order of their source.

    Times are microseconds since the epoch (UTC) and `duration_ms` is milliseconds. The other
    columns are numbers into the tables of a `Recording`: `key` (statement text), `session`,
    `database`, `user`, `application`, `parameters`, `comment`, and `source` (its input); -1 is none.
    `line` is the entry's number within its session where the format tells, else within its file;
    `query_id` is PostgreSQL's, 0 where unknown; `flags` is a sum of the FLAG_ constants.
    """

    FLAG_FAILED = 1
    FLAG_TRUNCATED = 2

    NAMES: ClassVar[dict[str, str]] = {  # column: array type code
        "start_us": "q",
        "end_us": "q",
        "duration_ms": "d",
        "key": "i",
        "parameters": "i",
        "comment": "i",
        "session": "i",
        "line": "q",
        "database": "i",
        "user": "i",
        "application": "i",
        "query_id": "q",
        "source": "i",
        "clock": "b",
        "flags": "b",
    }
    __slots__ = (
        "application",
        "clock",
        "comment",
        "database",
        "duration_ms",
        "end_us",
        "flags",
        "key",
        "line",
        "parameters",
        "query_id",
        "session",
        "source",
        "start_us",
        "user",
    )

    start_us: "array[int]"
    end_us: "array[int]"
    duration_ms: "array[float]"
    key: "array[int]"
    parameters: "array[int]"
    comment: "array[int]"
    session: "array[int]"
    line: "array[int]"
    database: "array[int]"
    user: "array[int]"
    application: "array[int]"
    query_id: "array[int]"
    source: "array[int]"
    clock: "array[int]"
    flags: "array[int]"

    def __init__(self) -> None:
        for name, code in self.NAMES.items():
            setattr(self, name, array(code))

    def __len__(self) -> int:
        return len(self.key)
