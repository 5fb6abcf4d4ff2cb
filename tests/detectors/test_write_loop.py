"""write-loop on captures of three ORMs and of psycopg, and on near misses."""

from pathlib import Path

import pytest
from neighbours import analysed, only_finding, outcome, write_log

from analyzer.model.evidence import WriteLoopEvidence
from analyzer.model.finding import Severity, Status
from analyzer.pipeline import Options, run

ORMS = ("django", "prisma7", "sequelize")
LOOPS = [
    *((orm, kind, "log") for orm in ORMS for kind in ("insert", "update")),
    *((orm, kind, "csv") for orm in ORMS for kind in ("insert", "update")),
]


@pytest.mark.parametrize(("orm", "kind", "ending"), LOOPS)
def test_loops_of_three_orms_are_found(orm: str, kind: str, ending: str) -> None:
    result = analysed(f"nplusone/{orm}/{kind}_loop.{ending}")
    (finding,) = result.findings
    evidence = finding.evidence
    assert isinstance(evidence, WriteLoopEvidence)
    assert (evidence.kind, evidence.executions, evidence.occurrences) == (kind, 20, 1)
    assert evidence.table == ("Review" if orm == "prisma7" else "reviews")
    assert evidence.own_commits
    assert finding.impact.round_trips == 19
    own = [orm.rstrip("7")] if kind == "insert" else []
    assert [advice.language for advice in finding.recommendations] == [*own, "sql"]


def test_a_loop_in_a_transaction_is_surer() -> None:
    finding = only_finding("write-loop", "nplusone/django/insert_loop_tx.log")
    assert isinstance(finding.evidence, WriteLoopEvidence)
    assert (finding.confidence, finding.evidence.scope) == (0.9, "transaction")
    assert not finding.evidence.own_commits


def test_read_then_write_in_a_transaction_each_is_one_loop() -> None:
    finding = only_finding("write-loop", "update_or_create_loop.log", schema=True)
    evidence = finding.evidence
    assert isinstance(evidence, WriteLoopEvidence)
    assert (evidence.kind, evidence.executions, evidence.key_columns) == ("update", 12, ("id",))
    assert evidence.own_commits
    assert "unnest" in finding.recommendations[0].text


def test_deleting_one_by_one_becomes_any() -> None:
    finding = only_finding("write-loop", "delete_loop.log")
    assert isinstance(finding.evidence, WriteLoopEvidence)
    assert (finding.evidence.kind, finding.evidence.executions) == ("delete", 15)
    assert "= ANY($1)" in finding.recommendations[0].text
    assert finding.severity in (Severity.LOW, Severity.INFO)


def test_reads_of_an_n_plus_one_may_stand_between() -> None:
    finding = only_finding("write-loop", "copy_with_lazy_reads.log")
    assert isinstance(finding.evidence, WriteLoopEvidence)
    assert (finding.evidence.kind, finding.evidence.executions) == ("insert", 12)


@pytest.mark.parametrize(
    "name",
    ["bulk_writes", "executemany", "retries", "progress", "streaming", "one_insert_a_request"],
)
def test_what_is_no_loop_is_clean(name: str) -> None:
    assert outcome("write-loop", f"{name}.log").status is Status.CLEAN


@pytest.mark.parametrize("orm", ORMS)
def test_batches_of_three_orms_are_clean(orm: str) -> None:
    assert outcome("write-loop", f"nplusone/{orm}/bulk_insert.log").status is Status.CLEAN


def insert(number: int) -> str:
    return f"INSERT INTO visits (page, who) VALUES ('p{number}', {number})"


def test_a_health_check_between_parts_requests(tmp_path: Path) -> None:
    lines = []
    for number in range(20):
        lines.append((number / 100, "7.1", 0.1, "SELECT 1"))
        lines.append((number / 100 + 0.002, "7.1", 0.1, insert(number)))
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    assert result.outcomes["write-loop"].status is Status.CLEAN


def test_the_same_on_many_connections_at_once_is_traffic(tmp_path: Path) -> None:
    lines = [(n / 500, f"7.{n % 5}", 0.1, insert(n)) for n in range(100)]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    assert result.outcomes["write-loop"].status is Status.CLEAN
    alone = [(n / 500, "7.1", 0.1, insert(n)) for n in range(100)]
    (finding,) = run(Options(inputs=[write_log(tmp_path / "log.csv", alone)])).findings
    assert finding.detector == "write-loop"
    assert any("COPY visits (page, who)" in one.text for one in finding.recommendations)


def test_a_sampled_or_censored_log_cannot_tell(tmp_path: Path) -> None:
    lines = [(n / 5, "7.1", 120.0, insert(n)) for n in range(3)]
    path = write_log(tmp_path / "log.csv", lines)
    result = run(Options(inputs=[path], log_min_duration_ms=100))
    assert result.outcomes["write-loop"].status is Status.NOT_APPLICABLE


def test_counters_alone_cannot_tell() -> None:
    assert outcome("write-loop", "everything.jsonl").status is Status.NOT_APPLICABLE


def test_loops_that_differ_in_columns_alone_have_keys_of_their_own(tmp_path: Path) -> None:
    lines = [(n / 500, "7.1", 0.1, insert(n)) for n in range(20)]
    other = "INSERT INTO visits (page) VALUES ('{}')"
    lines += [(1 + n / 500, "7.1", 0.1, other.format(n)) for n in range(20)]
    findings = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)])).findings
    assert [one.detector for one in findings] == ["write-loop", "write-loop"]
    assert len({one.key for one in findings}) == 2


def test_two_loops_of_one_request_are_one_request(tmp_path: Path) -> None:
    between = [f"SELECT {one} FROM prices WHERE {one} IS NULL" for one in "abcdefghijkl"]
    texts = [*map(insert, range(6)), *between, *map(insert, range(6, 12))]
    lines = [(n / 500, "7.1", 0.1, text) for n, text in enumerate(["BEGIN", *texts, "COMMIT"])]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    (finding,) = result.outcomes["write-loop"].findings
    assert isinstance(finding.evidence, WriteLoopEvidence)
    assert (finding.evidence.occurrences, finding.impact.requests) == (2, 1)
    assert finding.impact.round_trips == 10
