"""The worker's process: claims parts, reads them, and hands on what was read, until none is left."""

import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from multiprocessing.connection import Connection

from analyzer.errors import portable
from analyzer.model.cancelled import Cancelled
from analyzer.model.coverage import SourceCoverage
from analyzer.model.event import Event
from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import PhaseTotals, Recording
from analyzer.records import changing
from analyzer.sources.increments.portion import Portion
from analyzer.sources.logs import FORMATS, Reader
from analyzer.sources.logs.csvlog import CsvlogReader
from analyzer.sources.logs.native import lend_columns
from analyzer.sources.logs.sessions import Session
from analyzer.sources.logs.stderr import StderrReader
from analyzer.sources.one_input import Input
from analyzer.sources.workers.claims import Claims
from analyzer.sources.workers.packing import Added, packed
from analyzer.sources.workers.parts import Part
from analyzer.sources.workers.process import Failure
from analyzer.sources.workers.recorder import (
    ORDINAL,
    RangeEnd,
    RangeSink,
    RangeStderrReader,
    SessionEnd,
)
from analyzer.sources.workers.ring import GoneError, RingWriter
from analyzer.sources.workers.slots import Slots
from analyzer.sources.workers.stretch import Stretch, is_clean, read_stretch
from analyzer.sources.workers.told_plans import EarlierPlans, PlansToTell
from analyzer.sql.keys import StatementKeyTable


@changing
class End:
    """The last message of a part: what adds up over it, by numbers of its reader."""

    coverage: SourceCoverage
    phases: dict[int, PhaseTotals] = field(default_factory=dict)
    rows: dict[int, int] = field(default_factory=dict)
    events: dict[tuple[str, str], Event] = field(default_factory=dict)
    portion: Portion | None = None
    cancelled: list[Cancelled] = field(default_factory=list)


class _Keys(StatementKeyTable):
    """Keys whose checks are left to the first process: it has the parser, and time."""

    def __init__(self) -> None:
        super().__init__()
        self.checks: list[tuple[str, int]] = []

    def check(self, text: str, number: int) -> None:
        """As in the base class, later."""
        self.checks.append((text, number))


class _News:
    """A recording of its own, and what is new in it since that was asked last."""

    def __init__(self, known: Mapping[str, float]) -> None:
        """`known` are the times of plans in the parts before (see PlansToTell)."""
        self._keys = keys = _Keys()
        self._plans = PlansToTell(known, keys.safe_keys)
        self.recording = Recording(keys=keys, plans=self._plans)
        self.position: tuple[int, int | None] | None = None
        self._told = dict.fromkeys(("keys", "comments", "sessions", "names"), 0)
        self._begun = 0

    def progress(self, _path: str, position: int, size: int | None) -> None:
        """How far the input was read."""
        self.position = position, size

    def tell(self, earlier: EarlierPlans, latest_us: int) -> None:
        """All was read, up to that time: its plans count for the parts behind it."""
        earlier.add(self._plans, self.recording.keys.safe_keys, latest_us)

    def take(self) -> Added:
        """What is new."""
        recording, told = self.recording, self._told
        keys, coverage, begun = self._keys, recording.coverage, list(recording.events)
        first = told["keys"]
        added = Added(
            keys=list(zip(keys.safe_keys[first:], keys.texts[first:], strict=True)),
            comments=recording.comments.texts[told["comments"] :],
            sessions=recording.sessions.texts[told["sessions"] :],
            names=recording.names.texts[told["names"] :],
            warnings=coverage.warnings[:],
            settings=dict(coverage.logged_settings),
            begun=[(kind, code) for _, kind, code in begun[self._begun :]],
            plans=self._plans.taken,
            left_out=self._plans.left_out,
            jobs=recording.jobs[:],
            checks=keys.checks[:],
            position=self.position,
        )
        for name in told:
            told[name] += len(getattr(added, name))
        self._begun = len(begun)
        self._plans.taken = []
        self._plans.left_out = 0
        recording.jobs.clear()
        coverage.warnings.clear()
        coverage.logged_settings.clear()
        keys.checks.clear()
        return added


Message = tuple[Added, ExecutionChunk | None]


