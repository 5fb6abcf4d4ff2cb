"""Every detector of plans: found, clean and a near miss, on plans of real servers of three versions."""

from pathlib import Path
from typing import Any

import pytest
from findings import CASES, VERSIONS, found, lacks, plans_of, the_one, versions_of

from analyzer.detectors.plans import RULES
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanEvidence

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "plans.md"
EVERY = [
    (finding, case, version)
    for finding, cases in CASES.items()
    for case in cases
    for version in versions_of(cases[case])
]
FOUND = [one for one in EVERY if one[1].startswith("found")]
SILENT = [one for one in EVERY if not one[1].startswith("found")]


@pytest.mark.parametrize(("finding", "case", "version"), FOUND)
def test_found(finding: str, case: str, version: str) -> None:
    one = the_one(finding, case, version)
    evidence = one.evidence
    assert isinstance(evidence, PlanEvidence | SeqScanEvidence)
    assert one.key.startswith(f"{finding}-")
    assert one.title
    assert evidence.reasons
    assert 0 < one.confidence <= 1
    assert 0 <= evidence.share <= 1
    assert one.severity in Severity


@pytest.mark.parametrize(("finding", "case", "version"), SILENT)
def test_clean_and_near_miss(finding: str, case: str, version: str) -> None:
    kinds = {one.detector for one in found(finding, case, version)}
    assert finding not in kinds, CASES[finding][case].get("why", "clean")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_shows_every_finding_or_says_why_not(version: str) -> None:
    assert {rule.id for rule in RULES} == CASES.keys()
    for finding, cases in CASES.items():
        for kind in ("found", "clean", "near"):
            alike = [case for name, case in cases.items() if name.partition("_")[0] == kind]
            shown = any(version in versions_of(case) for case in alike)
            reasons = {lacks(case).get(version) for case in alike} - {None}
            assert shown or reasons, f"{finding}: no {kind} of {version}, and no reason"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_filter_that_wraps_its_column_is_told_apart(version: str) -> None:
    wrapped = the_one("selective-seq-scan", "found_unsargable", version)
    assert wrapped.title.endswith("its condition on note cannot use an index")
    assert "and uses no index on note" in the_one("selective-seq-scan", "found", version).title


@pytest.mark.parametrize("version", VERSIONS)
def test_a_branch_that_never_ran_is_there_and_is_passed_over(version: str) -> None:
    for finding in ("selective-seq-scan", "misestimate"):
        (plan,) = plans_of(finding, "near_never", version)
        assert any(node.never_executed for node in plan.root.walk())
        strict = found(finding, "near_never", version, target_ms=0.01)
        assert finding not in {one.detector for one in strict}


def test_the_table_of_the_documents_names_the_versions() -> None:
    rows = [line.split(" | ") for line in DOCUMENT.read_text().splitlines() if line[:2] == "| "]
    told = {row[1][1:].partition("]")[0]: row[2].rstrip(" |") for row in rows if "](" in row[-2]}
    for finding, cases in CASES.items():
        shown = [
            version for version in VERSIONS if any(_is_shown(one, version) for one in cases.items())
        ]
        assert told[finding] == ", ".join(shown), finding


def _is_shown(named: tuple[str, dict[str, Any]], version: str) -> bool:
    name, case = named
    return name.startswith("found") and version in versions_of(case)
