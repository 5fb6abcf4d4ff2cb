"""When a log and counters complete each other, when they only bound, and what counts beside them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.model.snapshot import CounterWindow
from analyzer.model.statement import StatementCounters
from analyzer.model.target import PatternTarget, Target
from analyzer.workload.quantiles import nearest_rank
from analyzer.workload.tails import Calls, Ranked, interval
from analyzer.workload.windows import Pair, Span, relate
from tests.workload.censored import QUERIES, START, durations, written

START_US = int(START.timestamp() * 1e6)


def drawn(seed: int, count: int = 5_000, middle: float = 3.0) -> np.ndarray:
    return durations(np.random.default_rng(seed).lognormal(middle, 0.9, count))


def p95(values: np.ndarray) -> float:
    found = nearest_rank(values, 0.95)
    assert found is not None
    return found


def of(document: dict, table: str) -> dict:
    return next(one for one in document["statements"] if table in one["tables"])


def test_statements_that_never_were_slow_count_too(tmp_path: Path) -> None:
    ran = {
        "orders": drawn(1),
        "books": np.minimum(drawn(2, middle=0.5), 19.0),
        "stock": drawn(3, 200),
    }
    document = written(tmp_path, ran, 20.0).document()
    target = document["target"]
    everything = np.concatenate(list(ran.values()))
    assert (target["method"], target["executions"]) == ("tail-exact", len(everything))
    assert target["value_ms"] == target["low_ms"] == target["high_ms"] == p95(everything)
    assert "assumed to be of one window" in target["reason"]
    assert any("assumed to be of one window" in one for one in document["coverage"]["warnings"])
    for table in ("orders", "stock"):
        assert of(document, table)["p95_ms"] == p95(ran[table])
        assert of(document, table)["p99_ms"] == nearest_rank(ran[table], 0.99)
        assert of(document, table)["method"] == "tail-exact"
    books = of(document, "books")
    assert books["samples"] == 0
    assert books["p95_low_ms"] <= p95(ran["books"]) <= books["p95_high_ms"] <= 20.0
    assert books["verdict"] == "met"


def test_a_threshold_that_nobody_tells_is_taken_from_the_fastest_entry(tmp_path: Path) -> None:
    ran = {"orders": drawn(4)}
    window = written(tmp_path, ran, 33.0, given=False)
    target = window.document()["target"]
    assert (target["method"], target["value_ms"]) == ("tail-exact", p95(ran["orders"]))
    # Below it, the bound is the fastest entry and not the round figure that pg95 guesses (25).
    below = {"orders": np.where(drawn(5) < 33.0, 28.0, 33.1)}
    below["orders"][: int(0.96 * len(below["orders"]))] = 28.0
    target = written(tmp_path, below, 33.0, given=False).document(target=Target(27.0))["target"]
    assert target["low_ms"] <= 28.0 <= target["high_ms"]
    assert target["verdict"] != "met"


@pytest.mark.parametrize("times", [3, 30])
def test_counters_of_a_longer_time_never_make_it_met(times: int, tmp_path: Path) -> None:
    """As they are where nobody reset them: the log of a bad hour beside counters of a good month."""
    bad = {"orders": drawn(6, middle=3.6), "books": drawn(7, middle=3.2)}
    month = {
        table: np.concatenate([values, drawn(8, times * len(values), middle=2.0)])
        for table, values in bad.items()
    }
    month["orders"][-1] = bad["orders"].max() * 1.05  # once, it was slower
    truth = p95(np.concatenate(list(bad.values())))
    document = written(tmp_path, bad, 20.0, counted=month).document(target=Target(truth * 0.9))
    target = document["target"]
    assert target["verdict"] != "met"
    assert target["method"] in ("bound", "estimated")
    assert any("do not complete each other" in one for one in document["coverage"]["warnings"])
    one = of(document, "orders")
    assert one["p95_low_ms"] <= p95(bad["orders"]) <= one["p95_high_ms"]


def test_counters_that_lack_logged_executions_only_bound(tmp_path: Path) -> None:
    ran = {"orders": drawn(9), "books": drawn(10)}
    document = written(tmp_path, ran, 20.0, counted={"orders": ran["orders"]}).document()
    truth = p95(np.concatenate(list(ran.values())))
    target = document["target"]
    assert target["low_ms"] <= truth <= target["high_ms"]
    assert (target["method"], target["value_ms"]) == ("bound", None)
    assert "lack" in " ".join(document["coverage"]["warnings"])


def test_snapshots_tell_the_window(tmp_path: Path) -> None:
    ran = {"orders": drawn(11)}
    files = written(tmp_path, ran, 20.0)
    values = ran["orders"]
    row = StatementCounters(
        query=QUERIES["orders"].format("$1"),
        query_id="1",
        calls=len(values),
        total_ms=float(values.sum()),
        min_ms=None,
        max_ms=None,
        mean_ms=float(values.mean()),
        stddev_ms=float(values.std()),
        rows=None,
    )
    to_us = START_US + 40_000 * len(values) + 1
    whole = CounterWindow(START_US - 1, to_us, [row])
    target = files.document(files.log, window=whole)["target"]
    assert (target["method"], target["value_ms"]) == ("tail-exact", p95(values))
    assert "difference of snapshots" in target["reason"]
    lossy = CounterWindow(
        START_US - 1, to_us, [row], complete=False, caveats=["3 rows were evicted"]
    )
    target = files.document(files.log, window=lossy)["target"]
    assert (target["method"], target["low_ms"]) == ("bound", 0)
    assert target["high_ms"] >= p95(values)
    assert "3 rows were evicted" in target["reason"]
    # What was logged after the window is not of it.
    half = CounterWindow(START_US - 1, START_US + 20_000 * len(values), [row])
    logged = files.document(files.log, window=half)["coverage"]["executions"]
    assert logged < 0.6 * (values >= 20.0).sum()


@pytest.mark.parametrize(
    ("since_ms", "kind"), [(-50, "tail-exact"), (-3_600_000, "bound"), (60_000, "bound")]
)
def test_since_when_counters_count_is_compared(since_ms: int, kind: str, tmp_path: Path) -> None:
    files = written(tmp_path, {"orders": drawn(12)}, 20.0)
    with files.counters.open(encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    since = np.datetime64(START_US + 1_000 * since_ms, "us")
    with files.counters.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [[*header, "stats_since"], *[[*row, f"{since}+00"] for row in rows]]
        )
    target = files.document()["target"]
    assert target["method"] == kind
    assert "stats_since" in target["reason"] or target["method"] != "tail-exact"


def test_cancelled_executions_count_with_at_least_their_time(tmp_path: Path) -> None:
    values = np.concatenate([np.full(945, 5.0), np.full(5, 60.0)])
    files = written(tmp_path, {"orders": values}, 0.0)
    cancelled = (
        "2026-11-22 08:10:00.000 UTC [7] ERROR:  canceling statement due to statement timeout\n"
        "2026-11-22 08:10:00.000 UTC [7] STATEMENT:  SELECT total FROM orders WHERE id = 7\n"
    )
    before = files.document(files.log, log_min_duration_ms=0.0)["target"]
    assert (before["value_ms"], before["method"], before["verdict"]) == (5.0, "exact", "met")
    with files.log.open("a", encoding="utf-8") as log:
        log.write(cancelled * 50)
    target = files.document(files.log, log_min_duration_ms=0.0, target=Target(10.0))["target"]
    # 50 of 1,000: the 950th is the slowest that came to an end, or one of those that were cancelled.
    assert (target["value_ms"], target["executions"]) == (60.0, 1_000)
    assert (target["low_ms"], target["high_ms"], target["verdict"]) == (5.0, 60.0, "unknown")
    assert "50 that were cancelled count" in target["reason"]
    with files.log.open("a", encoding="utf-8") as log:
        log.write(cancelled)
    target = files.document(files.log, log_min_duration_ms=0.0)["target"]
    assert (target["value_ms"], target["high_ms"], target["verdict"]) == (None, None, "unknown")


def test_what_is_known_of_a_cancelled_execution_is_a_lower_bound(tmp_path: Path) -> None:
    lines = []
    for second in range(20):
        at = f"2026-11-22 08:00:{second:02d}"
        query = "SELECT total FROM orders WHERE id = $1"
        lines.append(f"{at}.000 UTC [7] LOG:  duration: 0.100 ms  bind <unnamed>: {query}\n")
        if second % 10:
            lines.append(f"{at}.002 UTC [7] LOG:  duration: 2.000 ms  execute <unnamed>: {query}\n")
            continue
        lines.append(f"{at}.900 UTC [7] ERROR:  canceling statement due to statement timeout\n")
        lines.append(f"{at}.900 UTC [7] STATEMENT:  {query}\n")
    path = tmp_path / "postgresql.log"
    path.write_text("".join(lines), encoding="utf-8")
    target = written(tmp_path / "..", {}, 0.0).document(path, log_min_duration_ms=0.0)["target"]
    assert target["executions"] == 20
    assert 800 <= target["low_ms"] <= 900
    assert target["verdict"] == "missed"


def test_a_method_that_the_input_cannot_give_is_refused(tmp_path: Path) -> None:
    files = written(tmp_path, {"orders": drawn(13)}, 20.0)
    for method, why in (
        ("exact", "leaves out executions faster than 20 ms"),
        ("histogram", "leaves out"),
        ("sampled", "not known to be a sample"),
    ):
        with pytest.raises(UsageError, match=f"--method {method}: .*{why}"):
            files.document(method=method)
    with pytest.raises(UsageError, match="--method tail-exact: it needs pg_stat_statements"):
        files.document(files.log, method="tail-exact")
    with pytest.raises(UsageError, match="--method estimated: it needs counters"):
        files.document(files.log, method="estimated")
    truth = p95(drawn(13))
    for method in ("tail-exact", "estimated", "bound"):
        target = files.document(method=method)["target"]
        assert target["method"] == method
        assert target["low_ms"] <= truth <= target["high_ms"]
    whole = written(tmp_path, {"orders": drawn(13)}, 0.0)
    target = whole.document(whole.log, log_min_duration_ms=0.0, method="histogram")["target"]
    assert target["method"] == "histogram"
    assert target["low_ms"] <= truth <= target["high_ms"]


def test_targets_of_tables_and_statements(tmp_path: Path) -> None:
    ran = {"orders": drawn(14, middle=2.0), "books": drawn(15, middle=4.5), "stock": drawn(16)}
    files = written(tmp_path, ran, 20.0)
    targets = (
        PatternTarget({"table": "order*"}, Target(p95(ran["orders"]) * 0.99)),
        PatternTarget({"table": "orders"}, Target(1.0)),
        PatternTarget({"table": "nowhere"}, Target(1.0)),
        PatternTarget({"table": "stock", "application": "web"}, Target(5.0)),
    )
    document = files.document(targets=targets, target=Target(200.0))
    by = {(one["dimension"], one["name"]): one for one in document["target"]["by"]}
    orders = by["table", "orders"]
    assert orders["configured"]
    assert (orders["verdict"], orders["method"]) == ("missed", "tail-exact")
    assert orders["value_ms"] == p95(ran["orders"])
    assert (of(document, "orders")["verdict"], of(document, "orders")["target_ms"]) == (
        "missed",
        pytest.approx(p95(ran["orders"]) * 0.99, abs=0.01),
    )
    books = by["table", "books"]
    assert (books["configured"], books["value_ms"]) == (False, p95(ran["books"]))
    assert set(by) == {("table", "orders"), ("table", "books")}  # of what is well, nothing is said
    warnings = " ".join(document["coverage"]["warnings"])
    assert "the target of table = nowhere is about nothing here" in warnings
    assert "the target of table = stock, application = web is about nothing here" in warnings


@pytest.mark.parametrize(
    ("before_s", "after_s", "kind", "least"),
    [
        (0, 0, "same", 5_000),
        (0, 20, "about", 4_090),  # 20 of 220 s may hold twice their share
        (10, 10, "about", 4_090),
        (0, 400, "longer", None),
    ],
)
def test_silence_at_the_ends_of_a_log_leaves_open_how_many_there_were(
    before_s: int, after_s: int, kind: str, least: int | None
) -> None:
    values = np.sort(drawn(17))
    tail = Ranked(values, values, values).from_ms(40.0)
    row = StatementCounters(
        query="SELECT 1",
        query_id=None,
        calls=len(values),
        total_ms=float(values.sum()),
        min_ms=None,
        max_ms=None,
        mean_ms=float(values.mean()),
        stddev_ms=float(values.std()),
        rows=None,
    )
    second = 1_000_000
    window = CounterWindow(START_US - before_s * second, START_US + (200 + after_s) * second, [row])
    span = Span(START_US, START_US + 200 * second)
    found = relate([Pair([row], tail)], 40.0, span, [window])
    assert found.kind == kind, found.reason
    calls = found.calls(len(values), tail.total)
    assert calls.most == len(values)
    assert calls.least == (least or tail.total)
    # Whatever part of the calls the log is of, the interval holds their quantile.
    between = interval(tail, 40.0, calls, np.zeros(0), 0.95)
    for fewer in (len(values), calls.least, (len(values) + calls.least) // 2):
        exact = interval(tail, 40.0, Calls(fewer, fewer), np.zeros(0), 0.95)
        assert between.low_ms <= exact.low_ms
        assert exact.high_ms <= between.high_ms
    asked = Span(span.first_us, span.last_us, window.from_us, window.to_us)
    assert relate([Pair([row], tail)], 40.0, asked, [window]).kind == "same"
