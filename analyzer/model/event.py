"""Server events: what the server says beside executions, counted in bounded memory.

Everything here adds up: two parts of a log read side by side give, merged, what reading them one
after the other gives, in whatever order the parts are merged. Only where more distinct statements,
tables or messages occur than a `Tallies` keeps does it depend on the order which ones are kept;
the sums of what is kept and `other` are exact even then.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import field
from typing import Generic, TypeVar

from analyzer.records import changing

KEPT = 500  # distinct statements, tables … of an event; up to twice as many while counting
_HOUR_US = 3_600_000_000
_MOST_HOURS = 24 * 62
_HEAVY = ("temp_bytes", "waited_ms", "elapsed_ms")  # measures that rank what they are of

Key = TypeVar("Key", bound=Hashable)
Rename = Callable[[int], int]


@changing
class Measure:
    """A quantity over several events: how many told it, their sum and the largest."""

    count: int = 0
    total: float = 0.0
    largest: float = 0.0

    def add(self, value: float) -> None:
        """One event's value."""
        self.count += 1
        self.total += value
        if value > self.largest:  # noqa: PLR1730 - max() costs a call for each event
            self.largest = value

    def amend(self, before: float, after: float) -> None:
        """A value that was added has grown."""
        self.total += after - before
        self.largest = max(self.largest, after)

    def merge(self, other: "Measure") -> None:
        """Take in another part's."""
        self.count += other.count
        self.total += other.total
        self.largest = max(self.largest, other.largest)


@changing
class Hours:
    """How many events by hour. Beyond 62 days' hours, the step doubles until there are fewer.

    `counts` is by the bucket's first hour (hours since the epoch, a multiple of `step`).
    """

    step: int = 1
    counts: dict[int, int] = field(default_factory=dict)

    def add(self, at_us: int, times: int = 1) -> None:
        """An event at a time, or several."""
        hour = at_us // _HOUR_US
        hour -= hour % self.step
        if hour in self.counts:
            self.counts[hour] += times
            return
        self.counts[hour] = times
        if len(self.counts) > _MOST_HOURS:
            self._widen(self.step)

    def merge(self, other: "Hours") -> None:
        """Take in another part's; the wider step of both holds."""
        for hour, count in other.counts.items():
            self.counts[hour] = self.counts.get(hour, 0) + count
        self._widen(max(self.step, other.step))

    def _widen(self, step: int) -> None:
        self._regroup(step)
        while len(self.counts) > _MOST_HOURS:
            self._regroup(self.step * 2)

    def _regroup(self, step: int) -> None:
        self.step = step
        counts: dict[int, int] = {}
        for hour, count in self.counts.items():
            start = hour - hour % step
            counts[start] = counts.get(start, 0) + count
        self.counts = counts


@changing
class Tally:
    """How often something happened, when first and last, how much, and to what.

    `measures` are by name, which ends in its unit (`waited_ms`, `temp_bytes`) or is a plain number
    (`buffers`). `statements` is by the number of a statement's key, `parts` by what is told apart:
    "table", "message", "database" …
    """

    count: int = 0
    first_us: int | None = None
    last_us: int | None = None
    measures: dict[str, Measure] = field(default_factory=dict)
    statements: "Tallies[int] | None" = None
    parts: "dict[str, Tallies[str]]" = field(default_factory=dict)

    def add(self, at_us: int, amounts: Mapping[str, float]) -> None:
        """One more at a time, with its amounts by measure."""
        self.count += 1
        if self.first_us is None or self.last_us is None:
            self.first_us = self.last_us = at_us
        elif at_us > self.last_us:
            self.last_us = at_us
        elif at_us < self.first_us:
            self.first_us = at_us
        for name in amounts:
            measure = self.measures.get(name) or self.measure(name)
            measure.add(amounts[name])

    def measure(self, name: str) -> Measure:
        """The measure of a name, new or known."""
        found = self.measures.get(name)
        if found is None:
            found = self.measures[name] = Measure()
        return found

    def statement(
        self, key: int, at_us: int, amounts: Mapping[str, float], kept: int = KEPT
    ) -> None:
        """The statement, by its key, that one of those counted came from."""
        statements = self.statements
        if statements is None:
            statements = self.statements = Tallies(kept)
        tally = statements.kept.get(key) or statements.at(key)
        tally.add(at_us, amounts)

    def part(self, what: str, name: str, kept: int = KEPT) -> "Tally":
        """The tally of one table, message, database …; names beyond `kept` share one."""
        found = self.parts.get(what)
        if found is None:
            found = self.parts[what] = Tallies(kept)
        return found.kept.get(name) or found.at(name)

    def merge(self, other: "Tally", rename: Rename | None = None) -> None:
        """Take in another part's. `rename` turns the other's statement keys into this one's."""
        self.count += other.count
        self._span(other.first_us, other.last_us)
        for name, measure in other.measures.items():
            self.measure(name).merge(measure)
        if other.statements is not None:
            if self.statements is None:
                self.statements = Tallies(other.statements.limit)
            self.statements.merge(other.statements, rename or _same, rename)
        for what, tallies in other.parts.items():
            if what not in self.parts:
                self.parts[what] = Tallies(tallies.limit)
            self.parts[what].merge(tallies, _same, rename)

    def _span(self, first_us: int | None, last_us: int | None) -> None:
        if first_us is not None and (self.first_us is None or first_us < self.first_us):
            self.first_us = first_us
        if last_us is not None and (self.last_us is None or last_us > self.last_us):
            self.last_us = last_us

    def weight(self) -> float:
        """What it is ranked by before its count: the bytes or time that it cost, 0 if none."""
        if not self.measures:
            return 0.0
        return next((self.measures[n].total for n in _HEAVY if n in self.measures), 0.0)


