"""What the tests of detectors of plans share: plans of a folder, a workload around them, findings."""

import json
import lzma
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
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
VERSIONS = ("15", "16", "18")
# A case may be silent about a version, or of `only` some: then it is not taken from the others. What a
# version's server cannot show at all stands in the case's `lacks`, or here, with the reason.
LACKS: dict[str, dict[str, str]] = {
    "vectors": {"15": "no pgvector is packaged for it"},
    "foreign": {"16": "the server at hand comes without postgres_fdw"},
}
TARGET_MS = 20.0  # the plans are of small tables: what takes 1 ms matters


def lacks(case: dict[str, Any]) -> dict[str, str]:
    """Why versions cannot show a case, by version."""
    return {**LACKS.get(case.get("database", ""), {}), **case.get("lacks", {})}


def versions_of(case: dict[str, Any]) -> tuple[str, ...]:
    """The versions that a case has plans of."""
    wanted = [str(one) for one in case.get("only", VERSIONS)]
    return tuple(version for version in wanted if version not in lacks(case))


@cache
def shelf(version: str) -> dict[str, Any]:
    """The plans that a version's server made, by "finding.case"; empty where none were taken yet."""
    path = FINDINGS / f"{version}.json.xz"
    kept: dict[str, Any] = json.loads(lzma.decompress(path.read_bytes())) if path.exists() else {}
    return kept


def text_of(finding: str, case: str, version: str = "15") -> str:
    """What EXPLAIN answered to a case, as a file would hold it."""
    name = CASES[finding][case].get("file")
    if name is not None:
        return (FINDINGS / name).read_text()
    return json.dumps(shelf(version)[f"{finding}.{case}"])


def plans_of(finding: str, case: str, version: str | None = None) -> list[Plan]:
    """The plans of a case, of its first version unless one is named; linked to their statements."""
    version = version or versions_of(CASES[finding][case])[0]
    return plans_in(text_of(finding, case, version), f"{finding}.{case}.json")


def plans_in(text: str, name: str) -> list[Plan]:
    """The plans of a text; those with their statement's text are linked to it."""
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


def found(
    finding: str,
    case: str,
    version: str | None = None,
    **known: Any,  # noqa: ANN401 - as workload()
) -> list[Finding]:
    """All findings in the plans of a case."""
    return found_among(plans_of(finding, case, version), finding, case, **known)


def found_among(plans: Sequence[Plan], finding: str, case: str, **known: Any) -> list[Finding]:  # noqa: ANN401
    """All findings in plans that were made for a case."""
    known.setdefault("catalog", catalog_of(finding, case))
    known.setdefault("target_ms", CASES[finding][case].get("target_ms", TARGET_MS))
    return found_in(workload(plans, **known))


def the_one(
    finding: str,
    case: str,
    version: str | None = None,
    **known: Any,  # noqa: ANN401 - as workload()
) -> Finding:
    """The one finding of its kind in a case."""
    (one,) = [each for each in found(finding, case, version, **known) if each.detector == finding]
    return one


def is_as_expected(finding: str, case: str, documents: Sequence[Any]) -> bool:
    """Whether the rule says of new plans what their case is for."""
    plans = plans_in(json.dumps(documents), case)
    kinds = [one.detector for one in found_among(plans, finding, case)]
    return kinds.count(finding) == (1 if case.startswith("found") else 0)
