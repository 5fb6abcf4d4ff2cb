"""Executions and texts as bytes, and numbers of one recording as those of another.

A message has a chunk of executions, or none, and what its reader added to its recording since the
last one. Texts are given their numbers in the other recording when the message is opened, in the
order in which they were met, so they have the numbers that reading them there would give.
"""

import pickle
import struct
from dataclasses import field, replace
from operator import attrgetter
from typing import Any

import numpy as np

from analyzer.model.cancelled import Cancelled
from analyzer.model.columns import Column, grown
from analyzer.model.event import Event
from analyzer.model.executions import ByteTexts, ExecutionChunk
from analyzer.model.job import JobAttempt
from analyzer.model.plan import RecordedPlan
from analyzer.model.recording import Recording
from analyzer.model.sampling import LoggedSetting
from analyzer.records import changing
from analyzer.sources.workers.recorder import Noted
from analyzer.sources.workers.ring import Piece, aligned
from analyzer.sources.workers.slots import Slots, slot_of

_LENGTH = struct.Struct("<q")
_CONSTANTS: dict[tuple[float, str], Column] = {}
_MOST_CONSTANTS = 32
_values_of = attrgetter(*RecordedPlan.__match_args__)
_TEXTS, _ENDS = "texts", "ends"
_KINDS = {**ExecutionChunk.NAMES, _TEXTS: "u1", _ENDS: "i8"}
_TABLES = {  # column: the table of its numbers
    "key": "keys",
    "comment": "comments",
    "session": "sessions",
    "database": "names",
    "user": "names",
    "application": "names",
}


@changing
class Added:
    """What a reader added to its recording: texts by table (keys with their text), and the rest.

    `begun` are the events that are new, `plans` and `jobs` those that were logged, `left_out` counts plans
    that were not kept, `checks` are texts to be held against the keys that they were taken for,
    `position` how far the input was read (bytes on disk, and its size), `noted` what a range's recorder
    took down, `more` whatever comes at the end.
    """

    keys: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    settings: dict[str, LoggedSetting] = field(default_factory=dict)
    begun: list[tuple[str, str]] = field(default_factory=list)
    plans: list[RecordedPlan] = field(default_factory=list)
    left_out: int = 0
    jobs: list[JobAttempt] = field(default_factory=list)
    checks: list[tuple[str, int]] = field(default_factory=list)
    position: tuple[int, int | None] | None = None
    noted: list[Noted] = field(default_factory=list)
    more: object = None


@changing
class _Layout:
    """How a chunk's columns stand behind the header, but for those that have one value only, or are in a slot.

    `values` has the former's by name, `places` where in the slot number `slot` the latter are. TEXTS and ENDS are the
    parameters' bytes and where each ends.
    """

    rows: int
    texts: int
    text_bytes: int
    values: dict[str, Any] = field(default_factory=dict)
    slot: int = -1
    places: dict[str, int] = field(default_factory=dict)


def packed(added: Added, chunk: ExecutionChunk | None) -> list[Piece]:
    """A message, in pieces that the ring puts one behind the other; what is in a slot is handed on with it."""
    layout, pieces = _laid_out(chunk) if chunk is not None and len(chunk) else (None, [])
    # As plain values plans take a fifth of the time that objects do.
    plans, added = [_values_of(plan) for plan in added.plans], replace(added, plans=[])
    header = pickle.dumps((added, plans, layout, [len(piece) for piece in pieces]), 5)
    return [_LENGTH.pack(len(header)), header, *pieces]


def _laid_out(chunk: ExecutionChunk) -> tuple[_Layout, list[Piece]]:
    texts, slot = ByteTexts.of(chunk.parameters), slot_of(chunk)
    layout, pieces = _Layout(len(chunk), len(texts), len(texts.data)), list[Piece]()
    columns = {**chunk.columns, _TEXTS: np.frombuffer(texts.data, dtype="u1"), _ENDS: texts.ends}
    for name in _KINDS:
        column = columns[name]
        if name in ExecutionChunk.NAMES and column[0] == column[-1] and (column == column[0]).all():
            layout.values[name] = column[0].item()
        elif slot is not None and (place := slot.place_of(column)) is not None:
            layout.places[name] = place
        else:
            pieces.append(np.ascontiguousarray(column).data.cast("B"))
    if slot is not None and layout.places:
        layout.slot = slot.number
        slot.hand_on()
    return layout, pieces


