"""Histograms of durations with logarithmic buckets: they merge by addition, in any order.

With `steps` buckets an octave, bucket b holds the values in (2^((b-1)/steps), 2^(b/steps)] ms. At
the finest, 32, its middle is at most 1.1 % away from any of them. Buckets of fewer steps are unions
of finer ones, so histograms of different steps merge at the coarser, and no value ever moves into
a bucket that does not hold it. Durations below 0.001 ms count as 0.001 ms.
"""

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.model.columns import Column, Floats, Rows
from analyzer.records import record

STEPS = 32  # buckets an octave, at the finest
LEAST_MS = 0.001  # faster ones count as this
LARGEST_BYTES = 1024  # as bytes, a histogram is made coarser until it fits
_ROUNDING = 1e-9  # 0.95 * 20 must not become rank 20 by a rounding error of the product
_RAW = -15  # deflate without a header and a checksum of its own
_HEAD = 3  # bytes: planes and steps, and the first bucket as a signed 16-bit number
_PLANES = 8  # a count is at most 8 bytes
_SOME_PLANES = (
    0x40  # in the first byte: it has the number of planes and the octave's bits; else 8 planes
)
_BITS = STEPS.bit_length() - 1
_WIDEST = 1 << 12  # buckets of a histogram that bytes may hold, all octaves of a float64 at 1 ns


@record
class Quantile:
    """A quantile in ms: the value, what it lies between, and how it is known.

    `method` is exact, histogram or sampled. `high_ms` is None where a sample sets no end.
    """

    value_ms: float
    low_ms: float
    high_ms: float | None
    method: str


def rank_of(quantile: float, count: int) -> int:
    """The 0-based nearest rank among `count` values."""
    return min(max(math.ceil(quantile * count - _ROUNDING), 1), count) - 1


def octaves(values: Floats) -> Floats:
    """The binary logarithm of durations (ms)."""
    return np.log2(np.maximum(values, LEAST_MS))


def buckets_of(logarithms: Floats) -> Rows:
    """The finest bucket of each duration, of which the binary logarithm is given."""
    return np.ceil(logarithms * STEPS).astype(np.int64)


