"""The options that say how a log was sampled, through the command line and into every view."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CAPTURE = Path(__file__).parents[1] / "data" / "nplusone" / "django" / "nested.csv"


def pg95(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
    )


def document(*arguments: object) -> dict[str, Any]:
    done = pg95("report", CAPTURE, *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_statements_sampled() -> None:
    whole = document()
    assert whole["coverage"]["sampling"] is None
    sampled = document(
        "--log-sample-rate", "0.25", "--log-min-duration-sample-ms", "0", "--log-min-duration-ms", "500"
    )  # fmt: skip
    assert sampled["coverage"]["sampling"] == {
        "rate": 0.25,
        "threshold_ms": 500,
        "floor_ms": 0,
        "rate_below_floor": 0,
        "by": "statement",
        "known_from": "options",
    }
    calls = {one["shape_id"]: one["calls"] for one in whole["statements"]}
    assert calls
    assert {one["shape_id"]: one["calls"] / 4 for one in sampled["statements"]} == calls
    assert sampled["coverage"]["executions"] == whole["coverage"]["executions"]
    assert sampled["target"]["executions"] == 4 * whole["target"]["executions"]
    assert sampled["target"]["value_ms"] == whole["target"]["value_ms"]
    assert sampled["target"]["method"] == "sampled"


def test_transactions_sampled() -> None:
    sampled = document("--log-transaction-sample-rate", "0.5")
    found = sampled["coverage"]["sampling"]
    assert (found["rate"], found["by"], found["threshold_ms"]) == (0.5, "transaction", None)
    statuses = {one["id"]: one["status"] for one in sampled["detectors"]}
    assert statuses["n-plus-one"] == "found"  # loops inside a transaction that was drawn are whole
    assert statuses["repeated-query"] != "clean"


def test_a_floor_hides_what_is_faster() -> None:
    sampled = document("--log-sample-rate", "0.5", "--log-min-duration-sample-ms", "0.2")
    assert sampled["coverage"]["log_min_duration_ms"] == 0.2
    assert sampled["coverage"]["sampling"]["floor_ms"] == 0.2
    assert sampled["target"]["method"] == "bound"
    assert sampled["target"]["value_ms"] is None


@pytest.mark.parametrize("form", ["html", "markdown", "table"])
def test_every_view_says_so(form: str, tmp_path: Path) -> None:
    path = tmp_path / "report"
    options = ("--log-sample-rate", "0.1", "--log-min-duration-ms", "500", "--format", form)
    done = pg95("report", CAPTURE, *options, "-o", path)
    assert done.returncode == 0, done.stderr
    text = " ".join(path.read_text().split())
    assert "sample of statements, 10 % below 500 ms" in text
    assert "figures are weighted" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("--log-sample-rate", "2"),
        ("--log-sample-rate", "-0.1"),
        ("--log-transaction-sample-rate", "10%"),
        ("--log-min-duration-sample-ms", "-1"),
    ],
)
def test_a_rate_is_a_share(arguments: tuple[str, str]) -> None:
    done = pg95("report", CAPTURE, *arguments)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
