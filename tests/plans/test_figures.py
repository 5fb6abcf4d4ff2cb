"""Times per node: exclusive, elapsed, and summing to the root's."""

import json
from pathlib import Path

import pytest

from analyzer.model.plan import Plan, PlanNode, RecordedPlan
from analyzer.plans import read_plans

PLANS = Path(__file__).resolve().parents[1] / "data" / "plans"
ALL = sorted(
    path
    for folder in ("version-matrix", "pgvector", "seq_scan", "figures")
    for path in (PLANS / folder).glob("*.json")
    if path.name != "cases.json" and not path.name.startswith("auto_explain")
)
LOGS = sorted((PLANS / "version-matrix").glob("auto_explain-*.json"))


def read(text: str) -> list[Plan]:
    return read_plans(RecordedPlan(text=text, format="json", origin="p", source=0))


def one(name: str) -> Plan:
    return read((PLANS / f"{name}.json").read_text())[0]


def nodes_of(plan: Plan, type_: str) -> list[PlanNode]:
    return [node for node in plan.root.walk() if node.type == type_]


def assert_sums(plan: Plan, expected: float) -> None:
    nodes = list(plan.root.walk())
    rounding = sum(node.loops for node in nodes) * 0.0005
    assert all(node.self_ms is not None and node.self_ms >= 0 for node in nodes)
    assert abs(sum(node.self_ms or 0 for node in nodes) - expected) <= max(
        0.01 * expected, rounding
    )


@pytest.mark.parametrize("path", ALL, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_self_times_sum_to_the_root(path: Path) -> None:
    (plan,) = read(path.read_text())
    if plan.total_ms is None:
        assert path.stem in ("not_analyzed", "no_timing")
        assert all(node.self_ms is None for node in plan.root.walk())
        return
    assert_sums(plan, plan.total_ms)
    if path.stem != "written_cte_unread":  # its root is done before the work is
        assert plan.total_ms == plan.root.actual_total_ms


@pytest.mark.parametrize("path", LOGS, ids=lambda path: path.stem)
def test_self_times_of_logged_plans_sum_to_the_root(path: Path) -> None:
    texts = [
        json.loads(line)["message"].partition("plan:\n")[2]
        for line in path.read_text().splitlines()
    ]
    plans = [read(text)[0] for text in texts if text.startswith("{")]
    assert len(plans) == 3
    for plan in plans:
        assert_sums(plan, plan.root.actual_total_ms or 0.0)


def test_parallel_work_is_elapsed_time_not_the_sum_of_processes() -> None:
    plan = one("version-matrix/pg16-seq_filter")
    (scan,) = nodes_of(plan, "Seq Scan")
    assert (scan.loops, scan.processes) == (2, 2)
    assert scan.total_ms == scan.actual_total_ms
    assert (scan.total_ms or 0) < (plan.total_ms or 0)
    assert plan.root.processes == 1


def test_a_loop_counts_as_often_as_it_runs() -> None:
    plan = one("figures/subplan_per_row")
    (scan,) = nodes_of(plan, "Index Scan")
    assert scan.loops == 3000
    assert scan.total_ms == pytest.approx(3000 * (scan.actual_total_ms or 0))


def test_a_cte_is_paid_by_the_scan_that_waits_for_it() -> None:
    plan = one("version-matrix/pg18-cte_mat")
    (work,) = nodes_of(plan, "Seq Scan")
    first, second = nodes_of(plan, "CTE Scan")
    assert work.self_ms == 115.363
    assert first.self_ms == 21.084
    assert second.self_ms == pytest.approx(198.300 - 115.363)
    assert plan.root.self_ms == pytest.approx(255.567 - 255.511)


def test_ctes_that_read_ctes() -> None:
    plan = one("figures/cte_of_cte")
    (work,) = nodes_of(plan, "Seq Scan")
    assert work.self_ms == pytest.approx(149.139)  # whole, though two other CTEs wait for it
    assert work.subplan_name == "CTE a"


@pytest.mark.parametrize("version", ["pg10", "pg12", "pg14", "pg16", "pg17", "pg18"])
def test_an_initplan_is_paid_by_the_node_that_asks(version: str) -> None:
    plan = one(f"version-matrix/{version}-initplan")
    (initplan,) = (n for n in plan.root.walk() if n.parent_relationship == "InitPlan")
    assert plan.root.self_ms == pytest.approx((plan.total_ms or 0) - (initplan.total_ms or 0))


def test_a_gather_computes_what_its_workers_need() -> None:
    plan = one("figures/initplan_under_gather")
    gather = next(n for n in plan.root.walk() if n.type == "Gather" and n.parent == 0)
    assert gather.self_ms == pytest.approx(154.771 - 86.952 - 56.096)
    assert plan.root.self_ms == pytest.approx(154.862 - 154.771)


def test_a_writing_cte_that_nobody_reads_runs_after_the_root() -> None:
    plan = one("figures/written_cte_unread")
    (write,) = nodes_of(plan, "ModifyTable")
    assert plan.root.actual_total_ms == 0.002
    assert plan.total_ms == pytest.approx(0.002 + 211.097)
    assert plan.total_ms == pytest.approx(plan.execution_ms, rel=0.01)
    assert (write.self_ms or 0) > 100


def test_a_writing_cte_that_is_read_is_part_of_the_tree() -> None:
    plan = one("figures/written_cte_read")
    (scan,) = nodes_of(plan, "CTE Scan")
    assert plan.total_ms == plan.root.actual_total_ms
    assert scan.self_ms == pytest.approx(314.151 - 277.052)


def test_what_never_ran_took_nothing() -> None:
    plan = one("version-matrix/pg16-never")
    (scan,) = nodes_of(plan, "Index Scan")
    assert scan.never_executed
    assert (scan.total_ms, scan.self_ms) == (0, 0)


def test_children_that_claim_more_than_there_is_share_it() -> None:
    child = '{"Node Type": "B", "Parent Relationship": "Outer", "Actual Total Time": 0.001, "Actual Loops": 5000}'
    (plan,) = read(
        f'{{"Plan": {{"Node Type": "A", "Actual Total Time": 2.0, "Actual Loops": 1, "Plans": [{child}, {child}]}}}}'
    )
    assert [node.self_ms for node in plan.root.walk()] == [0.0, 1.0, 1.0]


def test_a_cte_that_reads_itself_does_no_harm() -> None:
    (plan,) = read(
        '{"Plan": {"Node Type": "Result", "Actual Total Time": 2.0, "Actual Loops": 1, "Plans": [{"Node Type": "CTE Scan",'
        '"Parent Relationship": "InitPlan", "Subplan Name": "CTE x", "CTE Name": "x", "Actual Total Time": 1.0, "Actual Loops": 1}]}}'
    )
    assert [node.self_ms for node in plan.root.walk()] == [1.0, 1.0]
