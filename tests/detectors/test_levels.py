"""Levels that are loaded at once, each on several connections: one tree with the right numbers."""

from pathlib import Path

import pytest
from levels import traffic

from analyzer.model.evidence import NPlusOneEvidence
from analyzer.pipeline import Options, run

CASES = {
    "one request": {"requests": 1},
    "a few requests": {"requests": 5, "others": 0},
    "with pauses": {"requests": 5, "others": 0, "pause_s": 0.6},
    "among others": {"requests": 60},
    "long, with pauses": {"requests": 180, "pause_s": 0.6},
    "three at once": {"requests": 120, "at_once": 3},
    "tagged": {"requests": 60, "tagged": True},
    "tagged, three at once": {"requests": 60, "tagged": True, "at_once": 3},
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_three_levels_at_once_are_one_tree(case: str, tmp_path: Path) -> None:
    log = traffic(tmp_path / "app.csv", **CASES[case])  # type: ignore[arg-type]
    findings = run(Options(inputs=[log], log_min_duration_ms=0)).findings
    loops = [one.evidence for one in findings if isinstance(one.evidence, NPlusOneEvidence)]
    assert len(loops) == len(findings), [one.title for one in findings]
    tree = {(one.parent_table, one.child_table): one for one in loops}
    assert set(tree) == {("shelves", "books"), ("books", "reviews"), ("reviews", "answers")}
    for pair, (each, together) in zip(sorted(tree), ((4, 40), (3, 120), (10, 10)), strict=True):
        found = tree[pair]
        assert abs(found.children_per_parent.median - each) <= 1, pair
        assert abs(found.children_per_occurrence.median - together) <= 1, pair
    assert tree["shelves", "books"].scope == ("trace" if "tagged" in case else "cross-session")
