"""Which runs of a history a report is compared with, and what is told of them."""

from typing import Any

import pytest

from analyzer.history.earlier import LAST, WEEK, WEEKDAY, earlier, figures_of
from analyzer.model.history import Run

DAY_US = 24 * 3_600_000_000
NOW_US = 100 * DAY_US


class Runs:
    """A history that has these runs."""

    def __init__(self, *runs: Run) -> None:
        self._runs = list(runs)

    def runs(self) -> list[Run]:
        return self._runs


def night(days_ago: int, value_ms: float | None, **more: Any) -> Run:  # noqa: ANN401 - fields of a run
    begin_us = NOW_US - days_ago * DAY_US
    target = {
        "quantile": 0.95, "value_ms": value_ms, "method": "exact", "verdict": "met",
        "request": {"value_ms": 200.0 + days_ago, "method": "exact", "verdict": "missed"},
        "client": None,
    } | more.pop("target", {})  # fmt: skip
    return Run("nightly", begin_us, begin_us, begin_us + DAY_US, target, **more)


def told(*runs: Run, log_set: str = "") -> dict[str, Any]:
    reader: Any = Runs(*runs)
    found = earlier(reader, 0.95, (NOW_US, NOW_US + DAY_US), log_set)
    return {what: figures_of(what, some) for what, some in found}


def test_last_night_the_weekday_and_the_week() -> None:
    found = told(*(night(days, 10.0 * days) for days in (9, 8, 7, 6, 5, 2, 1)))
    assert list(found) == [LAST, WEEKDAY, WEEK]
    assert found[LAST]["statements"] == {"value_ms": 10.0, "method": "exact", "verdict": "met"}
    assert found[LAST]["request"]["value_ms"] == 201.0
    assert found[LAST]["client"] is None
    assert found[WEEKDAY]["statements"]["value_ms"] == 70.0
    assert found[WEEK]["runs"] == 5  # of the seven days before: 7, 6, 5, 2, 1
    assert found[WEEK]["statements"] == {
        "value_ms": 50.0, "method": None, "verdict": None, "runs": 5,
    }  # fmt: skip


def test_one_night_is_no_week_and_old_ones_no_weekday() -> None:
    assert list(told(night(3, 10.0))) == [LAST]
    assert list(told(night(30, 10.0))) == [LAST]
    assert told() == {}


@pytest.mark.parametrize(
    "other",
    [
        night(0, 10.0),  # this window itself, analysed again
        night(1, 10.0, target={"quantile": 0.99}),
        night(1, 10.0, log_set="others"),
    ],
)
def test_what_does_not_compare(other: Run) -> None:
    assert told(other, log_set="mine") == {}


def test_a_report_is_compared_with_nights_of_one_set_of_logs_alone() -> None:
    assert list(told(night(1, 10.0, log_set="logs"))) == [LAST]
    assert told(night(1, 10.0, log_set="logs"), night(2, 10.0, log_set="others")) == {}


def test_a_bound_is_no_figure() -> None:
    found = told(night(1, 10.0, target={"method": "bound"}), night(2, None), night(3, 30.0))
    assert found[LAST]["statements"] is None
    assert found[WEEK]["statements"] is None  # one alone has no median
    assert found[WEEK]["request"]["runs"] == 3
