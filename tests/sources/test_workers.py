"""Worker processes: the same report, no process left behind, no error lost."""

import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.model.recording import Recording
from analyzer.pipeline import Options, run
from analyzer.sources.inputs import gather
from analyzer.sources.logs.native import PURE_PYTHON
from analyzer.sources.options import ReadOptions
from analyzer.sources.workers import pool, process, ring
from analyzer.sources.workers.claims import PARENT, Claims
from analyzer.sources.workers.pool import Workers
from analyzer.sources.workers.process import WorkerError
from analyzer.sql.keys import StatementKeyTable

DATA = Path(__file__).parent.parent / "data"
SAMPLES = Path(__file__).parent.parent.parent / "sample_logs"


def children() -> set[str]:
    task = Path(f"/proc/self/task/{os.getpid()}/children")
    return set(task.read_text(encoding="ascii").split())


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.fixture(autouse=True)
def new_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever threads the tests run with; forks are made in programs of their own."""
    monkeypatch.setattr(process, "may_fork", lambda: False)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = children(), descriptors()
    yield
    assert children() <= before[0]
    assert descriptors() <= before[1] + 1


def document(inputs: list[Path], workers: int) -> str:
    found = run(Options(inputs=[str(path) for path in inputs], workers=workers))
    return json.dumps(found.document, default=str)


@pytest.mark.parametrize("reader", ["native", "python"])
@pytest.mark.parametrize("inputs", [[SAMPLES], [DATA / "prisma"]], ids=["samples", "prisma"])
def test_the_report_does_not_depend_on_the_workers(
    inputs: list[Path], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PURE_PYTHON, "1" if reader == "python" else "")
    assert document(inputs, 1) == document(inputs, 2) == document(inputs, 5)


@pytest.fixture
def one_run(tmp_path: Path) -> list[Path]:
    """One run of a server, logged in three formats; as they are made, large enough to be divided."""
    paths = []
    for ending in ("log", "csv", "json"):
        path = tmp_path / f"mixed.{ending}"
        path.write_bytes(lzma.decompress((DATA / "logs" / f"mixed.{ending}.xz").read_bytes()))
        paths.append(path)
    return paths


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small logs are divided, too, and chunks are small."""
    monkeypatch.setattr(pool, "_DIVIDED_BYTES", 100_000)
    monkeypatch.setattr(pool, "RANGE_BYTES", 100_000)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("reader", ["native", "python"])
def test_one_log_is_divided(
    one_run: list[Path], reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PURE_PYTHON, "1" if reader == "python" else "")
    for path in one_run if reader == "native" else one_run[:1]:
        assert document([path], 1) == document([path], 4), path.name


def test_views_of_one_run_are_recognised(one_run: list[Path]) -> None:
    alone, together = document(one_run, 1), document(one_run, 2)
    assert alone == together
    sources = json.loads(together)["coverage"]["sources"]
    assert sum(source["same_as"] is not None for source in sources) == len(one_run) - 1


def streams_of(path: Path) -> tuple[Recording, Workers, list[pool.ExecutionStream]]:
    recording = Recording(keys=StatementKeyTable())
    streams = gather([str(path)], ReadOptions(), recording).streams
    return recording, Workers(streams, 2, recording), streams