def _same(key: Key) -> Key:
    return key


@changing
class Tallies(Generic[Key]):
    """Tallies by key. When twice `limit` keys are kept, the lighter half is added to `other`."""

    limit: int = KEPT
    kept: dict[Key, Tally] = field(default_factory=dict)
    other: Tally = field(default_factory=Tally)

    def at(self, key: Key) -> Tally:
        """The tally of a key, new or known."""
        found = self.kept.get(key)
        if found is None:
            if len(self.kept) >= 2 * self.limit:
                self._shed()
            found = self.kept[key] = Tally()
        return found

    def of(self, key: Key) -> Tally:
        """The tally that a key was counted in: its own, or `other`."""
        return self.kept.get(key, self.other)

    def ranked(self) -> list[tuple[Key, Tally]]:
        """Heaviest first; equals by count, then by first time."""
        return sorted(self.kept.items(), key=lambda item: _rank(item[1]))

    def merge(
        self, other: "Tallies[Key]", named: Callable[[Key], Key], rename: Rename | None
    ) -> None:
        """Take in another part's. `named` gives a key of the other its name here."""
        for key, tally in other.kept.items():
            name = named(key)
            found = self.kept.get(name)
            if found is None:
                found = self.kept[name] = Tally()
            found.merge(tally, rename)
        self.other.merge(other.other, rename)
        if len(self.kept) > 2 * self.limit:
            self._shed()

    def _shed(self) -> None:
        for key, tally in self.ranked()[self.limit :]:
            self.other.merge(_without_parts(tally))
            del self.kept[key]

    def __len__(self) -> int:
        return len(self.kept)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.kept)


def _rank(tally: Tally) -> tuple[float, int, int]:
    return (-tally.weight(), -tally.count, tally.first_us or 0)


def _without_parts(tally: Tally) -> Tally:
    """What the sum of those that were not kept can still tell."""
    return Tally(tally.count, tally.first_us, tally.last_us, tally.measures)


@changing
class Event(Tally):
    """Server events of one kind and code.

    `kind` is temp-file, lock-wait, deadlock, checkpoint, autovacuum, connection, error, cancelled
    or server; `code` tells its sorts apart: an error's SQLSTATE, a lock's mode. `derived` counts
    the errors whose SQLSTATE was told from their text. Deadlocks, cancelled statements and failures
    of the server that are errors are counted as errors too.
    """

    kind: str = ""
    code: str = ""
    hours: Hours = field(default_factory=Hours)
    derived: int = 0

    def happened(self, at_us: int, amounts: Mapping[str, float]) -> None:
        """One more of these, at a time."""
        self.add(at_us, amounts)
        self.hours.add(at_us)

    @property
    def total_bytes(self) -> int:
        """The bytes of temporary files, 0 for other kinds."""
        measure = self.measures.get("temp_bytes")
        return 0 if measure is None else int(measure.total)

    def merge_event(self, other: "Event", rename: Rename | None = None) -> None:
        """Take in the same kind and code of another part or input."""
        self.merge(other, rename)
        self.hours.merge(other.hours)
        self.derived += other.derived
