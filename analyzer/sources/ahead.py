"""Reading inputs ahead on threads, while what was read is being analysed.

The native scanner and the decompressors release the interpreter's lock, so a thread per input
runs beside the analysis. Tables of texts are shared by all inputs: a thread holds the recording's
`turn` while it runs Python, and gives it up while it scans, decompresses or waits.
"""

import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Protocol, Self

from analyzer.model.executions import ExecutionChunk
from analyzer.model.turn import Turn

ROWS_AHEAD = 200_000  # executions read and not yet asked for, by input
_WAIT_SECONDS = 0.2
_SWITCH_SECONDS = 0.0001


class Stream(Protocol):
    """What can be read ahead."""

    first_us: int | None
    chunks: Iterator[ExecutionChunk]


class _Failed:
    """What went wrong in a thread, on its way to who reads."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class ReadAhead:
    """Reads the streams of a run on `workers - 1` threads beside the one that asks for them.

    A stream is begun when it is asked for, or when it is among the next ones in order and a thread
    is free. Leaving the context ends the threads.
    """

    def __init__(self, streams: Sequence[Stream], workers: int, turn: Turn) -> None:
        """Replace each stream's `chunks`; with one worker nothing changes."""
        self._stop = threading.Event()
        self._turn = turn
        self._queues = [_RowQueue(self._stop) for _ in streams]
        self._sources = [stream.chunks for stream in streams]
        self._begun: list[threading.Thread] = []
        # As they will be asked for: by the time of their first entry.
        self._order = sorted(range(len(streams)), key=lambda place: streams[place].first_us or 0)
        self._threads = workers - 1
        self._lock = threading.Lock()
        if workers > 1:
            turn.is_shared = True
            for place, stream in enumerate(streams):
                stream.chunks = self._chunks(place)

    def __enter__(self) -> Self:
        if self._threads > 0:
            # A reader needs the interpreter often and briefly; it must not wait 5 ms each time.
            self._interval = sys.getswitchinterval()
            sys.setswitchinterval(_SWITCH_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._threads > 0:
            sys.setswitchinterval(self._interval)
        for thread in self._begun:
            thread.join()
        for source in self._sources:
            close = getattr(source, "close", None)
            if close is not None:
                close()

    def _chunks(self, place: int) -> Iterator[ExecutionChunk]:
        self._begin(place)
        while True:
            found = self._queues[place].get()
            if found is None:
                return
            if isinstance(found, _Failed):
                raise found.error
            yield found

    def _begin(self, place: int) -> None:
        """Begin the stream that is asked for, and the next ones that threads are there for."""
        with self._lock:
            alive = sum(thread.is_alive() for thread in self._begun)
            for number in self._order[self._order.index(place) :]:
                if self._queues[number].is_begun:
                    continue
                if number != place and alive >= self._threads:
                    break
                self._queues[number].is_begun = True
                thread = threading.Thread(target=self._read, args=(number,), daemon=True)
                self._begun.append(thread)
                thread.start()
                alive += 1

    def _read(self, place: int) -> None:
        """A thread's work: one stream to its end."""
        target, source = self._queues[place], self._sources[place]
        try:
            while not self._stop.is_set():
                with self._turn:
                    chunk = next(source, None)
                if chunk is None:
                    break
                target.put(chunk)
            target.end(None)
        except BaseException as error:  # noqa: BLE001 - who asked for the stream shall see it
            target.end(_Failed(error))


class _RowQueue:
    """Chunks in order, ROWS_AHEAD executions at most (a chunk more, if it is large)."""

    def __init__(self, stop: threading.Event) -> None:
        self.is_begun = False
        self._stop = stop
        self._chunks: queue.SimpleQueue[ExecutionChunk | _Failed | None] = queue.SimpleQueue()
        self._room = threading.Condition()
        self._rows = 0

    def put(self, chunk: ExecutionChunk) -> None:
        with self._room:
            while self._rows >= ROWS_AHEAD and not self._stop.is_set():
                self._room.wait(_WAIT_SECONDS)
            self._rows += len(chunk)
        self._chunks.put(chunk)

    def end(self, failure: _Failed | None) -> None:
        self._chunks.put(failure)

    def get(self) -> ExecutionChunk | _Failed | None:
        found = self._chunks.get()
        if isinstance(found, ExecutionChunk):
            with self._room:
                self._rows -= len(found)
                self._room.notify()
        return found
