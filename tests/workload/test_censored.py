"""The P95 from a log of slow executions and counters: right over distributions of every kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analyzer.model.target import Target
from analyzer.workload.quantiles import nearest_rank
from tests.workload.censored import durations, written

Draw = Callable[[np.random.Generator, int], np.ndarray]


def _two_humps(share: float) -> Draw:
    def draw(rng: np.random.Generator, count: int) -> np.ndarray:
        slow = rng.random(count) < share
        return np.where(slow, rng.lognormal(5.5, 0.3, count), rng.lognormal(1.0, 0.5, count))

    return draw


DISTRIBUTIONS: dict[str, Draw] = {
    "log-normal, CV 0.5": lambda rng, n: rng.lognormal(3.0, 0.47, n),
    "log-normal, CV 1": lambda rng, n: rng.lognormal(3.0, 0.83, n),
    "log-normal, CV 3": lambda rng, n: rng.lognormal(2.0, 1.52, n),
    "exponential": lambda rng, n: rng.exponential(20, n),
    "gamma 0.5": lambda rng, n: rng.gamma(0.5, 60, n),
    "gamma 4": lambda rng, n: rng.gamma(4, 8, n),
    "Weibull 0.7": lambda rng, n: 20 * rng.weibull(0.7, n),
    "Pareto 2.5": lambda rng, n: 10 * (1 + rng.pareto(2.5, n)),
    "Pareto 1.5": lambda rng, n: 10 * (1 + rng.pareto(1.5, n)),
    "two humps, 10 % slow": _two_humps(0.10),
    "two humps, 4 % slow": _two_humps(0.04),
    "two humps, 1 % slow": _two_humps(0.01),
    "constant": lambda _, n: np.full(n, 37.0),
    "uniform": lambda rng, n: rng.uniform(20, 120, n),
}
CALLS = 8_000
# The threshold, as a share of executions that are slower: the P95 is in the tail, at its edge, or below.
SLOWER = (0.5, 0.12, 0.051, 0.049, 0.01)


def truth_of(values: np.ndarray, quantile: float = 0.95) -> float:
    found = nearest_rank(values, quantile)
    assert found is not None
    return found


@pytest.mark.parametrize("slower", SLOWER)
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_interval_holds_the_truth_and_met_is_never_said_of_a_missed_one(
    name: str, slower: float, tmp_path: Path
) -> None:
    rng = np.random.default_rng(sum(map(ord, name)))
    values = durations(DISTRIBUTIONS[name](rng, CALLS))
    truth = truth_of(values)
    threshold_ms = float(np.quantile(values, 1 - slower))
    window = written(tmp_path, {"orders": values}, threshold_ms)
    # Targets on both sides of the truth and of the threshold, and the truth itself.
    for target_ms in {truth, truth * 0.98, truth * 1.02, threshold_ms, threshold_ms * 1.5}:
        document = window.document(target=Target(target_ms))
        target, (statement,) = document["target"], document["statements"]
        right = "met" if truth <= target_ms else "missed"
        for low, high, verdict in (
            (target["low_ms"], target["high_ms"], target["verdict"]),
            (statement["p95_low_ms"], statement["p95_high_ms"], statement["verdict"]),
        ):
            assert low <= truth + 1e-9
            assert high >= truth - 1e-9
            assert verdict in (right, "unknown")
            if threshold_ms <= target_ms:
                assert verdict == right
            if (values >= threshold_ms).sum() > 0.05 * CALLS:
                assert high - low <= 0.02 * truth
        assert target["method"] == statement["method"] == "tail-exact"
        assert target["executions"] == statement["calls"] == CALLS
