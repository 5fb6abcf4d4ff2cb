"""`pg95 report --history`, `pg95 history` and `pg95 diff` end to end, on logs of two days."""

import json
import os
import random
import re
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from analyzer.cli import cli
from analyzer.cli._failures import run_safely

SECRET = "hunter2-topsecret"  # noqa: S105 - a value that must not be kept


def pg95(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run with a home of its own: a plain report must leave nothing in it."""
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "XDG_DATA_HOME": str(folder / "home"), "COLUMNS": "120"},
    )


def write_log(path: Path, day: int, factor: float, columns: str) -> None:
    """A day's log: a statement of two shapes over time, a steady one, and an N+1 of twenty."""
    chance, at = random.Random(day), datetime(2026, 11, day, 8)  # noqa: DTZ001, S311 - the log says UTC; drawn from a seed
    lines = []

    def run(session: int, sql: str, duration_ms: float) -> None:
        nonlocal at
        at += timedelta(milliseconds=duration_ms + 1)
        stamp = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"
        lines.append(f"{stamp} [{session}] LOG:  duration: {duration_ms:.3f} ms  statement: {sql}")

    for number in range(600):
        sql = f"SELECT {columns} FROM customers WHERE note = '{SECRET}-{number}'"
        run(1_000 + number, sql, chance.lognormvariate(2.5, 0.5) * factor)
        run(
            2_000 + number,
            f"SELECT sku FROM products WHERE id = {number}",
            chance.lognormvariate(2, 0.3),
        )
        if number % 100 == 0:
            run(9, f"SELECT id, owner_id FROM orders WHERE day = {number} LIMIT 20", 1.5)
            for child in range(20):
                run(9, f"SELECT id FROM items WHERE order_id = {number * 100 + child}", 0.4)
            at += timedelta(seconds=30)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two days' logs, reports and a history of both; the second day is slower."""
    folder = tmp_path_factory.mktemp("nights")
    write_log(folder / "1.log", 20, 1.0, "id, name")
    write_log(folder / "2.log", 21, 3.0, "id, name, city")
    for day in ("1", "2"):
        done = pg95(
            folder, "report", f"{day}.log", "--history", "h.db", "--save-history",
            "-o", f"{day}.json", "-o", f"{day}.html", "-o", f"{day}.md",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    return folder


def document(path: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_the_second_report_knows_the_first(nights: Path) -> None:
    first, second = (json.loads((nights / f"{day}.json").read_text()) for day in "12")
    assert {one["status"] for one in first["findings"]} == {"new"}
    assert {one["status"] for one in second["findings"]} == {"ongoing"}
    assert [one["from"][:10] for one in second["trend"]] == ["2026-11-20", "2026-11-21"]
    assert first["statement_trends"] == []  # one day is no trend
    shapes = {one["shape_id"]: one for one in second["statements"]}
    (customers,) = [
        one for one in second["statement_trends"] if "customers" in shapes[one["shape_id"]]["sql"]
    ]
    before, now = customers["days"]  # by lineage: the new column is the same statement
    assert now["p95_ms"] == pytest.approx(3 * before["p95_ms"], rel=0.2)
    of_findings = {shape for one in second["findings"] for shape in one["shape_ids"]}
    assert of_findings <= {one["shape_id"] for one in second["statement_trends"]}
    (change,) = second["changes"]
    assert change["slower"]
    assert "customers" in change["sql"]  # by lineage: the new column is the same statement
    assert change["ratio"] == pytest.approx(3, rel=0.2)
    page = (nights / "2.html").read_text()
    assert re.search(
        r'<svg class="chart by-day"[^>]*role="img" aria-labelledby="t-trend d-trend"', page
    )
    assert "Slower" in page
    assert page.count('<svg class="days"') == len(second["statement_trends"])
    assert "## Against the history" in (nights / "2.md").read_text()


def test_the_trend_is_that_of_the_executions(nights: Path) -> None:
    shown = json.loads(
        pg95(nights, "history", "--history", "h.db", "--days", "3650", "--format", "json").stdout
    )
    reports = [json.loads((nights / f"{day}.json").read_text())["target"] for day in "12"]
    for row, target in zip(shown["trend"], reports, strict=True):
        assert row["method"] == "histogram"
        assert row["calls"] == target["executions"]
        assert row["low_ms"] <= target["value_ms"] <= row["high_ms"]
        assert row["verdict"] == target["verdict"]


def test_history_tells_of_a_statement_and_of_a_finding(nights: Path) -> None:
    report = json.loads((nights / "2.json").read_text())
    lineage = report["changes"][0]["lineage"]
    options = ("history", "--history", "h.db", "--days", "3650")
    told = json.loads(pg95(nights, *options, "--statement", lineage[:9], "--format", "json").stdout)
    assert [row["calls"] for row in told["trend"]] == [600, 600]
    assert len(told["statement"]["shape_ids"]) == 2
    loop = next(one for one in report["findings"] if one["detector"] == "n-plus-one")
    told = json.loads(pg95(nights, *options, "--finding", loop["key"], "--format", "json").stdout)
    assert len(told["sightings"]) == 2
    assert told["finding"]["first_seen"].startswith("2026-11-20")
    table = pg95(nights, *options)
    assert "P95 by day, 2026-11-20 to 2026-11-21" in table.stdout
    assert re.search("^[▁▂▃▄▅▆▇█]{2}$", table.stdout, re.MULTILINE)
    unknown = pg95(nights, *options, "--finding", "nothing")
    assert unknown.returncode == 3
    assert "no finding nothing" in unknown.stderr


@pytest.mark.parametrize("sides", [("1.json", "2.json"), ("2026-11-20", "2026-11-21")])
def test_diff_of_reports_and_of_days_agree(nights: Path, sides: tuple[str, str]) -> None:
    asked = ("diff", *sides, "--history", "h.db")
    done = pg95(nights, *asked, "--format", "json", "--fail-on", "regression")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    (slower,) = told["statements"]["slower"]
    assert "customers" in slower["sql"]
    assert {name: len(told["statements"][name]) for name in ("faster", "new", "gone")} == {
        "faster": 0, "new": 0, "gone": 0,
    }  # fmt: skip
    assert told["findings"]["ongoing"]
    assert not told["findings"]["new"]
    assert pg95(nights, *asked, "--fail-on", "new").returncode == 0
    assert "1 statement slower" in pg95(nights, *asked, "--format", "markdown").stdout
    backwards = pg95(
        nights, "diff", *reversed(sides), "--history", "h.db", "--fail-on", "regression"
    )
    assert backwards.returncode == 0, backwards.stderr
    assert "Statements faster" in backwards.stdout


def test_no_value_of_the_log_is_in_the_file_and_only_its_owner_reads_it(nights: Path) -> None:
    held = b"".join(file.read_bytes() for file in nights.glob("h.db*"))
    assert b"customers WHERE note" in held
    assert SECRET.encode() not in held
    assert stat.S_IMODE((nights / "h.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("inputs", "told"),
    [(("2.log",), "this window ("), (("1.log", "3.log"), "part of this window (")],
)
def test_what_was_saved_is_reported_and_not_counted_twice(
    nights: Path, inputs: tuple[str, ...], told: str
) -> None:
    write_log(nights / "3.log", 22, 1.0, "id")
    before = (nights / "h.db").read_bytes()
    done = pg95(nights, "report", *inputs, "--history", "h.db", "--save-history", "-o", "x.json")
    assert done.returncode == 0
    assert f"warning: {told}" in done.stderr
    assert "saved to" not in done.stderr
    report = json.loads((nights / "x.json").read_text())
    (warning,) = [one for one in report["coverage"]["warnings"] if "count twice" in one]
    assert warning.startswith(told)
    assert len(report["trend"]) == 2
    assert (nights / "h.db").read_bytes() == before


def test_a_plain_report_touches_no_history(nights: Path) -> None:
    done = pg95(nights, "report", "1.log", "-o", "plain.json")
    assert done.returncode == 0
    assert not (nights / "home").exists()
    report = document(nights / "plain.json")
    assert (report["trend"], report["changes"]) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("report", "1.log", "--save-history", "--no-redact"), 2, "holds no values"),
        (("report", "1.log", "--fail-on", "new"), 2, "--history"),
        (("report", "1.log", "--history", "none.db"), 3, "there is none yet"),
        (("history", "--history", "1.log"), 3, "not a history of pg95"),
        (("history", "--statement", "a", "--finding", "b"), 2, "not both"),
        (("diff", "1.json", "nowhere.json"), 3, "nowhere.json: cannot be read"),
        (("diff", "1.json", "1.log"), 3, "1.log: not JSON"),
        (("diff", "1.json", "yesterday"), 2, "no window"),
        (("diff", "2026-11-20..2026-11-19", "1.json"), 2, "ends before it begins"),
    ],
)
def test_what_cannot_be_is_told(
    nights: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(nights)
    monkeypatch.setenv("XDG_DATA_HOME", str(nights / "home"))
    monkeypatch.setattr(sys, "argv", ["pg95", *arguments])
    assert run_safely(cli) == code
    assert message in capsys.readouterr().err
