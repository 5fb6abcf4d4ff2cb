"""Streams of executions, merged by time into slices that fit in memory.

An input is opened when the others have come to its first entry, so rotated files are read one
after the other and views of one run side by side. What is held is a slice and, of each input that
is open, what lies beyond the slice's end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from analyzer.model.columns import Flags
from analyzer.model.executions import ExecutionChunk, joined

SLICE_ROWS = 98_304
# Logs are only roughly in the order of time. What comes later than this is not lost, it goes into
# the next slice; there a copy of it in another input may not be recognised.
DISORDER_US = 2_000_000
_SECOND_US = 1_000_000
_NEVER = 1 << 62
_MOST_SLICES = 8  # what is held at most, in slices


class Stream(Protocol):
    """Executions of one input, read as `chunks` is iterated over; `first_us` is its first time."""

    first_us: int | None
    chunks: Iterator[ExecutionChunk]


class _Open:
    """A stream that is read: what of it is held, and the time up to which it was read."""

    def __init__(self, place: int, stream: Stream) -> None:
        self.place = place
        self._chunks = stream.chunks
        self.held: list[ExecutionChunk] = []
        self.latest_us = -_NEVER
        self.ended = False

    @property
    def rows(self) -> int:
        return sum(len(chunk) for chunk in self.held)

    def read(self) -> None:
        """Read one chunk more."""
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
        elif len(chunk):
            self.held.append(chunk)
            self.latest_us = max(self.latest_us, int(chunk.columns["end_us"].max()))

    def take(self, before_us: int) -> list[ExecutionChunk]:
        """Hand out what ended before a time, and keep the rest."""
        taken, kept = [], []
        for chunk in self.held:
            early = chunk.columns["end_us"] < before_us
            if early.all():
                taken.append(chunk)
            elif not early.any():
                kept.append(chunk)
            else:
                taken.append(_part(chunk, early))
                kept.append(_part(chunk, ~early))
        self.held = kept
        return taken


def slices(
    streams: Sequence[Stream],
    rows: int = SLICE_ROWS,
    before: Callable[[], Sequence[ExecutionChunk]] = tuple,
) -> Iterator[tuple[ExecutionChunk, bool]]:
    """All executions of all streams, in slices of about `rows` in the order of time.

    With each slice comes whether it is the last; there is always a last one, which may be empty.
    Within a slice, executions stand in the order of their streams, and of each stream in its own; what `before` gives
    stands before them, and is not counted.
    """
    waiting = sorted(enumerate(streams), key=lambda one: (_first(one[1]), one[0]))
    reading: list[_Open] = []
    left = 0  # rows beyond the last slice's end: they wait for the inputs that are behind
    while waiting or any(not one.ended for one in reading):
        behind = min(
            (one for one in reading if not one.ended), key=lambda one: one.latest_us, default=None
        )
        if waiting and (behind is None or _first(waiting[0][1]) <= behind.latest_us):
            reading.append(_Open(*waiting.pop(0)))
            reading[-1].read()
        elif behind is not None:
            behind.read()
        held = sum(one.rows for one in reading)
        if held - left >= rows:
            hasten = held - left >= 2 * rows or held >= _MOST_SLICES * rows
            taken = _taken(reading, _cut(reading, waiting, hasten=hasten))
            count = sum(len(chunk) for chunk in taken)
            if count:
                left = held - count if count >= rows // 2 else left
                handed = [joined([*before(), *taken])]
                taken.clear()  # whoever gets it may let go of it, before the next is read and after
                yield handed.pop(), False
        reading = [one for one in reading if one.held or not one.ended]
    yield joined([*before(), *_taken(reading, _NEVER)]), True


def _first(stream: Stream) -> int:
    return -_NEVER if stream.first_us is None else stream.first_us


def _cut(reading: Sequence[_Open], waiting: Sequence[tuple[int, Stream]], *, hasten: bool) -> int:
    """The time before which everything was read; a whole second where several inputs overlap.

    With `hasten` all that is held goes out: the times of some input do not get on.
    """
    if hasten:
        return _NEVER
    latest = min((one.latest_us for one in reading if not one.ended), default=_NEVER)
    others = [one for one in reading if one.held]
    if len(others) == 1 and (not waiting or _first(waiting[0][1]) > latest):
        return _NEVER
    cut = latest - DISORDER_US
    return cut - cut % _SECOND_US


def _taken(reading: Sequence[_Open], before_us: int) -> list[ExecutionChunk]:
    """What all streams held before a time."""
    return [
        chunk for one in sorted(reading, key=lambda one: one.place) for chunk in one.take(before_us)
    ]


def _part(chunk: ExecutionChunk, rows: Flags) -> ExecutionChunk:
    columns = {name: column[rows] for name, column in chunk.columns.items()}
    return ExecutionChunk(columns, chunk.parameters)