def test_a_process_that_is_killed_is_an_error_that_says_so(
    one_run: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RING_BYTES", 1 << 16)
    _recording, workers, (stream,) = streams_of(one_run[0])
    with workers:
        os.kill(workers._workers[0]._process.pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match=r"SIGKILL.*--workers 1"):
            list(stream.chunks)


def test_a_process_that_cannot_be_started_is_an_error_that_says_so(
    one_run: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    _recording, workers, _streams = streams_of(one_run[0])
    with pytest.raises(WorkerError, match="--workers 1 does without"):
        workers.__enter__()


def test_leaving_early_ends_the_processes(
    one_run: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "RING_BYTES", 1 << 16)
    _recording, workers, (stream,) = streams_of(one_run[0])

    def interrupted() -> None:
        with workers:
            next(stream.chunks)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_what_goes_wrong_in_a_process_is_raised_here(
    one_run: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "sitecustomize.py"
    broken.write_text(
        "import analyzer.sources.logs.meaning as meaning\n"
        "def timed(*_):\n    raise ValueError('the disk is gone')\n"
        "meaning.EntrySink.timed = timed\n",
        encoding="utf-8",
    )
    monkeypatch.setenv(PURE_PYTHON, "1")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    _recording, workers, (stream,) = streams_of(one_run[0])
    with workers, pytest.raises(ValueError, match="the disk is gone"):
        list(stream.chunks)


HOW = pytest.mark.parametrize("forked", [True, False], ids=["forked", "new"])


def alone(*, forked: bool) -> dict[str, str]:
    """The environment of a program that has one thread; and what it runs first."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "FORKED": "1" if forked else ""}


_CHOOSE = (
    "import os, sys\n"
    "from analyzer.sources.workers import pool, process\n"
    "assert process.may_fork()\n"
    "process.may_fork = lambda: bool(os.environ['FORKED'])\n"
)


@HOW
def test_the_processes_end_when_their_parent_is_killed(
    one_run: list[Path], *, forked: bool
) -> None:
    code = _CHOOSE + (
        "from analyzer.model.recording import Recording\n"
        "from analyzer.sources.inputs import gather\n"
        "from analyzer.sources.options import ReadOptions\n"
        "from analyzer.sql.keys import StatementKeyTable\n"
        "pool.RING_BYTES = 1 << 16\n"
        "recording = Recording(keys=StatementKeyTable())\n"
        "streams = gather(sys.argv[1:], ReadOptions(), recording).streams\n"
        "with pool.Workers(streams, 2, recording) as workers:\n"
        "    next(streams[0].chunks)\n"
        "    print(*(one._process.pid for one in workers._workers), flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, one_run)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        env=alone(forked=forked),
    ) as parent:
        assert parent.stdout is not None
        processes = [int(word) for word in parent.stdout.readline().split()]
        assert len(processes) == 2
        assert all(_runs(process) for process in processes)
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 20
    while any(map(_runs, processes)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, processes))


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except FileNotFoundError:
        return False


@HOW
def test_a_program_reads_the_same_with_processes_of_either_kind(
    one_run: list[Path], *, forked: bool
) -> None:
    code = _CHOOSE + (
        "import json\n"
        "from analyzer.pipeline import Options, run\n"
        "found = run(Options(inputs=sys.argv[1:], workers=3))\n"
        "print(json.dumps(found.document, default=str))\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, *map(str, one_run)],
        capture_output=True,
        text=True,
        env=alone(forked=forked),
        check=True,
    )
    assert told.stdout.strip() == document(one_run, 1)
    assert told.stderr == ""


@HOW
def test_a_program_whose_process_is_killed_says_so(one_run: list[Path], *, forked: bool) -> None:
    code = _CHOOSE + (
        "import signal\n"
        "from analyzer.model.recording import Recording\n"
        "from analyzer.sources.inputs import gather\n"
        "from analyzer.sources.options import ReadOptions\n"
        "from analyzer.sql.keys import StatementKeyTable\n"
        "pool.RING_BYTES = 1 << 16\n"
        "recording = Recording(keys=StatementKeyTable())\n"
        "streams = gather(sys.argv[1:], ReadOptions(), recording).streams\n"
        "with pool.Workers(streams, 2, recording) as workers:\n"
        "    os.kill(workers._workers[0]._process.pid, signal.SIGKILL)\n"
        "    list(streams[0].chunks)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, *map(str, one_run)],
        capture_output=True,
        text=True,
        env=alone(forked=forked),
        check=False,
    )
    assert "WorkerError" in told.stderr
    assert "SIGKILL" in told.stderr


def test_without_workers_nothing_changes(one_run: list[Path]) -> None:
    recording = Recording(keys=StatementKeyTable())
    (stream,) = gather([str(one_run[0])], ReadOptions(), recording).streams
    own = stream.chunks
    with Workers([stream], 0, recording):
        assert stream.chunks is own


def test_who_has_read_a_part_has_the_next_one_already(one_run: list[Path]) -> None:
    recording = Recording(keys=StatementKeyTable())
    streams = gather([str(one_run[0]), str(one_run[1])], ReadOptions(), recording).streams
    with Workers(streams, 1, recording) as workers:
        for _ in streams[0].chunks:
            pass
        assert workers._claims.take(1, PARENT) == 1


def test_a_part_is_claimed_once() -> None:
    claims = Claims.made(3)
    try:
        assert claims.take(0, 7) == 7
        assert claims.take(0, PARENT) == 7
        assert claims.take_next(8) == 1
        assert claims.take(2, PARENT) == PARENT
        assert claims.take_next(7) is None
    finally:
        claims.close()


def test_a_ring_hands_on_messages_of_any_size() -> None:
    from multiprocessing import Pipe  # noqa: PLC0415 - this test only
    from threading import Thread  # noqa: PLC0415

    here, there = Pipe()
    memory = ring.shared_file(1 << 12)
    written = os.dup(memory)
    writer = ring.RingWriter(written, there)
    reader = ring.RingReader(memory, here)
    sent = [bytes([n % 251]) * (n * 37 % 3000 + 1) for n in range(300)]
    thread = Thread(target=lambda: [writer.put([one, one[:3]]) for one in sent])
    thread.start()
    for one in sent:
        message, end = reader.take()
        with message:
            size = ring.aligned(len(one))
            assert bytes(message[: len(one)]) == one
            assert bytes(message[size : size + len(one[:3])]) == one[:3]
        reader.free(end)
    thread.join()
    writer.settle()
    reader.close()
    os.close(written)
    there.close()
    with pytest.raises(ring.GoneError):
        reader.take()
    here.close()
