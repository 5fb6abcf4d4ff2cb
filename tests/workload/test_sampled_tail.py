"""A sampled log that has all slow executions, with counters beside it: exact where they hold the P95."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analyzer.model.sampling import LoggingSettings
from analyzer.model.target import Target
from analyzer.pipeline import Options, run
from analyzer.sources.options import ReadOptions
from analyzer.workload.quantiles import nearest_rank
from analyzer.workload.totals import Durations
from tests.workload.test_sampling import QUERIES, Run, make_run, written


def inputs(ran: Run, threshold_ms: float, folder: Path, counted: float = 1.0) -> list[str]:
    """A tenth of what ran and all of it from a threshold on, and counters of `counted` as many."""
    drawn = np.random.default_rng(5).random(len(ran.statement)) < 0.1
    rows = np.flatnonzero(drawn | (ran.duration_ms >= threshold_ms))
    log = written(ran, rows, folder / "postgresql.log")
    path = folder / "pg_stat_statements.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        names = ("total", "min", "max", "mean", "stddev")
        table.writerow(
            ("queryid", "query", "calls", *(f"{one}_exec_time" for one in names), "rows")
        )
        for place, query in enumerate(QUERIES):
            some = ran.of(place)
            calls = round(len(some) * counted)
            figures = (some.mean() * calls, some.min(), some.max(), some.mean(), some.std())
            shown = query.format("$1")
            table.writerow((place + 1, shown, calls, *map(repr, map(float, figures)), calls))
    return [log, str(path)]


def target_of(paths: list[str], threshold_ms: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - the pipeline's options
    options = Options(
        inputs=paths,
        read=ReadOptions(log_line_prefix="%m [%p] "),
        log_min_duration_ms=threshold_ms,
        sampled=LoggingSettings(statement_rate=0.1),
        **more,
    )
    found: dict[str, Any] = run(options).document["target"]
    return found


@pytest.mark.parametrize("is_exact", [True, False])
def test_the_p95_among_the_slow_ones_is_theirs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_exact: bool,  # noqa: FBT001 - a parameter
) -> None:
    ran = make_run(3)
    truth = nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    if not is_exact:  # too many to keep each duration
        monkeypatch.setattr(Durations.__init__, "__defaults__", (100,))
    threshold_ms = truth * 0.7
    found = target_of(inputs(ran, threshold_ms, tmp_path), threshold_ms)
    assert (found["method"], found["executions"]) == ("tail-exact", len(ran.statement))
    assert found["low_ms"] <= truth <= found["high_ms"]
    if is_exact:
        assert found["value_ms"] == truth
    assert "among them" in found["reason"]
    asked = target_of(inputs(ran, threshold_ms, tmp_path), threshold_ms, method="sampled")
    assert asked["method"] == "sampled"
    alone = target_of(inputs(ran, threshold_ms, tmp_path)[:1], threshold_ms)
    assert alone["method"] == "sampled"


def test_below_the_threshold_the_sample_says_more(tmp_path: Path) -> None:
    ran = make_run(4)
    truth = nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    threshold_ms = truth * 1.3
    paths = inputs(ran, threshold_ms, tmp_path)
    found = target_of(paths, threshold_ms)
    assert found["method"] == "sampled"
    assert found["low_ms"] <= truth <= found["high_ms"]
    # The interval of the sample reaches beyond this target, and the tail is surely below.
    unsure = target_of(paths, threshold_ms, target=Target(threshold_ms))
    assert unsure["verdict"] == "met"


def test_counters_of_another_time_change_nothing(tmp_path: Path) -> None:
    ran = make_run(3)
    truth = nearest_rank(ran.duration_ms, 0.95)
    assert truth is not None
    paths = inputs(ran, truth * 0.7, tmp_path, counted=0.02)
    found = target_of(paths, truth * 0.7)
    assert found["method"] == "sampled"
    assert found["low_ms"] <= truth <= found["high_ms"]
