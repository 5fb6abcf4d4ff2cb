"""On a real server: the P95 of a whole log, and of its slow executions and the counters, agree."""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.model.target import Target
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

# Most are fast, some sleep for a while; one statement is never slow.
SCRIPT = r"""
\set aid random(1, 1000)
\set draw random_exponential(0, 400, 5)
\set nap :draw / 20
SELECT balance FROM accounts WHERE aid = :aid;
SELECT balance, pg_sleep(:nap / 1000.0) FROM accounts WHERE aid = :aid;
UPDATE accounts SET balance = balance + 1 WHERE aid = :aid;
"""
TABLE = """
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE TABLE accounts (aid int PRIMARY KEY, balance int NOT NULL);
INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 1000) AS n;
"""
COUNTERS = """
COPY (SELECT s.*, d.datname FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid
WHERE d.datname = '{database}') TO STDOUT (FORMAT csv, HEADER)
"""


def captured(server: "Server", mode: str, folder: Path) -> tuple[Path, Path]:
    """A run of pgbench in a protocol's mode: its log with every execution, and the counters."""
    database = f"pgbench_{mode}"
    dsn = server.create_database(database)
    server.psql(TABLE, dsn)
    script = folder / "script.sql"
    script.write_text(SCRIPT, encoding="utf-8")
    server.flush_logs()
    begin = server.log_path().stat().st_size
    server.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    server.psql("SELECT pg_stat_statements_reset()")
    pgbench = (server.bin_directory / "pgbench", "-n", "-M", mode, "-c", "4", "-t", "150")
    subprocess.run(
        [*pgbench, "--random-seed=7", "-f", script, dsn], check=True, capture_output=True
    )
    counters = folder / "pg_stat_statements.csv"
    counters.write_text(server.psql(COUNTERS.format(database=database)) + "\n", encoding="utf-8")
    server.flush_logs()
    written = server.log_path().read_bytes()[begin:].decode().splitlines(keepends=True)
    log = folder / "postgresql.log"
    log.write_text("".join(entries(written, f"@{database}/pgbench ", 0.0)), encoding="utf-8")
    return log, counters


def entries(lines: list[str], whose: str, threshold_ms: float) -> list[str]:
    """What the server would have logged under a threshold: lines of slow entries, and of no plans."""
    kept, keeps = [], False
    for line in lines:
        head, found, rest = line.partition("LOG:  duration: ")
        if found:
            slow = float(rest.partition(" ms")[0]) >= threshold_ms
            keeps = whose in head and slow and " ms  plan:" not in line
        elif " LOG:  " in line:
            keeps = False
        if keeps:
            kept.append(line)
    return kept


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_slow_executions_and_counters_agree_with_the_whole_log(
    mode: str, postgres15: "Server", tmp_path: Path
) -> None:
    log, counters = captured(postgres15, mode, tmp_path)
    whole = run(Options(inputs=[str(log)], log_min_duration_ms=0)).document["target"]
    assert (whole["method"], whole["executions"]) == ("exact", 3 * 4 * 150)
    truth = whole["value_ms"]
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    slow = tmp_path / "slow.log"
    for share, place in ((0.7, "in the tail"), (1.3, "below the threshold")):
        threshold_ms = truth * share
        slow.write_text("".join(entries(lines, "", threshold_ms)), encoding="utf-8")
        inputs = [str(slow), str(counters)]
        for target_ms in (truth * 0.95, truth * 1.05, threshold_ms):
            options = Options(
                inputs=inputs, log_min_duration_ms=threshold_ms, target=Target(target_ms)
            )
            target = run(options).document["target"]
            assert (target["method"], target["executions"]) == ("tail-exact", whole["executions"])
            assert target["low_ms"] <= truth <= target["high_ms"], place
            right = "met" if truth <= target_ms else "missed"
            assert target["verdict"] in (right, "unknown")
            if threshold_ms <= target_ms:
                assert target["verdict"] == right
            if share < 1:
                assert target["value_ms"] == truth
