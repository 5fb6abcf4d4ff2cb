"""Figures of parts of a run, sent as bytes and folded in order, are those of the whole."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.report.document import build_document
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.openers import Openers
from analyzer.workload.partial import Figures
from analyzer.workload.slices import slices

PRISMA = Path(__file__).parents[1] / "data" / "prisma"
CSV = PRISMA / "pglog" / "default_client.csv"
STDERR = PRISMA / "pglog" / "default_client.stderr.log"
EVENTS = PRISMA / "prisma" / "query_events_default_client.jsonl"
TAGGED = PRISMA / "pglog" / "sqlcommenter.csv"


def pieces(chunks: Iterator[ExecutionChunk], rows: int) -> Iterator[ExecutionChunk]:
    for chunk in chunks:
        for start in range(0, len(chunk), rows):
            part = {name: column[start : start + rows] for name, column in chunk.columns.items()}
            yield ExecutionChunk(part, chunk.parameters)


def document(paths: list[Path], rows: int, openers: Openers, *, folded: bool) -> dict[str, Any]:
    """The report on logs that are cut into slices; with `folded` each slice's figures go by bytes."""
    recording = Recording(keys=StatementKeyTable())
    streams = gather([str(path) for path in paths], ReadOptions(), recording).streams
    for stream in streams:
        stream.chunks = pieces(stream.chunks, max(rows // 4, 1))
    builder = WorkloadBuilder(recording, Target())
    builder.openers = openers
    parts: list[bytes] = []
    for chunk, last in slices(streams, rows):
        builder.add(chunk, last=last)
        if folded:
            parts.append(builder.figures.to_bytes())
            builder.figures = Figures()
    for part in parts:
        builder.figures.merge_bytes(part)
    made = build_document(builder.finish([], 0), (), {})
    made["statements"].sort(key=lambda one: one["shape_id"])
    for route in made["requests"]:
        route["statements"].sort()
    return made


CUTS = [
    *[([path], rows) for path in (CSV, TAGGED, EVENTS) for rows in (10, 50, 333)],
    # Views of one run need room for two seconds of disorder in each.
    *[(paths, rows) for paths in ([CSV, TAGGED], [CSV, STDERR], [STDERR, CSV, EVENTS]) for rows in (333, 1_000)],
]  # fmt: skip


@pytest.mark.parametrize(
    ("paths", "rows"),
    CUTS,
    ids=[f"{'+'.join(path.name for path in paths)} by {rows}" for paths, rows in CUTS],
)
def test_any_cut_gives_the_figures_of_the_whole(paths: list[Path], rows: int) -> None:
    openers = Openers()
    whole = document(paths, 1 << 20, openers, folded=False)
    assert sum(one["calls"] for one in whole["statements"]) > 50
    openers.learning = (
        False  # what begins a request is learnt from a slice's rows: it is given here
    )
    assert document(paths, rows, openers, folded=True) == whole


def test_what_is_no_figures_is_refused() -> None:
    with pytest.raises(ValueError, match=r"figures|pickle"):
        Figures().merge_bytes(b"PK\3\4 and nothing of it")
    with pytest.raises(ValueError, match=r"figures|pickle"):
        Figures().merge_bytes(b"")


def test_a_run_needs_no_pandas() -> None:
    """Importing it costs more than analysing a hundred thousand executions."""
    program = (
        "import sys; from analyzer.pipeline import Options, run; "
        f"run(Options(inputs=[{str(CSV)!r}])); print('pandas' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
