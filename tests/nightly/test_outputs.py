"""Reports are there whole or not at all, under their night's name and as the latest."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from analyzer.errors import InputError
from analyzer.nightly.outputs import write_outputs, write_whole
from analyzer.nightly.settings import Outputs

AT = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "report" / "golden"


@pytest.fixture
def report() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / "report.json").read_text())
    return found


@pytest.mark.parametrize("latest", ["copy", "symlink", "none"])
def test_every_format_is_written(
    tmp_path: Path, report: dict[str, Any], latest: Literal["copy", "symlink", "none"]
) -> None:
    forms = ("html", "json", "md", "csv")
    patterns = {form: str(tmp_path / "%Y" / f"%Y-%m-%d.{form}") for form in forms}
    written = write_outputs(report, Outputs(patterns, latest), AT)
    folder = tmp_path / "2026"
    assert written == {form: folder / f"2026-11-27.{form}" for form in forms}
    assert json.loads(written["json"].read_text()) == report
    assert written["html"].read_text().startswith("<!doctype html>")
    names = {f"2026-11-27.{form}" for form in forms}
    names |= set() if latest == "none" else {f"latest.{form}" for form in forms}
    assert {one.name for one in folder.iterdir()} == names
    write_outputs(report, Outputs(patterns, latest), AT)  # again: the same
    assert {one.name for one in folder.iterdir()} == names
    if latest != "none":
        assert (folder / "latest.md").is_symlink() == (latest == "symlink")
        assert (folder / "latest.md").read_text() == written["md"].read_text()


def test_without_replacing_only_what_is_missing_is_written(
    tmp_path: Path, report: dict[str, Any]
) -> None:
    outputs = Outputs({"md": str(tmp_path / "%Y-%m-%d.md")})
    write_outputs(report, outputs, AT, replace=False)
    first = (tmp_path / "latest.md").read_text()  # better than none
    report["target"]["value_ms"] = 4321.0
    next_night = AT.replace(day=28)
    written = write_outputs(report, outputs, next_night, replace=False)
    assert "4.32 s" in written["md"].read_text()
    assert (tmp_path / "latest.md").read_text() == first
    report["target"]["value_ms"] = 1234.0
    assert write_outputs(report, outputs, next_night, replace=False) == {}
    write_outputs(report, outputs, next_night)
    assert (tmp_path / "latest.md").read_text() == written["md"].read_text() != first


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \udcff")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.md"]
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_whole(tmp_path / "file" / "report.md", "x")
    assert path.stat().st_mode & 0o777 == 0o644
