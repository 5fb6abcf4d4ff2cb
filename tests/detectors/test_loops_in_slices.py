"""Loops are found whatever the slices that the log is searched in, and in bounded memory."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analyzer.detectors import LoopFinder, all_detectors
from analyzer.detectors._figures import Sample, Sizes
from analyzer.model.evidence import NPlusOneEvidence
from analyzer.model.executions import ExecutionChunk
from analyzer.model.finding import Finding, Status
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.pipeline.analysis import detect
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices

CORPUS = Path(__file__).parents[1] / "data" / "nplusone"
SECOND_US = 1_000_000


def repeated(chunks: list[ExecutionChunk], times: int, rows: int) -> Iterator[ExecutionChunk]:
    """A log's executions again and again, ten seconds apart, in chunks of a few rows."""
    for turn in range(times):
        for chunk in chunks:
            shift = turn * 10 * SECOND_US
            columns = dict(chunk.columns)
            columns["start_us"] = columns["start_us"] + shift
            columns["end_us"] = columns["end_us"] + shift
            columns["trace"] = np.where(columns["trace"] != 0, columns["trace"] + turn, 0)
            for start in range(0, len(chunk), rows):
                part = {name: column[start : start + rows] for name, column in columns.items()}
                yield ExecutionChunk(part, chunk.parameters)


def findings(path: Path, times: int, rows: int) -> dict[str, Finding]:
    """What the detectors find in a log that is repeated and cut into slices of a few rows."""
    recording = Recording(keys=StatementKeyTable())
    (stream,) = gather([str(path)], ReadOptions(), recording).streams
    stream.chunks = repeated(list(stream.chunks), times, rows)
    builder, loops = WorkloadBuilder(recording, Target()), LoopFinder()
    for chunk, last in slices([stream], rows, builder.carried):
        loops.observe(builder.add(chunk, last=last))
    outcomes = detect(builder.finish([], 0), all_detectors(loops))
    return {one.key: one for outcome in outcomes.values() for one in outcome.findings}


@pytest.mark.parametrize("rows", [7, 40])
@pytest.mark.parametrize(
    "name",
    ["django/nested.csv", "django/lazy_children.log", "django/repeated_same.log",
     "prisma7/nested.csv", "sequelize/lazy_children.log", "django/eager_in.csv"],
)  # fmt: skip
def test_slices_give_what_the_whole_gives(name: str, rows: int) -> None:
    whole, cut = (findings(CORPUS / name, 3, size) for size in (1_000_000, rows))
    assert cut.keys() == whole.keys()
    for key, one in whole.items():
        assert cut[key].evidence == one.evidence
        assert cut[key].impact.total_ms == pytest.approx(one.impact.total_ms)
        assert cut[key].impact.round_trips == one.impact.round_trips
        assert cut[key].impact.requests == one.impact.requests
        assert cut[key].impact.saving_ms == pytest.approx(one.impact.saving_ms)
        assert cut[key].confidence == one.confidence


def test_every_turn_counts() -> None:
    once = findings(CORPUS / "django" / "nested.csv", 1, 1_000_000)
    often = findings(CORPUS / "django" / "nested.csv", 40, 100)
    assert often.keys() == once.keys()
    for key, finding in often.items():
        many, one = finding.evidence, once[key].evidence
        assert isinstance(many, NPlusOneEvidence)
        assert isinstance(one, NPlusOneEvidence)
        assert (many.executions, many.occurrences) == (40 * one.executions, 40 * one.occurrences)
        assert many.children_per_occurrence == one.children_per_occurrence
        assert many.distinct_parameters == one.distinct_parameters
        assert many.median_child_ms == one.median_child_ms


def test_a_failing_search_costs_the_loops_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise KeyError("session")

    monkeypatch.setattr("analyzer.detectors._search.Search.run", fails)
    recording = Recording(keys=StatementKeyTable())
    path = CORPUS / "django" / "nested.csv"
    streams = gather([str(path)], ReadOptions(), recording).streams
    builder, loops = WorkloadBuilder(recording, Target()), LoopFinder()
    for chunk, last in slices(streams):
        loops.observe(builder.add(chunk, last=last))
    outcomes = detect(builder.finish([], 0), all_detectors(loops))
    assert outcomes["n-plus-one"].status is Status.ERROR
    assert "session" in (outcomes["n-plus-one"].reason or "")
    assert outcomes["selective-seq-scan"].status is Status.NOT_APPLICABLE


def test_a_sample_stays_small_and_near_the_truth() -> None:
    values = np.random.default_rng(5).lognormal(2, 1, 300_000)
    sample = Sample()
    for part in np.split(values, 100):
        sample.add(part)
    assert sample.median == pytest.approx(float(np.median(values)), rel=0.05)
    assert len(sample._values) <= 10_000
    few = Sample()
    few.add(values[:999])
    assert few.median == float(np.median(values[:999]))


def test_a_sample_holds_on_to_no_more_than_it_keeps() -> None:
    values = np.random.default_rng(5).random(30_000)
    tracemalloc.start()
    try:
        sample = Sample()
        for _ in range(300):
            sample.add(values.copy())
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(sample._values) > 1_000
    assert held_bytes < 500_000


def test_sizes_know_their_middle() -> None:
    sizes = Sizes()
    for part in ([3, 9], [5], [7]):
        sizes.add(np.array(part))
    spread = sizes.spread()
    assert (sizes.count, sizes.largest) == (4, 9)
    assert (spread.min, spread.median, spread.max) == (3, 6, 9)
