"""Durations that are kept: in order by group to the last bit, whether they are whole microseconds or not."""

import tracemalloc

import numpy as np
import pytest

from analyzer.model.columns import Floats, Rows
from analyzer.workload.kept import KeptDurations
from analyzer.workload.totals import Durations, Totals

WHOLE = np.array([3.141, 0.001, 86_400_000.0, 3.141, 0.0])
FINER = np.array([1 / 3, 2e-7, 1e12, 5.5, 1 / 3])
GROUPS = np.array([7, 2, 7, 7, 2])


def kept_of(*pieces: tuple[Rows, Floats]) -> KeptDurations:
    kept = KeptDurations()
    for groups, values in pieces:
        kept.add(groups, values)
    return kept


@pytest.mark.parametrize("values", [WHOLE, FINER], ids=["whole", "finer"])
def test_they_come_by_group_in_order(values: Floats) -> None:
    found = kept_of((GROUPS, values)).ordered().by_group()
    assert sorted(found) == [2, 7]
    for group, durations in found.items():
        assert durations.tolist() == sorted(values[group == GROUPS].tolist())


def test_both_kinds_are_kept_together_and_more_may_follow() -> None:
    kept = kept_of((GROUPS, WHOLE), (GROUPS + 1, FINER))
    first = kept.ordered().by_group()
    kept.add(GROUPS, WHOLE)
    both = kept.ordered().by_group()
    assert sorted(first) == [2, 3, 7, 8]
    assert both[7].tolist() == sorted([*first[7].tolist()] * 2)
    assert both[8].tolist() == first[8].tolist()


def test_equal_durations_are_counted_by_group() -> None:
    groups, values, counts = kept_of((GROUPS, WHOLE)).ordered().counted()
    found = list(zip(groups.tolist(), values.tolist(), counts.tolist(), strict=True))
    assert found == [(2, 0.0, 1), (2, 0.001, 1), (7, 3.141, 2), (7, 86_400_000.0, 1)]


def test_groups_and_durations_that_do_not_fit_are_kept_as_they_are() -> None:
    groups = np.array([1 << 40, 1])
    found = kept_of((groups, np.array([1.0, 2.0]))).ordered().by_group()
    assert {group: values.tolist() for group, values in found.items()} == {1 << 40: [1.0], 1: [2.0]}


def test_nothing_is_kept_of_nothing() -> None:
    assert KeptDurations().ordered().by_group() == {}


def test_histograms_are_the_same_where_durations_are_kept_and_where_they_are_not() -> None:
    kept, folded, late = Durations(), Durations(budget=0), Durations(budget=6)
    for durations in (kept, folded, late):
        durations.add(GROUPS, WHOLE)
        durations.add(GROUPS, FINER)
    expected = {
        group: [part.tolist() for part in pair] for group, pair in kept.histograms().items()
    }
    for other in (folded, late):
        assert not other.exact
        found = {
            group: [one.tolist() for one in pair] for group, pair in other.histograms().items()
        }
        assert found == expected


def test_groups_with_large_numbers_fall_into_the_same_histograms() -> None:
    kept, late = Durations(), Durations(budget=9)
    groups = GROUPS * 5_000_000  # in a bucket's key they take more than 32 bits
    for durations in (kept, late):
        durations.add(groups, FINER)
        durations.add(groups, FINER)
    assert sorted(late.histograms()) == sorted({*groups.tolist()})
    for group, (buckets, counts) in kept.histograms().items():
        assert [one.tolist() for one in late.histograms()[group]] == [
            buckets.tolist(),
            counts.tolist(),
        ]


def test_counts_of_few_keys_take_little_memory_however_many_there_are() -> None:
    totals, keys = Totals(), np.arange(200) * 3
    tracemalloc.start()
    try:
        for _ in range(600):  # 120,000 amounts of 16 bytes
            totals.count(keys)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200_000
    found, sums = totals.items()
    assert found.tolist() == keys.tolist()
    assert sums.tolist() == [600] * 200
