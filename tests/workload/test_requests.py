"""Units of work: traces, transactions and bursts, however the log is cut into slices."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from analyzer.model.executions import ExecutionChunk
from analyzer.model.recording import Recording
from analyzer.model.target import Target
from analyzer.model.work import WorkSlice
from analyzer.model.workload import Workload
from analyzer.report.document import build_document
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices
from analyzer.workload.tags import read_route

Step = tuple[float, str, str]


def write_log(path: Path, steps: list[Step]) -> str:
    """A csvlog of (second, session, statement); each took 0.1 ms."""
    lines = []
    for line, (second, session, text) in enumerate(steps, 1):
        at = f"2026-11-22 08:{int(second) // 60:02d}:{second % 60:06.3f} UTC"
        quoted = text.replace('"', '""')
        lines.append(
            f'{at},"app","app",1,"127.0.0.1:1",{session},{line},"SELECT",2026-11-22 08:00:00 UTC,3/1,0,LOG,00000,'
            f'"duration: 0.100 ms  statement: {quoted}",,,,,,,,,"web","client backend",,0\n'
        )
    log = path / "app.csv"
    log.write_text("".join(lines))
    return str(log)


@dataclass
class Built:
    """A workload with the slices that it was built from."""

    workload: Workload
    slices: list[WorkSlice]

    def sizes(self) -> list[int]:
        """Executions in each unit of work, in the order in which units were finished."""
        requests = np.concatenate([part.request for part in self.slices])
        return np.unique(requests, return_counts=True)[1].tolist()

    def routes(self) -> list[str | None]:
        """The route of each unit of work."""
        return [
            part.route_names[route] if route >= 0 else None
            for part in self.slices
            for route in part.routes[np.unique(part.request) - part.first_request]
        ]


def built(path: Path, steps: list[Step], rows: int = 1 << 17) -> Built:
    recording = Recording(keys=StatementKeyTable())
    streams = gather([write_log(path, steps)], ReadOptions(), recording).streams
    streams[0].chunks = iter([part for chunk in streams[0].chunks for part in halves(chunk, rows)])
    builder = WorkloadBuilder(recording, Target())
    handed = slices(streams, rows, builder.carried)
    parts = [builder.add(chunk, last=last) for chunk, last in handed]
    return Built(builder.finish([], 0), parts)


def halves(chunk: ExecutionChunk, rows: int) -> list[ExecutionChunk]:
    """A chunk in pieces of a few rows."""
    return [
        ExecutionChunk(
            {name: column[start : start + rows] for name, column in chunk.columns.items()},
            chunk.parameters,
        )
        for start in range(0, len(chunk), rows)
    ]


def test_an_idle_gap_ends_a_burst(tmp_path: Path) -> None:
    steps = [
        (1.0, "a1.1", "SELECT a FROM t"),
        (1.2, "a1.1", "SELECT b FROM t"),
        (1.5, "a1.1", "SELECT c FROM t"),
        (1.2, "a1.2", "SELECT a FROM t"),
    ]
    found = built(tmp_path, steps)
    assert found.sizes() == [2, 1, 1]
    assert found.workload.request_verdict is not None
    assert found.workload.request_verdict.unit == "burst"


def test_connections_that_a_pool_opens_at_once_say_nothing_of_requests(tmp_path: Path) -> None:
    """A loop that runs at once has ten connections begin with its statement."""
    loop = [
        (1.01 + n / 1000, f"a.{n % 10 + 1}", f"SELECT b FROM b WHERE a = {n}") for n in range(20)
    ]
    made = built(tmp_path, [(1.0, "a.0", "SELECT a FROM a"), *loop])
    assert not made.slices[0].whole.any()
    assert (made.slices[0].pool == made.slices[0].pool[0]).all()


def test_a_slice_may_be_empty(tmp_path: Path) -> None:
    recording = Recording(keys=StatementKeyTable())
    log = write_log(tmp_path, [(1.0, "a.0", "SELECT 1 FROM a")])
    (chunk,) = gather([log], ReadOptions(), recording).streams[0].chunks
    nothing = ExecutionChunk(
        {name: one[:0] for name, one in chunk.columns.items()}, chunk.parameters
    )
    assert len(WorkloadBuilder(recording, Target()).add(nothing, last=True)) == 0


def test_transactions_that_hold_the_work_are_the_units(tmp_path: Path) -> None:
    one = ["BEGIN", "SELECT a FROM t", "SELECT b FROM t", "UPDATE t SET a = 1", "COMMIT"]
    steps = [(1 + n / 100, "a1.1", text) for n, text in enumerate(one * 3)]
    found = built(tmp_path, steps)
    assert found.sizes() == [3, 3, 3]
    verdict = found.workload.request_verdict
    assert verdict is not None
    assert verdict.unit == "transaction"
    assert verdict.round_trips_p95 == 3


def test_transactions_of_one_statement_each_are_part_of_the_burst(tmp_path: Path) -> None:
    steps = [
        (1 + n / 100, "a1.1", text)
        for n, text in enumerate(["BEGIN", "SELECT a FROM t", "COMMIT"] * 4)
    ]
    found = built(tmp_path, steps)
    assert found.sizes() == [4]
    assert found.workload.request_verdict is not None
    assert found.workload.request_verdict.unit == "burst"


def test_a_trace_runs_over_sessions_and_carries_untagged_statements(tmp_path: Path) -> None:
    tag = "/*route='/a',traceparent='00-{0:032x}-00000000000000ff-01'*/"
    steps = [
        (1.00, "a1.1", f"SELECT a FROM t {tag.format(1)}"),
        (1.01, "a1.2", f"SELECT b FROM t {tag.format(1)}"),
        (1.02, "a1.1", "SELECT c FROM t"),
        (1.03, "a1.1", f"SELECT a FROM t {tag.format(2)}"),
    ]
    found = built(tmp_path, steps)
    assert found.sizes() == [3, 1]
    assert found.routes() == ["/a", "/a"]
    assert found.workload.request_verdict is not None
    assert found.workload.request_verdict.unit == "trace"


def test_a_log_that_begins_inside_a_transaction(tmp_path: Path) -> None:
    steps = [
        (1.0, "a1.1", "SELECT a FROM t"),
        (1.01, "a1.1", "COMMIT"),
        (1.02, "a1.1", "SELECT b FROM t"),
    ]
    (part,) = built(tmp_path, steps).slices
    assert part.transaction.tolist() == [-1, -1]


TRACED = "/*route='/a',traceparent='00-{0:032x}-00000000000000ff-01'*/"
MIXED = [
    *[(1 + n / 10, "a1.1", f"SELECT a{n} FROM t") for n in range(9)],  # one burst
    *[(1.05 + n / 5, "a1.2", text) for n, text in enumerate(["BEGIN", "SELECT a FROM t", "SELECT b FROM t", "COMMIT"])],
    *[(1.3 + n / 10, f"a1.{3 + n % 2}", f"SELECT {n} FROM u {TRACED.format(7)}") for n in range(6)],
    *[(60 + n / 10, "a1.1", f"SELECT b{n} FROM t") for n in range(3)],
]  # fmt: skip


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 13])
def test_slices_do_not_cut_units_of_work(tmp_path: Path, rows: int) -> None:
    steps = sorted(MIXED)
    whole, cut = built(tmp_path, steps), built(tmp_path, steps, rows)
    assert len(cut.slices) > len(whole.slices) == 1
    assert sorted(cut.sizes()) == sorted(whole.sizes()) == [2, 3, 6, 9]
    first, second = (build_document(one.workload, (), {}) for one in (cut, whole))
    for document in (first, second):
        document["statements"].sort(key=lambda one: one["shape_id"])
        for route in document["requests"]:
            route["statements"].sort()
    assert first == second


def test_routes_of_sqlcommenter_and_marginalia() -> None:
    comment = "/*action='show',controller='books',traceparent=''*/"
    assert read_route(comment) == "books#show"
    assert read_route("/*application:Blog,controller:posts,action:index*/") == "posts#index"
    assert read_route("/* url=/authors/ request_id= */") == "/authors/"
    assert read_route("/*route='%2Fapi%2Fusers'*/") == "/api/users"
    assert read_route("-- nothing here") is None


def test_jobs_and_calls_where_no_route_is_told() -> None:
    assert read_route("/*attempt='0',job='nightly',jobId=,queue='backups'*/") == "backups:nightly"
    assert read_route("/*task='mail.send',task_id=*/") == "mail.send"
    call = "prismaQuery='Project.findMany%3AeyJ3aGVyZSI6e319'"
    assert read_route(f"/*{call},traceparent=''*/") == "Project.findMany"
    assert read_route(f"/*{call},route='%2Fa'*/") == "/a"
    assert len(read_route(f"/*route='{'x' * 9999}'*/") or "") == 300
