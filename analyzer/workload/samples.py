"""Figures of executions that are a weighted sample of those that ran (docs/p95.md).

Each logged execution stands for w = 1/p executions, p the chance it had to be logged. Calls and
total times are sums of weights (Horvitz and Thompson). The q-quantile is the weighted nearest rank:
the smallest duration up to which the weights reach q·N, with N the sum of all weights.

Its 95 % interval is that of order statistics: the weight W up to the true quantile differs from q·N
by a random amount of variance V = D · Σ (w² − w) · z², z = 1 − q for executions up to the quantile
and z = q for those above it (for one weight and no threshold that is the binomial n·q·(1 − q), times
1 − p, in units of w). So the interval reaches from the duration at weight q·N − m to that at q·N + m,
m = 1.96·√V + c. The correction c for what is whole in a count is half the largest weight; with it
the interval is conservative at any number of executions. What was sampled by transaction came in
clusters: D is Kish's design effect Σk² / Σk over the k executions of a unit of work, as if those of
one were all alike.
"""

import math
from collections.abc import Sequence

import numpy as np

from analyzer.model.columns import Floats, Rows
from analyzer.model.sampling import Sampling
from analyzer.records import record
from analyzer.workload.quantiles import Quantile, edges_of, shown_histogram

_Z = 1.96  # a normal variable is within so many deviations with a chance of 95 %
_ROUNDING = 1e-9


@record
class Sample:
    """Logged durations in ascending order: each (or each bucket's) with how often it was seen.

    Where durations are kept, `low_ms` and `high_ms` are the durations themselves, else the edges of
    their bucket; `buckets` are those of the histogram.
    """

    sampling: Sampling
    low_ms: Floats
    middle_ms: Floats
    high_ms: Floats
    counts: Rows
    weights: Floats
    buckets: Rows

    @property
    def calls(self) -> float:
        """How many executions ran, as estimated."""
        return float((self.counts * self.weights).sum())

    def total_ms(self, seen_ms: float) -> float:
        """Their time together, as estimated; the logged ones took `seen_ms` together."""
        near = self.counts * self.middle_ms
        estimated = float((near * self.weights).sum())
        all_ms = float(near.sum())
        return estimated * seen_ms / all_ms if all_ms > 0 else estimated

    def histogram(self) -> tuple[tuple[float, int], ...]:
        """What a report shows of a statement: weighted counts by bucket."""
        return shown_histogram(self.buckets, self.counts * self.weights)

    def quantile(self, quantile: float, clustering: float = 1.0) -> Quantile:
        """A quantile of what ran, with its interval; `high_ms` is None where the sample has no end.

        `clustering` is the design effect of executions that were drawn together.
        """
        masses = self.counts * self.weights
        ends = np.cumsum(masses)
        total = float(ends[-1])
        target = quantile * total
        value = float(self.middle_ms[_place(ends, target)])
        down, up = self._margins(masses, ends, target, quantile, clustering)
        low = float(self.low_ms[_place(ends, target - down)]) if target > down else 0.0
        high = (
            float(self.high_ms[_place(ends, target + up)])
            if target + up <= total * (1 + _ROUNDING)
            else self._most_ms()
        )
        if self.sampling.floor_ms and not self.sampling.rate_below_floor:
            low = 0.0  # how many faster ones there are is not known
        return Quantile(value, low, high, "sampled")

    def _margins(
        self, masses: Floats, ends: Floats, target: float, quantile: float, clustering: float
    ) -> tuple[float, float]:
        """By how much weight the true quantile may lie below and above the estimated one."""
        share_below = np.clip((target - (ends - masses)) / masses, 0.0, 1.0)
        chance = masses * (self.weights - 1)  # Σ (w² − w) of each row
        by_side = share_below * (1 - quantile) ** 2 + (1 - share_below) * quantile**2
        deviation = _Z * math.sqrt(float((chance * by_side).sum()) * clustering)
        heaviest = self.sampling.heaviest * clustering
        # Below, there may be executions none of which was drawn: of more than z² times the weight
        # at least one is.
        down = max(0.5, _Z**2 * (1 - quantile)) * heaviest
        # Above the quantile, nothing that was left out can be where all is logged.
        if float((chance * (1 - share_below)).sum()) > 0:
            up = 0.5 * heaviest
        else:
            up = 0.5 * (1 - quantile) * heaviest if float(chance.sum()) > 0 else 0.0
        return deviation + down, deviation + up

    def _most_ms(self) -> float | None:
        """What no execution exceeds: all are logged that reach the threshold."""
        threshold_ms = self.sampling.threshold_ms
        if threshold_ms is None:
            return None
        return max(float(self.high_ms[-1]), threshold_ms)


def design_effect(sizes: Rows, counts: Rows) -> float:
    """Kish's Σk² / Σk of `counts` clusters that have `sizes` executions each; 1 of none."""
    executions = float((sizes * counts).sum())
    return float((sizes.astype(np.float64) ** 2 * counts).sum()) / executions if executions else 1.0


def _place(ends: Floats, mass: float) -> int:
    """The first row up to which the masses reach `mass`."""
    slack = _ROUNDING * float(ends[-1])
    return min(int(np.searchsorted(ends, mass - slack)), len(ends) - 1)


def of_values(ascending: Floats, buckets: Rows, sampling: Sampling) -> Sample:
    """A sample of durations that are known one by one, in buckets `buckets`."""
    return Sample(
        sampling,
        ascending,
        ascending,
        ascending,
        np.ones(len(ascending), dtype=np.int64),
        sampling.weights(ascending),
        buckets,
    )


def of_histogram(buckets: Rows, counts: Rows, sampling: Sampling) -> Sample:
    """A sample of which a histogram is known (buckets ascending)."""
    low, middle, high = edges_of(buckets)
    return Sample(sampling, low, middle, high, counts, sampling.bucket_weights(low, high), buckets)


def together(samples: Sequence[Sample]) -> Sample:
    """Several samples (at least one, of one sampling) as one."""
    parts = [
        np.concatenate([getattr(sample, name) for sample in samples])
        for name in ("low_ms", "middle_ms", "high_ms", "counts", "weights", "buckets")
    ]
    order = np.argsort(parts[1], kind="stable")
    low, middle, high, counts, weights, buckets = (part[order] for part in parts)
    return Sample(samples[0].sampling, low, middle, high, counts, weights, buckets)
