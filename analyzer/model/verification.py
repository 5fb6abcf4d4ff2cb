"""What came of running statements with and without a change of indexes, on a server that is for that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from math import comb
from typing import TYPE_CHECKING, Protocol

from analyzer.model.explain import Sample
from analyzer.records import record

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

WORSE = 0.1  # of its time, beyond noise, and a statement is worse off
ENOUGH = 3  # pairs of executions: with fewer nothing is said
MOST = 15  # with so many a statement that is not clear yet stays so
_LEAST_NOISE_MS = 0.05  # what a server's clock and a busy machine make of nothing
_CHANCE = 1 / 8  # that pairs like these come about where nothing is worse
_LITTLE_CHANCE = 1 / 16


@record
class BuiltIndex:
    """An index that was built for a trial, by its advised name; `why_not` where it could not be."""

    name: str
    bytes: int | None = None
    build_ms: float | None = None
    why_not: str | None = None


@record
class Measured:
    """One statement's times in ms, pair by pair, without the change and with it.

    `used` are the new indexes in its plan with the change (advised names), `lost` the dropped ones in its plan
    without (their DROP statements). `same_plan`: the change makes no difference to it, so it was not run.
    `ended` is how many executions with the change a limit ended, whose times are at least what is said.
    `surprise` says where its plan with the change met many times the rows that it was made for, in words.
    `why_not` says why there are no times, `name` what it is called where that is not its shape.
    """

    shape_id: str
    before_ms: tuple[float, ...] = ()
    after_ms: tuple[float, ...] = ()
    used: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    same_plan: bool = False
    ended: int = 0
    surprise: str | None = None
    why_not: str | None = None
    name: str | None = None

    @property
    def called(self) -> str:
        """What people know it by."""
        return self.name or self.shape_id

    @property
    def touched(self) -> frozenset[str]:
        """What of the change its plans have to do with."""
        return self.used | self.lost

    @property
    def enough(self) -> bool:
        """Whether it ran often enough to compare."""
        return len(self.before_ms) >= ENOUGH

    @property
    def before(self) -> float:
        """The median without the change."""
        return _median(self.before_ms)

    @property
    def after(self) -> float:
        """The median with it."""
        return _median(self.after_ms)

    @property
    def noise_ms(self) -> float:
        """How far times of one side lie apart: the wider of their middle halves."""
        return max(_LEAST_NOISE_MS, _spread(self.before_ms), _spread(self.after_ms))

    @property
    def share(self) -> float:
        """What it takes with the change, as a part of what it takes without: the median of the pairs."""
        return _median(self._shares)

    @property
    def share_noise(self) -> float:
        """How far the pairs' shares lie apart: their middle half."""
        return _spread(self._shares)

    @property
    def slower(self) -> bool:
        """Whether its median is more than a tenth higher with the change, be it by chance."""
        return self.enough and _is_slower(self.before, self.after)

    @property
    def worse(self) -> bool:
        """Whether the change makes it slower: by more than a tenth, and in too many pairs for chance.

        That is a sign test of the pairs, whose two executions follow each other: a machine that is busy
        for a while slows down both. Three pairs are enough where medians differ by more than noise.
        """
        if not self.slower:
            return False
        chance = _chance(self._others, len(self.before_ms))
        beyond = self.after - self.before > WORSE * self.before + self.noise_ms
        return chance <= (_CHANCE if beyond else _LITTLE_CHANCE)

    @property
    def settled(self) -> bool:
        """Whether more executions would not tell more: it is worse, or it is clear that it is not."""
        if not self.enough:
            return False
        pairs = len(self.before_ms)
        least = _CHANCE if self.after <= self.before else _LITTLE_CHANCE
        fine = _chance(pairs - self._others, pairs) <= least
        return self.worse or (fine and not self.slower)

    @property
    def over(self) -> bool:
        """Whether it is not to be run any more: it is clear, or stays as it is."""
        return self.settled or len(self.before_ms) >= MOST

    @property
    def _shares(self) -> list[float]:
        pairs = zip(self.before_ms, self.after_ms, strict=True)
        return [after / max(before, _LEAST_NOISE_MS) for before, after in pairs]

    @property
    def _others(self) -> int:
        """The pairs that are not slower."""
        pairs = zip(self.before_ms, self.after_ms, strict=True)
        return sum(not _is_slower(before, after) for before, after in pairs)


@record
class Trial:
    """What a bench measured: what was built, what could be dropped (by its DROP, why not), and the times."""

    built: Mapping[str, BuiltIndex]
    statements: Sequence[Measured]
    dropped: Mapping[str, str | None] = field(default_factory=dict)


class Stage(Protocol):
    """A change of indexes that one session sees and another does not, to run statements in both."""

    @property
    def built(self) -> Mapping[str, BuiltIndex]:
        """What came of building each new index, by its advised name (by its text where it has none)."""
        ...

    @property
    def dropped(self) -> Mapping[str, str | None]:
        """Of each drop, by its statement, why it cannot be tried there; None where it can."""
        ...

    def measure(self, samples: Sequence[Sample], out: Collection[str]) -> list[Measured]:
        """Run the samples by turns without and with the change, but for the part of it that is `out`.

        `out` has names of new indexes that are as if not built, and statements of drops that are not made. A
        plan that was measured before is not run again.

        Raises:
            ServerError: the server is gone.
        """
        ...

    def time_left(self) -> bool:
        """Whether there is time to measure more."""
        ...


class Bench(Protocol):
    """A scratch server with data (analyzer.sources.postgres.verification has the one there is)."""

    @property
    def origin(self) -> str:
        """Where it is: `postgresql://user@host:port/database`."""
        ...

    def rows(self, tables: Sequence[str]) -> Mapping[str, float | None]:
        """How many rows its tables have by its statistics; None where it has none, missing where it has no such table.

        Raises:
            ServerError: the server is gone.
        """
        ...

    def stage(
        self, indexes: Sequence[str], drops: Sequence[str]
    ) -> "AbstractContextManager[Stage]":
        """Build the indexes (their statements, as advised); all is as it was when the stage is left.

        Raises:
            ServerError: the server is gone.
        """
        ...


@record
class Scale:
    """A table of the advice whose rows on the scratch server are not those of the server advised for.

    `there` is None where the scratch server has no statistics of it.
    """

    table: str
    rows: int
    there: float | None

    @property
    def factor(self) -> float | None:
        """How many times the rows of the scratch server are its rows."""
        return self.rows / self.there if self.there else None


@record
class Verification:
    """What was measured of a set: where, with how many statements, and what did not run and why.

    `rejected` has, by what was taken out of the advice (the advised name of an index, or the statement of a drop), the
    statements it made worse, as they were measured with it; `flagged` those of what stays though something got
    worse. `scales` are tables whose size differs there. `finished` is False where the time ended it.
    """

    origin: str
    trial: Trial
    rejected: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    flagged: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    scales: Sequence[Scale] = ()
    finished: bool = True


def _is_slower(before: float, after: float) -> bool:
    return after - before > WORSE * before + _LEAST_NOISE_MS


def _chance(few: int, pairs: int) -> float:
    """How probable at most `few` of so many pairs are where either of two outcomes is as likely."""
    return sum(comb(pairs, number) for number in range(few + 1)) / float(2**pairs)


def _median(values: Sequence[float]) -> float:
    from statistics import median  # noqa: PLC0415 - its fractions take 3 ms, and few runs verify

    return median(values)


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return 0.0
    from statistics import quantiles  # noqa: PLC0415 - as above

    low, _, high = quantiles(values, n=4, method="inclusive")
    return high - low
