"""unbounded-result on captures with their counters, on plans, and on a catalog's rows."""

from dataclasses import replace

from neighbours import analysed, only_finding, outcome

from analyzer.detectors import LoopFinder
from analyzer.detectors.unbounded_result import UnboundedResult
from analyzer.model.catalog import Catalog, Table
from analyzer.model.evidence import UnboundedResultEvidence
from analyzer.model.finding import Status

DETECTOR = "unbounded-result"


def test_many_rows_are_found_by_the_counters() -> None:
    finding = only_finding(DETECTOR, "everything.log", "everything.jsonl")
    found = finding.evidence
    assert isinstance(found, UnboundedResultEvidence)
    assert (found.rows_per_call, found.rows_known_by, found.calls) == (
        30_000,
        "pg_stat_statements",
        3,
    )
    assert finding.recommendations[0].text.endswith("LIMIT $2;")


def test_limits_cursors_and_lists_are_clean() -> None:
    assert outcome(DETECTOR, "bounded.log", "bounded.jsonl").status is Status.CLEAN


def test_the_page_beside_the_whole_is_not_counted_with_it() -> None:
    found = only_finding(DETECTOR, "export_and_list.log", "export_and_list.jsonl").evidence
    assert isinstance(found, UnboundedResultEvidence)
    assert found.rows_per_call == 30_000


def test_what_is_fetched_to_be_counted_is_told_once() -> None:
    assert outcome(DETECTOR, "count_by_len.log", "count_by_len.jsonl").status is Status.CLEAN


def test_a_log_alone_does_not_tell_rows() -> None:
    answer = outcome(DETECTOR, "everything.log")
    assert answer.status is Status.NOT_APPLICABLE
    assert "pg_stat_statements" in (answer.reason or "")


def test_a_whole_table_is_known_by_the_catalog() -> None:
    workload = analysed("nplusone/prisma7/eager_in.log").workload
    whole = next(one for one in workload.statements if one.facts.limit is None)
    table = Table(whole.facts.main_table or "", rows=50_000)
    statement = replace(whole, sql=f'SELECT "id" FROM "{table.name}" WHERE 1=1')
    statement = replace(statement, facts=replace(whole.facts, predicates=(), tables=(table.name,)))
    stats = [workload.stats[workload.statements.index(whole)]]
    asked = replace(
        workload, statements=[statement], stats=stats, catalog=Catalog({table.name: table})
    )
    (finding,) = UnboundedResult(LoopFinder()).detect(asked).findings
    assert isinstance(finding.evidence, UnboundedResultEvidence)
    assert (finding.evidence.rows_per_call, finding.evidence.rows_known_by) == (50_000, "catalog")


def test_an_analysed_plan_tells_rows() -> None:
    result = analysed("../../sample_logs/stderr/postgresql.log")
    found = [one.evidence for one in result.findings if one.detector == DETECTOR]
    assert {(one.table, one.rows_known_by) for one in found} == {
        ("Backup", "plan"),
        ("containers", "plan"),
    }
