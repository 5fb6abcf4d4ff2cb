"""Sampled logs: weights give what ran, intervals hold the true P95, and what is unsure is not said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.sampling import LoggingSettings, Sampling
from analyzer.pipeline import Options, Result, run
from analyzer.sources.options import ReadOptions
from analyzer.workload.quantiles import nearest_rank
from analyzer.workload.samples import design_effect, of_values, together
from analyzer.workload.totals import Durations

if TYPE_CHECKING:
    from tests.conftest import Server

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
NOTHING = LoggingSettings()
QUERIES = (
    "SELECT name FROM books WHERE id = {}",
    "SELECT total FROM orders WHERE day = {}",
    "UPDATE stock SET left_over = left_over - 1 WHERE book = {}",
)


@dataclass(frozen=True)
class Run:
    """What ran: of each execution its statement (a place in QUERIES), transaction and duration."""

    statement: np.ndarray
    transaction: np.ndarray
    duration_ms: np.ndarray

    def of(self, place: int) -> np.ndarray:
        found: np.ndarray = self.duration_ms[self.statement == place]
        return found


def make_run(seed: int, count: int = 20_000, each: int = 1) -> Run:
    """Executions of three statements, log-normal with their own medians; `each` in a transaction."""
    rng = np.random.default_rng(seed)
    transaction = np.arange(count) // each
    statement = rng.choice(3, size=count, p=(0.7, 0.2, 0.1))
    middle = np.array([2.0, 30.0, 80.0])[statement]
    return Run(statement, transaction, np.round(middle * rng.lognormal(0, 0.8, count), 3))


def written(run: Run, rows: np.ndarray, path: Path, *, whole: bool = False, extra: str = "") -> str:
    """An stderr log of some executions; `whole`: each transaction begins and commits."""
    lines = [extra] if extra else []
    last = -1

    def line(at_ms: float, pid: int, text: str) -> None:
        at = (START + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        lines.append(f"{at} UTC [{pid}] LOG:  duration: {text}\n")

    for row in rows.tolist():
        number = int(run.transaction[row])
        at_ms, pid = number * 500.0 + row, 100 + number % 4
        if whole and number != last:
            line(at_ms - 0.5, pid, "0.010 ms  statement: BEGIN")
        query = QUERIES[run.statement[row]].format(row)
        line(at_ms, pid, f"{run.duration_ms[row]:.3f} ms  statement: {query}")
        if whole and (row + 1 == len(run.transaction) or run.transaction[row + 1] != number):
            line(at_ms + 0.5, pid, "0.020 ms  statement: COMMIT")
        last = number
    path.write_text("".join(lines), encoding="utf-8")
    return str(path)


def analysed(
    path: str, sampled: LoggingSettings = NOTHING, minimum_ms: float | None = None
) -> Result:
    return run(
        Options(
            inputs=[path],
            read=ReadOptions(log_line_prefix="%m [%p] "),
            log_min_duration_ms=minimum_ms,
            sampled=sampled,
        )
    )


def by_table(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["tables"][0]: one for one in document["statements"] if one["tables"]}


@pytest.mark.parametrize("seed", range(6))
def test_a_tenth_of_the_statements_stands_for_all(seed: int, tmp_path: Path) -> None:
    ran = make_run(seed)
    drawn = np.random.default_rng(100 + seed).random(len(ran.statement)) < 0.1
    rows = np.flatnonzero(drawn | (ran.duration_ms >= 100))
    path = written(ran, rows, tmp_path / "postgresql.log")
    document = analysed(path, LoggingSettings(statement_rate=0.1), 100).document
    coverage, target = document["coverage"], document["target"]
    assert coverage["sampling"] == {
        "rate": 0.1,
        "threshold_ms": 100,
        "floor_ms": 0,
        "rate_below_floor": 0,
        "by": "statement",
        "known_from": "options",
    }
    assert coverage["executions"] == len(rows)
    assert coverage["log_min_duration_ms"] is None
    found = by_table(document)
    for place, table in enumerate(("books", "orders", "stock")):
        truth, one = ran.of(place), found[table]
        below = truth[truth < 100]
        # 4 deviations of a sum over a tenth drawn at random
        assert abs(one["calls"] - len(truth)) <= 4 * (len(below) * 9) ** 0.5 + 1
        assert abs(one["total_ms"] - truth.sum()) <= 4 * (9 * (below**2).sum()) ** 0.5
        assert one["mean_ms"] == pytest.approx(one["total_ms"] / one["calls"], rel=0.01)
        assert one["samples"] == (ran.statement[rows] == place).sum()
        assert one["method"] == "sampled"
        assert one["requests"] is None
        assert one["p95_ms"] == pytest.approx(nearest_rank(truth, 0.95), rel=0.25)
        assert sum(one["histogram"]["counts"]) == pytest.approx(one["calls"], abs=20)
    assert sum(one["share"] for one in document["statements"]) == pytest.approx(1, abs=1e-4)
    assert target["method"] == "sampled"
    assert target["executions"] == pytest.approx(len(ran.duration_ms), rel=0.05)
    assert sum(hour["calls"] for hour in document["hours"]) == pytest.approx(
        target["executions"], abs=5
    )
    assert target["low_ms"] <= target["value_ms"] <= target["high_ms"]
    assert target["request"]["verdict"] == "unknown"
    outcomes = {one["id"]: one for one in document["detectors"]}
    for name in ("n-plus-one", "repeated-lookup", "repeated-query"):
        assert outcomes[name]["status"] == "not-applicable"
        assert "10 %" in outcomes[name]["reason"]


DISTRIBUTIONS = {
    "log-normal": lambda rng, n: rng.lognormal(2.5, 0.8, n),
    "two humps": lambda rng, n: (
        np.where(rng.random(n) < 0.06, 200.0, 5.0) * rng.uniform(0.5, 1.5, n)
    ),
    "Pareto": lambda rng, n: 5 * (1 + rng.pareto(1.5, n)),
}
SAMPLINGS = {
    "no threshold": Sampling(0.1, None),
    "threshold below the P95": Sampling(0.1, 25.0),
    "threshold about the P95": Sampling(0.1, 45.0),
    "threshold beyond": Sampling(0.1, 1_000.0),
    "two rates": Sampling(0.4, 200.0, 10.0, 0.1, "both"),
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("count", [40, 300, 5_000])
def test_the_interval_holds_the_true_p95_in_95_of_100(
    distribution: str, name: str, count: int
) -> None:
    """With 400 runs, 95 % less four deviations is 90.6 %."""
    sampling = SAMPLINGS[name]
    rng = np.random.default_rng(11)
    held = runs = 0
    for _ in range(400):
        values = DISTRIBUTIONS[distribution](rng, count)
        logged = np.sort(values[rng.random(count) * sampling.weights(values) < 1])
        if len(logged) == 0:
            continue
        truth = nearest_rank(values, 0.95)
        found = of_values(logged, np.zeros(len(logged), dtype=np.int64), sampling).quantile(0.95)
        assert truth is not None
        runs += 1
        held += found.low_ms <= truth and (found.high_ms is None or truth <= found.high_ms)
    assert runs >= 380
    assert held >= 0.906 * runs, f"{held} of {runs}"


def test_an_interval_narrows_with_the_sample() -> None:
    rng = np.random.default_rng(5)
    values = np.sort(rng.lognormal(2.5, 0.8, 100_000))
    sampling = Sampling(0.01, None)
    logged = values[rng.random(len(values)) < 0.01]
    found = of_values(logged, np.zeros(len(logged), dtype=np.int64), sampling).quantile(0.95)
    truth = nearest_rank(values, 0.95)
    assert truth is not None
    assert found.high_ms is not None
    assert truth * 0.75 < found.low_ms < truth < found.high_ms < truth * 1.3


@given(st.lists(st.floats(0.001, 1e5), min_size=1, max_size=200), st.floats(0.01, 0.99))
def test_one_weight_for_all_changes_no_quantile(values: list[float], rate: float) -> None:
    ascending = np.sort(np.array(values))
    sample = of_values(ascending, np.zeros(len(values), dtype=np.int64), Sampling(rate, None))
    for quantile in (0.5, 0.95, 0.99):
        found = sample.quantile(quantile)
        assert found.value_ms == nearest_rank(ascending, quantile)
        assert found.low_ms <= found.value_ms
        assert found.high_ms is None or found.high_ms >= found.value_ms
    assert sample.calls == pytest.approx(len(values) / rate)
    assert sample.total_ms(ascending.sum()) == pytest.approx(ascending.sum() / rate)


def test_a_histogram_gives_nearly_what_kept_durations_do() -> None:
    rng = np.random.default_rng(3)
    values = rng.lognormal(3, 1, 50_000)
    sampling = Sampling(0.2, 100.0)
    logged = values[rng.random(len(values)) * sampling.weights(values) < 1]
    kept, few = Durations(), Durations(budget=0)
    groups = np.arange(len(logged)) % 3
    for durations in (kept, few):
        durations.add(groups, logged)
    exact = together(list(kept.samples(sampling).values()))
    near = together(list(few.samples(sampling).values()))
    assert near.calls == pytest.approx(exact.calls, rel=0.002)
    assert near.total_ms(logged.sum()) == pytest.approx(exact.total_ms(logged.sum()), rel=0.005)
    ours, theirs = exact.quantile(0.95), near.quantile(0.95)
    assert theirs.value_ms == pytest.approx(ours.value_ms, rel=0.0111)
    assert ours.high_ms is not None
    assert theirs.high_ms is not None
    assert theirs.low_ms <= ours.low_ms * (1 + 1e-9)
    assert theirs.high_ms >= ours.high_ms * (1 - 1e-9)


def test_what_is_all_logged_is_sure_and_what_was_not_drawn_is_not() -> None:
    buckets = np.zeros(5, dtype=np.int64)
    slow = np.array([150.0, 160.0, 170.0, 180.0, 190.0])
    # None below the threshold was drawn, but there may be some: the P95 may be lower, not higher.
    found = of_values(slow, buckets, Sampling(0.1, 100.0)).quantile(0.95)
    assert (found.low_ms, found.value_ms, found.high_ms) == (0.0, 190.0, 190.0)
    # Nothing is as slow as the threshold, or it would be in the log.
    fast = of_values(slow / 10, buckets, Sampling(0.1, 100.0)).quantile(0.95)
    assert fast.high_ms == 100.0
    # Without a threshold five drawn ones say nothing of the slowest.
    assert of_values(slow, buckets, Sampling(0.1, None)).quantile(0.95).high_ms is None


def test_what_is_drawn_together_widens_the_interval() -> None:
    values = np.sort(np.random.default_rng(2).lognormal(2, 1, 2_000))
    sample = of_values(values, np.zeros(len(values), dtype=np.int64), Sampling(0.1, None))
    effect = design_effect(np.array([1, 20]), np.array([1_000, 50]))
    assert effect == pytest.approx((1_000 + 50 * 400) / 2_000)
    alone, clustered = sample.quantile(0.95), sample.quantile(0.95, effect)
    assert alone.value_ms == clustered.value_ms
    assert clustered.low_ms < alone.low_ms
    assert alone.high_ms is not None
    assert clustered.high_ms is not None
    assert clustered.high_ms > alone.high_ms


@pytest.mark.parametrize("seed", range(3))
def test_sampled_transactions(seed: int, tmp_path: Path) -> None:
    ran = make_run(seed, 12_000, each=6)
    drawn = np.random.default_rng(50 + seed).random(2_000) < 0.1
    rows = np.flatnonzero(drawn[ran.transaction])
    path = written(ran, rows, tmp_path / "postgresql.log", whole=True)
    document = analysed(path, LoggingSettings(transaction_rate=0.1)).document
    assert document["coverage"]["sampling"]["by"] == "transaction"
    target, truth = document["target"], nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    assert target["executions"] == len(rows) * 10
    assert target["method"] == "sampled"
    assert target["low_ms"] <= truth <= target["high_ms"]
    found = by_table(document)["books"]
    assert found["calls"] == found["samples"] * 10
    outcomes = {one["id"]: one for one in document["detectors"]}
    assert outcomes["n-plus-one"]["status"] == "not-applicable"
    assert "transactions" in outcomes["n-plus-one"]["reason"]


def test_a_verdict_needs_the_whole_interval_on_one_side(tmp_path: Path) -> None:
    ran = make_run(1, 4_000)

    def verdict(factor: float) -> dict[str, Any]:
        scaled = replace(ran, duration_ms=np.round(ran.duration_ms * factor, 3))
        rows = np.flatnonzero(np.random.default_rng(4).random(4_000) < 0.1)
        path = written(scaled, rows, tmp_path / f"{factor}.log")
        found: dict[str, Any] = analysed(path, LoggingSettings(statement_rate=0.1)).document[
            "target"
        ]
        return found

    truth = nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    assert verdict(30 / truth)["verdict"] == "met"
    assert verdict(100 / truth)["verdict"] == "unknown"
    assert verdict(300 / truth)["verdict"] == "missed"


def test_below_a_floor_only_an_upper_bound_is_known(tmp_path: Path) -> None:
    ran = make_run(2, 6_000)
    drawn = np.random.default_rng(9).random(6_000) < 0.25
    rows = np.flatnonzero((drawn & (ran.duration_ms >= 10)) | (ran.duration_ms >= 200))
    path = written(ran, rows, tmp_path / "postgresql.log")
    given_ = LoggingSettings(sample_min_duration_ms=10, statement_rate=0.25)
    document = analysed(path, given_, 200).document
    assert document["coverage"]["log_min_duration_ms"] == 10
    target = document["target"]
    truth = nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    assert (target["value_ms"], target["low_ms"], target["method"]) == (None, 0.0, "bound")
    assert target["high_ms"] >= truth
    orders = by_table(document)["orders"]
    slow = ran.of(1)[ran.of(1) >= 10]
    assert orders["calls"] == pytest.approx(len(slow), rel=0.15)
    assert (orders["p95_ms"], orders["method"]) == (None, "bound")
    # The same is inferred from the fastest entry where only the rate is given.
    inferred = analysed(path, LoggingSettings(statement_rate=0.25), 200).document["coverage"]
    assert (inferred["sampling"]["floor_ms"], inferred["log_min_duration_ms"]) == (10, 10)
    assert any("--log-min-duration-sample-ms 0" in warning for warning in inferred["warnings"])


CHANGES = (
    '2026-11-22 07:59:00.000 UTC [9] LOG:  parameter "log_min_duration_statement" changed to "1s"\n'
    '2026-11-22 07:59:00.000 UTC [9] LOG:  parameter "log_min_duration_sample" changed to "0"\n'
    '{at} UTC [9] LOG:  parameter "log_statement_sample_rate" changed to "0.5"\n'
)


@pytest.mark.parametrize("within", [False, True])
def test_the_log_itself_tells_how_it_was_sampled(within: bool, tmp_path: Path) -> None:  # noqa: FBT001
    ran = make_run(3, 400)
    at = "2026-11-22 08:00:01.000" if within else "2026-11-22 07:59:00.000"
    path = written(ran, np.arange(0, 400, 2), tmp_path / "a.log", extra=CHANGES.format(at=at))
    coverage = analysed(path).document["coverage"]
    assert coverage["sampling"]["known_from"] == "log"
    assert (coverage["sampling"]["rate"], coverage["sampling"]["threshold_ms"]) == (0.5, 1_000)
    said = [warning for warning in coverage["warnings"] if "log_statement_sample_rate" in warning]
    assert bool(said) == within
    # What is given is trusted more; a server that was asked is trusted less.
    given_ = analysed(path, LoggingSettings(statement_rate=0.25)).document["coverage"]["sampling"]
    assert (given_["rate"], given_["known_from"]) == (0.25, "options")


def test_a_log_that_says_nothing_is_taken_as_it_is(tmp_path: Path) -> None:
    ran = make_run(4, 500)
    path = written(ran, np.arange(500), tmp_path / "a.log")
    document = analysed(path).document
    assert document["coverage"]["sampling"] is None
    assert document["target"]["method"] == "exact"
    whole = analysed(path, LoggingSettings(statement_rate=0.1), 0).document
    assert whole["coverage"]["sampling"] is None
    assert any("has no effect" in warning for warning in whole["coverage"]["warnings"])
    assert whole["target"] == document["target"]


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=50))
def test_a_narrow_bucket_weighs_what_its_durations_do(values: Sequence[float]) -> None:
    sampling = Sampling(0.25, 100.0, 10.0, 0.1, "both")
    middle = np.array([value for value in values if min(abs(value - 10), abs(value - 100)) > 0.01])
    low, high = middle * (1 - 1e-7), middle * (1 + 1e-7)
    assert sampling.bucket_weights(low, high) == pytest.approx(sampling.weights(middle))


def test_what_a_server_samples_is_weighted_as_its_settings_say(
    postgres15: "Server", tmp_path: Path
) -> None:
    """A real server's own drawing: 1,500 fast executions at 0.2, and 6 slow ones, all logged."""
    dsn = postgres15.create_database("sampled")
    postgres15.psql("CREATE TABLE books AS SELECT n AS id FROM generate_series(1, 50) AS n", dsn)
    for name, value in (
        ("log_min_duration_statement", "60"),
        ("log_min_duration_sample", "0"),
        ("log_statement_sample_rate", "0.2"),
    ):
        postgres15.psql(f"ALTER DATABASE sampled SET {name} = {value}")
    start = postgres15.log_path("csvlog").stat().st_size
    slow = "SELECT pg_sleep(0.07) FROM books LIMIT 1;\n"
    fast = "".join(f"SELECT count(*) FROM books WHERE id = {n};\n" for n in range(250))
    postgres15.psql((fast + slow) * 6, dsn)
    postgres15.flush_logs()
    path = tmp_path / "sampled.csv"
    path.write_bytes(postgres15.log_path("csvlog").read_bytes()[start:])
    made = run(Options(inputs=[str(path)], dsn=dsn))
    sampling = made.document["coverage"]["sampling"]
    assert (sampling["rate"], sampling["threshold_ms"], sampling["floor_ms"]) == (0.2, 60, 0)
    assert (sampling["by"], sampling["known_from"]) == ("statement", "server")
    found = {one["sql"]: one for one in made.document["statements"] if one["tables"] == ["books"]}
    (counted,) = (one for sql, one in found.items() if "count" in sql)
    (slept,) = (one for sql, one in found.items() if "pg_sleep" in sql)
    assert 0 < counted["samples"] < 600
    # 5 deviations of what 1,500 drawings at 0.2 stand for
    assert counted["calls"] == pytest.approx(1_500, abs=5 * (1_500 * 4) ** 0.5)
    assert (slept["calls"], slept["samples"]) == (6, 6)
    assert made.document["target"]["verdict"] == "met"
