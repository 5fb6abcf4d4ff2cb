"""offset-pagination on captures: deep pages, walks, and OFFSETs that are no pages."""

from pathlib import Path

import pytest
from neighbours import DATA, only_finding, outcome, write_log

from analyzer.detectors import LoopFinder, offset_pagination
from analyzer.detectors._pages import PageFigures
from analyzer.detectors.offset_pagination import OffsetPagination
from analyzer.model.evidence import OffsetPaginationEvidence
from analyzer.model.finding import Severity, Status
from analyzer.pipeline import Options, run

ORMS = ("django", "prisma7", "sequelize")


def evidence_of(*names: str) -> OffsetPaginationEvidence:
    found = only_finding("offset-pagination", *names).evidence
    assert isinstance(found, OffsetPaginationEvidence)
    return found


@pytest.mark.parametrize("ending", ["log", "csv"])
@pytest.mark.parametrize("orm", ORMS)
def test_walks_of_three_orms_are_found(orm: str, ending: str) -> None:
    found = evidence_of(f"nplusone/{orm}/pagination_offset.{ending}")
    assert found.walks == 1
    assert found.pages_per_walk is not None
    assert found.pages_per_walk.median >= 11
    assert (found.page_rows, found.deepest_offset) == (10, 110)


def test_deep_pages_are_found_with_the_keyset() -> None:
    finding = only_finding("offset-pagination", "deep_pages.log", schema=True)
    found = finding.evidence
    assert isinstance(found, OffsetPaginationEvidence)
    assert (found.deepest_offset, found.page_rows, found.walks) == (59_000, 10, 0)
    assert found.deep_ms is not None
    assert found.shallow_ms is not None
    assert found.deep_ms > 10 * found.shallow_ms
    assert finding.severity.rank >= Severity.LOW.rank
    text = finding.recommendations[0].text
    assert "OFFSET" not in text
    assert "ORDER BY events.kind DESC,\n         events.id ASC\nLIMIT $1" in text


def test_a_walk_through_all_pages_is_found() -> None:
    found = evidence_of("page_walk.log")
    assert found.pages_per_walk is not None
    assert found.pages_per_walk.median == 19  # the first page has no OFFSET


@pytest.mark.parametrize("name", ["first_pages.log", "offset_zero.log"])
def test_first_pages_and_offset_zero_are_clean(name: str) -> None:
    assert outcome("offset-pagination", name).status is Status.CLEAN


@pytest.mark.parametrize(
    "path",
    sorted(
        path.relative_to(DATA).as_posix()
        for path in (DATA / "nplusone").glob("*/*.log")
        if path.stem != "pagination_offset"
    ),
)
def test_every_other_slice_is_clean(path: str) -> None:
    assert outcome("offset-pagination", path).status is Status.CLEAN


def test_offsets_that_are_not_logged_cannot_be_judged(tmp_path: Path) -> None:
    text = "SELECT id, title FROM books ORDER BY id LIMIT $1 OFFSET $2"
    lines = [(n / 10, "7.1", 0.1, text) for n in range(3)]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    assert result.outcomes["offset-pagination"].status is Status.NOT_APPLICABLE


def test_pages_in_any_order_are_no_walk(tmp_path: Path) -> None:
    lines = [
        (
            n / 100,
            "7.1",
            0.1,
            f"SELECT id, title FROM books ORDER BY id LIMIT 10 OFFSET {page * 10}",
        )
        for n, page in enumerate([3, 1, 7, 2, 9, 4, 0, 8])
    ]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    assert result.outcomes["offset-pagination"].status is Status.CLEAN


def test_a_plan_of_a_page_does_not_say_the_same_again() -> None:
    """The sample's log has deep pages and auto_explain's plan of one."""
    log = Path(__file__).parents[2] / "sample_logs" / "csvlog" / "postgresql.csv"
    result = run(Options(inputs=[str(log)], log_min_duration_ms=0))
    pages, skipped = (result.outcomes[one].status for one in ("offset-pagination", "skipped-rows"))
    assert (pages, skipped) == (Status.FOUND, Status.CLEAN)


def test_a_workload_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(Options(inputs=[str(DATA / "nplusone/django/pagination_offset.log")]))
    judged: list[object] = []

    def judge(_workload: object, found: object) -> None:
        judged.append(found)

    loops = LoopFinder()
    loops.neighbours.pages.found[0] = PageFigures(0)
    detector = OffsetPagination(loops)
    monkeypatch.setattr(offset_pagination, "_judge", judge)
    first = detector.detect(result.workload)
    assert detector.detect(result.workload) is first
    assert len(judged) == 1
