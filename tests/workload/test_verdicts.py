"""Verdicts: exact from whole logs, bounds that always hold from counters, never a guess."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.statement import StatementCounters
from analyzer.model.target import Target
from analyzer.workload.quantiles import grouped_quantiles, histogram, nearest_rank
from analyzer.workload.verdicts import from_client, from_counters, from_durations, judge, nothing

TARGET = Target()
Sample = Callable[[np.random.Generator, int], np.ndarray]

DISTRIBUTIONS: dict[str, Sample] = {
    "log-normal, CV 0.5": lambda rng, n: rng.lognormal(2.0, 0.47, n),
    "log-normal, CV 1": lambda rng, n: rng.lognormal(2.0, 0.83, n),
    "log-normal, CV 3": lambda rng, n: rng.lognormal(2.0, 1.52, n),
    "exponential": lambda rng, n: rng.exponential(20, n),
    "gamma": lambda rng, n: rng.gamma(0.5, 40, n),
    "Pareto 2.5": lambda rng, n: 5 * (1 + rng.pareto(2.5, n)),
    "Pareto 1.5": lambda rng, n: 5 * (1 + rng.pareto(1.5, n)),
    "bimodal, 10 % slow": lambda rng, n: np.where(rng.random(n) < 0.10, 300.0, 2.0) * rng.random(n),
    "bimodal, 4 % slow": lambda rng, n: np.where(rng.random(n) < 0.04, 300.0, 2.0) * rng.random(n),
    "bimodal, 1 % slow": lambda rng, n: np.where(rng.random(n) < 0.01, 3000.0, 2.0) * rng.random(n),
    "constant": lambda _, n: np.full(n, 7.0),
    "uniform": lambda rng, n: rng.uniform(90, 110, n),
}


def counters(values: np.ndarray) -> StatementCounters:
    """What pg_stat_statements would hold of these executions."""
    return StatementCounters(
        query="SELECT a FROM t",
        query_id="1",
        calls=len(values),
        total_ms=float(values.sum()),
        min_ms=float(values.min()),
        max_ms=float(values.max()),
        mean_ms=float(values.mean()),
        stddev_ms=float(values.std()),
        rows=None,
    )


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_bounds_from_counters_contain_the_truth(name: str) -> None:
    rng = np.random.default_rng(7)
    values = DISTRIBUTIONS[name](rng, 20_000)
    found = from_counters([counters(values)], TARGET)
    truth = nearest_rank(values, 0.95)
    assert truth is not None
    assert found.low_ms is not None
    assert found.high_ms is not None
    assert found.low_ms - 1e-6 <= truth <= found.high_ms + 1e-6
    assert found.verdict in ("unknown", "met" if truth <= TARGET.ms else "missed")
    if found.value_ms is not None:
        assert found.method == "estimated"
        assert found.low_ms <= found.value_ms <= found.high_ms


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.floats(0.001, 5000), min_size=1, max_size=40), min_size=1, max_size=5))
def test_bounds_over_several_statements_contain_the_truth(samples: list[list[float]]) -> None:
    arrays = [np.array(sample) for sample in samples]
    found = from_counters([counters(values) for values in arrays], TARGET)
    truth = nearest_rank(np.concatenate(arrays), 0.95)
    assert truth is not None
    assert found.low_ms is not None
    assert found.high_ms is not None
    slack = 1e-6 * max(truth, 1.0)
    assert found.low_ms <= truth + slack
    assert truth <= found.high_ms + slack


def test_a_log_normal_estimate_is_near_and_a_wide_one_is_not_given() -> None:
    rng = np.random.default_rng(7)
    near = from_counters([counters(rng.lognormal(2.0, 0.47, 50_000))], TARGET)
    assert near.value_ms == pytest.approx(np.exp(2.0 + 1.645 * 0.47), rel=0.05)
    wide = from_counters([counters(rng.lognormal(2.0, 1.52, 50_000))], TARGET)
    assert (wide.value_ms, wide.method) == (None, "bound")


def test_whole_logs_are_exact_and_censored_ones_a_bound() -> None:
    values = np.arange(1.0, 101.0)
    exact = from_durations(values, TARGET, None, "executions")
    assert (exact.value_ms, exact.method, exact.verdict, exact.count) == (95.0, "exact", "met", 100)
    censored = from_durations(values[50:], TARGET, 50.0, "executions")
    assert (censored.value_ms, censored.method, censored.verdict) == (None, "bound", "met")
    assert (censored.low_ms, censored.high_ms) == (0.0, 98.0)
    slow = from_durations(values * 10, TARGET, 10.0, "executions")
    assert slow.verdict == "unknown"  # the fast ones that are not logged may be most of them
    assert from_durations(values[:0], TARGET, None, "executions") == nothing(
        "no executions were seen"
    )


def test_a_clients_clock_bounds_the_databases() -> None:
    client = from_durations(np.array([5.0, 80.0]), TARGET, None, "client calls")
    assert from_client(client, TARGET).verdict == "met"
    slow = from_durations(np.array([5.0, 800.0]), TARGET, None, "client calls")
    assert slow.verdict == "missed"
    assert from_client(slow, TARGET).verdict == "unknown"


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1, 100, "met"),
        (100, 200, "unknown"),
        (101, 200, "missed"),
        (None, None, "unknown"),
        (None, 50, "met"),
        (150, None, "missed"),
    ],
)
def test_judge(low: float | None, high: float | None, verdict: str) -> None:
    assert judge(low, high, TARGET) == verdict


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1e6)), max_size=60))
def test_grouped_quantiles_are_nearest_rank_in_each_group(rows: list[tuple[int, float]]) -> None:
    groups = np.array([group for group, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=np.float64)
    (found,) = grouped_quantiles(groups, values, 5, (0.95,))
    for group in range(5):
        expected = nearest_rank(values[groups == group], 0.95)
        assert (np.isnan(found[group]) and expected is None) or found[group] == expected
    assert sum(count for _, count in histogram(values)) == len(values)
