"""Reading inputs ahead on threads: the same report, no thread left behind, no error lost."""

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analyzer.model.executions import ExecutionChunk
from analyzer.model.turn import Turn
from analyzer.pipeline import Options, run
from analyzer.sources.ahead import ROWS_AHEAD, ReadAhead

DATA = Path(__file__).parent.parent / "data"
SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"


class Stream:
    def __init__(self, chunks: Iterator[ExecutionChunk], first_us: int | None = 0) -> None:
        self.first_us = first_us
        self.chunks = chunks


def chunk(rows: int, value: int = 0) -> ExecutionChunk:
    columns = {
        name: np.full(rows, value, dtype=kind) for name, kind in ExecutionChunk.NAMES.items()
    }
    return ExecutionChunk(columns, [])


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = threading.active_count(), sys.getswitchinterval()
    yield
    assert (threading.active_count(), sys.getswitchinterval()) == before


@pytest.mark.parametrize("inputs", [[SAMPLES], [DATA / "prisma"], [DATA / "nplusone" / "django"]])
def test_the_report_does_not_depend_on_the_workers(inputs: list[Path]) -> None:
    documents = []
    for workers in (1, 2, 4):
        found = run(Options(inputs=[str(path) for path in inputs], workers=workers))
        documents.append(json.dumps(found.document, sort_keys=True, default=str))
    assert documents[0] == documents[1] == documents[2]


def test_streams_are_read_beside_each_other_and_in_order() -> None:
    streams = [Stream(iter([chunk(5, n), chunk(5, n + 1)]), n) for n in (10, 20, 30)]
    with ReadAhead(streams, 3, Turn()):
        found = [[int(c.columns["key"][0]) for c in stream.chunks] for stream in streams]
    assert found == [[10, 11], [20, 21], [30, 31]]


def test_no_more_is_read_ahead_than_has_room() -> None:
    given = []

    def endless() -> Iterator[ExecutionChunk]:
        while True:
            given.append(1)
            yield chunk(ROWS_AHEAD // 4)

    stream = Stream(endless())
    with ReadAhead([stream], 2, Turn()):
        next(stream.chunks)
        threading.Event().wait(0.5)
        assert len(given) <= 7


def test_an_error_in_a_thread_reaches_who_reads() -> None:
    def failing() -> Iterator[ExecutionChunk]:
        yield chunk(1)
        raise ValueError("the disk is gone")

    stream = Stream(failing())
    with ReadAhead([stream], 2, Turn()):
        assert len(next(stream.chunks)) == 1
        with pytest.raises(ValueError, match="the disk is gone"):
            next(stream.chunks)


def test_leaving_early_closes_what_was_open() -> None:
    closed = []

    def open_file(name: str) -> Iterator[ExecutionChunk]:
        try:
            while True:
                yield chunk(1000)
        finally:
            closed.append(name)

    streams = [Stream(open_file("a")), Stream(open_file("b"))]

    def interrupted() -> None:
        with ReadAhead(streams, 3, Turn()):
            next(streams[0].chunks)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert sorted(closed) == ["a", "b"]


def test_one_worker_changes_nothing() -> None:
    source = iter([chunk(1)])
    stream = Stream(source)
    with ReadAhead([stream], 1, Turn()):
        assert stream.chunks is source
