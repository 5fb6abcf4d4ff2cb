"""Behind a pooler that hands out connections by the transaction."""

from dataclasses import replace
from pathlib import Path

from analyzer.detectors._loops import LoopFinder, Loops
from analyzer.model.recording import Recording
from analyzer.model.ruled_out import Verdict
from analyzer.model.target import Target
from analyzer.sources.inputs import gather
from analyzer.sources.options import ReadOptions
from analyzer.sql.keys import StatementKeyTable
from analyzer.workload.build import WorkloadBuilder
from analyzer.workload.slices import slices

VISIT = "SELECT * FROM session WHERE key = 'k{0}'"  # what each request runs once


def found(tmp_path: Path, texts: list[str]) -> tuple[list[str], Loops]:
    """The children of what is found where these are run one after the other, 10 ms apart."""
    lines = [
        f"2026-11-22 08:00:{n / 100:06.3f} UTC,app,app,1,127.0.0.1:1,a.1,{n},SELECT,2026-11-22 08:00:00 UTC,3/1,"
        f'0,LOG,00000,"duration: 0.100 ms  statement: {text}",,,,,,,,,web,client backend,,0\n'
        for n, text in enumerate(texts, 1)
    ]
    log = tmp_path / "app.csv"
    log.write_text("".join(lines))
    recording = Recording(keys=StatementKeyTable())
    streams = gather([str(log)], ReadOptions(), recording).streams
    builder = WorkloadBuilder(recording, Target())
    finder = LoopFinder()
    statements = []
    for chunk, last in slices(streams, 1 << 17):
        part = builder.add(chunk, last=last)
        statements = [one.sql for one in part.statements]
        marker = next(n for n, sql in enumerate(statements) if "session" in sql)
        finder.observe(replace(part, marker=marker))
    loops = finder.find()
    numbers = [one.child for one in loops.pairs] + [one.statement for one in loops.lookups]
    return [statements[number] for number in numbers], loops


def turn(number: int) -> list[str]:
    """A turn of a loop's body while another request begins and ends on no connection of ours."""
    return [
        f"SELECT * FROM tags WHERE book_id = {number}",
        f"SELECT * FROM prices WHERE book_id = {number}",
        f"UPDATE books SET seen = true WHERE id = {number}",
    ]


def test_a_loop_in_a_transaction_is_found_however_many_requests_begin(tmp_path: Path) -> None:
    loop = [
        "BEGIN",
        "SELECT id FROM books",
        *(text for n in range(6) for text in turn(n)),
        "COMMIT",
    ]
    visits = [VISIT.format(n) for n in range(12)]
    children, loops = found(tmp_path, [*visits, *loop, *visits])
    assert sorted(children) == [
        "SELECT * FROM prices WHERE book_id = $1",
        "SELECT * FROM tags WHERE book_id = $1",
    ]
    assert [pair.per_occurrence.count for pair in loops.pairs] == [1, 1]


def test_the_same_in_a_transaction_each_is_left_to_how_it_crowds(tmp_path: Path) -> None:
    alone = [
        text
        for n in range(6)
        for text in ("BEGIN", *turn(n), "COMMIT", VISIT.format(n), VISIT.format(n + 100))
    ]
    children, _ = found(tmp_path, [VISIT.format(n) for n in range(200, 240)] + alone)
    assert children == []


def test_what_runs_in_a_transaction_each_is_of_as_many_requests(tmp_path: Path) -> None:
    """Though none of them runs the statement by which requests are counted."""
    visits = [VISIT.format(n) for n in range(30)]
    lookups = [f"SELECT * FROM orders WHERE id = {n}" for n in range(12)]
    together, _ = found(tmp_path, [*visits, *lookups, *visits])
    assert together == ["SELECT * FROM orders WHERE id = $1"]
    apart = [text for lookup in lookups for text in ("BEGIN", lookup, "COMMIT")]
    children, _ = found(tmp_path, [*visits, *apart, *visits])
    assert children == []


def test_a_trace_shows_its_request_whatever_shares_the_connection(tmp_path: Path) -> None:
    tag = " /*traceparent='00-{0:032x}-{1:016x}-01'*/"
    texts = ["SELECT id FROM books" + tag.format(request, 1) for request in (10, 20)]
    for n in range(7):  # in turns
        texts += [
            f"SELECT * FROM tags WHERE book_id = {n + request}" + tag.format(request, n + 2)
            for request in (10, 20)
        ]
    visits = [VISIT.format(n) for n in range(20)]
    children, loops = found(tmp_path, [*visits, *texts])
    assert children == ["SELECT * FROM tags WHERE book_id = $1"]
    assert loops.pairs[0].per_occurrence.count == 2
    assert loops.pairs[0].per_occurrence.largest == 7


def test_what_is_no_loop_in_a_transaction_has_its_verdict(tmp_path: Path) -> None:
    batches = [
        f"SELECT * FROM tags WHERE id IN ({', '.join(map(str, range(n, n + 20)))})"
        for n in range(6)
    ]
    tenants = [
        text
        for n in range(8)
        for text in (f"SET LOCAL app.tenant = '{n}'", f"SELECT * FROM invoices WHERE number = {n}")
    ]
    visits = [VISIT.format(n) for n in range(20)]
    before = ["BEGIN", "SELECT id FROM books", "COMMIT"]  # what stands before counts in no place
    jobs = [text for job in (batches, tenants) for text in ("BEGIN", *job, "COMMIT")]
    children, loops = found(tmp_path, [*visits, *before, *jobs, *visits])
    assert children == []
    assert sorted((verdict, *counts) for (_, verdict), counts in loops.ruled_out.items()) == [
        (Verdict.BATCHED, 6, 1),
        (Verdict.PER_TENANT, 8, 1),
    ]
