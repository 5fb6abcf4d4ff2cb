"""`pg95 ticket`: which finding, where to, and what is said of a wrong key or file."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import InputError, UsageError

DATA = Path(__file__).parents[1] / "data"
CAPTURE = DATA / "nplusone" / "django" / "nested.csv"


def pg95(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, [str(one) for one in arguments], input=stdin)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ticket") / "report.json"
    done = pg95("report", CAPTURE, "-o", path)
    assert done.exit_code == 0, done.output
    return path


def findings(report: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(report.read_text())["findings"]
    assert len(found) >= 2
    return found


def test_a_finding_is_printed_by_its_key_or_a_beginning(report: Path) -> None:
    first = findings(report)[0]
    whole = pg95("ticket", report, "--finding", first["key"])
    assert whole.exit_code == 0
    assert whole.stdout.startswith("# ")
    assert pg95("ticket", report, "--finding", first["key"][:-4]).stdout == whole.stdout
    piped = pg95("ticket", "-", "--finding", first["key"], stdin=report.read_text())
    assert piped.stdout == whole.stdout


def test_json_is_for_programs_that_file_it(report: Path) -> None:
    key = findings(report)[0]["key"]
    said = json.loads(pg95("ticket", report, "--finding", key, "--format", "json").stdout)
    assert said["key"] == key
    assert said["labels"][0] == findings(report)[0]["detector"]
    assert said["body"] == pg95("ticket", report, "--finding", key).stdout


@pytest.mark.parametrize(
    ("form", "ending"), [("markdown", "md"), ("jira", "txt"), ("json", "json")]
)
def test_all_writes_a_file_for_each(report: Path, tmp_path: Path, form: str, ending: str) -> None:
    folder = tmp_path / "new" / "tickets"
    done = pg95("ticket", report, "--all", "--format", form, "-o", folder)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(f"{one['key']}.{ending}" for one in findings(report))


def test_a_key_from_elsewhere_names_no_other_place(report: Path, tmp_path: Path) -> None:
    document = json.loads(report.read_text())
    document["findings"][0]["key"] = "../../outside"
    text = json.dumps(document)
    done = pg95("ticket", "-", "--all", "-o", tmp_path / "in", stdin=text)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "in" / "_.._outside.md").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --finding KEY, or --all"),
        (("--finding", "n-plus-one", "--all"), "give --finding KEY, or --all"),
        (("--all",), "give a folder with -o"),
        (
            ("--finding", "n-plus-one-ffffffffffff"),
            "has no finding n-plus-one-ffffffffffff: it has",
        ),
        (("--finding", "n-plus-one"), "findings of"),
    ],
)
def test_what_cannot_be_done_is_said(report: Path, arguments: tuple[str, ...], said: str) -> None:
    done = pg95("ticket", report, *arguments)
    assert isinstance(done.exception, UsageError)
    assert said in str(done.exception)


def test_what_is_no_report_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xff\xfe")
    for name, said in ((path, f"{path}: "), (tmp_path / "none.json", "cannot be read")):
        done = pg95("ticket", name, "--all", "-o", tmp_path / "t")
        assert isinstance(done.exception, InputError)
        assert said in str(done.exception)
