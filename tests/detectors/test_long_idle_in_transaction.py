"""long-idle-in-transaction on captures, on holes in a log, and over slices."""

from pathlib import Path

import pytest
from neighbours import analysed, judged_in_slices, outcome, write_log

from analyzer.model.evidence import IdleInTransactionEvidence
from analyzer.model.finding import Finding, Severity, Status
from analyzer.pipeline import Options, Result, run

DETECTOR = "long-idle-in-transaction"
UPDATE = "UPDATE stock SET n = n - 1 WHERE id = 3"


def found_in(result: Result) -> list[Finding]:
    return [one for one in result.findings if one.detector == DETECTOR]


def evidence_of(finding: Finding) -> IdleInTransactionEvidence:
    assert isinstance(finding.evidence, IdleInTransactionEvidence)
    return finding.evidence


def test_rests_with_locks_are_found() -> None:
    found = [evidence_of(one) for one in found_in(analysed("idle.log"))]
    rests = {one.sql.split()[0]: one for one in found}
    assert rests.keys() == {"UPDATE", "SELECT"}
    assert rests["UPDATE"].longest_ms == pytest.approx(1300, abs=100)
    assert (rests["UPDATE"].next_sql or "").startswith("INSERT")
    assert rests["SELECT"].longest_ms == pytest.approx(1100, abs=100)
    assert rests["SELECT"].next_sql is None  # COMMIT


@pytest.mark.parametrize(
    "name",
    [
        "idle_elsewhere.log",  # before the first write, and outside
        "cancelled.log",  # a statement ran, and failed
        "chatty.log",
        "nplusone/django/insert_loop_tx.log",
    ],
)
def test_rests_without_locks_are_clean(name: str) -> None:
    assert outcome(DETECTOR, name).status is Status.CLEAN


@pytest.mark.parametrize(
    ("first", "table"),
    [
        ("COPY orders (a) FROM STDIN", "orders"),
        ("LOCK TABLE orders IN SHARE MODE", "no table"),
        ("ALTER TABLE orders ADD a int", "no table"),
        ("EXPLAIN ANALYZE DELETE FROM orders", "no table"),
        ("COPY (SELECT a FROM orders) TO STDOUT", None),
        ("EXPLAIN SELECT a FROM orders", None),
        ("PREPARE p AS SELECT a FROM orders", None),
        ("LOCK TABLE orders IN ACCESS SHARE MODE", None),
        ("CREATE TEMP TABLE mine AS SELECT a FROM orders", None),
    ],
)
def test_what_takes_locks(tmp_path: Path, first: str, table: str | None) -> None:
    lines = [
        (0.0, "7.1", 0.1, "BEGIN"),
        (0.1, "7.1", 0.1, first),
        (5.0, "7.1", 0.1, "SELECT b FROM orders LIMIT 5"),
        (5.1, "7.1", 0.1, "COMMIT"),
    ]
    found = found_in(run(Options(inputs=[write_log(tmp_path / "log.csv", lines)])))
    behind = [one.title.partition(" of ")[2] for one in found]
    assert behind == ([] if table is None else [table])


def test_a_log_with_holes_is_not_taken_at_its_word() -> None:
    result = analysed("logs/mixed.csv.xz")  # cut out of a longer one
    assert result.outcomes[DETECTOR].status is Status.CLEAN


def test_others_at_work_meanwhile_show_that_the_log_is_whole(tmp_path: Path) -> None:
    lines = [(n / 20, "8.1", 0.1, f"SELECT a FROM t{n % 7} LIMIT 5") for n in range(400)]
    mine = [
        (5.0, "7.1", 0.1, "BEGIN"),
        (5.01, "7.1", 0.1, UPDATE),
        (17.01, "7.1", 0.1, "COMMIT"),
    ]
    path = write_log(tmp_path / "log.csv", sorted([*lines, *mine]))
    (finding,) = found_in(run(Options(inputs=[path])))
    assert evidence_of(finding).longest_ms == pytest.approx(12_000, abs=1)
    assert finding.severity is Severity.MEDIUM
    hole = [one for one in lines if not 5.02 < one[0] < 17]
    path = write_log(tmp_path / "log.csv", sorted([*hole, *mine]))
    assert found_in(run(Options(inputs=[path]))) == []


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_a_transaction_may_go_on_over_slices(tmp_path: Path, rows: int) -> None:
    """Longer than what a slice carries over to the next."""
    lines = [
        (0.0, "7.1", 0.1, "BEGIN"),
        (0.1, "7.1", 0.1, UPDATE),
        (0.2, "8.1", 0.1, "SELECT a FROM t LIMIT 5"),
        (90.0, "8.1", 0.1, "SELECT a FROM t LIMIT 5"),
        (180.0, "8.1", 0.1, "SELECT a FROM t LIMIT 5"),
        (200.0, "7.1", 0.1, "INSERT INTO log (a) VALUES (1)"),
        (270.0, "8.1", 0.1, "SELECT a FROM t LIMIT 5"),
        (300.0, "7.1", 0.1, "COMMIT"),
    ]
    outcomes = judged_in_slices(write_log(tmp_path / "log.csv", lines), rows)
    rests = {
        evidence_of(one).sql.split()[0]: evidence_of(one) for one in outcomes[DETECTOR].findings
    }
    assert rests["UPDATE"].longest_ms == pytest.approx(199_900, abs=1)
    assert rests["INSERT"].longest_ms == pytest.approx(100_000, abs=1)
    assert (rests["INSERT"].lock_sql or "").startswith("UPDATE stock")


def test_a_censored_log_cannot_show_rests(tmp_path: Path) -> None:
    lines = [
        (0.0, "7.1", 0.1, "BEGIN"),
        (0.1, "7.1", 200.0, UPDATE),
        (9.0, "7.1", 0.1, "COMMIT"),
    ]
    path = write_log(tmp_path / "log.csv", lines)
    result = run(Options(inputs=[path], log_min_duration_ms=100))
    assert result.outcomes[DETECTOR].status is Status.NOT_APPLICABLE
