"""On a real server: the P95 of a whole log, and of its slow executions and the counters, agree."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analyzer.model.target import Target
from analyzer.pipeline import Options, run
from analyzer.sources.options import ReadOptions

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
    bench(server, dsn, mode, script)
    counters = folder / "pg_stat_statements.csv"
    counters.write_text(server.psql(COUNTERS.format(database=database)) + "\n", encoding="utf-8")
    return logged(server, begin, f"@{database}/pgbench ", folder), counters


def bench(server: "Server", dsn: str, mode: str, script: Path) -> None:
    pgbench = (server.bin_directory / "pgbench", "-n", "-M", mode, "-c", "4", "-t", "150")
    subprocess.run(
        [*pgbench, "--random-seed=7", "-f", script, dsn], check=True, capture_output=True
    )


def logged(server: "Server", begin: int, whose: str, folder: Path) -> Path:
    """The server's log from a byte on, of the sessions whose prefix has `whose`."""
    server.flush_logs()
    written = server.log_path().read_bytes()[begin:].decode().splitlines(keepends=True)
    log = folder / "postgresql.log"
    log.write_text("".join(entries(written, whose, 0.0)), encoding="utf-8")
    return log


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


@pytest.mark.parametrize("version", ["15", "18"])
@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_slow_executions_and_counters_agree_with_the_whole_log(
    version: str, mode: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(f"postgres{version}")
    log, counters = captured(server, mode, tmp_path)
    whole = run(Options(inputs=[str(log)], log_min_duration_ms=0)).document["target"]
    assert (whole["method"], whole["executions"]) == ("exact", 3 * 4 * 150)
    truth = whole["value_ms"]
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    slow = tmp_path / "slow.log"
    for threshold_ms in (truth * 0.7, truth * 1.3, 20.0):  # in the tail, and below the threshold
        slow.write_text("".join(entries(lines, "", threshold_ms)), encoding="utf-8")
        inputs = [str(slow), str(counters)]
        for target_ms in (truth * 0.95, truth * 1.05, threshold_ms):
            options = Options(
                inputs=inputs, log_min_duration_ms=threshold_ms, target=Target(target_ms)
            )
            target = run(options).document["target"]
            assert (target["method"], target["executions"]) == ("tail-exact", whole["executions"])
            assert target["low_ms"] <= truth <= target["high_ms"], threshold_ms
            right = "met" if truth <= target_ms else "missed"
            assert target["verdict"] in (right, "unknown")
            if threshold_ms <= target_ms:
                assert target["verdict"] == right
            if threshold_ms < truth:
                assert target["value_ms"] == truth


@pytest.mark.parametrize("version", ["15", "18"])
def test_snapshots_at_both_ends_of_the_log_tell_how_many_executions_there_were(
    version: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Also where the counters were never reset, and know of slower executions before."""
    server: Server = request.getfixturevalue(f"postgres{version}")
    dsn = server.create_database("snapshots")
    server.psql(TABLE, dsn)
    server.psql("SELECT balance, pg_sleep(0.3) FROM accounts WHERE aid = 1", dsn)
    script = tmp_path / "script.sql"
    script.write_text(SCRIPT, encoding="utf-8")
    taken = [tmp_path / "before.json", tmp_path / "after.json"]
    begin = server.log_path().stat().st_size
    for path in taken:
        command = [sys.executable, "-m", "analyzer", "snapshot", "--dsn", dsn, "-o", path]
        subprocess.run(command, check=True, capture_output=True)
        if path is taken[0]:
            bench(server, dsn, "prepared", script)
    log = logged(server, begin, "@snapshots/pgbench ", tmp_path)
    truth = run(Options(inputs=[str(log)], log_min_duration_ms=0)).document["target"]["value_ms"]
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    slow = tmp_path / "slow.log"
    slow.write_text("".join(entries(lines, "", truth * 0.7)), encoding="utf-8")
    inputs = [str(slow), *map(str, taken)]
    options = Options(inputs=inputs, log_min_duration_ms=truth * 0.7)
    # How long it took to take them is not known to be idle time; said to be of the log's, it is.
    target = run(options).document["target"]
    assert target["low_ms"] <= truth * 1.02
    assert target["high_ms"] >= truth
    from_us, to_us = (json.loads(path.read_text())["taken_us"] for path in taken)
    target = run(replace(options, read=ReadOptions(since_us=from_us, until_us=to_us))).document[
        "target"
    ]
    assert target["method"] == "tail-exact", target["reason"]
    assert "difference of snapshots" in target["reason"]
    assert target["executions"] == pytest.approx(3 * 4 * 150, rel=0.02)
    assert target["value_ms"] == pytest.approx(truth, rel=0.05)
