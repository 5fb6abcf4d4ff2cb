"""count-by-fetching on captures of a Django program that pages in three ways."""

from neighbours import only_finding, outcome

from analyzer.model.evidence import CountByFetchingEvidence
from analyzer.model.finding import Status

DETECTOR = "count-by-fetching"


def test_the_whole_beside_its_page_is_found() -> None:
    finding = only_finding(DETECTOR, "count_by_len.log", "count_by_len.jsonl")
    found = finding.evidence
    assert isinstance(found, CountByFetchingEvidence)
    assert (found.compared, found.beside_page, found.rows_per_call) == (3, 3, 30_000)
    text = finding.recommendations[0].text
    assert text == "SELECT count(*)\nFROM events\nWHERE events.kind = $1;"


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
