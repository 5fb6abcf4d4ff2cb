"""The four promises in the nightly report, its metrics and its history."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from growing import written
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from analyzer.cli import cli
from analyzer.configuration import read_configuration
from analyzer.errors import UsageError
from analyzer.nightly.settings import read_settings
from analyzer.report.formats import percent

if TYPE_CHECKING:
    from tests.conftest import Server

DATA = Path(__file__).parents[1] / "data"
CONFIG = """
[target]
ms = 60000
[history]
path = "history.db"
[[logs]]
name = "app"
paths = ["app.log"]
settle_minutes = 0
[outputs]
html = "report.html"
json = "report.json"
latest = "none"
[metrics]
textfile = "pg95.prom"
[scoreboard]
hit_target = 0.75
"""
MIGRATIONS = (
    "CREATE TABLE _prisma_migrations (checksum text, finished_at timestamptz, migration_name text, logs text, "
    "rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int)"
)


def night(folder: Path, *more: str) -> dict[str, dict[str, Any]]:
    """A night with something new in the log; the metrics of its report by their names."""
    (folder / "pg95.toml").write_text(CONFIG + "\n".join(more))
    log = folder / "app.log"
    size = log.stat().st_size if log.exists() else 0
    log.write_bytes(written("stderr", 1, 50 + size // 50))
    done = CliRunner().invoke(cli, ["nightly", "--config", str(folder / "pg95.toml")])
    assert done.exit_code == 0, done.output
    board = json.loads((folder / "report.json").read_text())["scoreboard"]
    return {one["id"]: one for one in board["metrics"]}


def verdicts(metrics: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: one["verdict"] for name, one in metrics.items()}


def gauges(folder: Path) -> dict[tuple[str, str], float]:
    families = text_string_to_metric_families((folder / "pg95.prom").read_text())
    samples = [one for family in families for one in family.samples if "promise" in one.labels]
    return {(one.name, one.labels["promise"]): one.value for one in samples}


def test_what_is_not_configured_is_unknown_and_says_what_would_tell(tmp_path: Path) -> None:
    found = night(tmp_path)
    assert verdicts(found) == {
        "p95": "met",
        "cache-hit-rate": "unknown",
        "failed-migrations": "unknown",
        "schema-in-sync": "unknown",
    }
    assert all(one["first"] for one in found.values() if one["verdict"] == "unknown")
    assert gauges(tmp_path)["pg95_promise_verdict", "cache-hit-rate"] == -1
    assert ("pg95_promise_value", "cache-hit-rate") not in gauges(tmp_path)


def test_all_four_and_their_nights(postgres15: "Server", tmp_path: Path) -> None:
    dsn = postgres15.create_database("night_promises")
    postgres15.psql((DATA / "schema" / "prisma_migration.sql").read_text(), dsn)
    postgres15.psql(MIGRATIONS, dsn)
    line = '{"ts": 1, "route": "/a", "op": "get", "key_prefix": "p", "hit": %s}\n'
    events = tmp_path / "events.jsonl"
    events.write_text(line % "true" * 7 + line % "false" * 3)
    more = (
        f'prisma = "{DATA / "prisma" / "schema" / "schema.prisma"}"',
        'cache = ["*.jsonl"]',
        f'[[servers]]\nname = "one"\ndsn = "{dsn}"',
    )
    found = night(tmp_path, *more)
    assert verdicts(found) == {
        "p95": "met",
        "cache-hit-rate": "missed",
        "failed-migrations": "met",
        "schema-in-sync": "met",
    }
    assert found["cache-hit-rate"]["target"] == "> 75 %"
    assert found["schema-in-sync"]["trend"] == []
    events.write_text(line % "true" * 8 + line % "false" * 2)
    postgres15.psql(
        "INSERT INTO _prisma_migrations VALUES ('x', NULL, '1_bad', 'Key (email)=(eve@x.org) exists', NULL, now(), 0);"
        "ALTER TABLE users ADD extra int",
        dsn,
    )
    found = night(tmp_path, *more)
    assert verdicts(found) == {
        "p95": "met",
        "cache-hit-rate": "met",
        "failed-migrations": "missed",
        "schema-in-sync": "missed",
    }
    (before,) = found["schema-in-sync"]["trend"]
    assert (before["value"], before["verdict"]) == (0, "met")
    assert found["failed-migrations"]["first"].startswith("1_bad: pg95 migrations")
    written_down = (tmp_path / "report.json").read_text() + (tmp_path / "report.html").read_text()
    assert "eve@x.org" not in written_down
    assert "met in 1 of 1 night, met in the last" in (tmp_path / "report.html").read_text()
    told = ["scoreboard", "--history", str(tmp_path / "history.db"), "--format"]
    known = json.loads(CliRunner().invoke(cli, [*told, "json"]).stdout)["metrics"]
    trend = {one["id"]: [each["value"] for each in one["trend"]] for one in known}
    assert (trend["schema-in-sync"], trend["cache-hit-rate"]) == ([0, 1], [0.7, 0.8])
    assert len(trend["p95"]) == 2
    shown = CliRunner().invoke(cli, [*told, "markdown"]).stdout
    values = f"{percent(0.7)}, {percent(0.8)}"
    assert f"met in 1 of 2 nights, met in the last ({values})" in shown
    assert gauges(tmp_path)["pg95_promise_value", "cache-hit-rate"] == 0.8
    assert gauges(tmp_path)["pg95_promise_verdict", "schema-in-sync"] == 0


def test_what_cannot_be_read_costs_its_own_metric(tmp_path: Path) -> None:
    found = night(tmp_path, 'prisma = "nowhere"', 'dump = "none.sql"', 'cache = ["none.txt"]')
    assert verdicts(found)["p95"] == "met"
    board = json.loads((tmp_path / "report.json").read_text())["scoreboard"]
    told = "\n".join(board["warnings"])
    assert "none.txt: no such file" in told
    assert "nowhere: there is no such file or folder" in told


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ('server = "two"', "names two, and no"),
        ("hit_targt = 0.8", "did you mean hit_target"),
        ('prisma = "p"\n[[servers]]\nname = "a"\n[[servers]]\nname = "b"', "several"),
    ],
)
def test_what_is_refused(tmp_path: Path, given: str, why: str) -> None:
    (tmp_path / "pg95.toml").write_text(CONFIG.replace("hit_target = 0.75\n", "") + given)
    with pytest.raises(UsageError, match=why):
        read_settings(read_configuration(str(tmp_path / "pg95.toml")))
