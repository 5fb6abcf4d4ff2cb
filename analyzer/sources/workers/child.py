"""The worker's process: claims parts, reads them, and hands on what was read, until none is left."""

import pickle
import signal
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from analyzer.model.event import Event
from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import ExecutionChunk
from analyzer.model.plan import PlanShelf, RecordedPlan
from analyzer.model.recording import PhaseTotals, Recording
from analyzer.sources.one_input import Input
from analyzer.sources.workers.claims import Claims
from analyzer.sources.workers.packing import Added, packed
from analyzer.sources.workers.parts import Part
from analyzer.sources.workers.ring import GoneError, RingWriter
from analyzer.sql.keys import StatementKeyTable


@dataclass(slots=True)
class End:
    """The last message of a part: what adds up over it, by numbers of its reader."""

    coverage: SourceCoverage
    phases: dict[int, PhaseTotals] = field(default_factory=dict)
    events: dict[tuple[str, str], Event] = field(default_factory=dict)


@dataclass(slots=True)
class Failure:
    """Reading went wrong in a way that is no one's fault but the program's."""

    error: BaseException
    told: str


class _AllPlans(PlanShelf):
    """Plans on their way: which of them are kept is decided where all inputs are seen."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[RecordedPlan] = []

    def append(self, plan: RecordedPlan) -> None:
        self.taken.append(plan)


class PartReader:
    """Reads one part with a recording of its own, and tells what is new in that."""

    def __init__(self, part: Part) -> None:
        """Prepare; nothing is opened yet."""
        self._part = part
        self._plans = _AllPlans()
        self._recording = Recording(keys=StatementKeyTable(), plans=self._plans)
        self._told = dict.fromkeys(("keys", "comments", "sessions", "names"), 0)
        self._begun = 0
        self._position: tuple[int, int | None] | None = None

    def messages(self) -> Iterator[tuple[Added, ExecutionChunk | None]]:
        """Chunk by chunk, each with what is new; the last message has an `End`."""
        part, recording = self._part, self._recording
        one = Input(part.path, recording, part.coverage, part.options, found=False)
        one.source = part.source
        for chunk in one.chunks(part.known, None, self._progress):
            yield self._added(), chunk
        added = self._added()
        added.more = End(
            part.coverage,
            {key: totals for (_, key), totals in recording.phases.items()},
            {(kind, code): event for (_, kind, code), event in recording.events.items()},
        )
        yield added, None

    def _progress(self, _path: str, position: int, size: int | None) -> None:
        self._position = position, size

    def _added(self) -> Added:
        """What is new since this was asked last."""
        recording, told = self._recording, self._told
        keys, coverage, begun = recording.keys, recording.coverage, list(recording.events)
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
            checked=keys.checked,
            disagreed=keys.disagreed,
            position=self._position,
        )
        for name in told:
            told[name] += len(getattr(added, name))
        self._begun = len(begun)
        self._plans.taken = []
        coverage.warnings.clear()
        coverage.logged_settings.clear()
        keys.checked = keys.disagreed = 0
        return added


def main(link: Connection, ring: int, claims: int) -> None:
    """Read parts until there is none left that nobody has, or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, and closes the connection
    try:
        holder, parts = link.recv()
        writer, board = RingWriter(ring, link), Claims(claims, len(parts))
        while (number := board.take_next(holder)) is not None:
            _read(number, parts[number], writer)
        while True:  # to end with room unread that was given back would cost the parent what it has not read
            link.recv_bytes()
    except (GoneError, OSError, EOFError):
        return


def _read(number: int, part: Part, writer: RingWriter) -> None:
    mark = number.to_bytes(8, "little")
    try:
        for added, chunk in PartReader(part).messages():
            writer.put([mark, *packed(added, chunk)])
    except GoneError:
        raise
    except BaseException as error:  # noqa: BLE001 - who asked for the part shall see it
        failure = Failure(_portable(error), traceback.format_exc())
        writer.put([mark, *packed(Added(more=failure), None)])


def _portable(error: BaseException) -> BaseException:
    """The error as it can be sent; one that cannot is told in words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - whatever it is that does not go through
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
