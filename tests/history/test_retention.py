"""Hours become days, days go, and figures stay what they were."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept import MIDNIGHT_US, hour, named

from analyzer.errors import StoreError
from analyzer.history import open_store
from analyzer.history.keeping import trend_rows
from analyzer.history.store import Store
from analyzer.model.columns import Floats
from analyzer.model.history import Run

DAY_US = 86_400_000_000
Postgres = Any  # tests/conftest.py's Server; a conftest cannot be imported
Draw = Callable[[int], Floats]


def test_days_made_of_hours_tell_the_same(store: Store, draw: Draw) -> None:
    one = named("aa")
    values = [draw(200) for _ in range(48)]
    with store.transaction() as night:
        night.add_hours(
            hour(number, some, who) for number, some in enumerate(values) for who in (one, None)
        )
        before = night.trend()
        night.retain(MIDNIGHT_US + 15 * DAY_US)  # the first day is over its age, the second is not
        assert night.trend() == before  # over everything nothing is lost
        hours = night.trend([1], step_hours=1)
        assert [point.to_us - point.from_us for point in hours[:2]] == [DAY_US, DAY_US // 24]
        assert len(hours) == 25
        told = night.trend([1])[0].figures.quantile(0.95)
    truth = float(np.quantile(np.concatenate(values[:24]), 0.95, method="inverted_cdf"))
    assert told is not None
    assert told.high_ms is not None
    assert told.low_ms <= truth <= told.high_ms
    assert told.high_ms / told.low_ms < 1.05


def test_late_hours_join_the_day_that_was_made(store: Store, draw: Draw) -> None:
    with store.transaction() as night:
        for _ in range(2):
            night.add_hours([hour(3, draw(50), named("aa"))])
            night.retain(MIDNIGHT_US + 30 * DAY_US)
        (day,) = night.trend([1])
    assert day.figures.calls == 100


def test_what_is_over_its_age_goes(store: Store, draw: Draw) -> None:
    with store.transaction() as night:
        night.add_hours([hour(0, draw(50), named("aa")), hour(24 * 300, draw(50), named("bb"))])
        night.add_run(Run("nightly", MIDNIGHT_US, None, None, {"ms": 100.0}))
        night.retain(MIDNIGHT_US + 401 * DAY_US)
        assert [point.from_us for point in night.trend([1, 2])] == [MIDNIGHT_US + 300 * DAY_US]
        assert set(night.names([1, 2])) == {2}
        assert len(night.runs()) == 1
        night.retain(MIDNIGHT_US + 900 * DAY_US)
        assert night.runs() == []


def test_freed_space_is_given_back(tmp_path: Path, draw: Draw) -> None:
    path = tmp_path / "history.db"
    with open_store(str(path)) as store:
        with store.transaction() as night:
            names = [named(f"s{n}") for n in range(40)]
            night.add_hours(hour(h, draw(90), name) for h in range(48) for name in names)
        store.vacuum()
        full = path.stat().st_size
        with store.transaction() as night:
            night.retain(MIDNIGHT_US + 30 * DAY_US)
        store.vacuum()
    assert path.stat().st_size < full / 3


def test_a_day_of_a_censored_log_has_what_its_run_knew(store: Store, draw: Draw) -> None:
    """A log of slow executions alone gives a bound; the run had the counters beside it."""
    target = {"ms": 100.0, "quantile": 0.95, "value_ms": 61.0, "low_ms": 60.0, "high_ms": 62.0}
    known = target | {"method": "tail-exact", "verdict": "met"}
    with store.transaction() as night:
        night.add_hours([hour(3, 50 + draw(50), floor_ms=50.0)])
        night.add_run(
            Run("nightly", MIDNIGHT_US + DAY_US, MIDNIGHT_US, MIDNIGHT_US + DAY_US, known)
        )
        (row,) = trend_rows(night, 100.0, 0.95, 0)
        (other,) = trend_rows(night, 50.0, 0.95, 0)
    assert (row["p95_ms"], row["method"], row["verdict"]) == (61.0, "tail-exact", "met")
    assert (other["p95_ms"], other["method"], other["verdict"]) == (None, "bound", "unknown")


def test_a_role_that_may_not_make_the_schema_is_told_what_to_run(postgres15: Postgres) -> None:
    dsn = postgres15.create_database("team")
    postgres15.psql("DROP ROLE IF EXISTS perf; CREATE ROLE perf LOGIN")
    where = dsn.replace("postgres@", "perf@")
    with pytest.raises(StoreError, match="CREATE SCHEMA pg95 AUTHORIZATION"):
        open_store(where)
    postgres15.psql("CREATE SCHEMA pg95 AUTHORIZATION perf", dsn)
    with open_store(where) as store, store.reading() as reader:
        assert reader.runs() == []
    postgres15.psql("DROP DATABASE team WITH (FORCE)")
    postgres15.psql("DROP ROLE perf")
