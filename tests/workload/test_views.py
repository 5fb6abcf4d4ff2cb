"""Views of the same executions are counted once; the client's clock stays apart."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.model.coverage import SourceCoverage
from analyzer.model.executions import FIRST_TIME_US, Clock
from analyzer.pipeline import Options, Result, run
from analyzer.workload import views
from analyzer.workload.views import Views, process_of

PRISMA = Path(__file__).parents[1] / "data" / "prisma"
STDERR = PRISMA / "pglog" / "default_client.stderr.log"
CSV = PRISMA / "pglog" / "default_client.csv"
JSON = PRISMA / "pglog" / "default_client.json"
EVENTS = PRISMA / "prisma" / "query_events_default_client.jsonl"
COUNTERS = PRISMA / "pglog" / "default_client.pg_stat_statements.jsonl"


def analysed(*paths: Path, **options: float) -> Result:
    return run(Options(inputs=[str(path) for path in paths], **options))  # type: ignore[arg-type]  # one float option


def figures(result: Result) -> dict[str, tuple[int, float]]:
    return {
        one["shape_id"]: (one["calls"], one["total_ms"]) for one in result.document["statements"]
    }


@pytest.mark.parametrize(
    "paths",
    [
        (CSV, JSON),
        (JSON, CSV),
        (STDERR, CSV),
        (CSV, STDERR),
        (CSV, EVENTS),
        (STDERR, CSV, JSON, EVENTS),
    ],
)
def test_one_run_in_several_formats_is_counted_once(paths: tuple[Path, ...]) -> None:
    alone, together = analysed(CSV), analysed(*paths)
    assert figures(together) == figures(alone)
    assert {f.key: f.impact.round_trips for f in together.findings} == {
        f.key: f.impact.round_trips for f in alone.findings
    }
    same = [source["same_as"] for source in together.document["coverage"]["sources"]]
    assert sum(path is not None for path in same) == len(paths) - 1


def test_a_copy_is_counted_once_and_a_part_adds_nothing(tmp_path: Path) -> None:
    copy, part = tmp_path / "copy.csv", tmp_path / "part.csv"
    shutil.copy(CSV, copy)
    part.write_bytes(CSV.read_bytes()[: CSV.read_bytes().index(b"\n2026-11-22 08:53:53") + 1])
    assert figures(analysed(CSV, copy, part)) == figures(analysed(CSV))


def test_two_halves_of_a_log_are_the_whole(tmp_path: Path) -> None:
    data = STDERR.read_bytes()
    middle = data.index(b"\n2026", len(data) // 2) + 1
    first, second = tmp_path / "a.log", tmp_path / "b.log"
    first.write_bytes(data[:middle])
    second.write_bytes(data[middle:])
    whole, halves = analysed(STDERR), analysed(first, second)
    assert figures(halves) == figures(whole)
    assert halves.document["coverage"]["executions"] == whole.document["coverage"]["executions"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),  # source
            st.integers(0, 11),  # when it ended, in steps of half a second
            st.sampled_from([1.0, 1.5]),
            st.integers(0, 1),  # session of its source
            st.integers(0, 2),  # key
        ),
        max_size=40,
    ),
    st.integers(1, 40),
)
def test_copies_are_looked_for_only_where_others_are_and_all_are_found(
    rows: list[tuple[int, int, float, int, int]], cut: int
) -> None:
    """Looking for them everywhere gives the same, slice by slice."""
    merged = {}
    for everywhere in (False, True):
        with pytest.MonkeyPatch.context() as patch:
            if everywhere:
                patch.setattr(views, "_where_others_are", lambda source, _: source >= 0)
            known = Views([f"65a0.{10 + one % 2}" if one < 4 else f"pid:{one}" for one in range(6)])
            merged[everywhere] = [
                {name: column.tolist() for name, column in known.merge(slice_of(part))[0].items()}
                for part in (rows[:cut], rows[cut:])
            ]
            sources = [SourceCoverage(f"{number}.log") for number in range(3)]
            known.note(sources)
            merged[everywhere].append({"same_as": [one.same_as for one in sources]})
    assert merged[False] == merged[True]


def slice_of(rows: list[tuple[int, int, float, int, int]]) -> dict[str, np.ndarray[Any, Any]]:
    source, half, duration, session, key = np.array(rows, dtype="f8").reshape(-1, 5).T
    end = FIRST_TIME_US + (half * 500_000).astype("i8")
    return {
        "source": source.astype("i4"),
        "end_us": end,
        "start_us": end - (duration * 1000).astype("i8"),
        "duration_ms": duration,
        "session": (2 * source + session).astype("i4"),
        "key": key.astype("i4"),
        "clock": np.full(len(rows), Clock.SERVER, dtype="i1"),
    }


def test_different_runs_are_added() -> None:
    other = PRISMA / "pglog" / "sqlcommenter.csv"
    both = analysed(CSV, other)
    alone = [analysed(path).workload.traffic.executions for path in (CSV, other)]
    assert both.workload.traffic.executions == sum(alone)


def test_client_and_database_are_two_figures() -> None:
    result = analysed(JSON, EVENTS)
    target = result.document["target"]
    assert target["method"] == target["client"]["method"] == "exact"
    assert target["client"]["value_ms"] > target["value_ms"]


def test_client_events_alone_bound_the_database() -> None:
    target = analysed(EVENTS).document["target"]
    assert (target["method"], target["value_ms"]) == ("bound", None)
    assert target["high_ms"] == target["client"]["value_ms"]


def test_counters_complete_a_log() -> None:
    result = analysed(CSV, COUNTERS)
    rows = {one["shape_id"]: one["rows"] for one in result.document["statements"]}
    calls = {one["shape_id"]: one["calls"] for one in analysed(CSV).document["statements"]}
    assert any(count is not None and count > 0 for count in rows.values())
    for one in result.document["statements"]:
        if one["shape_id"] in calls:
            assert one["calls"] == calls[one["shape_id"]]
            assert one["method"] == "exact"


def test_counters_give_the_calls_that_a_censored_log_leaves_out(tmp_path: Path) -> None:
    slow = tmp_path / "slow.csv"
    lines = CSV.read_text().splitlines(keepends=True)
    slow.write_text(
        "".join(
            line
            for line in lines
            if '"duration: 1' in line
            and "ms  execute" in line
            and '"duration: 1.' not in line
            and '"duration: 1,' not in line
            and " 1 ms" not in line
        )
    )
    result = analysed(slow, COUNTERS, log_min_duration_ms=10)
    assert result.workload.coverage.log_min_duration_ms == 10
    counted = [
        one
        for one in result.document["statements"]
        if one["samples"] and one["calls"] > one["samples"]
    ]
    assert counted
    assert all(one["method"] == "bound" for one in counted)


@pytest.mark.parametrize(
    ("session", "process"),
    [
        ("6b02ada0.1091", 4241),
        ("pid:4241", 4241),
        ("pid:4241#2", 4241),
        ("client:events.jsonl", -1),
        ("odd", -1),
    ],
)
def test_process_of_a_session(session: str, process: int) -> None:
    assert process_of(session) == process
