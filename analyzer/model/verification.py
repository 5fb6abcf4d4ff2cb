"""What came of running statements with and without a set of indexes, on a server that is for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Protocol

from analyzer.model.explain import Sample

WORSE = 0.1  # of its time, beyond noise, and a statement is worse off
_LEAST_NOISE_MS = 0.05  # what a server's clock and a busy machine make of nothing
_ENOUGH = 3


@dataclass(frozen=True, slots=True)
class BuiltIndex:
    """An index that was built for a trial, by its advised name; `why_not` where it could not be."""

    name: str
    bytes: int | None = None
    build_ms: float | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One statement's times in ms, pair by pair, without the indexes and with them.

    `used` are the advised names of those in its plan with them. `why_not` says why there are no times.
    """

    shape_id: str
    before_ms: tuple[float, ...] = ()
    after_ms: tuple[float, ...] = ()
    used: frozenset[str] = frozenset()
    why_not: str | None = None

    @property
    def enough(self) -> bool:
        """Whether it ran often enough to compare."""
        return len(self.before_ms) >= _ENOUGH

    @property
    def before(self) -> float:
        """The median without the indexes."""
        return median(self.before_ms)

    @property
    def after(self) -> float:
        """The median with them."""
        return median(self.after_ms)

    @property
    def noise_ms(self) -> float:
        """How far times of one side lie apart: the wider of their middle halves."""
        return max(_LEAST_NOISE_MS, _spread(self.before_ms), _spread(self.after_ms))

    @property
    def worse(self) -> bool:
        """Whether the indexes make it slower, by more than a tenth and more than noise."""
        return self.enough and self.after - self.before > WORSE * self.before + self.noise_ms


@dataclass(frozen=True, slots=True)
class Trial:
    """What a bench measured with one set of indexes."""

    built: Mapping[str, BuiltIndex]
    statements: Sequence[Measured]


class Bench(Protocol):
    """A scratch server with data (analyzer.sources.postgres.verification has the one there is)."""

    @property
    def origin(self) -> str:
        """Where it is: `postgresql://user@host:port/database`."""
        ...

    def measure(self, indexes: Sequence[str], samples: Sequence[Sample]) -> Trial:
        """Build the indexes (their statements, as advised), run the samples, and leave nothing behind.

        Raises:
            ServerError: the server is gone.
        """
        ...

    def time_left(self) -> bool:
        """Whether there is time for another trial."""
        ...


@dataclass(frozen=True, slots=True)
class Verification:
    """What was measured of a set: where, with how many statements, and what did not run and why.

    `rejected` has, by the advised name of an index that was taken out of the set, the statements it made
    worse, as they were measured with it; `flagged` those of indexes that stay though something got worse.
    """

    origin: str
    trial: Trial
    rejected: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    flagged: Mapping[str, Sequence[Measured]] = field(default_factory=dict)


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:  # noqa: PLR2004 - one value has no spread
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    return high - low
