"""Which statements got slower or faster, and which only seem to.

A P95 that was measured is a draw: the same statement under the same load gives another one tomorrow.
So a change counts only when all of this holds (docs/history.md):

1. Each side has at least LEAST_CALLS executions with a duration.
2. The P95 differ by a factor of LEAST_RATIO and by LEAST_MS.
3. Their 99.9 % intervals do not overlap. An interval is that of order statistics: with n executions
   it reaches from the quantile at q − m to that at q + m, m = 3.29·√(q·(1 − q)/n). Where q + m is
   beyond 1, nothing limits the upper end, and the other side cannot be slower.
4. Against several earlier nights: tonight's P95 is also beyond that of every one of them, as load
   varies from night to night by more than chance does.

`level_shift` finds where a series of nights changes its level (Pettitt's test, which looks at ranks
only).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.model.columns import Floats
from analyzer.model.histogram import edges_of
from analyzer.model.history import Figures
from analyzer.records import record

LEAST_CALLS = 100
LEAST_RATIO = 1.25
LEAST_MS = 1.0
_Z = 3.29  # a normal variable is within so many deviations with a chance of 99.9 %
_FASTEST_MS = 0.001
_FEWEST_NIGHTS = 8  # Pettitt's test can't be sure of anything with fewer
_SURE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Executions of a statement on one side of a comparison.

    `value_ms` is their P95 (None where only a bound is known), `samples` how many were seen with a
    duration. `upper_ms`, ascending, and `share`: which share of the executions took up to so long.
    """

    calls: int
    total_ms: float
    samples: int
    value_ms: float | None
    upper_ms: Floats
    share: Floats

    @property
    def mean_ms(self) -> float:
        """Their mean duration."""
        return self.total_ms / self.calls if self.calls else 0.0

    def interval(self, quantile: float) -> tuple[float, float]:
        """Between what the quantile of a further draw lies, with a chance of 99.9 %."""
        margin = _Z * math.sqrt(quantile * (1 - quantile) / max(self.samples, 1))
        low = self._at(quantile - margin)
        return low, self._at(quantile + margin) if quantile + margin < 1 else math.inf

    def _at(self, share: float) -> float:
        """The duration that a share does not exceed, by the logarithm between two that are known."""
        if len(self.share) == 0 or share <= 0:
            return 0.0
        known = np.log(np.maximum(self.upper_ms, _FASTEST_MS))
        return float(np.exp(np.interp(share, self.share, known)))


@record
class Change:
    """A statement that got slower or faster: P95 before and after, and by what factor.

    `extra_ms` is what the executions after took longer than they would have taken before (less
    than 0: shorter), by the means.
    """

    before_ms: float
    after_ms: float
    extra_ms: float
    before_calls: int
    after_calls: int

    @property
    def ratio(self) -> float:
        """The P95 after, in units of that before."""
        return self.after_ms / max(self.before_ms, _FASTEST_MS)

    @property
    def slower(self) -> bool:
        """Whether it got slower."""
        return self.after_ms > self.before_ms


def of_figures(figures: Figures, quantile: float) -> Side:
    """What a history knows of some hours, as one side."""
    told = figures.quantile(quantile)
    held, counts = figures.histogram.total, figures.histogram.counts
    ran = max(figures.calls - figures.untimed, held)
    upper = edges_of(figures.histogram.buckets, figures.histogram.steps)[2]
    value_ms = told.value_ms if told is not None and told.method != "bound" else None
    share = (np.cumsum(counts) + (ran - held)) / max(ran, 1)
    return Side(figures.calls, figures.total_ms, figures.samples, value_ms, upper, share)


def of_statement(statement: Mapping[str, Any]) -> Side:
    """A statement of report.json as one side of a comparison of P95."""
    shown = statement["histogram"] or {"bounds_ms": [], "counts": []}
    counts = np.array(shown["counts"], dtype=np.float64)
    share = np.cumsum(counts) / max(float(counts.sum()), 1.0)
    points = list(zip(shown["bounds_ms"], share.tolist(), strict=True))
    exact = statement["method"] == "exact"
    anchors = (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)) if exact else ()
    points += [(statement[name], at) for name, at in anchors if statement[name] is not None]
    upper, share = _ascending(points)
    known = statement["method"] in ("exact", "tail-exact", "sampled", "histogram")
    seen = statement.get("samples") or 0
    return Side(
        calls=statement["calls"],
        total_ms=statement["total_ms"],
        samples=seen,
        value_ms=statement["p95_ms"] if known else None,
        upper_ms=upper,
        share=share,
    )


def _ascending(points: Sequence[tuple[float, float]]) -> tuple[Floats, Floats]:
    """Points of a distribution by their share; what rounding put out of order is put right."""
    ordered = sorted(points, key=lambda point: (point[1], point[0]))
    upper = np.array([value for value, _ in ordered], dtype=np.float64)
    share = np.array([at for _, at in ordered], dtype=np.float64)
    return np.maximum.accumulate(upper) if len(upper) else upper, share


def compare(before: Side, after: Side, quantile: float = 0.95) -> Change | None:
    """What changed from one side to the other; None where nothing did that chance would not do."""
    old_ms, new_ms = before.value_ms, after.value_ms
    if old_ms is None or new_ms is None or min(before.samples, after.samples) < LEAST_CALLS:
        return None
    low, high = sorted((old_ms, new_ms))
    if high - low < LEAST_MS or high < low * LEAST_RATIO:
        return None
    slow, fast = (after, before) if new_ms > old_ms else (before, after)
    if slow.interval(quantile)[0] <= fast.interval(quantile)[1]:
        return None
    extra_ms = (after.mean_ms - before.mean_ms) * after.calls
    return Change(old_ms, new_ms, extra_ms, before.calls, after.calls)


def against_nights(
    nights: Sequence[Figures], tonight: Figures, quantile: float = 0.95
) -> Change | None:
    """What changed against several earlier nights taken together, and beyond all of them."""
    together = Figures.merged(one for one in nights if one.client == tonight.client)
    if together is None:
        return None
    change = compare(of_figures(together, quantile), of_figures(tonight, quantile), quantile)
    if change is None:
        return None
    values = [told.value_ms for told in (one.quantile(quantile) for one in nights) if told]
    beyond = max(values) if change.slower else min(values)
    return change if (change.after_ms > beyond) == change.slower else None


@record
class Shift:
    """Where a series changes its level: `at` is the first place of the new one, medians around it."""

    at: int
    before: float
    after: float


def level_shift(values: Sequence[float]) -> Shift | None:
    """Where a series (of nights' P95, say) changes its level, None where it may be chance.

    Pettitt, "A non-parametric approach to the change-point problem", 1979: K is the largest |U_t|,
    U_t = Σ_{i≤t<j} sgn(x_j − x_i), and p ≈ 2·exp(−6K²/(n³ + n²)) the chance of such a K without
    any change.
    """
    count = len(values)
    if count < _FEWEST_NIGHTS:
        return None
    column = np.array(values, dtype=np.float64)
    signs = np.sign(column[None, :] - column[:, None])
    sums = np.array([signs[:t, t:].sum() for t in range(1, count)])
    at = int(np.argmax(np.abs(sums))) + 1
    chance = 2 * math.exp(-6 * float(sums[at - 1]) ** 2 / (count**3 + count**2))
    before, after = float(np.median(column[:at])), float(np.median(column[at:]))
    low, high = sorted((before, after))
    if chance > _SURE or high - low < LEAST_MS or high < low * LEAST_RATIO:
        return None
    return Shift(at, before, after)
