"""Slower counts where it is more than chance, and not where it is chance."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kept import MIDNIGHT_US, figures, hour, named

from analyzer.history.changes import (
    against_nights,
    compare,
    level_shift,
    of_figures,
    of_statement,
)
from analyzer.history.difference import difference, of_window
from analyzer.history.overview import usual_target
from analyzer.history.store import Store
from analyzer.model.columns import Floats
from analyzer.model.history import Run
from analyzer.workload.quantiles import buckets_of, octaves, shown_histogram


def drawn(seed: int, count: int = 2_000, scale: float = 1.0) -> Floats:
    return np.asarray(np.random.default_rng(seed).lognormal(3.0, 0.8, count) * scale)


def statement(values: Floats) -> dict[str, Any]:
    """The fields of report.json that a comparison reads."""
    ordered = np.sort(values)
    buckets, counts = np.unique(buckets_of(octaves(values)), return_counts=True)
    pairs = shown_histogram(buckets, counts)
    at = {name: float(ordered[int(np.ceil(q * len(values))) - 1]) for name, q in _NAMES.items()}
    return at | {
        "calls": len(values),
        "samples": len(values),
        "total_ms": float(values.sum()),
        "method": "exact",
        "histogram": {"bounds_ms": [b for b, _ in pairs], "counts": [n for _, n in pairs]},
    }


_NAMES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def test_the_same_traffic_never_changed() -> None:
    """Of 300 pairs of draws of one distribution, none."""
    for seed in range(300):
        one, other = drawn(2 * seed, 400), drawn(2 * seed + 1, 400)
        assert compare(of_figures(figures(one), 0.95), of_figures(figures(other), 0.95)) is None
        assert compare(of_statement(statement(one)), of_statement(statement(other))) is None


@pytest.mark.parametrize("scale", [1.6, 1 / 1.6])
def test_a_real_change_is_found_from_either_source(scale: float) -> None:
    one, other = drawn(1), drawn(2, scale=scale)
    for read in (lambda v: of_figures(figures(v), 0.95), lambda v: of_statement(statement(v))):
        change = compare(read(one), read(other))
        assert change is not None
        assert change.ratio == pytest.approx(scale, rel=0.15)
        assert change.slower == (scale > 1)
        assert change.extra_ms == pytest.approx(other.sum() - one.mean() * len(other), rel=0.05)


def test_few_executions_and_small_differences_do_not_count() -> None:
    def told(one: Floats, other: Floats) -> object:
        return compare(of_figures(figures(one), 0.95), of_figures(figures(other), 0.95))

    assert told(drawn(1, 50), drawn(2, 50, 20.0)) is None
    assert told(drawn(1, 90_000), drawn(2, 90_000, 1.15)) is None  # sure, and too little
    assert told(drawn(1, 9_000, 0.01), drawn(2, 9_000, 0.015)) is None  # below a millisecond


def test_a_bound_is_no_figure_to_compare() -> None:
    known = figures(drawn(1))
    hidden = replace(known, calls=90_000, floor_ms=15.0)  # the P95 is below what is logged
    assert compare(of_figures(hidden, 0.95), of_figures(figures(drawn(2, scale=3)), 0.95)) is None


def test_tonight_has_to_be_beyond_every_earlier_night() -> None:
    calm = [figures(drawn(seed)) for seed in range(6)]
    tonight = figures(drawn(9, scale=1.5))
    change = against_nights(calm, tonight)
    assert change is not None
    assert change.slower
    busy = figures(drawn(10, scale=1.9))  # it has been like this before
    assert against_nights([*calm, busy], tonight) is None
    assert against_nights([], tonight) is None


def test_a_shift_of_level_is_found_where_it_is() -> None:
    generator = np.random.default_rng(4)
    steady = generator.normal(50, 5, 40)
    assert level_shift(steady.tolist()) is None
    shift = level_shift([*steady[:25], *(steady[25:] + 40)])
    assert shift is not None
    assert shift.at in (24, 25, 26)  # a night beside it may lie nearer to the other side
    assert (shift.before, shift.after) == (pytest.approx(50, abs=3), pytest.approx(90, abs=3))
    assert level_shift([50, 90] * 3) is None


def test_chance_seldom_looks_like_a_shift() -> None:
    generator = np.random.default_rng(5)
    found = sum(
        level_shift(generator.lognormal(3, 0.5, 30).tolist()) is not None for _ in range(300)
    )
    assert found <= 9  # 1 % by the test's level, 3 % would be a defect


def test_windows_of_a_history_differ_as_their_executions_do(store: Store) -> None:
    slow, calm, gone, new = (named(name) for name in ("slow", "calm", "gone", "new"))
    with store.transaction() as night:
        for h in range(4):
            night.add_hours(
                [hour(h, drawn(h), slow), hour(h, drawn(20 + h), calm), hour(h, drawn(h), gone)]
            )
            later = 24 + h
            night.add_hours([hour(later, drawn(later, scale=2), slow), hour(later, drawn(3), new)])
            night.add_hours([hour(later, drawn(50 + h), replace(calm, shape_id="calm-2"))])
            night.add_hours([hour(h, drawn(h)), hour(later, drawn(h, scale=9))])
    day_us = 86_400_000_000
    with store.reading() as reader:
        sides = [
            of_window(reader, MIDNIGHT_US + n * day_us, MIDNIGHT_US + (n + 1) * day_us, 100.0, 0.95)
            for n in (0, 1)
        ]
    told = difference(*sides)
    names = {
        kind: [one["shape_id"] for one in told["statements"][kind]] for kind in told["statements"]
    }
    assert names == {"slower": ["slow"], "faster": [], "new": ["new"], "gone": ["gone"]}
    assert [told[side]["target"]["verdict"] for side in ("before", "after")] == ["met", "missed"]
    assert told["regression"]


def test_the_usual_target_is_that_of_the_newest_run() -> None:
    assert usual_target([]) == (100.0, 0.95)
    runs = [
        Run("nightly", at, None, None, {"ms": ms, "quantile": quantile})
        for at, ms, quantile in ((1, 80.0, 0.95), (2, 50.0, 0.99))
    ]
    assert usual_target(runs) == (50.0, 0.99)
