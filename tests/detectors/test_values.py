"""What is looked at of executions' values: few of them, the right ones, and no value is kept."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from heavy_log import Ran, analysed, found

from analyzer.detectors import ValueSamples, all_detectors
from analyzer.detectors._values import MOST, MOST_OF_SLICE
from analyzer.model.work import WorkSlice
from analyzer.pipeline import Options, Result, run
from analyzer.pipeline.analysis import detect
from analyzer.sql.parameters import Values

SEARCH = "SELECT id FROM customers WHERE team = $1 AND name LIKE $2"


class Recorded(ValueSamples):
    """Keeps the slices that it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.slices: list[WorkSlice] = []

    def observe(self, work: WorkSlice) -> None:
        self.slices.append(work)
        super().observe(work)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Recorded]:
    made: list[Recorded] = []

    def make() -> Recorded:
        made.append(Recorded())
        return made[-1]

    monkeypatch.setattr("analyzer.pipeline.analysis.ValueSamples", make)
    return made


def searched(folder: Path, patterns: Sequence[str], calls: int = 10) -> Result:
    ran = [
        Ran(SEARCH, calls=calls, parameters=f"$1 = '7', $2 = '{pattern}'") for pattern in patterns
    ]
    return analysed(folder, ran)


def test_a_few_executions_are_looked_at(tmp_path: Path, recorded: list[Recorded]) -> None:
    searched(tmp_path, ["%foo%"], calls=50)
    seen = recorded[0].of(0)
    assert seen.looked_at == MOST_OF_SLICE
    assert seen.patterns[0].anywhere == MOST_OF_SLICE
    for _ in range(20):  # the same slice again stands for a longer log
        recorded[0].observe(recorded[0].slices[0])
    assert MOST <= recorded[0].of(0).looked_at < MOST + MOST_OF_SLICE


def test_mixed_patterns_are_counted(tmp_path: Path, recorded: list[Recorded]) -> None:
    searched(tmp_path, ["%foo%", "foo%"], calls=8)
    seen = recorded[0].of(0).patterns[0]
    assert (seen.looked_at, seen.anywhere) == (16, 8)


def test_no_value_is_kept(tmp_path: Path, recorded: list[Recorded]) -> None:
    searched(tmp_path, ["%secret%"])
    assert "secret" not in str(dataclasses.asdict(recorded[0].of(0)))


def test_quotes_in_values(tmp_path: Path) -> None:
    finding = found(tmp_path, "leading-wildcard", Ran(SEARCH, parameters="$1 = '7', $2 = '%o''x%'"))
    assert finding.confidence == 0.8


def test_a_failure_costs_only_the_detectors_that_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_text: str) -> Values:
        raise ValueError("no values today")

    monkeypatch.setattr("analyzer.detectors._values.values_in", fail)
    result = searched(tmp_path, ["%foo%"])
    assert result.outcomes["leading-wildcard"].status == "error"
    assert result.outcomes["function-on-column"].status == "clean"
    assert "no values today" in (result.outcomes["leading-wildcard"].reason or "")


def test_nothing_to_judge_is_not_applicable() -> None:
    plan = Path(__file__).parents[1] / "data" / "plans" / "seq_scan" / "equality.json"
    result = run(Options(inputs=[str(plan)]))
    asked = [d for d in all_detectors() if d.id in ("order-by-random", "implicit-cast")]
    assert {o.status for o in detect(result.workload, asked).values()} == {"not-applicable"}