def edges_of(buckets: Rows, steps: int = STEPS) -> tuple[Floats, Floats, Floats]:
    """The lower edge, the middle and the upper edge (ms) of each bucket."""
    low, middle, high = (np.exp2((buckets - back) / steps) for back in (1.0, 0.5, 0.0))
    return np.where(low > LEAST_MS, low, 0.0), middle, high


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many durations fell into which buckets: `buckets` ascending, each with its `counts`."""

    buckets: Rows
    counts: Rows
    steps: int = STEPS

    @classmethod
    def of(cls, values: Floats) -> "Histogram":
        """The histogram of durations (ms)."""
        buckets, counts = np.unique(buckets_of(octaves(values)), return_counts=True)
        return cls(buckets, counts)

    @classmethod
    def merged(cls, parts: Iterable["Histogram"]) -> "Histogram":
        """Several histograms as one, at the coarsest of their steps; an empty one of none."""
        found = list(parts)
        if len(found) == 1:
            return found[0]
        steps = min((one.steps for one in found), default=STEPS)
        found = [one.coarser(steps) for one in found]
        nothing = np.zeros(0, dtype=np.int64)
        buckets = np.concatenate([nothing, *(one.buckets for one in found)])
        counts = np.concatenate([nothing, *(one.counts for one in found)])
        return cls(*_summed(buckets, counts), steps)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Histogram)
            and self.steps == other.steps
            and np.array_equal(self.buckets, other.buckets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash

    @property
    def total(self) -> int:
        """How many durations it holds."""
        return int(self.counts.sum())

    def coarser(self, steps: int) -> "Histogram":
        """The same with `steps` buckets an octave, a divisor of the present ones."""
        if steps == self.steps:
            return self
        factor, rest = divmod(self.steps, steps)
        if rest:
            raise ValueError(f"{self.steps} buckets an octave cannot be taken together to {steps}")
        return Histogram(*_summed(-(-self.buckets // factor), self.counts), steps)

    def without(self, other: "Histogram") -> "Histogram":
        """What is left when durations that it holds are taken away, at the coarser of the two's steps."""
        steps = min(self.steps, other.steps)
        mine, taken = self.coarser(steps), other.coarser(steps)
        buckets = np.concatenate([mine.buckets, taken.buckets])
        buckets, counts = _summed(buckets, np.concatenate([mine.counts, -taken.counts]))
        return Histogram(buckets[counts > 0], counts[counts > 0], steps)

    def at_rank(self, rank: int) -> tuple[float, float, float]:
        """The edges and the middle (low, middle, high; ms) of the bucket that the 0-based rank is in."""
        place = int(np.searchsorted(np.cumsum(self.counts), rank, side="right"))
        low, middle, high = edges_of(self.buckets[place : place + 1], self.steps)
        return float(low[0]), float(middle[0]), float(high[0])

    def quantile(self, quantile: float) -> Quantile:
        """The nearest-rank quantile: the middle of its bucket, and the edges as what it lies between.

        There has to be at least one duration.
        """
        low, middle, high = self.at_rank(rank_of(quantile, self.total))
        return Quantile(middle, low, high, "histogram")

    def to_bytes(self) -> bytes:
        """At most LARGEST_BYTES bytes: coarser than it is where that is needed."""
        made = self._packed()
        if len(made) > LARGEST_BYTES and self.steps > 1:
            return self.coarser(self.steps // 2).to_bytes()
        return made

    def _packed(self) -> bytes:
        """Counts of all buckets from the first to the last, compressed.

        The lowest bytes of all counts come first, then the next: as many as the largest count has.
        """
        first = int(self.buckets[0]) if len(self.buckets) else 0
        width = int(self.buckets[-1]) - first + 1 if len(self.buckets) else 0
        most = int(self.counts.max()) if width else 0
        count = max(-(-most.bit_length() // 8), 1)
        dense = np.zeros(width, dtype=np.uint8 if count == 1 else "<i8")
        dense[self.buckets - first] = self.counts
        if count > 1:
            dense = dense.view(np.uint8).reshape(-1, _PLANES).T[:count]
        kind = _SOME_PLANES | (count - 1) << 3 | self.steps.bit_length() - 1
        head = kind.to_bytes(1, "little") + first.to_bytes(2, "little", signed=True)
        return head + zlib.compress(dense.tobytes(), 6, _RAW)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Histogram":
        """What `to_bytes` wrote.

        Raises:
            ValueError: the bytes are no histogram.
        """
        steps, first, dense = _unpacked(data)
        some = np.flatnonzero(dense)
        return cls(some + first, dense[some].astype(np.int64), steps)

    @classmethod
    def sum_of_bytes(cls, parts: Sequence[bytes]) -> "Histogram":
        """`merged` of what `to_bytes` wrote, in half the time: none is made for each part.

        Raises:
            ValueError: the bytes are no histograms.
        """
        unpacked = [_unpacked(part) for part in parts]
        if not unpacked or len({steps for steps, _, _ in unpacked}) > 1:
            return cls.merged(cls.from_bytes(part) for part in parts)
        low = min(first for _, first, _ in unpacked)
        sums = np.zeros(max(first + len(dense) for _, first, dense in unpacked) - low, np.int64)
        for _, first, dense in unpacked:
            sums[first - low : first - low + len(dense)] += dense
        some = np.flatnonzero(sums)
        return cls(some + low, sums[some], unpacked[0][0])


def _unpacked(data: bytes) -> tuple[int, int, Column]:
    """Steps, the first bucket, and the counts of all buckets from it on, in as few bytes as they take.

    Raises:
        ValueError: the bytes are no histogram.
    """
    try:
        unpacking = zlib.decompressobj(_RAW)
        planes = unpacking.decompress(data[_HEAD:], _WIDEST * _PLANES)
    except zlib.error as error:
        raise ValueError(f"these bytes are no histogram: {error}") from error
    count, steps = _kind_of(data[0] if data else 0)
    if not unpacking.eof or not steps or len(planes) % count:
        raise ValueError("these bytes are no histogram")
    first = int.from_bytes(data[1:_HEAD], "little", signed=True)
    width = len(planes) // count
    if count == 1 or planes.count(0, width) == len(planes) - width:  # all counts are below 256
        return steps, first, np.frombuffer(planes, dtype=np.uint8, count=width)
    whole = planes + bytes((_PLANES - count) * width)
    by_plane = np.frombuffer(whole, dtype=np.uint8).reshape(_PLANES, width)
    return steps, first, np.ascontiguousarray(by_plane.T).view("<i8").reshape(-1)


def _kind_of(first: int) -> tuple[int, int]:
    """Planes and steps by the first byte of a histogram; no steps where it is none.

    Until the store's revision 0004 it was the steps alone, with all eight planes.
    """
    if first & _SOME_PLANES:
        bits = first & 7
        return (first >> 3 & 7) + 1, 1 << bits if first < 2 * _SOME_PLANES and bits <= _BITS else 0
    return _PLANES, first if first in (1, 2, 4, 8, 16, STEPS) else 0


def _summed(buckets: Rows, counts: Rows) -> tuple[Rows, Rows]:
    found, inverse = np.unique(buckets, return_inverse=True)
    sums = np.zeros(len(found), dtype=np.int64)
    np.add.at(sums, inverse, counts)
    return found, sums
