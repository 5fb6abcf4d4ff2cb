"""What the tests of detectors of plans share: plans of a folder, a workload around them, findings."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer.detectors.plans import plan_detectors
from analyzer.model.catalog import Catalog, Column, Index, Table
from analyzer.model.coverage import Coverage
from analyzer.model.finding import Finding, Status
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.statement import Statement, StatementStats
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Workload
from analyzer.plans import read_plans
from analyzer.sql.identity import identify

DATA = Path(__file__).resolve().parents[2] / "data"
FINDINGS = DATA / "plans" / "findings"
CASES: dict[str, dict[str, dict[str, Any]]] = json.loads((FINDINGS / "cases.json").read_text())
TARGET_MS = 20.0  # the plans are of small tables: what takes 1 ms matters


def plans_of(finding: str, case: str) -> list[Plan]:
    """The plans of a case; those with their statement's text are linked to it."""
    name = CASES[finding][case].get("file", f"{finding}.{case}.json")
    text = (FINDINGS / name).read_text()
    read = read_plans(RecordedPlan(text=text, format="json", origin=name, source=0))
    return [linked(plan) for plan in read]


def linked(plan: Plan) -> Plan:
    """The plan with the shape of its statement, as a run links it."""
    if plan.statement is None:
        return plan
    return replace(plan, shape_id=identify(plan.statement).shape_id)


def workload(
    plans: Sequence[Plan],
    *,
    target_ms: float = TARGET_MS,
    statements: Sequence[Statement] = (),
    stats: Sequence[StatementStats] = (),
    catalog: Catalog | None = None,
) -> Workload:
    """A workload of nothing but plans, and what is known of their statements."""
    return Workload(
        statements=statements,
        stats=stats,
        coverage=Coverage(),
        target=Target(ms=target_ms),
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions"),
        catalog=catalog,
        plans=plans,
    )


def catalog_of(finding: str, case: str) -> Catalog | None:
    """A catalog with the vector index that a case names."""
    operator_class = CASES[finding][case].get("index_class")
    if operator_class is None:
        return None
    index = Index(
        "documents_embedding", ("embedding",), method="hnsw", operator_classes=(operator_class,)
    )
    columns = (Column("embedding", "vector(128)"),)
    return Catalog({"documents": Table("documents", columns, indexes=(index,))})


def found_in(work: Workload) -> list[Finding]:
    """All findings of all detectors of plans."""
    outcomes = [detector.detect(work) for detector in plan_detectors()]
    assert all(outcome.status is not Status.ERROR for outcome in outcomes)
    return [finding for outcome in outcomes for finding in outcome.findings]


def found(finding: str, case: str, **known: Any) -> list[Finding]:  # noqa: ANN401 - as workload()
    """All findings in the plans of a case."""
    known.setdefault("catalog", catalog_of(finding, case))
    known.setdefault("target_ms", CASES[finding][case].get("target_ms", TARGET_MS))
    return found_in(workload(plans_of(finding, case), **known))


def the_one(finding: str, case: str, **known: Any) -> Finding:  # noqa: ANN401 - as workload()
    """The one finding of its kind in a case."""
    (one,) = [each for each in found(finding, case, **known) if each.detector == finding]
    return one
