"""Every detector of plans: found, clean and a near miss, on plans of real servers."""

import pytest
from findings import CASES, found, the_one

from analyzer.detectors.plans import RULES
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Severity
from analyzer.model.plan_evidence import PlanEvidence

EVERY = [(finding, case) for finding, cases in CASES.items() for case in cases]
FOUND = [(finding, case) for finding, case in EVERY if case.startswith("found")]
SILENT = [(finding, case) for finding, case in EVERY if not case.startswith("found")]


@pytest.mark.parametrize(("finding", "case"), FOUND)
def test_found(finding: str, case: str) -> None:
    one = the_one(finding, case)
    evidence = one.evidence
    assert isinstance(evidence, PlanEvidence | SeqScanEvidence)
    assert one.key.startswith(f"{finding}-")
    assert one.title
    assert evidence.reasons
    assert 0 < one.confidence <= 1
    assert 0 <= evidence.share <= 1
    assert one.severity in Severity


@pytest.mark.parametrize(("finding", "case"), SILENT)
def test_clean_and_near_miss(finding: str, case: str) -> None:
    kinds = {one.detector for one in found(finding, case)}
    assert finding not in kinds, CASES[finding][case].get("why", "clean")


def test_every_rule_has_its_cases() -> None:
    assert {rule.id for rule in RULES} == CASES.keys()