def opened(message: memoryview, slots: Slots) -> tuple[Added, ExecutionChunk | None]:
    """A message's parts, copied out of it, but what is in a slot; the chunk's numbers are still those of its reader."""
    place = aligned(_LENGTH.size)
    (length,) = _LENGTH.unpack_from(message)
    added, plans, layout, sizes = pickle.loads(message[place : place + length])  # noqa: S301 - a worker of this run wrote it
    added.plans = [RecordedPlan(*values) for values in plans]
    place += aligned(length)
    if layout is None:
        return added, None
    places = [place]
    for size in sizes:
        places.append(places[-1] + aligned(size))
    pieces = iter([message[at : at + size] for at, size in zip(places[:-1], sizes, strict=True)])
    slot: Any = slots.used(layout.slot) if layout.places else None
    lengths = {_TEXTS: layout.text_bytes, _ENDS: layout.texts}
    columns: dict[str, Column] = {}
    for name, kind in _KINDS.items():
        if name in layout.values:
            columns[name] = _constant(layout.values[name], kind, layout.rows)
        elif name in layout.places:
            count = lengths.get(name, layout.rows)
            columns[name] = np.frombuffer(slot, kind, count, layout.places[name])
        else:
            column = np.frombuffer(next(pieces), dtype=kind)
            columns[name] = column.copy() if name in ExecutionChunk.NAMES else column
    # Texts are looked at until all is done with their rows: so long no slot is held.
    texts = ByteTexts(columns.pop(_TEXTS).tobytes(), columns.pop(_ENDS).copy())
    return added, ExecutionChunk(columns, texts)


def _constant(value: float, kind: str, rows: int) -> Column:
    """A column of one value; most are the beginning of one that was made before."""
    known = _CONSTANTS.get((value, kind))
    if known is None or len(known) < rows:
        if len(_CONSTANTS) >= _MOST_CONSTANTS:
            _CONSTANTS.clear()
        known = _CONSTANTS[value, kind] = np.full(rows + rows // 4, value, dtype=kind)
        known.flags.writeable = False
    return known[:rows]


class _Numbers:
    """Numbers of one table as those of another; the last place is that of -1, none."""

    __slots__ = ("_count", "_numbers", "is_same")

    def __init__(self) -> None:
        self._numbers: Column = np.full(64, -1, dtype="i4")
        self._count = 0
        self.is_same = True

    def add(self, number: int) -> None:
        """The next number is that one in the other table."""
        if self._count + 1 >= len(self._numbers):
            self._numbers = grown(self._numbers, self._count + 2, -1)
        self._numbers[self._count] = number
        self.is_same = self.is_same and number == self._count
        self._count += 1

    def of(self, number: int) -> int:
        """One number."""
        return int(self._numbers[number]) if number >= 0 else -1

    def column(self, numbers: Column) -> Column:
        """A column of numbers."""
        # Quicker than by an index: -1 is the last place.
        return numbers if self.is_same else self._numbers.take(numbers, mode="wrap")


class Renumbering:
    """Takes what the reader of one part added into the recording of the run."""

    def __init__(self, recording: Recording) -> None:
        """Prepare for a part of which nothing was taken in yet."""
        self._recording = recording
        self._tables = {name: _Numbers() for name in ("keys", "comments", "sessions", "names")}

    def key(self, number: int) -> int:
        """The run's number of a statement's key."""
        return self._tables["keys"].of(number)

    def session(self, number: int) -> int:
        """The run's number of a session."""
        return self._tables["sessions"].of(number)

    def name(self, number: int) -> int:
        """The run's number of a database, user or application."""
        return self._tables["names"].of(number)

    def cancelled(self, one: Cancelled, source: int) -> Cancelled:
        """A cancelled execution of input number `source` with the run's numbers."""
        session, *names = one.speaker
        return replace(
            one,
            source=source,
            speaker=(self.session(session), *map(self.name, names)),
            key=self.key(one.key),
            comment=self._tables["comments"].of(one.comment),
        )

    def plan(self, plan: RecordedPlan) -> RecordedPlan:
        """A plan with the run's numbers."""
        return replace(plan, statement_key=self.key(plan.statement_key))

    def take(self, source: int, added: Added) -> None:
        """Take in what is new, in the input number `source`: texts get their numbers."""
        self._texts(added)
        recording, coverage = self._recording, self._recording.coverage
        coverage.warnings += added.warnings
        for name, setting in added.settings.items():
            coverage.note_setting(name, setting)
        for kind, code in added.begun:
            recording.events[source, kind, code] = Event(kind=kind, code=code)
        for plan in added.plans:
            recording.plans.append(self.plan(plan))
        recording.plans.left_out += added.left_out
        recording.jobs += added.jobs
        for text, number in added.checks:
            recording.keys.check(text, self.key(number))

    def _texts(self, added: Added) -> None:
        for key, text in added.keys:
            self._tables["keys"].add(self._recording.keys.known_as(key, text))
        recording = self._recording
        for name, table, texts in (
            ("comments", recording.comments, added.comments),
            ("sessions", recording.sessions, added.sessions),
            ("names", recording.names, added.names),
        ):
            for text in texts:
                self._tables[name].add(table.add(text))

    def renumber(self, chunk: ExecutionChunk) -> None:
        """Turn a chunk's numbers into the run's."""
        for column, table in _TABLES.items():
            chunk.columns[column] = self._tables[table].column(chunk.columns[column])
