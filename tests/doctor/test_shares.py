"""Shares above a time are intervals that hold, whatever the distribution is."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.doctor.shares import share_from
from analyzer.model.statement import StatementCounters

TIMES = st.lists(st.one_of(st.floats(0.001, 1e4), st.sampled_from([1.0, 50.0, 200.0])), min_size=1)


def counters(times: list[float]) -> StatementCounters:
    return StatementCounters(
        query="SELECT 1",
        query_id="1",
        calls=len(times),
        total_ms=sum(times),
        min_ms=min(times),
        max_ms=max(times),
        mean_ms=statistics.fmean(times),
        stddev_ms=statistics.pstdev(times),
        rows=None,
    )


@settings(max_examples=200, deadline=None)
@given(TIMES, st.floats(0, 2e4), st.booleans())
def test_the_true_share_is_within(times: list[float], from_ms: float, extremes: bool) -> None:  # noqa: FBT001 - given by name
    row = counters(times)
    if not extremes:  # as of a window
        row = StatementCounters(
            "SELECT 1", "1", row.calls, row.total_ms, None, None, row.mean_ms, row.stddev_ms, None
        )
    share = share_from(row, from_ms)
    truth = sum(time >= from_ms for time in times) / len(times)
    assert share.low - 1e-9 <= truth <= share.high + 1e-9
    assert share.low <= share.likely <= share.high


def test_a_log_normal_is_met() -> None:
    row = StatementCounters("SELECT 1", "1", 10**6, 1e7, 0.1, 5000.0, 10.0, 10.0, None)
    assert share_from(row, 28.74).likely == pytest.approx(0.05, abs=0.005)
    assert share_from(row, 0).low == 1.0
    assert share_from(row, 6000).high == 0.0
