"""repeated-query on captures."""

from pathlib import Path

import pytest

from analyzer.model.evidence import RepeatedQueryEvidence
from analyzer.pipeline import Options, run

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("orm", ["django", "prisma7", "sequelize"])
def test_found_in_every_orm(orm: str) -> None:
    result = run(Options(inputs=[str(DATA / "nplusone" / orm / "repeated_same.log")]))
    (finding,) = result.findings
    assert isinstance(finding.evidence, RepeatedQueryEvidence)
    assert (finding.evidence.executions, finding.evidence.distinct_parameters) == (20, 1)
    assert finding.impact.round_trips == 19
    assert finding.recommendations[0].kind == "cache"


@pytest.mark.parametrize(
    "name", ["pagination_offset.csv", "pagination_keyset.csv", "lazy_children.csv", "eager_in.csv"]
)
def test_changing_parameters_are_no_repetition(name: str) -> None:
    result = run(Options(inputs=[str(DATA / "nplusone" / "django" / name)]))
    assert result.outcomes["repeated-query"].status == "clean"
