"""How a server samples its log: what is left out by chance, and what a logged execution stands for."""

from typing import Literal

import numpy as np

from analyzer.model.columns import Floats
from analyzer.records import record

By = Literal["statement", "transaction", "both"]


@record
class LoggingSettings:
    """PostgreSQL's settings that say which executions it logs; None where one is not known.

    Milliseconds: 0 logs everything, -1 nothing. Rates are 0..1.
    """

    min_duration_ms: float | None = None  # log_min_duration_statement
    sample_min_duration_ms: float | None = None  # log_min_duration_sample
    statement_rate: float | None = None  # log_statement_sample_rate
    transaction_rate: float | None = None  # log_transaction_sample_rate


@record
class LoggedSetting:
    """A setting as a log says that it was changed: its value (milliseconds or a rate), since when."""

    at_us: int
    value: float


@record
class Sampling:
    """Which share of executions was logged, by their duration.

    From `floor_ms` on and below `threshold_ms`, `rate` (0..1, neither of them) of the executions
    were; from the threshold on all were (None: at no duration). Below the floor nothing was, or
    `rate_below_floor`. `by`: what was drawn, statements or transactions with all their statements.
    `known_from`: options, log or server.
    """

    rate: float
    threshold_ms: float | None
    floor_ms: float = 0.0
    rate_below_floor: float = 0.0
    by: By = "statement"
    known_from: str = "options"

    @property
    def heaviest(self) -> float:
        """How many executions one that was logged stands for at most."""
        return 1 / (self.rate_below_floor or self.rate)

    @property
    def whole_transactions(self) -> bool:
        """Whether statements of one transaction were drawn together."""
        return self.by != "statement"

    def weights(self, durations_ms: Floats) -> Floats:
        """How many executions each logged one stands for.

        What is below a floor that nothing should pass was logged for another reason, and stands
        for itself.
        """
        below = 1 / self.rate_below_floor if self.rate_below_floor else 1.0
        weights = np.where(durations_ms >= self.floor_ms, 1 / self.rate, below)
        if self.threshold_ms is not None:
            weights[durations_ms >= self.threshold_ms] = 1.0
        return weights

    def bucket_weights(self, low_ms: Floats, high_ms: Floats) -> Floats:
        """The same for executions of which it is known that they took between two durations.

        The inverse of the share that is logged of executions spread evenly over the logarithm, so
        that a bucket which the threshold cuts counts for what its parts do.
        """
        floor = _share_below(low_ms, high_ms, self.floor_ms)
        threshold = (
            np.ones(len(low_ms))
            if self.threshold_ms is None
            else _share_below(low_ms, high_ms, self.threshold_ms)
        )
        floor = np.minimum(floor, threshold)
        sampled = (threshold - floor) * self.rate
        logged = floor * self.rate_below_floor + sampled + (1 - threshold)
        return np.where(logged > 0, 1 / np.where(logged > 0, logged, 1.0), 1.0)


def _share_below(low_ms: Floats, high_ms: Floats, at_ms: float) -> Floats:
    """Which part of each bucket (low, high] lies below a duration, by the logarithm."""
    if at_ms <= 0:
        return np.zeros(len(low_ms))
    low, high = np.log(np.maximum(low_ms, 1e-9)), np.log(np.maximum(high_ms, 1e-9))
    width = np.where(high > low, high - low, 1.0)
    share: Floats = np.clip((np.log(at_ms) - low) / width, 0.0, 1.0)
    return share
