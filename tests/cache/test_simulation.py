"""The replay of a cache, against one that goes through the executions one by one."""

import bisect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cache.simulation import replay
from analyzer.model.columns import Rows

_S = 1_000_000


def one_by_one(
    times: list[int], keys: list[int], writes: list[int], ttl_s: int
) -> tuple[int, int, int, int]:
    """Hits, stale hits, hits with invalidation, entries alive at most."""
    filled: dict[int, int] = {}
    emptied: dict[int, int] = {}
    fills: list[int] = []
    hits = stale = kept = 0
    for at, key in zip(times, keys, strict=True):
        then = filled.get(key)
        if then is not None and at - then <= ttl_s * _S:
            hits += 1
            stale += bisect.bisect_right(writes, at) != bisect.bisect_right(writes, then)
        else:
            filled[key] = at
            fills.append(at)
        then = emptied.get(key)
        same = then is not None and bisect.bisect_right(writes, at) == bisect.bisect_right(
            writes, then
        )
        if then is not None and same and at - then <= ttl_s * _S:
            kept += 1
        else:
            emptied[key] = at
    alive = max((sum(at - ttl_s * _S <= other <= at for other in fills) for at in fills), default=0)
    return hits, stale, kept, alive


def column(values: list[int]) -> Rows:
    return np.array(values, dtype="i8")


@given(
    reads=st.lists(st.tuples(st.integers(0, 60 * _S), st.integers(0, 4)), max_size=60),
    writes=st.lists(st.integers(0, 60 * _S), max_size=6),
    ttl_s=st.sampled_from([1, 5, 30]),
)
@settings(max_examples=200, deadline=None)
def test_it_does_what_a_cache_does(
    reads: list[tuple[int, int]], writes: list[int], ttl_s: int
) -> None:
    reads = sorted(dict(reads).items())
    writes = sorted(writes)
    times, keys = [at for at, _ in reads], [key for _, key in reads]
    hits, stale, kept, alive = one_by_one(times, keys, writes, ttl_s)
    outcome, answered = replay(column(times), column(keys), column(writes), ttl_s)
    size = max(len(reads), 1)
    assert outcome.hit == pytest.approx(hits / size)
    assert outcome.stale == pytest.approx(stale / size)
    assert outcome.hit_invalidated == pytest.approx(kept / size if reads else 1.0)
    assert outcome.entries == alive
    assert int(answered.sum()) == hits


def test_an_entry_lives_exactly_its_time() -> None:
    times = column([0, 5 * _S, 5 * _S + 1, 10 * _S])
    outcome, answered = replay(times, column([1, 1, 1, 1]), column([]), 5)
    assert answered.tolist() == [False, True, False, True]
    assert outcome.hit == 0.5
