"""chatty-transaction on captures of a Django program, and over slices."""

from pathlib import Path

import pytest
from neighbours import judged_in_slices, only_finding, outcome, write_log

from analyzer.model.evidence import ChattyTransactionEvidence
from analyzer.model.finding import Status
from analyzer.pipeline import Options, run

DETECTOR = "chatty-transaction"


def test_round_trips_behind_the_first_lock_are_found() -> None:
    finding = only_finding(DETECTOR, "chatty.log")
    found = finding.evidence
    assert isinstance(found, ChattyTransactionEvidence)
    assert (found.table, found.transactions, found.of_transactions) == ("accounts", 2, 2)
    assert found.round_trips.median == 26
    assert 150 < found.held_ms <= found.longest_ms < 1000
    assert found.running_share < 0.5
    assert finding.recommendations[0].kind == "setting"


@pytest.mark.parametrize(
    "name",
    [
        "reads_before.log",  # the same, but nothing is locked meanwhile
        "nplusone/django/insert_loop_tx.log",  # write-loop says it already
        "update_or_create_loop.log",
        "bulk_writes.log",
        "idle.log",
    ],
)
def test_short_or_explained_transactions_are_clean(name: str) -> None:
    assert outcome(DETECTOR, name).status is Status.CLEAN


def reads(second: float, columns: str) -> list[tuple[float, str, float, str]]:
    return [
        (second + n * 0.02, "7.1", 0.1, f"SELECT {one} FROM prices WHERE {other} IS NULL")
        for n, (one, other) in enumerate((a, b) for a in columns for b in columns)
    ]


def test_a_migration_is_left_out(tmp_path: Path) -> None:
    change = [(0.0, "7.1", 0.1, "BEGIN"), (0.01, "7.1", 0.1, "ALTER TABLE prices ADD a int")]
    lines = [*change, *reads(0.02, "abcdef"), (5.0, "7.1", 0.1, "COMMIT")]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    assert result.outcomes[DETECTOR].status is Status.CLEAN


def test_one_long_transaction_is_enough(tmp_path: Path) -> None:
    begin = [
        (0.0, "7.1", 0.1, "BEGIN"),
        (0.01, "7.1", 0.1, "UPDATE stock SET n = n - 1 WHERE id = 3"),
    ]
    lines = [*begin, *reads(0.05, "abcdef"), (1.2, "7.1", 0.1, "COMMIT")]
    result = run(Options(inputs=[write_log(tmp_path / "log.csv", lines)]))
    (finding,) = [one for one in result.findings if one.detector == DETECTOR]
    assert isinstance(finding.evidence, ChattyTransactionEvidence)
    assert finding.evidence.round_trips.median == 36
    assert finding.evidence.held_ms == pytest.approx(1190)


@pytest.mark.parametrize("rows", [1, 7, 20, 1000])
def test_rests_in_earlier_slices_do_not_count(tmp_path: Path, rows: int) -> None:
    """A transaction longer than what a slice carries over, with rests in two of its parts."""
    texts = [one[3] for one in reads(0.0, "abcdef")]
    lines = [
        (0.0, "7.1", 0.1, "BEGIN"),
        (0.1, "7.1", 0.1, "UPDATE stock SET n = n - 1 WHERE id = 3"),
        *((90.0 * n, "8.1", 0.1, "SELECT a FROM t LIMIT 5") for n in range(1, 6)),
        *((200.0 + n * 0.05, "7.1", 0.1, text) for n, text in enumerate(texts[:18])),
        *((300.0 + n * 0.05, "7.1", 0.1, text) for n, text in enumerate(texts[18:])),
        (400.0, "7.1", 0.1, "COMMIT"),
    ]
    path = write_log(tmp_path / "log.csv", sorted(lines))
    (finding,) = judged_in_slices(path, rows)[DETECTOR].findings
    assert isinstance(finding.evidence, ChattyTransactionEvidence)
    assert finding.evidence.round_trips.median == 36
    assert finding.evidence.held_ms == pytest.approx(1700.3)
