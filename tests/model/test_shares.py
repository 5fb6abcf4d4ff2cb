"""What counters allow holds for every distribution, at the extremes and on the mean, too."""

import statistics
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.model.shares import least_from, most_from, most_slower
from analyzer.model.statement import StatementCounters

TIMES = st.lists(
    st.one_of(st.floats(0.001, 1e4), st.sampled_from([1.0, 50.0, 200.0])), min_size=1, max_size=30
)
_ROUNDING = 1e-9


def row(times: list[float], *, extremes: bool = True, deviation: bool = True) -> StatementCounters:
    """The counters of such calls; a window has no extremes, and an old source no deviation."""
    return StatementCounters(
        query="SELECT 1",
        query_id="1",
        calls=len(times),
        total_ms=sum(times),
        min_ms=min(times) if extremes else None,
        max_ms=max(times) if extremes else None,
        mean_ms=statistics.fmean(times),
        stddev_ms=statistics.pstdev(times) if deviation else None,
        rows=None,
    )


@settings(max_examples=300, deadline=None)
@given(TIMES, st.floats(-1, 2e4), st.booleans(), st.booleans(), st.data())
@example([7.0], 7.0, True, True, None)  # noqa: FBT003 - as hypothesis draws them
@example([0.1] * 3, 0.1, True, True, None)  # noqa: FBT003 - a mean beside both extremes, by rounding
def test_the_true_share_is_within(
    times: list[float],
    at_ms: float,
    extremes: bool,  # noqa: FBT001 - given by name
    deviation: bool,  # noqa: FBT001 - as above
    data: st.DataObject | None,
) -> None:
    edges = [at_ms, *times, statistics.fmean(times)]
    at_ms = edges[0] if data is None else data.draw(st.sampled_from(edges))
    counted = row(times, extremes=extremes, deviation=deviation)
    slower = sum(time > at_ms for time in times) / len(times)
    as_slow = sum(time >= at_ms for time in times) / len(times)
    assert slower <= most_slower(counted, at_ms) + _ROUNDING
    assert as_slow <= most_from(counted, at_ms) + _ROUNDING
    at_the_mean = abs(at_ms - counted.mean_ms) <= 1e-9 * counted.mean_ms  # where rounding decides
    assert at_the_mean or least_from(counted, at_ms) - _ROUNDING <= as_slow
    assert most_slower(counted, at_ms) <= most_from(counted, at_ms)


@pytest.mark.parametrize(
    ("share", "at_ms", "expected"),
    [
        (most_slower, 10.0, 0.0),  # nothing is slower than the slowest
        (most_from, 10.0, 0.2),  # Markov within [2, 10]: (3.6 - 2) / (10 - 2)
        (least_from, 10.0, 0.2),  # the slowest itself
        (least_from, 10.1, 0.0),
        (most_from, 10.1, 0.0),
        (most_slower, 2.0, 0.8),  # the fastest is not
        (most_from, 2.0, 1.0),
        (least_from, 2.0, 1.0),
        (most_slower, 1.9, 1.0),
        (most_from, 3.0, 0.8),
    ],
)
def test_at_the_edges(
    share: Callable[[StatementCounters, float], float], at_ms: float, expected: float
) -> None:
    assert share(row([2.0, 2.0, 2.0, 2.0, 10.0]), at_ms) == pytest.approx(expected)


def test_what_is_bounded_by_the_deviation_alone() -> None:
    window = row([0.0] * 50 + [20.0] * 50, extremes=False)  # 10 and 10
    assert most_slower(window, 40.0) == pytest.approx(100 / (100 + 900))
    assert least_from(window, 5.0) == pytest.approx(1 - 100 / (100 + 25))
    single = row([5.0], extremes=False)
    assert (most_slower(single, 5.0 + 1e-12), least_from(single, 5.0 - 1e-12)) == (
        pytest.approx(1.0),
        0.0,
    )
