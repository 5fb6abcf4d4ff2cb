"""Histograms merge to what one pass over all values gives, and fit into a kilobyte."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.histogram import LARGEST_BYTES, Histogram, rank_of
from analyzer.model.history import Figures
from analyzer.workload.quantiles import nearest_rank

DURATIONS = st.lists(st.floats(0, 1e9), max_size=60)


@given(st.lists(DURATIONS, max_size=6))
def test_merged_parts_equal_the_single_pass(parts: list[list[float]]) -> None:
    merged = Histogram.merged(Histogram.of(np.array(part)) for part in parts)
    assert merged == Histogram.of(np.array([value for part in parts for value in part]))


@given(DURATIONS.filter(bool), st.sampled_from([1, 2, 4, 8, 16, 32]), st.floats(0.01, 1))
def test_the_quantile_lies_in_the_bucket_that_is_told(
    values: list[float], steps: int, quantile: float
) -> None:
    column = np.array(values)
    found = Histogram.of(column).coarser(steps).quantile(quantile)
    truth = nearest_rank(column, quantile)
    assert truth is not None
    assert found.high_ms is not None
    assert found.low_ms <= max(truth, 0.001) <= found.high_ms * (1 + 1e-12)


@given(DURATIONS)
def test_bytes_give_the_same_histogram(values: list[float]) -> None:
    made = Histogram.of(np.array(values))
    assert Histogram.from_bytes(made.to_bytes()) == made


def test_bytes_of_earlier_stores_give_the_same_histogram() -> None:
    """Until revision 0004 of the store the first byte was the steps, and all eight planes followed."""
    made = Histogram(np.array([-3, 0, 5]), np.array([2, 70_000, 1]))
    dense = np.zeros(9, dtype="<i8")
    dense[[0, 3, 8]] = made.counts
    planes = zlib.compress(dense.view(np.uint8).reshape(-1, 8).T.tobytes(), 6, -15)
    assert (
        Histogram.from_bytes(bytes([32]) + (-3).to_bytes(2, "little", signed=True) + planes) == made
    )
    assert Histogram.from_bytes(made.to_bytes()) == made


def test_the_widest_histogram_fits_into_a_kilobyte_and_keeps_every_duration() -> None:
    generator = np.random.default_rng(1)
    wide = Histogram(np.arange(-320, 1400), generator.integers(1, 1 << 40, 1720, dtype=np.int64))
    data = wide.to_bytes()
    assert len(data) <= LARGEST_BYTES
    assert Histogram.from_bytes(data).total == wide.total


@pytest.mark.parametrize("data", [b"", b"x", b"\x20\0\0garbage", b"\x07\0\0\x03\0"])
def test_other_bytes_are_no_histogram(data: bytes) -> None:
    with pytest.raises(ValueError, match="no histogram"):
        Histogram.from_bytes(data)


def test_what_was_only_counted_is_faster_than_the_floor() -> None:
    tail = np.linspace(50, 500, 100)
    known = {"total_ms": 1.0, "histogram": Histogram.of(tail), "samples": 100, "floor_ms": 50.0}
    everything = np.concatenate([np.full(900, 1.0), tail])
    told = Figures(calls=1_000, **known).quantile(0.95)  # type: ignore[arg-type]
    assert told is not None
    assert told.method == "tail-exact"
    assert told.low_ms < everything[np.argsort(everything)][rank_of(0.95, 1_000)] <= told.high_ms  # type: ignore[operator]
    bound = Figures(calls=10_000, **known).quantile(0.95)  # type: ignore[arg-type]
    assert bound is not None
    assert (bound.method, bound.low_ms, bound.high_ms) == ("bound", 0.0, 50.0)


def test_a_weighted_histogram_has_the_interval_of_its_sample() -> None:
    seen = np.random.default_rng(3).lognormal(3, 0.8, 500)
    histogram = Histogram.of(seen)
    weighted = Histogram(histogram.buckets, histogram.counts * 100)
    told = Figures(50_000, 1.0, weighted, samples=500).quantile(0.95)
    assert told is not None
    assert told.high_ms is not None
    assert told.method == "sampled"
    assert told.low_ms < float(np.exp(3 + 0.8 * 1.6449)) < told.high_ms
