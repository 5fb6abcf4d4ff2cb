"""On a real server: a log of slow executions and the counters between two nights give the exact P95."""

import json
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from analyzer.configuration import read_configuration
from analyzer.history import open_store
from analyzer.history.keeping import trend_rows
from analyzer.nightly.job import Asked, run_night
from analyzer.nightly.settings import read_settings

THRESHOLD_MS = 20
FAST, SLOW, SLOWER = 184, 10, 6  # of 200, ten may be above the P95: it is a slow one
CONFIG = """
[target]
ms = 25
[history]
path = "history.db"
[[servers]]
name = "prod"
dsn_env = "PG95_TEST_DSN"
[[logs]]
name = "prod"
paths = ["{log}"]
settle_minutes = 0
[outputs]
json = "report.json"
"""


class Server(Protocol):
    """What this test uses of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...
    def create_database(self, name: str) -> str: ...
    def flush_logs(self) -> None: ...
    def log_path(self, log_format: str = "stderr") -> Path: ...


def run_traffic(dsn: str) -> None:
    """Most are too fast to be logged; the rest sleep."""
    with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as connection:
        for number in range(FAST):
            connection.execute(f"SELECT note FROM items WHERE id = {number}".encode())
        for seconds, count in ((0.03, SLOW), (0.08, SLOWER)):
            for _ in range(count):
                connection.execute(f"SELECT id, pg_sleep({seconds}) FROM items LIMIT 1".encode())


@pytest.mark.parametrize("version", ["15", "18"])
def test_the_tail_of_a_night_is_exact(
    version: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    server: Server = request.getfixturevalue(f"postgres{version}")
    dsn = server.create_database("night_tail")
    server.psql(
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE TABLE items AS "
        "SELECT n AS id, 'x' AS note FROM generate_series(1, 500) AS n;"
        f"ALTER DATABASE night_tail SET log_min_duration_statement = {THRESHOLD_MS}",
        dsn,
    )
    monkeypatch.setenv("PG95_TEST_DSN", dsn)
    (tmp_path / "pg95.toml").write_text(CONFIG.format(log=server.log_path()))
    configuration = read_configuration(str(tmp_path / "pg95.toml"))
    settings = read_settings(configuration)
    run_night(settings, configuration, Asked(), lambda _step: None)
    run_traffic(dsn)
    server.flush_logs()
    run_night(settings, configuration, Asked(), lambda _step: None)
    document: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    target = document["target"]
    assert (target["method"], target["verdict"]) == ("tail-exact", "missed"), target["reason"]
    # What waits for the log runs statements, too, and so may what looks after the server.
    assert FAST + SLOW + SLOWER <= target["executions"] <= FAST + SLOW + SLOWER + 6
    assert target["low_ms"] == target["value_ms"] == target["high_ms"]
    assert 30 <= target["value_ms"] < 80
    (slow,) = [one for one in document["statements"] if "pg_sleep" in one["sql"]]
    assert (slow["calls"], slow["method"]) == (SLOW + SLOWER, "tail-exact")
    with open_store(str(tmp_path / "history.db")) as store, store.reading() as reader:
        last = trend_rows(reader, 25.0, 0.95, 0)[-1]
    known = {name: target[name] for name in ("low_ms", "high_ms", "method", "verdict")}
    known |= {"p95_ms": target["value_ms"]}
    assert {name: last[name] for name in known} == known
    assert last["calls"] >= target["executions"]  # the server's log may have more of this day
    server.psql("DROP DATABASE night_tail WITH (FORCE)")
