"""One cause is one finding: consequences stand below it; and what rules share of gates and keys."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from findings import (
    CASES,
    TARGET_MS,
    VERSIONS,
    found,
    found_in,
    linked,
    plans_of,
    text_of,
    the_one,
    workload,
)

from analyzer.detectors._plan_rule import Spot
from analyzer.detectors._plan_view import PlanView
from analyzer.detectors.plans import plan_detectors
from analyzer.detectors.plans.misestimate import Misestimate
from analyzer.detectors.plans.sort_on_disk import SortOnDisk
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Severity, Status, worst_first
from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.model.plan_evidence import PlanEvidence
from analyzer.model.statement import StatementStats
from analyzer.plans import read_plans
from analyzer.sql.identity import identify

SQL = "SELECT * FROM orders ORDER BY amount"


def stats(**figures: float) -> StatementStats:
    known = {"calls": 40, "total_ms": 12_000.0, "mean_ms": 300.0, **figures}
    unknown = dict.fromkeys(
        ("min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms", "p95_low_ms", "p95_high_ms")
    )
    return StatementStats(**unknown, **known, method="exact")  # type: ignore[arg-type]


def sort_plan() -> Plan:
    (plan,) = plans_of("sort-on-disk", "found")
    return linked(replace(plan, statement=SQL))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_loop_that_a_misestimate_caused_is_listed_under_it(version: str) -> None:
    kinds = [one.detector for one in found("misestimate", "found", version)]
    assert kinds == ["misestimate"]
    evidence = the_one("misestimate", "found", version).evidence
    assert isinstance(evidence, PlanEvidence)
    (loop,) = evidence.consequences
    assert loop.detector == "nested-loop-inner"
    assert evidence.cost_ms == loop.cost_ms > 0
    assert any(reason.startswith("it leads to: ") for reason in evidence.reasons)


def test_a_subquery_that_is_slow_because_of_its_scan_is_the_scan_s() -> None:
    (plan,) = plans_of("seq-scan-in-loop", "found")
    kinds = {one.detector for one in found_in(workload([plan]))}
    assert "seq-scan-in-loop" in kinds
    assert not kinds & {"correlated-subplan", "selective-seq-scan"}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_scan_for_which_another_plan_has_an_index_is_the_flip_s(version: str) -> None:
    kinds = [one.detector for one in found("plan-flip", "found_generic", version)]
    assert "plan-flip" in kinds
    assert not {"selective-seq-scan", "default-guess"} & set(kinds)
    evidence = the_one("plan-flip", "found_generic", version).evidence
    assert isinstance(evidence, PlanEvidence)
    assert {one.detector for one in evidence.consequences} >= {"selective-seq-scan"}


def test_a_search_by_distance_is_no_top_n_sort() -> None:
    kinds = {one.detector for one in found("vector-seq-scan", "found")}
    assert kinds == {"vector-seq-scan"}


def test_a_short_answer_ranks_before_all_that_is_slow() -> None:
    plans = [*plans_of("vector-short-result", "found"), *plans_of("sort-on-disk", "found")]
    ranked = sorted(found_in(workload(plans, target_ms=1.0)), key=worst_first)
    assert ranked[0].detector == "vector-short-result"
    assert ranked[0].severity is Severity.CRITICAL
    assert (ranked[1].impact.saving_ms or 0) > (ranked[0].impact.saving_ms or 0)


def test_severity_is_against_the_target() -> None:
    ms = the_one("sort-on-disk", "found").evidence.cost_ms  # type: ignore[union-attr]
    expected = {
        ms / 6: Severity.CRITICAL,
        ms / 2: Severity.HIGH,
        ms / 0.6: Severity.MEDIUM,
        ms / 0.2: Severity.LOW,
    }
    for target_ms, severity in expected.items():
        assert the_one("sort-on-disk", "found", target_ms=target_ms).severity is severity
    kinds = {one.detector for one in found("sort-on-disk", "found", target_ms=ms * 21)}
    assert "sort-on-disk" not in kinds


def test_what_a_request_repeats_weighs_as_often() -> None:
    plan, statement = sort_plan(), identify(SQL)
    usual_ms = plan.total_ms or 0
    target_ms = usual_ms * 2

    def severity(often: float) -> Severity:
        known = [stats(calls_per_request_p95=often, mean_ms=usual_ms)]
        work = workload([plan], target_ms=target_ms, statements=[statement], stats=known)
        (one,) = SortOnDisk().detect(work).findings
        return one.severity

    assert severity(1.0) is Severity.LOW
    assert severity(50.0) is Severity.CRITICAL


def test_impact_is_of_all_executions_where_they_are_known() -> None:
    plan, statement = sort_plan(), identify(SQL)
    work = workload([plan], statements=[statement], stats=[stats()])
    (known,) = SortOnDisk().detect(work).findings
    (unknown,) = SortOnDisk().detect(workload([plan])).findings
    assert isinstance(known.evidence, PlanEvidence)
    assert known.evidence.calls == 40
    assert known.impact.total_ms == pytest.approx(12_000 * known.evidence.share, rel=1e-6)
    assert (unknown.impact.total_ms or 0) < (known.impact.total_ms or 0)
    assert known.key != unknown.key  # the one hangs on the lineage, the other on the table


def test_a_finding_is_one_for_all_plans_of_its_statement() -> None:
    plan = sort_plan()
    again = replace(plan, key="another")
    (one,) = SortOnDisk().detect(workload([plan, again])).findings
    assert isinstance(one.evidence, PlanEvidence)
    assert one.evidence.plans == 2


def test_what_never_ran_is_passed_over() -> None:
    (plan,) = plans_of("sort-on-disk", "found")
    idle = replace(plan, root=replace(plan.root, never_executed=True))
    assert SortOnDisk().detect(workload([idle])).findings == ()


@pytest.mark.parametrize("finding", sorted(CASES))
def test_a_plan_that_was_not_run_is_an_info_at_most(finding: str) -> None:
    for case in CASES[finding]:
        plans = [replace(plan, analyzed=False) for plan in plans_of(finding, case)]
        findings = found_in(workload(plans))
        assert {one.severity for one in findings} <= {Severity.INFO}


def test_without_plans_every_rule_says_how_to_get_them() -> None:
    for detector in plan_detectors():
        outcome = detector.detect(workload([]))
        assert outcome.status is Status.NOT_APPLICABLE
        assert "auto_explain" in (outcome.reason or "")


JUNK = (None, "x", -1, [], {}, [None, "x"], {"Total": "x", "Peak Sort Space Used": None}, True)


@pytest.mark.parametrize("finding", sorted(CASES))
def test_figures_of_the_wrong_kind_break_nothing(finding: str) -> None:
    plans = [plan for case in CASES[finding] for plan in plans_of(finding, case)]
    for junk in JUNK:
        found_in(workload([mangled(plan, junk) for plan in plans], target_ms=1.0))


def mangled(plan: Plan, junk: object) -> Plan:
    """A plan all of whose keys without a field of their own hold junk."""

    def node(one: PlanNode) -> PlanNode:
        children = tuple(node(child) for child in one.children)
        return replace(one, children=children, extra=dict.fromkeys(one.extra, junk))

    triggers = tuple(dict.fromkeys(trigger, junk) for trigger in plan.triggers)
    return replace(
        plan,
        root=node(plan.root),
        triggers=triggers,
        jit=dict.fromkeys(plan.jit, junk),
        extra=dict.fromkeys(plan.extra, junk),
    )


def test_a_rule_that_fails_costs_its_own_answer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr(SortOnDisk, "at", broken)
    work = workload(plans_of("sort-on-disk", "found"))
    detectors = {detector.id: detector for detector in plan_detectors()}
    with pytest.raises(RuntimeError, match="on purpose"):
        detectors["sort-on-disk"].detect(work)
    assert detectors["large-result"].detect(work).status is Status.FOUND


def test_what_a_rule_saw_before_it_failed_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The misestimate of the first plan is no answer any more: its loop has to stand for itself."""
    whole = Misestimate.of

    def broken(rule: Misestimate, view: PlanView) -> Iterator[Spot]:
        spots = list(whole(rule, view))
        if seen:
            raise RuntimeError("broken on purpose")
        seen.extend(spots)
        yield from spots

    seen: list[Spot] = []
    monkeypatch.setattr(Misestimate, "of", broken)
    plans = [*plans_of("misestimate", "found"), *plans_of("sort-on-disk", "found")]
    work = workload(plans)
    detectors = {detector.id: detector for detector in plan_detectors()}
    with pytest.raises(RuntimeError, match="on purpose"):
        detectors["misestimate"].detect(work)
    assert seen
    assert detectors["nested-loop-inner"].detect(work).status is Status.FOUND


