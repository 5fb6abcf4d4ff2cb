"""count-by-fetching on captures of a Django program that pages in three ways."""

from pathlib import Path

from neighbours import only_finding, outcome, write_log, write_statistics

from analyzer.model.evidence import CountByFetchingEvidence
from analyzer.model.finding import Status
from analyzer.pipeline import Options, run

DETECTOR = "count-by-fetching"


def test_the_whole_beside_its_page_is_found() -> None:
    finding = only_finding(DETECTOR, "count_by_len.log", "count_by_len.jsonl")
    found = finding.evidence
    assert isinstance(found, CountByFetchingEvidence)
    assert (found.compared, found.beside_page, found.rows_per_call) == (3, 3, 30_000)
    django, plain = finding.recommendations
    assert django.text.startswith("count = Event.objects.filter(kind=kind).count()")
    assert plain.text == "SELECT count(*)\nFROM events\nWHERE events.kind = $1;"


def test_counting_in_the_database_is_clean() -> None:
    assert outcome(DETECTOR, "count_by_count.log", "count_by_count.jsonl").status is Status.CLEAN


def test_a_page_of_something_else_is_a_near_miss() -> None:
    assert outcome(DETECTOR, "export_and_list.log", "export_and_list.jsonl").status is Status.CLEAN


def test_without_counters_it_cannot_be_told() -> None:
    answer = outcome(DETECTOR, "count_by_len.log")
    assert answer.status is Status.NOT_APPLICABLE
    assert "how many rows" in (answer.reason or "")


def test_counters_alone_show_no_neighbours() -> None:
    assert outcome(DETECTOR, "count_by_len.jsonl").status is Status.NOT_APPLICABLE


def test_a_column_compared_with_a_literal_and_a_parameter_is_no_error(tmp_path: Path) -> None:
    """The log tells the value of `$1` alone."""
    drafts = "SELECT id, name FROM orders WHERE status <> 'draft' AND status <> $1"
    lines = []
    for n in range(5):
        lines += [
            (2.0 * n, "7.1", 50.0, drafts),
            (2.0 * n + 0.01, "7.1", 1.0, drafts + " LIMIT 20"),
        ]
    log = write_log(tmp_path / "log.csv", lines, parameters="$1 = 'x'")
    counted = write_statistics(tmp_path / "statistics.csv", [(drafts, 5, 250.0, 100_000)])
    result = run(Options(inputs=[log, counted]))
    assert result.outcomes["unbounded-result"].status is not Status.ERROR
    (finding,) = result.outcomes[DETECTOR].findings
    assert isinstance(finding.evidence, CountByFetchingEvidence)
    assert finding.evidence.beside_page == 5
