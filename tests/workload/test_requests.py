"""Units of work: traces, transactions and bursts."""

from pathlib import Path

import pandas as pd

from analyzer.model.workload import Workload
from analyzer.pipeline import Options, run
from analyzer.workload.tags import Tags, read_tags

Step = tuple[float, str, str]


def workload(path: Path, steps: list[Step]) -> Workload:
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
    return run(Options(inputs=[str(log)], log_min_duration_ms=0)).workload


def sizes(table: pd.DataFrame) -> list[tuple[str, int]]:
    return list(zip(table["unit"], table["round_trips"].tolist(), strict=True))


def test_an_idle_gap_ends_a_burst(tmp_path: Path) -> None:
    steps = [
        (1.0, "a1.1", "SELECT a FROM t"),
        (1.2, "a1.1", "SELECT b FROM t"),
        (1.5, "a1.1", "SELECT c FROM t"),
        (1.2, "a1.2", "SELECT a FROM t"),
    ]
    assert sizes(workload(tmp_path, steps).requests) == [("burst", 2), ("burst", 1), ("burst", 1)]


def test_transactions_that_hold_the_work_are_the_units(tmp_path: Path) -> None:
    one = ["BEGIN", "SELECT a FROM t", "SELECT b FROM t", "UPDATE t SET a = 1", "COMMIT"]
    steps = [(1 + n / 100, "a1.1", text) for n, text in enumerate(one * 3)]
    found = workload(tmp_path, steps)
    assert sizes(found.requests) == [("transaction", 3)] * 3
    assert found.request_verdict is not None
    assert found.request_verdict.unit == "transaction"
    assert found.request_verdict.round_trips_p95 == 3


def test_transactions_of_one_statement_each_are_part_of_the_burst(tmp_path: Path) -> None:
    steps = [
        (1 + n / 100, "a1.1", text)
        for n, text in enumerate(["BEGIN", "SELECT a FROM t", "COMMIT"] * 4)
    ]
    assert sizes(workload(tmp_path, steps).requests) == [("burst", 4)]


def test_a_trace_runs_over_sessions_and_carries_untagged_statements(tmp_path: Path) -> None:
    tag = "/*route='/a',traceparent='00-{0:032x}-00000000000000ff-01'*/"
    steps = [
        (1.00, "a1.1", f"SELECT a FROM t {tag.format(1)}"),
        (1.01, "a1.2", f"SELECT b FROM t {tag.format(1)}"),
        (1.02, "a1.1", "SELECT c FROM t"),
        (1.03, "a1.1", f"SELECT a FROM t {tag.format(2)}"),
    ]
    table = workload(tmp_path, steps).requests
    assert sizes(table) == [("trace", 3), ("trace", 1)]
    assert table["route"].tolist() == ["/a", "/a"]


def test_a_log_that_begins_inside_a_transaction(tmp_path: Path) -> None:
    steps = [
        (1.0, "a1.1", "SELECT a FROM t"),
        (1.01, "a1.1", "COMMIT"),
        (1.02, "a1.1", "SELECT b FROM t"),
    ]
    found = workload(tmp_path, steps)
    assert found.executions["transaction"].tolist() == [-1, -1]


def test_tags_of_sqlcommenter_and_marginalia() -> None:
    comment = "/*action='show',controller='books',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/"
    assert read_tags(comment) == Tags("5bd66ef5095369c7b0d1f8f4bd33716a", "books#show")
    assert read_tags("/*application:Blog,controller:posts,action:index*/").route == "posts#index"
    assert read_tags("/* url=/authors/ request_id=abc-1 */") == Tags("abc-1", "/authors/")
    assert read_tags("/*route='%2Fapi%2Fusers'*/").route == "/api/users"
    assert read_tags("-- nothing here") == Tags()
