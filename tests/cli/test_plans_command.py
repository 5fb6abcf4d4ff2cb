"""`pg95 plans` from a file to every view: findings, their advice, and their nodes."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "detectors" / "plans"))
from findings import DATA, text_of

VECTORS = DATA / "plans" / "pgvector"
SCHEMA = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children (id int PRIMARY KEY,
  parent_id int CONSTRAINT children_parent_fkey REFERENCES parents);
"""


def plans(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["plans", "--target-ms", "20", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def path_of(tmp_path: Path, case: str) -> str:
    """A file with what EXPLAIN answered to a case, by "finding.case"."""
    path = tmp_path / f"{case}.json"
    path.write_text(text_of(*case.split(".")))
    return str(path)


def document(tmp_path: Path, case: str, *arguments: str) -> dict[str, Any]:
    found = json.loads(plans(path_of(tmp_path, case), "--format", "json", *arguments))
    assert isinstance(found, dict)
    return found


def test_a_finding_has_advice_and_marks_its_nodes(tmp_path: Path) -> None:
    report = document(tmp_path, "misestimate.found")
    (finding,) = report["findings"]
    assert finding["detector"] == "misestimate"
    texts = [advice["text"] for advice in finding["recommendations"]]
    assert texts[0] == "ANALYZE customers;"
    assert texts[1].startswith("CREATE STATISTICS ")
    (plan,) = report["plans"]
    marked = {node["id"] for node in plan["nodes"] if node["findings"] == [finding["key"]]}
    (consequence,) = finding["evidence"]["consequences"]
    assert marked == {finding["evidence"]["node_id"], consequence["node_id"]}


def test_values_are_not_shown_unless_asked_for(tmp_path: Path) -> None:
    path = path_of(tmp_path, "index-filter.found")
    for form in ("json", "html", "markdown", "table"):
        assert "n77" not in plans(path, "--format", form)
    assert "n77" in plans(path, "--format", "json", "--redact", "off")


def test_every_view_tells_what_follows_from_what(tmp_path: Path) -> None:
    path = path_of(tmp_path, "misestimate.found")
    for form in ("html", "markdown", "table"):
        shown = plans(path, "--format", form)
        assert "times fewer rows than come" in shown
        assert "CREATE STATISTICS" in shown or form == "table"


def test_a_short_answer_comes_first(tmp_path: Path) -> None:
    vectors = VECTORS / "08_limit_larger_than_ef.json"
    spilled = path_of(tmp_path, "sort-on-disk.found")
    shown = json.loads(plans(spilled, str(vectors), "--format", "json"))
    assert shown["findings"][0]["detector"] == "vector-short-result"
    assert "hnsw.ef_search" in shown["findings"][0]["recommendations"][0]["text"]


def test_short_answers_for_different_reasons_are_told_apart_and_marked_in_their_plans() -> None:
    names = ("06_hnsw_filter_post", "06c_filter_planner_choice", "08_limit_larger_than_ef")
    shown = json.loads(
        plans(*(str(VECTORS / f"{name}.json") for name in names), "--format", "json")
    )
    limit, filtered = (
        next(one for one in shown["findings"] if text in one["recommendations"][0]["text"])
        for text in ("ef_search", "iterative_scan")
    )
    assert {limit["detector"], filtered["detector"]} == {"vector-short-result"}
    marks = {
        Path(plan["source"]).stem: {key for node in plan["nodes"] for key in node["findings"]}
        for plan in shown["plans"]
    }
    assert [filtered["key"] in marks[name] for name in names] == [True, True, False]
    assert [limit["key"] in marks[name] for name in names] == [False, False, True]


@pytest.mark.parametrize("with_schema", [True, False])
def test_the_schema_tells_the_column_of_a_foreign_key(tmp_path: Path, *, with_schema: bool) -> None:
    path = tmp_path / "schema.sql"
    path.write_text(SCHEMA)
    report = document(
        tmp_path, "trigger-time.found", *(["--schema", str(path)] if with_schema else [])
    )
    (finding,) = [one for one in report["findings"] if one["detector"] == "trigger-time"]
    text = finding["recommendations"][0]["text"]
    if with_schema:
        assert text == "CREATE INDEX CONCURRENTLY idx_children_parent_id ON children (parent_id);"
        assert [one["sql"] for one in report["indexes"]["create"]] == [text]
    else:
        assert "pg_constraint" in text
        assert "'children_parent_fkey'" in text


def test_an_index_that_is_there_is_not_proposed_again(tmp_path: Path) -> None:
    path = tmp_path / "schema.sql"
    path.write_text(
        "CREATE TABLE orders (id int PRIMARY KEY, amount numeric);"
        "CREATE INDEX orders_amount ON orders (amount);"
    )
    report = document(tmp_path, "top-n-sort.found", "--schema", str(path))
    (finding,) = [one for one in report["findings"] if one["detector"] == "top-n-sort"]
    assert "orders_amount" in finding["recommendations"][0]["title"]
    assert report["indexes"]["create"] == []
    bare = document(tmp_path, "top-n-sort.found")
    assert "ON orders (amount);" in bare["findings"][0]["recommendations"][0]["text"]
