"""selective-seq-scan fires where someone would create an index, and nowhere else."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.detectors.plans.selective_seq_scan import SelectiveSeqScan
from analyzer.model.catalog import Catalog, Column, Table
from analyzer.model.coverage import Coverage
from analyzer.model.evidence import SeqScanEvidence
from analyzer.model.finding import Finding, Outcome, Severity, Status
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.model.statement import Kind, Role, Statement, StatementFacts, StatementStats
from analyzer.model.target import Target, Verdict
from analyzer.model.workload import Workload
from analyzer.plans import read_plans

DATA = Path(__file__).resolve().parents[2] / "data"
SEQ_SCAN = DATA / "plans" / "seq_scan"
CASES = json.loads((SEQ_SCAN / "cases.json").read_text())
FIRING = [name for name, case in CASES.items() if case["fires"]]
SILENT = [name for name, case in CASES.items() if not case["fires"]]


def workload(
    plans: Sequence[Plan],
    *,
    target_ms: float = 100.0,
    statements: Sequence[Statement] = (),
    stats: Sequence[StatementStats] = (),
    catalog: Catalog | None = None,
) -> Workload:
    return Workload(
        statements=statements,
        stats=stats,
        coverage=Coverage(),
        target=Target(ms=target_ms),
        verdict=Verdict(None, None, None, "none", "unknown", 0, "no executions"),
        catalog=catalog,
        plans=plans,
    )


def plans_in(text: str, duration_ms: float | None = None) -> list[Plan]:
    recorded = RecordedPlan(
        text=text, format="json", origin="plan.json", source=0, duration_ms=duration_ms
    )
    return read_plans(recorded)


def plan_of(case: str) -> Plan:
    return plans_in((SEQ_SCAN / f"{case}.json").read_text())[0]


def detect(case: str, **known: object) -> Outcome:
    known.setdefault("target_ms", CASES[case].get("target_ms", 100.0))
    return SelectiveSeqScan().detect(workload([plan_of(case)], **known))  # type: ignore[arg-type]


def figures(**known: float) -> StatementStats:
    times = dict.fromkeys(
        ("min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms", "p95_low_ms", "p95_high_ms")
    )
    base = {"calls": 1000, "total_ms": 9000.0, "mean_ms": 9.0}
    return StatementStats(**times | base | known, method="exact")  # type: ignore[arg-type]


def evidence_of(finding: Finding) -> SeqScanEvidence:
    assert isinstance(finding.evidence, SeqScanEvidence)
    return finding.evidence


def statement(shape_id: str, lineage: str) -> Statement:
    facts = StatementFacts(Kind.SELECT, Role.WORKLOAD)
    return Statement(shape_id, shape_id[:16], lineage, "SELECT $1", parsed=True, facts=facts)


@pytest.mark.parametrize("case", FIRING)
def test_found(case: str) -> None:
    outcome = detect(case)
    assert outcome.status is Status.FOUND, CASES[case]["why"]
    (finding,) = outcome.findings
    evidence = evidence_of(finding)
    assert sorted({c.column for c in evidence.conditions}) == CASES[case]["columns"]
    assert evidence.kept_ratio < 0.05
    assert evidence.share >= 0.1
    assert finding.tables == (evidence.table,)
    assert 0 < (finding.impact.saving_ms or 0) <= (finding.impact.total_ms or 0)


@pytest.mark.parametrize("case", SILENT)
def test_clean_and_near_miss(case: str) -> None:
    outcome = detect(case)
    assert outcome.findings == (), CASES[case]["why"]
    expected = Status.NOT_APPLICABLE if case == "not_analyzed" else Status.CLEAN
    assert outcome.status is expected


@pytest.mark.parametrize(
    ("case", "operator"), [("lower", "="), ("infix", "like"), ("cast_key", "="), ("json_path", "=")]
)
def test_unsargable_filters_are_told_apart(case: str, operator: str) -> None:
    (finding,) = detect(case).findings
    (condition,) = evidence_of(finding).conditions
    assert not condition.sargable
    assert condition.operator == operator
    assert "cannot use an index" in finding.title
    assert any("alone cannot serve" in reason for reason in evidence_of(finding).reasons)


def test_without_plans_it_says_how_to_get_them() -> None:
    outcome = SelectiveSeqScan().detect(workload([]))
    assert outcome.status is Status.NOT_APPLICABLE
    assert "auto_explain" in (outcome.reason or "")
    assert "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)" in (outcome.reason or "")


def test_other_literals_are_the_same_finding() -> None:
    plans = [plan_of("equality"), plan_of("equality_serial"), plan_of("equality_other_value")]
    findings = SelectiveSeqScan().detect(workload(plans)).findings
    assert len(findings) == 1
    assert evidence_of(findings[0]).plans == 3
    worst = max(node.self_ms or 0 for plan in plans for node in plan.root.walk() if node.filter)
    assert evidence_of(findings[0]).self_ms == worst
    alone = SelectiveSeqScan().detect(workload(plans[2:])).findings
    assert alone[0].key == findings[0].key
    assert "77" not in findings[0].title
    assert (findings[0].impact.total_ms or 0) > worst


def test_statements_that_one_index_serves_are_one_finding() -> None:
    plans = [replace(plan_of("equality"), shape_id=letter * 20) for letter in "ab"]
    both = [statement("a" * 20, "lineage-1"), statement("b" * 20, "lineage-2")]
    (finding,) = SelectiveSeqScan().detect(workload(plans, statements=both)).findings
    assert finding.shape_ids == ("a" * 20, "b" * 20)
    assert finding.fingerprints == ("a" * 16, "b" * 16)
    assert "2 statements scan it for the same columns" in evidence_of(finding).reasons
    (alone,) = SelectiveSeqScan().detect(workload(plans[:1], statements=both[:1])).findings
    (unknown,) = SelectiveSeqScan().detect(workload([plan_of("equality")])).findings
    assert finding.key == alone.key == unknown.key
    assert finding.key.startswith("selective-seq-scan-")


def test_keys_hang_on_lineage_where_each_statement_needs_its_own_remedy() -> None:
    plans = [replace(plan_of("lower"), shape_id=letter * 20) for letter in "abc"]
    known = [
        statement(letter * 20, f"lineage-{n}") for letter, n in zip("abc", (1, 1, 2), strict=True)
    ]
    findings = SelectiveSeqScan().detect(workload(plans, statements=known)).findings
    assert sorted(len(finding.shape_ids) for finding in findings) == [1, 2]
    assert len({finding.key for finding in findings}) == 2


def test_a_scan_of_one_slow_execution_among_quick_ones_is_none_of_the_p95() -> None:
    plan = replace(plan_of("equality"), shape_id="a" * 20)
    ms = plan.total_ms or 0.0

    def findings(p95_ms: float, **more: float) -> Sequence[Finding]:
        work = workload(
            [plan],
            target_ms=ms / 2,
            statements=[statement("a" * 20, "lineage-1")],
            stats=[figures(p95_ms=p95_ms, **more)],
        )
        return SelectiveSeqScan().detect(work).findings

    assert findings(ms)[0].severity is Severity.HIGH
    assert findings(ms / 4)[0].severity is Severity.LOW
    assert findings(ms / 100) == ()
    assert findings(ms / 100, p95_high_ms=ms)[0].severity is Severity.HIGH
    assert findings(ms / 100, mean_ms=ms / 200, calls_per_request_p95=400.0)


def test_a_small_table_has_to_take_more() -> None:
    plan = plan_of("wide_rows")
    ms = max(node.self_ms or 0.0 for node in plan.root.walk())
    small = replace(
        plan.root, rows_removed_by_filter=20_000.0, shared_hit_blocks=300, shared_read_blocks=0
    )
    for target_ms, count in ((ms * 9, 1), (ms * 11, 0)):
        work = workload([replace(plan, root=small)], target_ms=target_ms)
        assert len(SelectiveSeqScan().detect(work).findings) == count


def test_severity_is_against_the_target() -> None:
    plan = plan_of("in_loop")
    ms = max(node.self_ms or 0 for node in plan.root.walk())
    expected = {
        ms / 6: Severity.CRITICAL,
        ms / 2: Severity.HIGH,
        ms / 0.6: Severity.MEDIUM,
        ms / 0.2: Severity.LOW,
    }
    for target_ms, severity in expected.items():
        (finding,) = SelectiveSeqScan().detect(workload([plan], target_ms=target_ms)).findings
        assert finding.severity is severity
    assert SelectiveSeqScan().detect(workload([plan], target_ms=ms * 21)).findings == ()


def test_the_schema_settles_what_a_cast_means() -> None:
    def catalog(type_: str) -> Catalog:
        return Catalog({"customers": Table("customers", (Column("email", type_),))})

    (guessed,) = detect("varchar_equality").findings
    (known,) = detect("varchar_equality", catalog=catalog("character varying(80)")).findings
    (computed,) = detect("varchar_equality", catalog=catalog("uuid")).findings
    assert guessed.confidence < known.confidence
    assert evidence_of(known).conditions[0].sargable
    assert not evidence_of(computed).conditions[0].sargable
    assert guessed.key == known.key == computed.key


def test_a_plan_without_times_is_judged_by_cost_and_trusted_less() -> None:
    (finding,) = detect("no_timing").findings
    assert finding.confidence == 0.6
    assert any("no times" in reason for reason in evidence_of(finding).reasons)


def test_parallel_rows_are_counted_over_all_processes() -> None:
    (finding,) = detect("equality").findings
    evidence = evidence_of(finding)
    assert evidence.rows_read == pytest.approx(400_000, abs=3)
    assert evidence.scans == 1


def test_a_repeated_scan_says_so() -> None:
    (finding,) = detect("in_loop").findings
    evidence = evidence_of(finding)
    assert (evidence.rows_read, evidence.scans) == (1_200_000, 3)
    assert any("3 times" in reason for reason in evidence.reasons)


def test_system_catalogs_are_not_the_teams_tables() -> None:
    text = (SEQ_SCAN / "equality.json").read_text()
    for name in ("pg_class", "pg_catalog.pg_class", "information_schema.tables"):
        plans = plans_in(text.replace('"Relation Name": "orders"', f'"Relation Name": "{name}"'))
        assert SelectiveSeqScan().detect(workload(plans)).status is Status.CLEAN


def corpus() -> list[tuple[str, Plan]]:
    """Every plan of the corpora: files, auto_explain of the matrix and of the Prisma capture."""
    found = [
        (path.name, plans_in(path.read_text())[0])
        for folder in ("version-matrix", "pgvector")
        for path in sorted((DATA / "plans" / folder).glob("*.json"))
        if not path.name.startswith("auto_explain")
    ]
    logs = [*(DATA / "plans" / "version-matrix").glob("auto_explain-*.json")]
    logs += (DATA / "prisma" / "pglog").glob("*.json")
    for path in sorted(logs):
        for line in path.read_text().splitlines():
            head, marker, text = json.loads(line)["message"].partition("plan:\n")
            if marker and text.startswith("{"):
                found.append((path.name, plans_in(text, float(head.split()[1]))[0]))
    return found


def test_firings_on_the_corpora_are_the_ones_judged_right() -> None:
    plans = corpus()
    fired: dict[str, set[str]] = {}
    for name, plan in plans:
        for finding in SelectiveSeqScan().detect(workload([plan])).findings:
            evidence = evidence_of(finding)
            columns = ", ".join(sorted({c.column for c in evidence.conditions}))
            fired.setdefault(f"{evidence.table} ({columns})", set()).add(name)
    expected = {
        # o has 300,000 rows and an index on id alone
        "o (cid)": {f"pg{version}-seq_filter.json" for version in (10, 12, 14, 16, 17, 18)}
        | {"auto_explain-pg16.json", "auto_explain-pg18.json"},
        "o (cid, st)": {"auto_explain-pg16.json", "auto_explain-pg18.json"},
        # a foreign key without an index, 20 times in one statement
        "containers (project_id)": {"sqlcommenter.json"},
    }
    assert fired == expected
    scans = sum(any(n.type == "Seq Scan" for n in plan.root.walk()) for _, plan in plans)
    assert scans > 5 * sum(len(names) for names in fired.values()) / 2
