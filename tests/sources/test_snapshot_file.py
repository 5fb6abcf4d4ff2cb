"""Snapshots as files: what is written is read back, and what was spoilt is told."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.errors import InputError
from analyzer.model.recording import Recording
from analyzer.model.snapshot import DatabaseUse, IndexUse, ServerIdentity, Snapshot, TableUse
from analyzer.model.statement import StatementCounters
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sources.snapshot_file import is_snapshot, read_snapshot, write_snapshot
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.counter_inputs import count_snapshots

ROW = StatementCounters(
    query="SELECT note FROM orders WHERE id = $1 /* route='/orders' */",
    query_id="-8602747413636382702",
    calls=5,
    total_ms=1.25,
    min_ms=0.2,
    max_ms=0.5,
    mean_ms=0.25,
    stddev_ms=0.01,
    rows=5,
    planning_ms=0.0,
    database="shop",
    user="app",
    database_id=16430,
    user_id=10,
    wal_bytes=0,
    since_us=1_790_000_000_000_000,
)
SNAPSHOT = Snapshot(
    server=ServerIdentity("postgresql://app@db:5432/shop", "771", 180004, 1_780_000_000_000_000),
    taken_us=1_800_000_000_000_000,
    counters=[ROW, replace(ROW, toplevel=False, user=None, stddev_ms=None)],
    reset_us=1_790_000_000_000_000,
    evictions=3,
    settings={"log_min_duration_statement": "20 ms", "compute_query_id": "auto"},
    databases=[DatabaseUse("shop", 10**10, 1, 2, 3, 4, 5, 6, None)],
    tables=[
        TableUse(
            "shop",
            'sales.Orders "x" é',
            None,
            8192,
            *range(8),
            dead_rows=1,
            vacuumed_us=None,
            analyzed_us=7,
        )
    ],
    indexes=[IndexUse("shop", "orders", "orders_pkey", 8192, 4, 4, 4)],
    io={"reads": 3, "read_ms": 0.5},
    warnings=["one\ntwo"],
    own=[(16430, "-1")],
)


@pytest.mark.parametrize("name", ["one.json", "one.json.zst"])
def test_a_snapshot_is_read_back_as_it_was(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    written = write_snapshot(SNAPSHOT, path)
    assert path.stat().st_size == written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]  # nothing is left beside it
    recording = Recording(keys=StatementKeyTable())
    gather([str(path)], ReadOptions(), recording)
    ((source, found),) = recording.snapshots
    assert source == 0
    assert found == SNAPSHOT
    (coverage,) = recording.coverage.sources
    assert (coverage.format, coverage.entries, coverage.failure) == ("pg95-snapshot", 2, None)
    assert recording.coverage.warnings == []


def test_values_in_utility_statements_are_not_written(tmp_path: Path) -> None:
    secret = replace(ROW, query="ALTER ROLE app PASSWORD 'hunter2'")
    cursor = replace(ROW, query="DECLARE c CURSOR FOR SELECT 1 FROM t WHERE mail = 'a@b.c'")
    path = tmp_path / "secret.json"
    write_snapshot(replace(SNAPSHOT, counters=[secret, cursor, ROW]), path)
    text = path.read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert "a@b.c" not in text
    assert [row.query for row in read_snapshot(text, "x").counters] == [
        "ALTER ROLE app PASSWORD $1",
        "DECLARE c CURSOR FOR SELECT $1 FROM t WHERE mail = $2",
        ROW.query,
    ]


def test_what_is_spoilt_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "good.json"
    write_snapshot(SNAPSHOT, path)
    text = path.read_text(encoding="utf-8")
    assert is_snapshot(text.encode())
    plain = json.loads(text)

    def spoilt(**changes: object) -> str:
        return json.dumps({**plain, **changes})

    row = plain["counters"][0]
    for broken, reason in (
        (text[: len(text) // 2], "cut or edited"),
        (spoilt(pg95_snapshot=2), "form 2"),
        (spoilt(counters={}), "counters is no list"),
        (spoilt(counters=[{**row, "calls": "5"}]), "counters[0]: calls is '5'"),
        (spoilt(counters=[row, {**row, "calls": True}]), "counters[1]: calls is 'True'"),
        (spoilt(counters=[{**row, "query": None}]), "counters[0]: query is 'None'"),
        (spoilt(counters=[{k: v for k, v in row.items() if k != "calls"}]), "calls is missing"),
        (spoilt(server=[]), "server is no object"),
        (spoilt(taken_us="now"), "taken_us is 'now'"),
        (spoilt(own=[["x", 1]]), "own[0] is ['x', 1]"),
        (spoilt(settings=[]), "settings is no object"),
        ("[" * 100_000, "nested too deeply"),
    ):
        with pytest.raises(InputError) as error:
            read_snapshot(broken, "good.json")
        assert str(error.value).startswith("good.json: ")
        assert reason in str(error.value)


def test_fields_of_a_newer_pg95_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "newer.json"
    write_snapshot(SNAPSHOT, path)
    plain = json.loads(path.read_text(encoding="utf-8"))
    plain["novel"] = 1
    plain["counters"][0]["novel"] = {"a": 1}
    assert read_snapshot(json.dumps(plain), "x") == SNAPSHOT


def counted(*snapshots: Snapshot, folder: Path) -> Recording:
    paths = []
    for number, one in enumerate(snapshots):
        paths.append(str(folder / f"{number}.json"))
        write_snapshot(one, Path(paths[-1]))
    recording = Recording(keys=StatementKeyTable())
    gather(paths, ReadOptions(), recording)
    count_snapshots(recording)
    return recording


def test_two_snapshots_are_their_window_in_any_order(tmp_path: Path) -> None:
    first = replace(SNAPSHOT, counters=[ROW], warnings=())
    grown = replace(ROW, calls=8, total_ms=4.25, mean_ms=4.25 / 8)
    later = replace(first, counters=[grown], taken_us=SNAPSHOT.taken_us + 60_000_000)
    found = counted(later, first, first, folder=tmp_path)
    (row,) = found.counters
    assert (row.calls, row.total_ms, row.mean_ms, row.source) == (3, 3.0, 1.0, 0)
    (window,) = found.counter_windows
    assert (window.from_us, window.to_us) == (first.taken_us, later.taken_us)
    assert found.coverage.warnings == []


def test_one_snapshot_is_what_was_counted_since_the_reset(tmp_path: Path) -> None:
    elsewhere = replace(SNAPSHOT, server=replace(SNAPSHOT.server, system_identifier="8"))
    found = counted(SNAPSHOT, elsewhere, folder=tmp_path)
    assert [row.calls for row in found.counters] == [5, 5, 5, 5]
    assert [row.source for row in found.counters] == [0, 0, 1, 1]
    assert found.counter_windows == []
    assert "one\ntwo" in found.coverage.warnings[0]


def test_what_a_window_lost_is_a_warning(tmp_path: Path) -> None:
    later = replace(
        SNAPSHOT,
        taken_us=SNAPSHOT.taken_us + 60_000_000,
        reset_us=SNAPSHOT.taken_us + 30_000_000,
        counters=[ROW],
        evictions=0,
        warnings=(),
    )
    found = counted(SNAPSHOT, later, folder=tmp_path)
    (warning,) = [text for text in found.coverage.warnings if "1.json" in text]
    assert "50 % of the window is covered" in warning
