"""`pg95 ack` end to end: what is accepted is folded, and counts again when it is over."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analyzer.pipeline import Options, Result, run
from analyzer.report.views import RENDERERS, focused, table
from analyzer.report.views._terminal import to_text

NESTED = Path(__file__).parents[1] / "data" / "nplusone" / "django" / "nested.csv"
BOOKS, REVIEWS = "× books", "× reviews"


def pg95(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
    )


def keys(document: dict[str, Any]) -> dict[str, str]:
    """The findings' keys by what their titles say."""
    return {
        name: next(f["key"] for f in document["findings"] if name in f["title"])
        for name in (BOOKS, REVIEWS)
    }


@pytest.fixture(scope="module")
def found() -> dict[str, str]:
    return keys(run(Options(inputs=[str(NESTED)])).document)


def test_an_accepted_finding_is_folded_and_does_not_fail(
    tmp_path: Path, found: dict[str, str]
) -> None:
    report = ("nplusone", str(NESTED), "--fail-on", "findings", "--format", "json")
    assert pg95(tmp_path, *report).returncode == 1
    made = pg95(tmp_path, "ack", *found.values(), "--reason", "on purpose", "--ticket", "SHOP-1")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / ".pg95" / "acknowledged.toml").is_file()
    below = tmp_path / "src"
    below.mkdir()
    done = pg95(below, *report)
    assert done.returncode == 0, done.stderr
    statuses = {one["key"]: one["status"] for one in json.loads(done.stdout)["findings"]}
    assert statuses == dict.fromkeys(found.values(), "acknowledged")
    assert done.stderr == ""
    listed = json.loads(pg95(below, "ack", "--list", "--format", "json").stdout)
    assert [one["key"] for one in listed["acknowledged"]] == sorted(found.values())
    assert pg95(below, "ack", "--remove", found[BOOKS]).returncode == 0
    assert pg95(below, *report).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["some-key"], "--reason"),
        ([], "KEY"),
        (["a", "--list"], "alone"),
        (["a", "--remove"], "--list"),
        (["a", "--remove", "--reason", "x"], "takes no --reason"),
        (["a", "--reason", "x", "--until", "2020-01-01"], "is over"),
    ],
)
def test_wrong_usage_says_what_to_give(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = pg95(tmp_path, "ack", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_no_detector_gives_is_said(tmp_path: Path) -> None:
    done = pg95(tmp_path, "ack", "n-plus-oen-1", "--reason", "x")
    assert done.returncode == 0
    assert "mistyped" in done.stdout


def test_a_broken_file_ends_the_run_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[a]\nreason = 'x'\n[b\n")
    done = pg95(tmp_path, "report", str(NESTED), "--acknowledged", str(path))
    assert done.returncode == 3
    assert f"{path}:3: " in done.stderr
    done = pg95(tmp_path, "report", str(NESTED), "--acknowledged", str(tmp_path / "none.toml"))
    assert (done.returncode, "no such file" in done.stderr) == (3, True)


def accepted(tmp_path: Path, entries: str, today: date) -> Result:
    path = tmp_path / "a.toml"
    path.write_text(entries)
    return run(Options(inputs=[str(NESTED)], acknowledged=str(path), today=today))


def test_what_is_over_counts_again_and_says_so(tmp_path: Path, found: dict[str, str]) -> None:
    entries = (
        f'[{found[BOOKS]}]\nreason = "later"\nuntil = 2026-12-31\n[gone-1]\nreason = "fixed"\n'
    )
    before = accepted(tmp_path, entries, date(2026, 12, 31))
    after = accepted(tmp_path, entries, date(2027, 1, 1))
    assert [f.folded for f in before.findings] == [False, True]
    assert [f.folded for f in after.findings] == [False, False]
    assert any("gone-1" in warning for warning in before.workload.coverage.warnings)
    assert any("counts again" in warning for warning in after.workload.coverage.warnings)
    assert "Was acknowledged" in RENDERERS["html"](after.document)
    assert "Was acknowledged" in RENDERERS["markdown"](after.document)


def test_every_view_folds_with_reason_ticket_and_date(
    tmp_path: Path, found: dict[str, str]
) -> None:
    entries = f'[{found[BOOKS]}]\nreason = "<b>why</b>"\nticket = "SHOP-9"\nuntil = 2027-05-01\n'
    document = accepted(tmp_path, entries, date(2026, 12, 1)).document
    shown = to_text(focused.findings(document, 200, "none"), 200, colour=False)
    texts = [
        RENDERERS["html"](document),
        RENDERERS["markdown"](document),
        table.render(document, 300),
        shown,
    ]
    for text in texts:
        assert "1 acknowledged finding" in text
        assert "SHOP-9" in text
        assert "2027-05-01" in text
    assert "&lt;b&gt;why" in texts[0]
    assert "<b>why" not in texts[0] + texts[1]
    # Not among what is to be done, nor counted.
    assert "1 high" in texts[2] or "1 medium" in texts[2] or "1 low" in texts[2]
    assert texts[0].count('<article class="finding"') == 1


@pytest.mark.parametrize(
    ("comment", "folded"),
    [
        ("/* pg95:ignore n-plus-one */", {BOOKS: False, REVIEWS: True}),
        ("/* pg95:ignore all */", {BOOKS: False, REVIEWS: True}),
        ("/* pg95:ignore repeated-query */", {BOOKS: False, REVIEWS: False}),
    ],
)
def test_a_comment_in_the_statement_acknowledges(
    tmp_path: Path, comment: str, folded: dict[str, bool]
) -> None:
    log = tmp_path / "a.csv"
    head = '""reviews"".""book_id"" FROM'
    text = NESTED.read_text()
    assert head in text
    log.write_text(text.replace(head, head.replace(" FROM", f" {comment} FROM")))
    result = run(Options(inputs=[str(log)]))
    states = {
        name: finding.folded
        for name in (BOOKS, REVIEWS)
        for finding in result.findings
        if name in finding.title
    }
    assert states == folded


def test_a_comment_in_some_executions_alone_does_not(tmp_path: Path) -> None:
    log = tmp_path / "a.csv"
    head = '""reviews"".""book_id"" FROM'
    tagged = head.replace(" FROM", " /* pg95:ignore all */ FROM")
    log.write_text(NESTED.read_text().replace(head, tagged, 5))
    assert not any(finding.folded for finding in run(Options(inputs=[str(log)])).findings)
