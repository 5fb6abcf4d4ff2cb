"""--method and --config on the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import UsageError

LOG = "".join(
    f"2026-11-22 08:00:{second:02d}.000 UTC [7] LOG:  duration: {second + 1}.000 ms  "
    f"statement: SELECT total FROM orders WHERE id = {second}\n"
    for second in range(60)
)


def test_a_method_is_taken_or_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "postgresql.log"
    path.write_text(LOG, encoding="utf-8")
    given = ["report", str(path), "--format", "json", "--log-min-duration-ms", "0"]
    made = {}
    for method in ("auto", "exact", "histogram"):
        shown = CliRunner().invoke(cli, [*given, "--method", method])
        made[method] = json.loads(shown.stdout)["target"]
    assert made["auto"] == made["exact"]
    assert (made["exact"]["value_ms"], made["exact"]["method"]) == (57.0, "exact")
    assert made["histogram"]["low_ms"] < 57.0 < made["histogram"]["high_ms"]
    shown = CliRunner().invoke(cli, [*given, "--method", "tail-exact"])
    assert isinstance(shown.exception, UsageError)
    assert "log_min_duration_statement above 0" in str(shown.exception)
    assert CliRunner().invoke(cli, [*given, "--method", "guess"]).exit_code == 2


@pytest.mark.parametrize("command", ["report", "top", "nplusone", "plans", "indexes"])
def test_every_command_takes_the_configuration(command: str, tmp_path: Path) -> None:
    path = tmp_path / "postgresql.log"
    path.write_text(LOG, encoding="utf-8")
    config = tmp_path / "own.toml"
    config.write_text('[[targets]]\ntable = "orders"\nms = 20\n', encoding="utf-8")
    given = [command, str(path), "--format", "json", "--log-min-duration-ms", "0"]
    given += ["--config", str(config)]
    document = json.loads(CliRunner().invoke(cli, given).stdout)
    (statement,) = document["statements"]
    assert (statement["target_ms"], statement["verdict"]) == (20, "missed")
    (part,) = document["target"]["by"]
    assert (part["dimension"], part["name"], part["verdict"]) == ("table", "orders", "missed")
