"""A cache with little room, against the one with all of it, and by hand; sizes of entries."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cache.lru import lru
from analyzer.cache.simulation import replay
from analyzer.cli import cli

_S = 1_000_000


@given(
    reads=st.lists(st.tuples(st.integers(0, 60 * _S), st.integers(0, 4)), max_size=60),
    writes=st.lists(st.integers(0, 60 * _S), max_size=5),
)
@settings(max_examples=100, deadline=None)
def test_with_room_for_all_it_is_the_cache_without_bounds(
    reads: list[tuple[int, int]], writes: list[int]
) -> None:
    reads = sorted(dict(reads).items())
    times, keys = (np.array([one[n] for one in reads], dtype="i8") for n in (0, 1))
    written = np.array(sorted(writes), dtype="i8")
    outcome, hits = replay(times, keys, written, 5)
    found, answered = lru(times, keys, written, 5, 100, invalidate=False)
    assert found.hit == pytest.approx(outcome.hit)
    assert found.evicted == 0
    assert answered.tolist() == hits.tolist()
    if reads:
        emptied, _ = lru(times, keys, written, 5, 100, invalidate=True)
        assert emptied.hit == pytest.approx(outcome.hit_invalidated)


def test_the_one_used_longest_ago_makes_room() -> None:
    keys = np.array([1, 2, 1, 3, 1, 2], dtype="i8")  # 3 takes the place of 2
    times = np.arange(len(keys), dtype="i8")
    none = np.zeros(0, dtype="i8")
    found, answered = lru(times, keys, none, 60, 2, invalidate=False)
    assert answered.tolist() == [False, False, True, False, True, False]
    assert (found.capacity, found.evicted) == (2, 2)


def test_the_command_says_what_memory_entries_take_and_what_little_room_costs(
    tmp_path: Path,
) -> None:
    lines = [
        f"2026-11-22 08:{n // 60:02d}:{n % 60:02d}.000 UTC [9] u@d LOG:  duration: 8.000 ms  execute <unnamed>: "
        f"SELECT value FROM settings WHERE tenant = $1 LIMIT 1\n2026-11-22 08:{n // 60:02d}:{n % 60:02d}.000 UTC [9] u@d "
        f"DETAIL:  parameters: $1 = '{n % 5}'"
        for n in range(1800)
    ]
    log = tmp_path / "app.log"
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    roomy = CliRunner().invoke(cli, ["cache", str(log)]).stdout
    assert "entries, about 2.2 kB" in " ".join(roomy.split())
    assert "estimated: as many rows as the LIMIT, 300 bytes a row are assumed" in " ".join(
        roomy.split()
    )
    tight = CliRunner().invoke(
        cli, ["cache", str(log), "--cache-memory", "1kB", "--format", "json"]
    )
    assert '"candidates": []' in tight.stdout, tight.stdout
    wide = CliRunner().invoke(cli, ["cache", str(log), "--cache-memory", "1MB"]).stdout
    assert "With room for 2,330 entries (LRU)" in wide
