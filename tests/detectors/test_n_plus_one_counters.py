"""n-plus-one from pg_stat_statements alone: candidates, at a low confidence."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from slices import CORPUS, SLICES, schema_of, wanted

from analyzer.detectors._counters import counted_pairs
from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.finding import Finding, Status
from analyzer.pipeline import Options, run

COUNTERS = [(orm, name) for orm, name in SLICES if name.endswith(".csv")]


@pytest.mark.parametrize("schema", [True, False], ids=["schema", "names"])
@pytest.mark.parametrize(("orm", "name"), COUNTERS)
def test_every_slice_gives_its_pairs_and_no_other(orm: str, name: str, *, schema: bool) -> None:
    expected = wanted(orm, name)
    if expected is None:
        return
    path = CORPUS / orm / name.replace(".csv", ".pgss.json")
    found = guesses([str(path)], schema_of(orm) if schema else None)
    shown = {(one.parent_table, one.child_table) for one in map(evidence_of, found)}
    assert shown == {(one.parent, one.child) for one in expected}
    assert all(one.confidence < 0.5 for one in found)
    assert all(evidence_of(one).scope == "statistics" for one in found)


def evidence_of(finding: Finding) -> NPlusOneEvidence:
    assert isinstance(finding.evidence, NPlusOneEvidence)
    return finding.evidence


def guesses(inputs: list[str], schema: str | None = None) -> list[Finding]:
    result = run(Options(inputs=inputs, schema=schema))
    return [one for one in result.findings if isinstance(one.evidence, NPlusOneEvidence)]


def counters(tmp_path: Path, *rows: tuple[str, int, int]) -> str:
    """Saved counters of (query, calls, rows)."""
    path = tmp_path / "counters.json"
    made = [
        {
            "queryid": number,
            "query": query,
            "calls": calls,
            "rows": returned,
            "total_exec_time": calls * 0.1,
            "mean_exec_time": 0.1,
        }
        for number, (query, calls, returned) in enumerate(rows, 1)
    ]
    path.write_text(json.dumps(made))
    return str(path)


PARENT = "SELECT id, name FROM authors ORDER BY id"
CHILD = "SELECT title FROM books WHERE author_id = $1"


@pytest.mark.parametrize(
    ("case", "parent", "child"),
    [
        ("one row a call", (PARENT, 100, 100), (CHILD, 100, 300)),
        ("children of other callers too", (PARENT, 10, 200), (CHILD, 1_000, 3_000)),
        ("children now and then", (PARENT, 10, 200), (CHILD, 20, 60)),
        ("a batch", (PARENT, 10, 200), (CHILD.replace("= $1", "IN ($1, $2)"), 100, 300)),
        ("four calls", (PARENT, 1, 4), (CHILD, 4, 12)),
        ("no link", (PARENT, 10, 200), ("SELECT a FROM weather WHERE day = $1", 200, 200)),
    ],
)
def test_near_misses_stay_silent(
    case: str, parent: tuple[str, int, int], child: tuple[str, int, int], tmp_path: Path
) -> None:
    assert guesses([counters(tmp_path, parent, child)]) == [], case


def test_a_candidate_says_what_it_rests_on(tmp_path: Path) -> None:
    (found,) = guesses([counters(tmp_path, (PARENT, 10, 200), (CHILD, 150, 300))])
    evidence = evidence_of(found)
    assert (evidence.executions, evidence.children_per_parent.median) == (150, 15)
    assert found.impact.round_trips == 140
    assert "150 calls for 200 rows that the parent returned in 10" in evidence.reasons


def test_counters_without_a_candidate_are_not_clean(tmp_path: Path) -> None:
    result = run(Options(inputs=[counters(tmp_path, (CHILD, 100, 300))]))
    assert result.outcomes["n-plus-one"].status is Status.NOT_APPLICABLE


def test_rows_of_other_calls_than_the_logs_are_set_in_proportion(tmp_path: Path) -> None:
    """A log shows twice as many executions as the counters have counted since their reset."""
    workload = run(
        Options(inputs=[counters(tmp_path, (PARENT, 10, 200), (CHILD, 200, 600))])
    ).workload
    (before,) = counted_pairs(workload)
    twice = [replace(stats, calls=2 * stats.calls) for stats in workload.stats]
    (after,) = counted_pairs(replace(workload, stats=twice))
    assert after == before
