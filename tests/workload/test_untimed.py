"""Calls of a client whose log tells no durations, or no times: counted, and in no figure of time."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli

CAPTURES = Path(__file__).parent.parent / "data/applications"
TRACED = {"sql": "SELECT a FROM t WHERE b = 1", "request": "r1", "took": 4}


def report(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    path = tmp_path / "report.json"
    result = CliRunner().invoke(cli, ["report", *arguments, "-o", str(path)])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def lines(tmp_path: Path, *records: dict[str, object]) -> str:
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return str(path)


def test_calls_without_durations_have_no_percentile(tmp_path: Path) -> None:
    found = report(tmp_path, str(CAPTURES / "sqlalchemy/echo.log"))
    assert (found["target"]["verdict"], found["target"]["method"]) == ("unknown", "none")
    assert found["target"]["client"]["reason"] == "15 client calls are logged without a duration"
    assert found["target"]["request"]["verdict"] == "unknown"
    assert found["target"]["request"]["round_trips_p95"] == 15  # one burst, and that is known
    for statement in found["statements"]:
        assert statement["calls"] > 0
        assert (statement["method"], statement["p95_ms"]) == ("none", None)
        assert (statement["min_ms"], statement["max_ms"]) == (None, None)
    assert found["hours"] == []
    assert found["window"]["from"].startswith("2026-11-26T23:06:27")


def test_calls_without_times_have_durations_only(tmp_path: Path) -> None:
    found = report(tmp_path, str(CAPTURES / "django/default.log"))
    assert found["target"]["client"]["verdict"] == "met"
    assert found["window"] == {"from": None, "to": None}
    assert found["hours"] == []
    assert found["target"]["request"]["verdict"] == "unknown"  # nobody knows where one ends


def test_requests_that_the_log_tells_need_no_times(tmp_path: Path) -> None:
    found = report(tmp_path, str(CAPTURES / "django/server.log"))
    assert found["target"]["request"]["requests"] == 4
    assert found["target"]["request"]["round_trips_p95"] == 11
    routes = {one["route"]: one["count"] for one in found["requests"]}
    assert routes == {"GET /lazy/": 2, "GET /eager/": 1, "GET /lines/{id}/": 1}


def test_what_has_durations_is_not_mixed_with_what_has_none(tmp_path: Path) -> None:
    untimed = {**TRACED, "request": "r2", "took": None}
    path = lines(tmp_path, TRACED, untimed, {**TRACED, "sql": "SELECT c FROM u", "took": 9})
    found = report(tmp_path, path, "--map", "sql=sql,request=request,duration=took")
    mixed, timed = (
        next(one for one in found["statements"] if one["tables"] == [table]) for table in "tu"
    )
    assert (mixed["calls"], mixed["method"], mixed["total_ms"]) == (2, "none", 4)
    assert mixed["mean_ms"] == 4
    assert (timed["calls"], timed["method"], timed["p95_ms"]) == (1, "exact", 9)
    assert found["target"]["client"]["verdict"] == "unknown"
    assert found["target"]["request"]["requests"] == 1  # r1: 4 + 9 ms
    assert found["target"]["request"]["value_ms"] == 13


@pytest.mark.parametrize("ending", ["html", "md", "csv", "json"])
def test_every_view_can_show_it(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"report.{ending}"
    captures = [str(CAPTURES / "sqlalchemy/basic.log"), str(CAPTURES / "rails/tagged.log")]
    result = CliRunner().invoke(cli, ["report", *captures, "-o", str(path)])
    assert result.exit_code == 0, result.output
    shown = path.read_text().partition("<script")[0]
    assert re.search(r"\bnan\b", shown, re.IGNORECASE) is None
    assert "1970-01" not in shown


@pytest.mark.parametrize("kind", ["stdout", "events"])
def test_calls_that_the_servers_log_shows_count_once(tmp_path: Path, kind: str) -> None:
    """Prisma's output of a run has no times, its events have; the server logged the same calls."""
    log = CAPTURES.parent / "prisma/pglog/default_client.csv"
    events = CAPTURES.parent / "prisma/prisma/query_events_default_client.jsonl"
    path = tmp_path / "calls.log"
    queries = [json.loads(line) for line in events.read_text().splitlines()]
    path.write_text("".join(f"prisma:query {one['query']}\n" for one in queries))
    alone = report(tmp_path, str(log))
    both = report(tmp_path, str(log), str(path if kind == "stdout" else events))
    assert both["target"]["executions"] == alone["target"]["executions"]
    calls = {one["shape_id"]: one["calls"] for one in alone["statements"]}
    assert {one["shape_id"]: one["calls"] for one in both["statements"]} == calls
    assert both["coverage"]["sources"][1]["same_as"] == str(log)
