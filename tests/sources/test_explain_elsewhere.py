"""Plans asked of a standby, and through PgBouncer: what is answered, and what is said where it cannot be."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.model.explain import Explained, ExplainRequest, Sample
from analyzer.sources.postgres.explain import LiveExplainer

if TYPE_CHECKING:
    from conftest import Server

LOG = """\
2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 40.000 ms  statement: SELECT * FROM orders WHERE customer = 77
"""
SLOW = "SELECT count(*) FROM orders a, orders b WHERE a.customer < b.customer"
SECONDS = 30


@pytest.fixture(scope="module")
def shop(postgres15: "Server") -> str:
    """A database of the primary, by name."""
    dsn = postgres15.create_database("elsewhere")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements;"
        "CREATE TABLE orders (id int PRIMARY KEY, customer int, note text);"
        "INSERT INTO orders SELECT n, n % 20000, repeat('x', 60) FROM generate_series(1, 100000) AS n;"
        "ANALYZE orders;",
        dsn,
    )
    return dsn


@pytest.fixture
def replica(shop: str, postgres15: "Server", standby15: "Server") -> str:
    """The same database of the standby, as far as the primary is."""
    there = postgres15.psql("SELECT pg_current_wal_lsn()", shop)
    arrived = f"SELECT coalesce(pg_last_wal_replay_lsn() >= '{there}', false)"
    _until(lambda: standby15.psql(arrived) == "t")
    return f"postgresql://postgres@127.0.0.1:{standby15.port}/elsewhere"


def explain(dsn: str, *texts: str, values: Sequence[str | None] | None = None) -> list[Explained]:
    samples = [Sample(str(n), text, values) for n, text in enumerate(texts)]
    return list(LiveExplainer(dsn).explain(samples, ExplainRequest(analyze=True)).answers)


def test_a_standby_plans_runs_and_knows_generic_plans(replica: str, standby15: "Server") -> None:
    assert standby15.psql("SELECT pg_is_in_recovery()") == "t"
    run, bound, generic, write = explain(
        replica,
        "SELECT count(*) FROM orders WHERE customer = 5",
        "SELECT note FROM orders WHERE id = 7",
        "SELECT * FROM orders WHERE id = $1",
        "UPDATE orders SET note = 'x' WHERE id = 7",
    )
    assert (run.analyzed, bound.analyzed, generic.analyzed, write.analyzed) == (
        True,
        True,
        False,
        False,
    )
    assert "$1" in str(generic.document)
    assert "ModifyTable" in str(write.document)


def test_what_stands_in_the_way_of_the_primary_is_a_reason(
    replica: str, shop: str, postgres15: "Server", standby15: "Server"
) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(explain, replica, SLOW, "SELECT count(*) FROM orders WHERE id = 3")
        running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg95' AND query LIKE '%ANALYZE%'"
        _until(lambda: standby15.psql(running) == "1")
        postgres15.psql("DELETE FROM orders WHERE id > 99000; VACUUM orders;", shop)
        conflict, after = asked.result(SECONDS)
    assert (conflict.analyzed, conflict.timed_out) == (False, False)
    assert conflict.document is not None  # planned all the same
    assert "the replica cancelled it" in (conflict.why_not or "")
    assert after.analyzed


def test_what_was_answered_before_the_connection_was_lost_is_kept(
    replica: str, standby15: "Server"
) -> None:
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(explain, replica, "SELECT count(*) FROM orders", SLOW, "SELECT 1")
        running = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pg95' AND query LIKE '%a.customer%'"
        _until(lambda: standby15.psql(running) != "")
        standby15.psql(f"SELECT pg_terminate_backend(({running}))")
        first, lost, after = asked.result(SECONDS)
    assert first.analyzed
    assert (lost.document, after.document) == (None, None)
    assert (lost.why_not or "").startswith("the connection was lost")
    assert after.why_not == lost.why_not


def test_statistics_come_from_the_primary_and_plans_from_the_replica(
    replica: str, shop: str, postgres15: "Server", standby15: "Server", tmp_path: Path
) -> None:
    postgres15.psql("SELECT count(*) FROM orders WHERE customer = 4", shop)
    log = tmp_path / "app.log"
    log.write_text(LOG)
    ask = ("--dsn", shop, "--explain-dsn", replica, "--explain-analyze")
    document = _document("report", str(log), *ask)
    assert document["coverage"]["explained"]["origin"].endswith(f":{standby15.port}/elsewhere")
    assert document["coverage"]["explained"]["analyzed"] >= 1
    assert {plan["source"] for plan in document["plans"]} == {
        document["coverage"]["explained"]["origin"]
    }
    assert [table for table in document["tables"] if table["name"] == "orders"]
    assert any(str(postgres15.port) in source["path"] for source in document["coverage"]["sources"])
    alone = _document("plans", str(log), "--explain-dsn", replica, "--explain")
    assert [plan["source"] for plan in alone["plans"]] == [
        document["coverage"]["explained"]["origin"]
    ]


@pytest.fixture
def pgbouncer(shop: str, tmp_path: Path) -> Iterator[str]:
    """The primary's database behind PgBouncer in transaction mode, with a single server connection."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program is not None, "PgBouncer is needed: apt-get install pgbouncer"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = tmp_path / "pgbouncer.ini"
    user = "user = postgres\n" if os.geteuid() == 0 else ""  # it does not run as root either
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={psycopg.conninfo.conninfo_to_dict(shop)['port']} user=postgres\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = 1\n{user}"
    )
    process = subprocess.Popen([program, "-q", str(settings)], stderr=subprocess.DEVNULL)
    dsn = f"postgresql://postgres@127.0.0.1:{port}/elsewhere"
    try:
        _until(lambda: _answers(dsn))
        yield dsn
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_through_a_transaction_pooler(pgbouncer: str) -> None:
    run, generic, other = explain(
        pgbouncer,
        "SELECT count(*) FROM orders WHERE customer = 5",
        "SELECT * FROM orders WHERE id = $1",
        "SELECT note FROM orders WHERE customer = $1",
    )
    assert (run.analyzed, run.why_not) == (True, None)
    assert "$1" in str(generic.document)
    assert "$1" in str(other.document)
    with psycopg.connect(pgbouncer) as client:  # the one server connection, as pg95 left it
        left = client.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
        limits = [
            client.execute(f"SHOW {name}").fetchone()
            for name in ("statement_timeout", "plan_cache_mode", "default_transaction_read_only")
        ]
    assert left == (0,)
    assert limits == [("0",), ("auto",), ("off",)]


def _answers(dsn: str) -> bool:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as client:
            return client.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def _document(command: str, *arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, [command, *arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _until(holds: Any) -> None:  # noqa: ANN401 - a question
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
