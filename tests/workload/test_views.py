"""Views of the same executions are counted once; the client's clock stays apart."""

import shutil
from pathlib import Path

import pytest

from analyzer.pipeline import Options, Result, run
from analyzer.workload.views import process_of

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
