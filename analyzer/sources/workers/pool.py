"""Starts worker processes, and gives each stream its chunks from whoever reads it."""

import os
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import fields, replace
from multiprocessing.connection import Connection
from typing import Self

from analyzer.errors import InputError
from analyzer.model.cancelled import MOST_KEPT
from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.sources.logs import FORMATS
from analyzer.sources.logs.native import keep_memory
from analyzer.sources.one_input import ExecutionStream
from analyzer.sources.opening import InputStream, open_input
from analyzer.sources.workers.child import End, main
from analyzer.sources.workers.claims import MOST_WORKERS, PARENT, Claims
from analyzer.sources.workers.cuts import RANGE_BYTES, ranges_of
from analyzer.sources.workers.folding import Folding
from analyzer.sources.workers.packing import Added, Renumbering, opened
from analyzer.sources.workers.parts import Part
from analyzer.sources.workers.process import Failure, Worker
from analyzer.sources.workers.ring import RING_BYTES, GoneError, RingReader
from analyzer.sources.workers.slots import Slots

Progress = Callable[[str, int, int | None], None]

_DIVIDED_BYTES = 64 << 20  # smaller inputs are not worth it


class _Worker:
    """One process, and what it handed on that nobody has asked for yet."""

    def __init__(
        self,
        holder: int,
        parts: Sequence[Part],
        claims: Claims,
        files: Collection[int],
        others: Sequence[Connection],
    ) -> None:
        slots = Slots.made()
        self._slots = Slots(slots)
        shared = [claims.descriptor, slots]
        try:
            self._process = Worker("reads inputs", main, RING_BYTES, shared, files, others)
        finally:
            os.close(slots)
        self.link = self._process.link
        self._ring = RingReader(self._process.ring, self.link)
        self._early: dict[int, deque[tuple[Added, ExecutionChunk | None]]] = {}
        self._holder = holder
        self._parts = parts

    def begin(self) -> None:
        """Tell the process what there is to read."""
        try:
            self.link.send((self._holder, self._parts))
        except OSError as error:
            raise self._process.end() from error

    def next_of(self, number: int) -> tuple[Added, ExecutionChunk | None]:
        """The next message of a part that this worker reads, or has read."""
        early = self._early.get(number)
        if early:
            return early.popleft()
        while True:
            try:
                message, end = self._ring.take()
            except GoneError as error:
                raise self._process.end() from error
            with message:
                found, content = (
                    int.from_bytes(message[:8], "little"),
                    opened(message[16:], self._slots),
                )
            self._ring.free(end)
            if found == number:
                return content
            self._early.setdefault(found, deque()).append(content)

    def stop(self) -> None:
        """End the process, whatever it is doing, and forget what it handed on."""
        self._process.stop()
        self._ring.close()


