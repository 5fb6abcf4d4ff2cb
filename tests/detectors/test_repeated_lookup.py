"""repeated-lookup: loops whose parent is not in the log."""

from pathlib import Path

from analyzer.model.evidence import RepeatedLookupEvidence
from analyzer.pipeline import Options, Result, run

CAPTURE = Path(__file__).parents[1] / "data" / "nplusone" / "django" / "lazy_children.log"


def without_parent(tmp_path: Path) -> Path:
    """The capture with its parent's line taken out: the keys came from a cache."""
    lines = CAPTURE.read_text().splitlines(keepends=True)
    kept = [line for line in lines if 'FROM "authors"' not in line]
    assert len(kept) == len(lines) - 1
    path = tmp_path / "app.log"
    path.write_text("".join(kept))
    return path


def lookups(result: Result) -> list[RepeatedLookupEvidence]:
    return [f.evidence for f in result.findings if isinstance(f.evidence, RepeatedLookupEvidence)]


def test_found_where_no_parent_is_logged(tmp_path: Path) -> None:
    result = run(Options(inputs=[str(without_parent(tmp_path))]))
    (evidence,) = lookups(result)
    assert (evidence.child_table, evidence.executions, evidence.distinct_parameters) == (
        "books",
        20,
        20,
    )
    (finding,) = result.findings
    assert finding.confidence <= 0.55
    assert "= ANY($1)" in finding.recommendations[-1].text


def test_clean_where_the_parent_explains_it() -> None:
    assert lookups(run(Options(inputs=[str(CAPTURE)]))) == []


def test_requests_one_after_another_stay_silent() -> None:
    path = CAPTURE.with_name("cross_request.log")
    assert lookups(run(Options(inputs=[str(path)]))) == []
