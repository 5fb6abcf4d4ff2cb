"""What an expert looks for in a plan's tree: what a node said of itself, and estimates that are wrong."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.report.plan_words import wrong_nodes

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "detectors" / "plans"))
from findings import text_of


def asked(tmp_path: Path, case: str, form: str, version: str = "16") -> str:
    path = tmp_path / "plan.json"
    path.write_text(text_of(*case.split("."), version))
    done = CliRunner(env={"COLUMNS": "130"}).invoke(
        cli, ["plans", str(path), "--target-ms", "20", "--format", form]
    )
    assert done.exit_code == 0, done.output
    return done.stdout


def plan(tmp_path: Path, case: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked(tmp_path, case, "json"))["plans"][0]
    return found


DETAILS = {
    "sort-on-disk.found": "external merge, 10.9 MB of disk",
    "hash-spill.found": "hashed in ",
    "aggregate-spill.found": " of disk",
    "selective-seq-scan.found": "199,998 rows removed by filter",
    "heap-fetches.found": " heap fetches",
    "lossy-bitmap.found": " pages lossy",
    "memoize-misses.found": " hits, ",
    "workers-missing.found": "0 of 2 workers launched",
    "join-filter.found": "rows removed by join filter",
}


@pytest.mark.parametrize("case", DETAILS)
def test_nodes_tell_what_explains_their_time(case: str, tmp_path: Path) -> None:
    details = [text for node in plan(tmp_path, case)["nodes"] for text in node["details"]]
    assert any(DETAILS[case] in text for text in details), details
    shown = asked(tmp_path, case, "table")
    assert all(text.split()[0] in shown for text in details)
    assert all(text in asked(tmp_path, case, "html") for text in details)


def test_what_a_limit_stopped_is_no_wrong_estimate(tmp_path: Path) -> None:
    assert wrong_nodes(plan(tmp_path, "top-n-sort.found")) == set()
    assert wrong_nodes(plan(tmp_path, "vector-short-result.found")) == set()
    misestimate = plan(tmp_path, "misestimate.found")
    wrong = {misestimate["nodes"][number]["type"] for number in wrong_nodes(misestimate)}
    assert wrong == {"Nested Loop", "Seq Scan"}


def test_a_plan_that_was_not_run_shows_costs(tmp_path: Path) -> None:
    shown = asked(tmp_path, "low-quality-plan.found", "table")
    assert "cost 4,3" in shown
    assert "Cost" in shown
    assert "Self" not in shown


def test_lines_below_a_node_keep_its_guides(tmp_path: Path) -> None:
    lines = asked(tmp_path, "misestimate.found", "table").splitlines()
    begin = next(n for n, line in enumerate(lines) if "Nested Loop" in line)
    end = next(n for n, line in enumerate(lines) if "planning" in line)
    for line in lines[begin:end]:
        assert not line.strip() or line.startswith((" └", "   ├", "   │", "   └", "     "))
