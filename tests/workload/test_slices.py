"""Streams merged into slices: nothing lost, roughly in order, bounded, opened when their time comes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.executions import ExecutionChunk
from analyzer.workload.slices import DISORDER_US, slices

SECOND_US = 1_000_000


def chunk_of(times: list[int], source: int = 0, first: int = 0) -> ExecutionChunk:
    """Executions that end at these times (µs), numbered from `first` on by their parameters."""
    count = len(times)
    columns = {name: np.zeros(count, dtype=kind) for name, kind in ExecutionChunk.NAMES.items()}
    columns["start_us"] = columns["end_us"] = np.array(times, dtype="i8")
    columns["parameters"] = np.arange(count, dtype="i4")
    columns["source"] = np.full(count, source, dtype="i4")
    return ExecutionChunk(columns, [f"{source}:{first + place}" for place in range(count)])


@dataclass
class Log:
    """A stream that notes when it is opened, and how many rows were read of it."""

    times: list[int]
    source: int
    size: int
    first_us: int | None = None
    read: int = 0
    chunks: Iterator[ExecutionChunk] = field(init=False)

    def __post_init__(self) -> None:
        self.first_us = self.times[0] if self.times and self.first_us is None else self.first_us
        self.chunks = self._chunks()

    def _chunks(self) -> Iterator[ExecutionChunk]:
        for start in range(0, len(self.times), self.size):
            part = self.times[start : start + self.size]
            self.read += len(part)
            yield chunk_of(part, self.source, start)


def names(chunk: ExecutionChunk) -> list[str]:
    return [chunk.parameters[number] for number in chunk.columns["parameters"].tolist()]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 10_000), max_size=40), max_size=4),
    st.integers(1, 7),
    st.integers(1, 30),
)
def test_nothing_is_lost_and_streams_keep_their_order(
    milliseconds: list[list[int]], size: int, rows: int
) -> None:
    """Whatever the order of times in the streams: in none at all, too."""
    logs = [Log([at * 1000 for at in one], n, size) for n, one in enumerate(milliseconds)]
    made = list(slices(logs, rows))
    assert [last for _, last in made] == [False] * (len(made) - 1) + [True]
    found = [name for chunk, _ in made for name in names(chunk)]
    expected = [f"{log.source}:{place}" for log in logs for place in range(len(log.times))]
    assert sorted(found) == sorted(expected)
    assert all(len(chunk) <= 10 * rows + len(logs) * size for chunk, _ in made)
    for log in logs:
        if log.times == sorted(log.times):
            mine = [name for name in found if name.startswith(f"{log.source}:")]
            assert mine == [name for name in expected if name in set(mine)]


def test_views_that_overlap_are_cut_at_one_time() -> None:
    times = [n * 10_000 for n in range(10_000)]  # 100 s
    logs = [Log(times, 0, 500), Log(times, 1, 170)]
    made = [chunk for chunk, _ in slices(logs, 2_000)]
    assert len(made) > 5
    for chunk in made:
        per_source = [
            set(chunk.columns["end_us"][chunk.columns["source"] == source].tolist())
            for source in (0, 1)
        ]
        assert per_source[0] == per_source[1]
    assert max(len(chunk) for chunk in made) < 4_000


def test_rotated_files_are_opened_one_after_the_other() -> None:
    hour = 3600 * SECOND_US
    logs = [Log([n * hour + k * SECOND_US for k in range(1000)], n, 100) for n in range(5)]
    for number, (chunk, _) in enumerate(slices(list(reversed(logs)), 1_000)):
        assert set(chunk.columns["source"].tolist()) <= {number - 1, number}
        assert sum(log.read for log in logs) <= (number + 1) * 1000 + 200


def test_an_input_whose_time_stands_still_does_not_hold_the_others_up() -> None:
    still = Log([SECOND_US] * 5_000, 0, 100)
    going = Log([n * SECOND_US for n in range(5_000)], 1, 100)
    made = [len(chunk) for chunk, _ in slices([still, going], 500)]
    assert sum(made) == 10_000
    assert max(made) <= 1_500


def test_lateness_within_the_disorder_stays_in_its_slice() -> None:
    rng = np.random.default_rng(3)
    times = (np.arange(5_000) * 20_000 + rng.integers(0, DISORDER_US // 2, 5_000)).tolist()
    other = sorted(times)
    made = [chunk for chunk, _ in slices([Log(times, 0, 97), Log(other, 1, 211)], 2_000)]
    ends = [int(chunk.columns["end_us"].max()) for chunk in made]
    starts = [int(chunk.columns["end_us"].min()) for chunk in made]
    assert all(start > end for start, end in zip(starts[1:], ends[:-1], strict=True))


def test_nothing_is_one_empty_slice() -> None:
    ((chunk, last),) = slices([])
    assert (len(chunk), last) == (0, True)
