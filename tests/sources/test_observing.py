"""An observer in a process beside this one: it sees the same slices, and no error of it is lost."""

import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from analyzer.detectors import _search
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.model.work import WorkSlice
from analyzer.pipeline import Options, run
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sources.workers import observing, process
from analyzer.sources.workers.observing import Beside
from analyzer.sources.workers.process import WorkerError
from analyzer.sources.workers.slice_packing import SliceOpener, SlicePacker
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices

DATA = Path(__file__).parent.parent / "data"
ROWS = 500  # of a slice


@pytest.fixture(autouse=True)
def new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever threads the tests run with; forks are made in programs of their own."""
    monkeypatch.setattr(process, "may_fork", lambda: False)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("logs") / "mixed.log"
    path.write_bytes(lzma.decompress((DATA / "logs" / "mixed.log.xz").read_bytes()))
    return path


def slices_of(path: Path) -> Iterator[WorkSlice]:
    recording = Recording(keys=StatementKeyTable())
    streams = gather([str(path)], ReadOptions(), recording).streams
    builder = WorkloadBuilder(recording, Target())
    for chunk, last in slices(streams, ROWS, builder.carried):
        yield builder.add(chunk, last=last)


def test_a_slice_is_what_it_was(log: Path) -> None:
    packer, opener, count = SlicePacker(), SliceOpener(), 0
    for work in slices_of(log):
        message = b"".join(
            bytes(piece).ljust(-(-len(piece) // 16) * 16, b"\0") for piece in packer.packed(work)
        )
        found = opener.opened(memoryview(message))
        same(work, found)
        same(work.asides, found.asides)
        assert len(found.key_facts) == len(work.key_facts)
        for key in {*work.key.tolist(), *work.asides.key.tolist()}:
            assert found.key_facts[key] == work.key_facts[key]
        assert [found.texts[n] for n in range(len(found.texts))] == [
            work.texts[n] for n in range(len(work.texts))
        ]
        count += 1
    assert count > 2


def same(one: object, other: object) -> None:
    for field in fields(one):  # type: ignore[arg-type]  # a dataclass of either kind
        mine, found = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            assert mine.dtype == found.dtype
            assert np.array_equal(mine, found), field.name
            assert found.flags.writeable
        elif field.name not in ("asides", "key_facts", "texts"):
            assert mine == found, field.name


@pytest.mark.parametrize("ring_bytes", [1 << 12, 1 << 22], ids=["beyond-the-ring", "within"])
def test_the_report_does_not_depend_on_where_loops_are_searched(
    log: Path, ring_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "RING_BYTES", ring_bytes)
    monkeypatch.setattr("analyzer.workload.slices.slices.__defaults__", (ROWS, tuple))
    assert document(log, workers=3) == document(log, workers=1)


def document(log: Path, *, workers: int) -> str:
    return json.dumps(run(Options(inputs=[str(log)], workers=workers)).document, default=str)


class Raising:
    """An observer that fails, and one that comes back."""

    def __init__(self, *, raises: bool) -> None:
        self.raises = raises
        self.rows = 0

    def observe(self, work: WorkSlice) -> None:
        if self.raises:
            raise LookupError("no such row")
        self.rows += len(work)


def test_what_an_observer_raises_is_raised_here(log: Path) -> None:
    with Beside(Raising(raises=True)) as beside:
        for work in slices_of(log):
            beside.observe(work)
        with pytest.raises(LookupError, match="no such row") as raised:
            beside.result()
    assert "in a worker process" in raised.value.__notes__[0]


def test_an_observer_comes_back(log: Path) -> None:
    rows = 0
    with Beside(Raising(raises=False)) as beside:
        for work in slices_of(log):
            beside.observe(work)
            rows += len(work)
        assert beside.result().rows == rows > 0


def test_a_process_that_is_killed_is_an_error_that_says_so(log: Path) -> None:
    def shown() -> None:
        with Beside(Raising(raises=False)) as beside:
            os.kill(beside._process.pid, signal.SIGKILL)
            for work in slices_of(log):
                beside.observe(work)
            beside.result()

    with pytest.raises(WorkerError, match=r"looks at executions.*SIGKILL.*--workers 1"):
        shown()


def test_a_search_that_fails_costs_its_detectors_alone(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import analyzer.detectors._search as search\n"
        "def run(_):\n    raise LookupError('no such row')\n"
        "search.Search.run = run\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    beside = run(Options(inputs=[str(log)], workers=3)).outcomes
    monkeypatch.setattr(_search.Search, "run", failing)
    here = run(Options(inputs=[str(log)])).outcomes
    assert beside["n-plus-one"].reason == here["n-plus-one"].reason == "LookupError: no such row"
    assert {name: one.status for name, one in beside.items()} == {
        name: one.status for name, one in here.items()
    }


def failing(_: object) -> None:
    raise LookupError("no such row")


@pytest.mark.parametrize("forked", [True, False], ids=["forked", "new"])
def test_the_process_ends_when_its_parent_is_killed(*, forked: bool) -> None:
    code = (
        "import os, sys\n"
        "from analyzer.sources.workers import process\n"
        "from analyzer.sources.workers.observing import Beside\n"
        "from analyzer.detectors import ValueSamples\n"
        "assert process.may_fork()\n"
        "process.may_fork = lambda: bool(os.environ['FORKED'])\n"
        "with Beside(ValueSamples()) as beside:\n"
        "    print(beside._process.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "FORKED": "1" if forked else ""},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 20
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(pid)


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except FileNotFoundError:
        return False