def read_input(part: Part, earlier: EarlierPlans) -> Iterator[Message]:
    """A whole input, chunk by chunk, each with what is new; the last message has an `End`."""
    news = _News(earlier.known_at(part.first_us))
    recording = news.recording
    portion = part.portion
    one = Input(part.path, recording, part.coverage, part.options, found=False, portion=portion)
    one.source = part.source
    latest_us = 0
    for chunk in one.chunks(part.known, None, news.progress):
        if len(chunk):
            latest_us = max(latest_us, int(chunk.columns["end_us"].max()))
        yield news.take(), chunk
    news.tell(earlier, latest_us)
    added = news.take()
    added.more = End(
        part.coverage,
        {key: totals for (_, key), totals in recording.phases.items()},
        {key: rows for (_, key), rows in recording.rows.items()},
        {(kind, code): event for (_, kind, code), event in recording.events.items()},
        portion,
        recording.cancelled,
    )
    yield added, None


def read_range(part: Part) -> Iterator[Message]:
    """A range of an input, flush by flush (see `read_stretch`); the last message has a `RangeEnd`."""
    news, coverage = _News({}), SourceCoverage(part.path)
    sink = RangeSink(news.recording, coverage, part.source, part.options)
    reader = FORMATS[part.known.format](sink, part.known.prefix)
    if part.known.prefix is not None and isinstance(reader, StderrReader):
        reader = RangeStderrReader(sink, part.known.prefix)
    if isinstance(reader, CsvlogReader):
        reader.ends = part.is_last
    stretch = Stretch(part.descriptor or 0, part.start, part.stop, is_last=part.is_last)

    def told() -> Added:
        added = news.take()
        added.noted, sink.events.noted = sink.events.noted, []
        return added

    for chunk in read_stretch(stretch, sink, reader, part.known.prefix):
        yield told(), chunk
    before, behind = sink.rest()
    yield told(), before
    yield Added(more=_end_of_range(sink, reader, stretch)), behind


def _end_of_range(sink: RangeSink, reader: Reader, stretch: Stretch) -> RangeEnd:
    return RangeEnd(
        coverage=sink.coverage,
        phases={key: totals for (_, key), totals in sink.recording.phases.items()},
        sessions=[_end_of(name, session) for name, session in reader.sessions.items()],
        heads=sink.heads,
        met=sink.met,
        is_sound=not sink.orphans and is_clean(reader),
        position=stretch.position,
        lines=stretch.lines,
        entries=sink.entries - ORDINAL,
        entry_bytes=sink.entry_bytes,
        minimum_ms=sink.minimum_ms,
        counts=sink.counts,
        first_unparsed=sink.first_unparsed,
    )


def _end_of(name: bytes | str, session: Session) -> SessionEnd:
    return SessionEnd(
        name=name,
        process=session.process,
        renewable=session.renewable,
        generation=session.generation,
        used=session.used,
        fresh=session.fresh,
        ended=session.ended,
        row=session.row,
        has_event=session.event is not None,
        waiting=session.waiting,
        key=session.key,
        began=session.began,
    )


def main(link: Connection, ring: int, claims: int, slots: int) -> None:
    """Read parts until there is none left that nobody has, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the connection
    try:
        holder, parts = link.recv()
        writer, board = RingWriter(ring, link), Claims(claims, len(parts))
        earlier, lend = EarlierPlans(), Slots(slots).lend
        number: int | None = holder - 1  # the first ones are given out
        while number is not None:
            part = parts[number]
            # What is read of a range is held by the first process until it is known to hold: slots would not last.
            lend_columns(lend if part.descriptor is None else None)
            messages = _messages(part, earlier)
            number = _hand_on(number, messages, writer, lambda: board.take_next(holder))
        # To end with room unread that was given back would cost the parent what it has not read.
        writer.settle()
    except (GoneError, OSError, EOFError):
        return


def _messages(part: Part, earlier: EarlierPlans) -> Iterator[Message]:
    return read_input(part, earlier) if part.descriptor is None else read_range(part)


def _hand_on(
    number: int,
    messages: Iterator[Message],
    writer: RingWriter,
    claimed: Callable[[], int | None],
) -> int | None:
    """Hand on what is read of a part; the number of the next one, which is `claimed` before the last message goes out.

    Else who asked for this part would be faster, and read the next one itself.
    """
    mark = number.to_bytes(8, "little")
    following: int | None = None
    try:
        for added, chunk in messages:
            if added.more is not None:
                following = claimed()
            writer.put([mark, *packed(added, chunk)])
    except GoneError:
        raise
    except BaseException as error:  # noqa: BLE001 - who asked for the part shall see it
        following = claimed() if following is None else following
        writer.put([mark, *packed(Added(more=Failure(portable(error))), None)])
    return following
