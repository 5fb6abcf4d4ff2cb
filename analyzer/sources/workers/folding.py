"""Puts the ranges of one log together, in order, so that it is as if one reader had read it all.

The state that this reader would have is kept: the sink, and a Session for every session. A range
was read as if nothing had been said before it; if that made no difference, what was taken down is
replayed on the state (replay.py), and its executions are handed on. Else (the range began inside a
record, a statement still waits for its duration, …) it is read again here, with the state as it is.
"""

from collections.abc import Callable, Iterator, Sequence

from analyzer.model.executions import ExecutionChunk, joined
from analyzer.model.recording import Recording
from analyzer.sources.logs import FORMATS, Reader
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.meaning import EntrySink
from analyzer.sources.opening import InputStream
from analyzer.sources.workers.held import Held
from analyzer.sources.workers.packing import Added, Renumbering
from analyzer.sources.workers.parts import Part
from analyzer.sources.workers.recorder import RangeEnd
from analyzer.sources.workers.replay import FoldedSink, Messages, Replay
from analyzer.sources.workers.stretch import Stretch, read_stretch


class Folding:
    """One input, range by range.

    `messages` gives all that was read of a part by its place among `parts`, or None if it is to be
    read here.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        messages: Callable[[int], Messages | None],
        recording: Recording,
    ) -> None:
        """Prepare; the parts are the ranges of one input, all of them."""
        self._parts = parts
        self._messages = messages
        self._recording = recording
        self._held = Held()
        self._lines = self._position = 0

    def chunks(self, stream: InputStream, plain: EntrySink) -> Iterator[ExecutionChunk]:
        """The executions of the input, as reading `stream` into the `plain` sink would give them."""
        known = self._parts[0].known
        sink = FoldedSink(plain, self._recording, self._held)
        reader = FORMATS[known.format](sink, known.prefix)
        try:
            for number, part in enumerate(self._parts):
                if isinstance(reader, CsvlogReader):
                    reader.ends = part.is_last
                self._held.begin()
                yield from self._part(number, part, sink, reader)
                stream.bytes_read = self._position
                if stream.progress is not None:
                    stream.progress(stream.path, self._position, stream.size)
                if self._position < part.stop:  # the file was truncated meanwhile
                    break
        finally:
            stream.note_changes(self._position)
            sink.stretch = None
            sink.close()
        yield from self._held.all()

    def _part(
        self, number: int, part: Part, sink: FoldedSink, reader: Reader
    ) -> Iterator[ExecutionChunk]:
        messages = self._messages(number)
        if messages is not None:
            end = messages[-1][0].more
            if not isinstance(end, RangeEnd):
                raise TypeError(end)
            numbers = Renumbering(self._recording)
            replay = Replay(sink, reader, self._held, end, numbers)
            if replay.holds():
                yield from self._replayed(part, messages, replay, numbers)
                replay.finish(self._lines)
                sink.coverage.reader = end.coverage.reader
                self._lines += end.lines
                self._position = end.position
                return
        yield from self._read_here(part, sink, reader)

    def _replayed(
        self, part: Part, messages: Messages, replay: Replay, numbers: Renumbering
    ) -> Iterator[ExecutionChunk]:
        *flushes, before, behind = messages
        for added, chunk in flushes:
            given = self._told(part, added, chunk, replay, numbers)
            yield self._held.flushed(given)
        ends = [self._told(part, *message, replay, numbers) for message in (before, behind)]
        self._held.end(*ends)

    def _told(
        self,
        part: Part,
        added: Added,
        chunk: ExecutionChunk | None,
        replay: Replay,
        numbers: Renumbering,
    ) -> ExecutionChunk:
        """One message: what is new in it is taken in, what happened is replayed."""
        numbers.take(part.source, replay.added(added))
        replay.replay(added.noted)
        return joined([]) if chunk is None else replay.chunk(chunk)

    def _read_here(self, part: Part, sink: FoldedSink, reader: Reader) -> Iterator[ExecutionChunk]:
        if part.descriptor is None:
            raise ValueError(part)
        stretch = Stretch(part.descriptor, part.start, part.stop, self._lines, is_last=part.is_last)
        for chunk in read_stretch(stretch, sink, reader, part.known.prefix, self._held.next):
            yield self._held.flushed(chunk)
        self._held.end(*sink.rest())
        self._lines, self._position = stretch.lines, stretch.position
