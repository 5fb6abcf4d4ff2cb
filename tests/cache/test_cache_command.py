"""`pg95 cache`: inputs told apart, candidates of a log with the code, exit codes."""

import html
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import UsageError

DATA = Path(__file__).parents[1] / "data" / "redis"
START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def pg95(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["cache", *map(str, arguments)])


def entry(at: float, pid: int, text: str, parameters: str | None, ms: float) -> str:
    when = (START + timedelta(seconds=at)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    head = f"{when} UTC [{pid}] u@d LOG:  duration: {ms:.3f} ms  execute <unnamed>: {text}"
    if parameters is None:
        return head
    return f"{head}\n{when} UTC [{pid}] u@d DETAIL:  parameters: {parameters}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Half an hour: settings that hardly change are read all the time, stock that changes every second."""
    lines = []
    for n in range(1800):
        lines.append(
            entry(n, 100, "SELECT value FROM settings WHERE tenant = $1", f"$1 = '{n % 5}'", 8.0)
        )
        lines.append(
            entry(n + 0.3, 101, "SELECT amount FROM stock WHERE item = $1", f"$1 = '{n % 5}'", 8.0)
        )
        lines.append(
            entry(
                n + 0.6,
                102,
                "UPDATE stock SET amount = amount - 1 WHERE item = $1",
                "$1 = '1'",
                0.5,
            )
        )
    path = tmp_path / "app.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_what_hardly_changes_is_worth_caching_and_what_changes_is_not(log: Path) -> None:
    done = pg95(log, "--format", "json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    (one,) = found["candidates"]
    assert one["tables"] == ["settings"]
    assert one["chosen"]["ttl_s"] == 30
    assert one["chosen"]["hit"] == pytest.approx(1 - 1 / 7, abs=0.01)  # each of 5 keys every 5 s
    assert one["chosen"]["stale"] == 0
    assert (one["distinct"], one["calls"], one["invalidate"]) == (5, 1800, False)
    assert one["saved_ms"] == pytest.approx(1800 * 8 * one["chosen"]["hit"], rel=0.01)
    assert "EX: 30" in one["code"]
    assert found["hit_rate"]["verdict"] == "unknown"


def test_every_input_is_told_by_its_content(log: Path) -> None:
    done = pg95(DATA / "monitor.txt", log, DATA / "info_stats_after.txt", "--format", "json")
    found = json.loads(done.stdout)
    assert found["hit_rate"]["method"] == "monitor"
    assert found["hit_rate"]["value"] == pytest.approx(29 / 60)
    assert len(found["candidates"]) == 1


def test_people_read_it_too(log: Path) -> None:
    text = pg95(log, DATA / "monitor.txt").stdout
    assert "Cache hit rate 48.3 % of 60 reads, target over 80 %: missed" in text
    assert "1 statement worth caching" in text
    assert "TTL 30 s" in text
    markdown = pg95(log, DATA / "monitor.txt", "--format", "markdown").stdout
    assert markdown.startswith("# Cache hit rate 48.3 %")


def test_the_report_shows_the_same_with_the_code_to_copy(log: Path, tmp_path: Path) -> None:
    out = [tmp_path / name for name in ("r.html", "r.md")]
    written = [part for path in out for part in ("-o", str(path))]
    done = CliRunner().invoke(cli, ["report", str(log), str(DATA / "monitor.txt"), *written])
    assert done.exit_code == 0, done.output
    (one,) = json.loads(pg95(log, "--format", "json").stdout)["candidates"]
    page, text = (html.unescape(path.read_text()) for path in out)
    for shown in (page, text):
        assert "1 statement worth caching" in shown
        assert "TTL 30 s" in shown
        assert one["code"].rstrip() in shown
    assert f'<h3><a class="sql" href="#q-{one["shape_id"]}">' in page


def test_conditions_and_what_cannot_be_done(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    line = '{"ts": 1, "route": "/a", "op": "get", "key_prefix": "p", "hit": true}\n'
    events.write_text(line * 10, encoding="utf-8")
    assert pg95(events, "--fail-on", "target").exit_code == 0
    assert pg95(DATA / "monitor.txt", "--fail-on", "target").exit_code == 1
    assert isinstance(pg95().exception, UsageError)
