"""The benchmarks run: the generated logs are what their truth says, and the harness measures them.

The truth is checked by readers of Python's standard library, not by pg95's own.
"""

import csv
import importlib
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from analyzer.sql.identity import identify

FORMATS = {"stderr": "postgresql.log", "csvlog": "postgresql.csv", "jsonlog": "postgresql.json"}
DURATION = re.compile(r"duration: (\d+\.\d{3}) ms  (statement|execute|parse|bind|plan)\b")
STDERR_LINE = re.compile(
    r"2026-01-05 \d\d:\d\d:\d\d\.\d{3} UTC \[\d+\] \S*@\S* ([A-Z]+):  (.*)", re.DOTALL
)
NAMES = {
    "statement": "calls",
    "execute": "calls",
    "plan": "plans",
    "parse": "parses",
    "bind": "binds",
}


def generate(checkout: Path, folder: Path, *options: str) -> dict[str, Any]:
    """Run the generator as a user does; its truth by format."""
    program = checkout / "benchmarks" / "make_log.py"
    subprocess.run([sys.executable, program, folder, *options], check=True, capture_output=True)
    truth: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    formats: dict[str, Any] = truth["formats"]
    return formats


@pytest.fixture(scope="module")
def folder(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1 MB of each format."""
    place = tmp_path_factory.mktemp("generated")
    generate(checkout, place, "--mb", "1")
    return place


@pytest.fixture
def truth(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "truth.json").read_text(encoding="utf-8"))[
        "formats"
    ]
    return found


@pytest.fixture
def benchmarks(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The harness's modules: scripts, which import each other from their own folder."""
    monkeypatch.syspath_prepend(str(checkout / "benchmarks"))
    return {name: importlib.import_module(name) for name in ("measuring", "results")}


def entries(data: bytes, log_format: str) -> Iterator[tuple[str, str]]:
    """Severity and message of each entry, by means of the standard library."""
    text = data.decode("utf-8")
    if log_format == "csvlog":
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            assert len(row) == 26
            yield row[11], row[13]
    elif log_format == "jsonlog":
        for line in text.removesuffix("\n").split("\n"):
            entry = json.loads(line)
            yield entry["error_severity"], entry["message"]
    else:
        for line in re.split(r"\n(?!\t)", text.removesuffix("\n")):
            found = STDERR_LINE.fullmatch(line)
            assert found, line
            if found[1] in ("LOG", "ERROR"):
                yield found[1], found[2].replace("\n\t", "\n")


@pytest.mark.parametrize("log_format", FORMATS)
def test_a_generated_log_holds_what_its_truth_says(
    folder: Path, truth: dict[str, Any], log_format: str
) -> None:
    data = (folder / FORMATS[log_format]).read_bytes()
    counts: Counter[str] = Counter()
    total_us = 0
    for severity, message in entries(data, log_format):
        counts["entries"] += 1
        counts["errors"] += severity == "ERROR"
        if found := DURATION.match(message):
            counts[NAMES[found[2]]] += 1
            if NAMES[found[2]] == "calls":
                total_us += round(float(found[1]) * 1000)
    told = truth[log_format]
    assert told["bytes"] == len(data)
    assert abs(len(data) - 1_000_000) < 200_000
    assert counts == {name: told[name] for name in counts}
    assert {"calls", "parses", "binds", "errors", "plans"} < set(counts)
    assert total_us == round(told["total_ms"] * 1000)
    for name in ("calls", "errors", "plans", "parses", "binds"):
        assert sum(row[name] for row in told["shapes"].values()) == told[name]


def test_a_generated_log_is_varied(folder: Path, truth: dict[str, Any]) -> None:
    rows = [json.loads(line) for line in (folder / "postgresql.json").read_bytes().splitlines()]
    assert len({row["session_id"] for row in rows}) > 100
    assert any("traceparent=" in row["message"] for row in rows)
    assert any(row["message"].startswith("duration") and "\n" in row["message"] for row in rows)
    assert any("statement" in row for row in rows if row["error_severity"] == "ERROR")
    shapes = truth["stderr"]["shapes"]
    assert len(shapes) > 100
    assert any(name.endswith("/many") for name in shapes)
    unreadable = [row["sql"] for row in shapes.values() if not identify(row["sql"]).parsed]
    assert unreadable == []


def test_one_seed_gives_one_log(checkout: Path, folder: Path, tmp_path: Path) -> None:
    generate(checkout, tmp_path / "small", "--mb", "0.4", "--formats", "stderr")
    generate(checkout, tmp_path / "other", "--mb", "0.4", "--formats", "stderr", "--seed", "2")
    whole, small, other = (
        (place / "postgresql.log").read_bytes()
        for place in (folder, tmp_path / "small", tmp_path / "other")
    )
    assert len(small) < len(whole)
    assert whole.startswith(small)
    assert not whole.startswith(other)


@pytest.mark.parametrize("log_format", FORMATS)
def test_pieces_are_whole_entries_and_nothing_is_lost(
    benchmarks: dict[str, ModuleType], folder: Path, tmp_path: Path, log_format: str
) -> None:
    path = folder / FORMATS[log_format]
    pieces: list[bytes] = []
    with path.open("rb") as source:
        while source.tell() < path.stat().st_size:
            piece = tmp_path / str(len(pieces))
            size = benchmarks["measuring"].copy_entries(source, piece, 130_001, log_format)
            pieces.append(piece.read_bytes())
            assert 0 < size == len(pieces[-1]) <= 130_001
    assert b"".join(pieces) == path.read_bytes()
    separate = [entry for piece in pieces for entry in entries(piece, log_format)]
    assert separate == list(entries(path.read_bytes(), log_format))


def test_a_log_cut_within_an_entry_is_refused(
    benchmarks: dict[str, ModuleType], folder: Path, tmp_path: Path
) -> None:
    with (folder / "postgresql.csv").open("rb") as source, pytest.raises(ValueError, match="whole"):
        benchmarks["measuring"].copy_entries(source, tmp_path / "piece", 20, "csvlog")


def test_a_child_s_cpu_and_memory_are_its_own(
    benchmarks: dict[str, ModuleType], tmp_path: Path
) -> None:
    work = "import time; held = bytearray(90_000_000)\nwhile time.process_time() < 0.3: pass"
    used = benchmarks["measuring"].run([sys.executable, "-c", work], cwd=tmp_path)
    assert 0.3 <= used.cpu_s < 1.5
    assert used.wall_s >= 0.25
    # No upper bound: a child's figure begins at what its parent, the test process, holds.
    assert used.peak_bytes > 90_000_000
    with pytest.raises(RuntimeError, match="ended with 3:\nno such log"):
        benchmarks["measuring"].run(
            [sys.executable, "-c", "import sys; print('no such log'); sys.exit(3)"], cwd=tmp_path
        )


def test_slopes(benchmarks: dict[str, ModuleType]) -> None:
    slope = benchmarks["measuring"].log_log_slope
    assert slope([(1.0, 3.0), (10.0, 30.0), (100.0, 300.0)]) == pytest.approx(1.0)
    assert slope([(1.0, 2.0), (2.0, 8.0), (4.0, 32.0)]) == pytest.approx(2.0)


def test_goals_are_judged(benchmarks: dict[str, ModuleType]) -> None:
    usage, results = benchmarks["measuring"].Usage, benchmarks["results"]
    ours = results.Runs(500_000_000, [usage(5.0, 5.0, 10**8)] * 2)
    theirs = results.Runs(16_000_000, [usage(8.0, 8.0, 10**7), usage(12.0, 12.0, 10**7)])
    found = results.Results({"date": "today"})
    found.comparisons = [
        results.Comparison("stderr", ours, ours, theirs),  # 50 and 75 times
        results.Comparison("csvlog", ours, ours, theirs, wrong=["errors: 1 instead of 2"]),
        results.Comparison("jsonlog", ours, ours, None),
    ]
    sizes = (10**8, 10**9, 2 * 10**9)
    found.growth = [results.Runs(n, [usage(n / 10**8, 1.0, 2 * 10**8)]) for n in sizes]
    found.workers = [(usage(1.0, 3.0, 1), usage(1.0, 2.0, 1))]
    judged = {name: (measured, verdict) for name, _, measured, verdict in results.goals(found)}
    assert judged["stderr, times pgBadger"] == ("62.50×", "reached")
    assert judged["csvlog, times pgBadger"] == ("62.50×", "**not reached**: the figures are wrong")
    assert judged["jsonlog, times pgBadger"] == ("not measured", "unknown")
    assert judged["peak memory at 2 GB"] == ("200.00 MB", "reached")
    assert judged["growth of CPU, log-log slope"] == ("1.00", "reached")
    assert judged["two workers, four files"] == ("1.50×", "**not reached**")
    assert judged["the scan alone, slowest format"] == ("not measured", "unknown")
    assert results.missed(found) == [
        "csvlog, times pgBadger: ≥ 45× wanted, 62.50× measured: the figures are wrong",
        "two workers, four files: ≥ 1.7× wanted, 1.50× measured",
    ]
    assert "errors: 1 instead of 2" in results.markdown(found)


def test_results_replace_results_only(
    benchmarks: dict[str, ModuleType], checkout: Path, tmp_path: Path
) -> None:
    write, begin = benchmarks["results"].write_block, benchmarks["results"].BEGIN
    document = tmp_path / "performance.md"
    before = (checkout / "docs" / "performance.md").read_text(encoding="utf-8")
    document.write_text(before, encoding="utf-8")
    write(document, "first")
    write(document, "second\n")
    after = document.read_text(encoding="utf-8")
    assert after.partition(begin)[0] == before.partition(begin)[0]
    assert "\nfirst\n" not in after
    assert "\n\nsecond\n\n" in after.partition(begin)[2]
    document.write_text("no markers", encoding="utf-8")
    with pytest.raises(ValueError, match="needs the lines"):
        write(document, "third")


def test_the_harness_measures_and_finds_the_truth(checkout: Path, tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_bytes((checkout / "docs" / "performance.md").read_bytes())
    done = subprocess.run(
        [
            sys.executable, checkout / "benchmarks" / "ingest.py", "--mb", "1", "--runs", "1",
            "--formats", "csvlog", "--parts", "compare", "--folder", tmp_path, "--write", document,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": str(tmp_path)},  # pgBadger is not found, whether it is installed or not
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "apt-get install pgbadger" in done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| csvlog | pg95 |")]
    assert row.endswith("| unknown | as the truth |")
    assert done.stdout.strip() in document.read_text(encoding="utf-8")
    assert [path for path in tmp_path.iterdir() if path != document] == []
