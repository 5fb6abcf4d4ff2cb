"""Verdicts: exact from whole logs, bounds that always hold from counters, never a guess."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.model.statement import StatementCounters
from analyzer.model.target import Target, Verdict
from analyzer.workload.quantiles import exactly, from_histogram, nearest_rank
from analyzer.workload.totals import Durations
from analyzer.workload.verdicts import from_client, from_counters, from_quantile, judge

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


def from_durations(values: np.ndarray, censored_ms: float | None, what: str) -> Verdict:
    """The verdict on durations that are all known."""
    quantile = exactly(np.sort(values), TARGET.quantile)
    return from_quantile(quantile, len(values), TARGET, censored_ms, what)


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


def test_a_mean_below_the_minimum_by_a_rounding() -> None:
    """As a server's own sums give it of a single call."""
    row = replace(counters(np.array([0.009913])), mean_ms=0.009912999999999998, max_ms=0.0100001)
    found = from_counters([row, row], TARGET)
    assert found.high_ms == pytest.approx(0.009913, rel=0.02)
    assert found.verdict == "met"


def test_a_log_normal_estimate_is_near_and_a_wide_one_is_not_given() -> None:
    rng = np.random.default_rng(7)
    near = from_counters([counters(rng.lognormal(2.0, 0.47, 50_000))], TARGET)
    assert near.value_ms == pytest.approx(np.exp(2.0 + 1.645 * 0.47), rel=0.05)
    wide = from_counters([counters(rng.lognormal(2.0, 1.52, 50_000))], TARGET)
    assert (wide.value_ms, wide.method) == (None, "bound")


def test_whole_logs_are_exact_and_censored_ones_a_bound() -> None:
    values = np.arange(1.0, 101.0)
    exact = from_durations(values, None, "executions")
    assert (exact.value_ms, exact.method, exact.verdict, exact.count) == (95.0, "exact", "met", 100)
    censored = from_durations(values[50:], 50.0, "executions")
    assert (censored.value_ms, censored.method, censored.verdict) == (None, "bound", "met")
    assert (censored.low_ms, censored.high_ms) == (0.0, 98.0)
    slow = from_durations(values * 10, 10.0, "executions")
    assert slow.verdict == "unknown"  # the fast ones that are not logged may be most of them


def test_a_clients_clock_bounds_the_databases() -> None:
    client = from_durations(np.array([5.0, 80.0]), None, "client calls")
    assert from_client(client, TARGET).verdict == "met"
    slow = from_durations(np.array([5.0, 800.0]), None, "client calls")
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
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1e6)), max_size=60), st.integers(0, 60))
def test_durations_are_nearest_rank_in_each_group(rows: list[tuple[int, float]], at: int) -> None:
    """Exact while they fit; else the histogram's bounds hold the truth, and its middle is near."""
    exact, folded, few = Durations(), Durations(), Durations(budget=0)
    for part in (rows[:at], rows[at:]):
        groups = np.array([group for group, _ in part], dtype=np.int64)
        values = np.array([value for _, value in part], dtype=np.float64)
        other = Durations()
        for one in (exact, other, few):
            one.add(groups, values)
        folded.absorb(other.arrays())
    assert exact.exact
    assert few.exact == (not rows)
    for group in {group for group, _ in rows}:
        mine = np.array([value for one, value in rows if one == group])
        truth = nearest_rank(mine, 0.95)
        assert truth is not None
        assert exact.quantiles((0.95,))[group][0].value_ms == truth
        assert folded.quantiles((0.95,))[group] == exact.quantiles((0.95,))[group]
        (near,) = few.quantiles((0.95,))[group]
        seen = max(truth, 0.001)  # what is faster counts as this
        assert near.low_ms <= truth * (1 + 1e-9)
        assert near.high_ms >= seen * (1 - 1e-9)
        assert near.value_ms == pytest.approx(seen, rel=0.0111)
    assert sum(int(counts.sum()) for _, counts in few.histograms().values()) == len(rows)


def test_a_histograms_verdict_is_sure_or_unknown() -> None:
    def judged(value: float) -> str:
        durations = Durations(budget=0)
        durations.add(np.zeros(100, dtype=np.int64), np.full(100, value))
        quantile, count = durations.overall([0], 0.95)
        assert quantile is not None
        verdict = from_quantile(quantile, count, TARGET, None, "executions")
        assert (verdict.method, verdict.count) == ("histogram", 100)
        return verdict.verdict

    assert [judged(97.0), judged(99.5), judged(104.0)] == ["met", "unknown", "missed"]
    assert from_histogram(np.array([0, 1]), np.array([95, 5]), 0.95).high_ms == 1.0