def test_titles_and_reasons_hold_no_values() -> None:
    text = text_of("index-filter", "found").replace("n77", "s3cret-value")
    plans = read_plans(RecordedPlan(text=text, format="json", origin="x", source=0))
    findings = found_in(workload(plans, target_ms=TARGET_MS))
    assert findings
    for one in findings:
        assert isinstance(one.evidence, PlanEvidence | SeqScanEvidence)
        assert "s3cret" not in " ".join([one.title, one.key, *one.evidence.reasons])


def test_a_generic_plan_does_not_tell_how_many_rows_were_asked_for() -> None:
    (plan,) = plans_of("vector-short-result", "found")
    (scan,) = plan.root.children
    generic = replace(scan, extra={**scan.extra, "Order By": "(documents.embedding <=> $1)"})
    work = workload([replace(plan, root=replace(plan.root, children=(generic,)))])
    assert "vector-short-result" not in {one.detector for one in found_in(work)}
    limited = "SELECT id FROM documents ORDER BY embedding <=> $1 LIMIT 100"
    told = replace(work.plans[0], shape_id=identify(limited).shape_id)
    known = found_in(workload([told], statements=[identify(limited)]))
    assert "vector-short-result" in {one.detector for one in known}


def test_many_returned_rows_are_an_info_without_a_cost() -> None:
    finding = the_one("large-result", "found")
    assert finding.severity is Severity.INFO
    assert finding.impact.total_ms is None


def test_plans_that_lack_something_are_one_finding() -> None:
    (plan,) = plans_of("wide-rows", "found_estimated")
    others = [replace(plan, key=f"{plan.key}{n}", origin=f"plan{n}.json") for n in range(5)]
    poor = [one for one in found_in(workload(others)) if one.detector == "low-quality-plan"]
    assert [one.title for one in poor] == [
        "Plans tell less than they could: 5 of 5 were not run (no ANALYZE)"
    ]