class Workers:
    """Reads the streams of a run in `count` processes beside the one that asks for their chunks.

    The parts of a run are claimed in the order in which they will be asked for: by the workers, or
    by this process, which reads for itself what is asked for and what nobody has begun. A part is
    an input; where there are fewer of them than workers, large logs are divided into ranges. Leaving
    the context ends the processes. With a `count` of 0 nothing changes.
    """

    def __init__(
        self,
        streams: Sequence[ExecutionStream],
        count: int,
        recording: Recording,
        progress: Progress | None = None,
    ) -> None:
        self._recording = recording
        self._progress = progress
        self._workers: list[_Worker] = []
        ordered = sorted(streams, key=lambda one: -1 if one.first_us is None else one.first_us)
        self._streams = [stream for stream in ordered if stream.part is not None]
        self._count = min(count, MOST_WORKERS) if sys.executable else 0
        self._parts: list[Part] = []
        self._claims = Claims.made(0)
        self._opened: list[InputStream] = []

    @property
    def links(self) -> Sequence[Connection]:
        """The connections to the processes."""
        return [worker.link for worker in self._workers]

    def __enter__(self) -> Self:
        if self._count and self._streams:
            try:
                self._begin()
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers.clear()
        for stream in self._opened:
            stream.close()
        self._claims.close()

    def _begin(self) -> None:
        keep_memory()
        chunks = [self._planned(stream) for stream in self._streams]
        count = min(self._count, len(self._parts))
        claims = Claims.made(len(self._parts))
        self._claims.close()
        self._claims = claims
        # The first parts have their readers at once: this process would be faster than theirs begin.
        for number in range(count):
            claims.take(number, number + 1)
        files = [part.descriptor for part in self._parts if part.descriptor is not None]
        for holder in range(1, count + 1):
            self._workers.append(_Worker(holder, self._parts, claims, set(files), self.links))
        for worker in self._workers:
            worker.begin()
        for stream, other in zip(self._streams, chunks, strict=True):
            stream.chunks = other

    def _planned(self, stream: ExecutionStream) -> Iterator[ExecutionChunk]:
        """Add a stream's parts to those of the run; its chunks as they will come from these."""
        part = stream.part
        if part is None:
            return stream.chunks
        first = len(self._parts)
        opened = self._divisible(part) if len(self._streams) < self._count else None
        if opened is None or stream.divide is None:
            self._parts.append(replace(part, first_us=stream.first_us))
            return self._chunks(first, part, stream.chunks)
        raw, size = opened.seekable_file or (None, 0)
        descriptor = raw.fileno() if raw is not None else -1
        ranges = ranges_of(descriptor, size, part.known, RANGE_BYTES)
        parts = [
            replace(part, descriptor=descriptor, start=start, stop=stop, is_last=stop == size)
            for start, stop in ranges
        ]
        self._parts += parts
        folding = Folding(parts, lambda number: self._all_of(first + number), self._recording)
        return stream.divide(opened, folding.chunks)

    def _divisible(self, part: Part) -> InputStream | None:
        """The input, opened, if ranges of it can be read side by side."""
        known, options = part.known, part.options
        first_line = known.head.partition(b"\n")[0]
        if (
            known.wrapping is not None
            or known.format not in FORMATS
            or (known.format == "stderr" and known.prefix is None)
            or options.since_us is not None
            or options.until_us is not None
            or first_line.endswith(b"\r")
        ):
            return None
        try:
            stream = open_input(part.path)
        except InputError:  # reading it says why
            return None
        if stream.seekable_file is None or stream.seekable_file[1] < _DIVIDED_BYTES:
            stream.close()
            return None
        self._opened.append(stream)
        return stream

    def _all_of(self, number: int) -> list[tuple[Added, ExecutionChunk | None]] | None:
        """All messages about a part; None if nobody has begun it, and this process is to read it."""
        holder = self._claims.take(number, PARENT)
        if holder == PARENT:
            return None
        worker = self._workers[holder - 1]
        found: list[tuple[Added, ExecutionChunk | None]] = []
        while not found or found[-1][0].more is None:
            found.append(worker.next_of(number))
            _raise_failure(found[-1][0])
        return found

    def _chunks(
        self, number: int, part: Part, own: Iterator[ExecutionChunk]
    ) -> Iterator[ExecutionChunk]:
        """The chunks of a whole input."""
        holder = self._claims.take(number, PARENT)
        if holder == PARENT:
            yield from own
            return
        worker, numbers = self._workers[holder - 1], Renumbering(self._recording)
        while True:
            added, chunk = worker.next_of(number)
            _raise_failure(added)
            self._take(part, added, numbers)
            if chunk is not None:
                numbers.renumber(chunk)
                yield chunk
            if isinstance(added.more, End):
                self._finish(part.source, added.more, numbers)
                if part.portion is not None and added.more.portion is not None:
                    part.portion.take(added.more.portion)
                return

    def _take(self, part: Part, added: Added, numbers: Renumbering) -> None:
        """What came with a chunk, into the run's recording."""
        numbers.take(part.source, added)
        if self._progress is not None and added.position is not None:
            self._progress(part.coverage.path, *added.position)

    def _finish(self, source: int, end: End, numbers: Renumbering) -> None:
        """What adds up over a part, into the run's recording."""
        recording = self._recording
        coverage = recording.coverage.sources[source]
        for one in fields(SourceCoverage):
            setattr(coverage, one.name, getattr(end.coverage, one.name))
        for key, totals in end.phases.items():
            recording.phases[source, numbers.key(key)] = totals
        for key, rows in end.rows.items():
            recording.rows[source, numbers.key(key)] = rows
        for (kind, code), event in end.events.items():
            recording.events[source, kind, code].merge_event(event, numbers.key)
        room = max(MOST_KEPT - len(recording.cancelled), 0)
        recording.cancelled += [numbers.cancelled(one, source) for one in end.cancelled[:room]]


def _raise_failure(added: Added) -> None:
    """Raise here what went wrong there."""
    if isinstance(added.more, Failure):
        raise added.more.error
