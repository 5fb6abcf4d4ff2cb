"""A process that is shown slices of executions beside this one, and says at the end what it has made of them."""

import os
import pickle
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Generic, Self, TypeVar

from analyzer.errors import portable
from analyzer.model.work import Observer, WorkSlice
from analyzer.sources.workers.process import Failure, Worker
from analyzer.sources.workers.ring import GoneError, RingReader, RingWriter
from analyzer.sources.workers.slice_packing import SliceOpener, SlicePacker

RING_BYTES = 32 << 20  # one or two slices: they wait while one more is looked at
_T = TypeVar("_T", bound=Observer)
_END = b""
_TASK = "looks at executions"  # for errors


class Beside(Generic[_T]):
    """Shows slices to an observer in a process beside this one. Leaving the context ends it.

    The observer is sent there and comes back with the result: it knows of the run what slices tell.
    """

    def __init__(self, observer: _T, others: Sequence[Connection] = ()) -> None:
        """Begin the process; `others` are this process's connections to others that it has begun.

        Raises:
            WorkerError: it cannot be started.
        """
        self._process = Worker(_TASK, main, RING_BYTES, others=others)
        self._link = self._process.link
        self._writer = RingWriter(self._process.ring, self._link)
        self._packer = SlicePacker()
        self._observer = observer

    def __enter__(self) -> Self:
        try:
            self._link.send(self._observer)
        except OSError as error:
            ended = self._process.end()
            self.__exit__()
            raise ended from error
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()
        os.close(self._process.ring)

    def observe(self, work: WorkSlice) -> None:
        """Hand a slice on; waits while too many others do.

        Raises:
            WorkerError: the process is gone.
        """
        try:
            self._writer.put(self._packer.packed(work))
        except GoneError as error:
            raise self._process.end() from error

    def result(self) -> _T:
        """The observer when it has seen all slices; what it raised on the way is raised here.

        Raises:
            WorkerError: the process is gone.
        """
        try:
            self._writer.put([_END])
            self._writer.settle()
            found: _T | Failure = self._link.recv()
        except (GoneError, OSError, EOFError) as error:
            raise self._process.end() from error
        if isinstance(found, Failure):
            raise found.error
        return found


def main(link: Connection, ring: int) -> None:
    """Show slices to the observer that is sent, until the last one was, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the connection
    try:
        observer: Observer = link.recv()
        link.send_bytes(_answer(observer, RingReader(ring, link)))
    except (GoneError, OSError, EOFError):
        return


def _answer(observer: Observer, reader: RingReader) -> bytes:
    """What the parent gets: the observer, or what went wrong; slices behind that are let go."""
    opener = SliceOpener()
    failure: Failure | None = None
    while (work := _next(reader, opener)) is not None:
        try:
            if failure is None:
                observer.observe(work)
        except Exception as error:  # noqa: BLE001 - the parent shall see it
            failure = Failure(portable(error))
        del work  # or it would be held while the next is awaited
    return pickle.dumps(failure or observer, 5)


def _next(reader: RingReader, opener: SliceOpener) -> WorkSlice | None:
    message, end = reader.take()
    with message:
        work = opener.opened(message) if len(message) else None
    reader.free(end)
    return work
