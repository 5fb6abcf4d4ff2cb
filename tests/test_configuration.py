"""The configuration file: where it is found, what is read of it, and what is refused by name."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.configuration import Configuration, Table, read_configuration
from analyzer.errors import UsageError
from analyzer.model.target import PatternTarget, Target

TARGETS = """
[target]
ms = 50
quantile = 0.99

[[targets]]
route = "/checkout*"
ms = 200

[[targets]]
table = "orders"
application = "web-?"
ms = 12.5
quantile = 0.5
"""


def written(folder: Path, text: str, name: str = "pg95.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_targets_are_read_from_either_file(tmp_path: Path) -> None:
    found = read_configuration(str(written(tmp_path, TARGETS)))
    assert found.target == Target(50, 0.99)
    assert found.targets == (
        PatternTarget({"route": "/checkout*"}, Target(200, 0.99)),
        PatternTarget({"table": "orders", "application": "web-?"}, Target(12.5, 0.5)),
    )
    inner = TARGETS.replace("[targets", "[tool.pg95.targets").replace(
        "[target]", "[tool.pg95.target]"
    )
    written(tmp_path, f"[project]\nname = 'x'\n{inner}", "pyproject.toml")
    assert read_configuration(folder=tmp_path).path == tmp_path / "pg95.toml"
    (tmp_path / "pg95.toml").unlink()
    other = read_configuration(folder=tmp_path)
    assert (other.target, other.targets) == (found.target, found.targets)
    assert other.path == tmp_path / "pyproject.toml"


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    assert read_configuration(folder=tmp_path).targets == ()
    written(tmp_path, "[tool.ruff]\nline-length = 1", "pyproject.toml")
    assert read_configuration(folder=tmp_path).path is None
    # Another program's file may be broken as long as nothing in it is meant for pg95.
    written(tmp_path, "[tool.ruff", "pyproject.toml")
    assert read_configuration(folder=tmp_path).path is None
    assert Configuration().targets == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[[targets]]\nroutes = '/a'\nms = 1",
            "[[targets]] number 1: routes is not known; did you mean route?",
        ),
        ("[[targets]]\nroute = '/a'", "[[targets]] number 1: ms is missing: a number"),
        ("[[targets]]\nms = 1", "[[targets]] number 1: say what it is about: route,"),
        ("[[targets]]\nroute = '/a'\nms = '1'", "ms has to be a number, not '1'"),
        ("[[targets]]\nroute = '/a'\nms = true", "ms has to be a number, not true"),
        ("[[targets]]\nroute = '/a'\nms = nan", "ms has to be a number that is neither"),
        ("[[targets]]\nroute = '/a'\nms = 0", "ms has to be above 0, not 0"),
        ("[[targets]]\nroute = 7\nms = 1", "route has to be a text in quotes, not 7"),
        ("[[targets]]\nroute = '/a'\ntable = 'b'\nms = 1", "no statement or table"),
        ("[targets]\nroute = '/a'", "targets has to be a list in square brackets, not a table"),
        ("targets = [1]", "targets has to be tables, each under [[targets]]"),
        ("[target]\nmsec = 5", "[target]: msec is not known; did you mean ms?"),
        ("[target]\nquantile = 95", "quantile has to be above 0 and at most 1 (0.95), not 95"),
        ("[tragets]\nms = 5", "tragets is not known; did you mean targets?"),
        ("[zzzz]", "zzzz is not known; known are alerts, history, logs"),
        ("[target", "no TOML: "),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_key(text: str, told: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as error:
        read_configuration(folder=tmp_path)
    assert str(error.value).startswith(f"{path}: ")
    assert told in str(error.value)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--config .*no.toml: cannot be read \(No such file"):
        read_configuration(str(tmp_path / "no.toml"))
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(UsageError, match="not UTF-8 at byte 5"):
        read_configuration(str(tmp_path / "latin.toml"))


def test_tables_within_tables_and_lists_of_texts() -> None:
    table = Table("a.toml", "", {"logs": {"globs": ["a", "b"], "more": {"deep": 1}, "on": True}})
    logs = table.table("logs")
    assert logs is not None
    assert logs.texts("globs") == ("a", "b")
    assert logs.flag("on") is True
    assert logs.text("prefix", None) is None
    more = logs.table("more")
    assert more is not None
    assert (more.integer("deep"), more.where) == (1, "a.toml: [logs.more]")
    for one in (more, logs, table):
        one.end()
    with pytest.raises(UsageError, match=r"a.toml: \[x\]: names has to hold texts in quotes only"):
        Table("a.toml", "x", {"names": [1]}).texts("names")


def test_an_option_wins_over_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "[target]\nms = 7\nquantile = 0.5")
    log = tmp_path / "postgresql.log"
    log.write_text(
        "2026-11-22 08:00:00.000 UTC [1] LOG:  duration: 5.000 ms  statement: SELECT a FROM t\n"
    )
    shown = CliRunner().invoke(cli, ["report", str(log), "--format", "json"])
    target = json.loads(shown.stdout)["target"]
    assert (target["ms"], target["quantile"]) == (7, 0.5)
    shown = CliRunner().invoke(cli, ["report", str(log), "--format", "json", "--target-ms", "9"])
    target = json.loads(shown.stdout)["target"]
    assert (target["ms"], target["quantile"]) == (9, 0.5)
    written(tmp_path, "[target]\nmss = 7")
    shown = CliRunner().invoke(cli, ["report", str(log)])
    assert isinstance(shown.exception, UsageError)
    assert "mss is not known; did you mean ms?" in str(shown.exception)
