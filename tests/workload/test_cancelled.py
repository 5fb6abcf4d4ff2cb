"""Cancelled executions count with at least their time, for every part of the traffic that they are of."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from analyzer.model.cancelled import StatementTimeouts
from analyzer.model.target import PatternTarget, Target
from analyzer.pipeline import Options, run
from analyzer.sources.options import ReadOptions
from analyzer.sql.timeouts import TimeoutChange, timeout_change

if TYPE_CHECKING:
    from tests.conftest import Server

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
QUERY = "SELECT total FROM orders WHERE id = 7"
PREFIX = "%m [%p] %u@%d/%a "
SHOP, JOBS = "app@shop/web", "app@shop/jobs"


class Script:
    """A log as a server writes it, entry by entry, a second apart unless said otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[str] = []
        self._at = START

    def _entry(self, text: str, who: str, pid: int, after_ms: float) -> None:
        self._at += timedelta(milliseconds=after_ms)
        at = self._at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        self._lines.append(f"{at} UTC [{pid}] {who} {text}\n")

    def ran(self, sql: str, *, ms: float = 2.0, who: str = SHOP, pid: int = 7) -> None:
        self._entry(f"LOG:  duration: {ms:.3f} ms  statement: {sql}", who, pid, 1_000)

    def stopped(
        self, sql: str = QUERY, *, by: str = "statement timeout", who: str = SHOP, pid: int = 7
    ) -> None:
        self._entry(f"ERROR:  canceling statement due to {by}", who, pid, 10_000)
        self._entry(f"STATEMENT:  {sql}", who, pid, 0)

    def document(
        self, *, targets: Sequence[PatternTarget] = (), ms: float = 100.0
    ) -> dict[str, Any]:
        self.path.write_text("".join(self._lines), encoding="utf-8")
        read = ReadOptions(log_line_prefix=PREFIX)
        options = Options([str(self.path)], read, target=Target(ms), targets=targets)
        return run(options).document


@pytest.fixture
def script(tmp_path: Path) -> Script:
    found = Script(tmp_path / "postgresql.log")
    found.ran("SELECT 1 FROM orders", ms=0.02)
    return found


def parts(document: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(one["dimension"], one["name"]): one for one in document["target"]["by"]}


def test_each_part_counts_those_of_its_own(script: Script) -> None:
    script.ran("SET statement_timeout = '5s'", who=JOBS, pid=8)
    for _ in range(20):
        script.ran(QUERY)
        script.ran(QUERY, who=JOBS, pid=8)
    for _ in range(10):
        script.stopped(who=JOBS, pid=8)
    document = script.document()
    jobs = parts(document)["application", "jobs"]
    assert (jobs["verdict"], jobs["executions"], jobs["low_ms"]) == ("missed", 30, 5_000.0)
    assert "10: the statement_timeout that their session had set" in jobs["reason"]
    assert ("application", "web") not in parts(document)
    assert document["target"]["verdict"] == "missed"
    assert document["target"]["low_ms"] == 5_000.0


@pytest.mark.parametrize("dimension", ["database", "user", "application"])
def test_who_only_ever_had_cancelled_ones_is_a_part_too(script: Script, dimension: str) -> None:
    theirs = "report@books/batch"
    script.ran("SET statement_timeout = 30000", who=theirs, pid=9)
    for _ in range(20):
        script.ran(QUERY)
    script.stopped("SELECT sum(total) FROM orders", who=theirs, pid=9)
    script.stopped("SELECT sum(total) FROM orders", who=theirs, pid=9)
    name = {"database": "books", "user": "report", "application": "batch"}[dimension]
    found = parts(script.document())[dimension, name]
    assert (found["verdict"], found["low_ms"], found["high_ms"]) == ("missed", 30_000.0, None)
    target = PatternTarget({dimension: name}, Target(200.0))
    mine = parts(script.document(targets=[target]))[dimension, name]
    assert (mine["configured"], mine["executions"], mine["verdict"]) == (True, 2, "missed")


def test_a_route_counts_what_was_cancelled_in_its_requests(script: Script) -> None:
    tag = " /*route='/orders'*/"
    script.ran("SET statement_timeout = 5000")
    for _ in range(30):
        script.ran(QUERY + tag)
    for _ in range(10):
        script.stopped(QUERY + tag)
    document = script.document()
    route = parts(document)["route", "/orders"]
    assert route["verdict"] == "missed"
    assert route["low_ms"] == 5_000.0  # whether these were requests of their own or of the thirty
    assert (route["high_ms"], route["executions"]) == (None, 30)
    assert "10 statements that were cancelled count" in route["reason"]


def test_nothing_is_guessed_where_a_timeout_is_not_sure(script: Script) -> None:
    script.ran("SELECT set_config('statement_timeout', '5s', false)")
    for _ in range(4):
        script.ran(QUERY)
    script.stopped()
    target = script.document()["target"]
    assert (target["low_ms"], target["high_ms"], target["verdict"]) == (2.0, None, "unknown")
    assert "statement_timeout is not sure" in target["reason"]


@pytest.mark.parametrize(
    ("before", "ms"),
    [
        (["SET statement_timeout = 3000"], 3_000.0),
        (["SET statement_timeout = 3000", "BEGIN", "SET LOCAL statement_timeout = 9000"], 9_000.0),
        (["SET statement_timeout = 3000", "BEGIN", "SET LOCAL statement_timeout = '9s'", "COMMIT"], 3_000.0),
        (["SET statement_timeout = 3000", "BEGIN", "SET statement_timeout = 9000", "ROLLBACK"], 3_000.0),
        (["BEGIN", "SET statement_timeout = 9000", "COMMIT"], 9_000.0),
        (["SET statement_timeout = 3000", "BEGIN", "SET statement_timeout = 9", "ROLLBACK TO a"], None),
        (["SET statement_timeout = 3000", "BEGIN", "ROLLBACK TO SAVEPOINT a", "COMMIT"], 3_000.0),
        (["SET statement_timeout = 3000", "RESET ALL"], None),
        (["SET statement_timeout = 3000", "DISCARD ALL"], None),
        (["SET statement_timeout = 3000; SET work_mem = '1MB'"], None),
        (["SET statement_timeout = 0"], None),
        (["SET LOCAL statement_timeout = 3000"], None),
    ],
)  # fmt: skip
def test_what_a_session_set_in_order(script: Script, before: list[str], ms: float | None) -> None:
    for sql in before:
        script.ran(sql, ms=0.1)
    script.stopped()
    (statement,) = [
        one for one in script.document()["target"]["reason"].split(";") if "cancelled" in one
    ]
    target = script.document()["target"]
    assert ("had set" in statement) == (ms is not None), target
    assert target["low_ms"] == (0.02 if ms is None else ms)


def test_a_log_that_does_not_tell_sessions_apart_tells_no_order(tmp_path: Path) -> None:
    at, log = "2026-11-22 08:00:0", tmp_path / "postgresql.log"
    log.write_text(
        f"{at}0.000 UTC LOG:  duration: 0.020 ms  statement: SET statement_timeout = 3000\n"
        f"{at}1.000 UTC LOG:  duration: 0.500 ms  statement: {QUERY}\n"
        f"{at}9.500 UTC ERROR:  canceling statement due to statement timeout\n"
        f"{at}9.500 UTC STATEMENT:  {QUERY}\n"
    )
    target = run(Options([str(log)], ReadOptions(log_line_prefix="%m "))).document["target"]
    assert (target["low_ms"], target["verdict"]) == (0.5, "unknown")
    assert "does not tell sessions apart" in target["reason"]


def test_a_log_of_slow_statements_hides_what_was_set(script: Script) -> None:
    script = Script(script.path)
    script.ran("SET statement_timeout = 5000", ms=80)
    for _ in range(30):
        script.ran(QUERY, ms=60)
    script.stopped()
    target = script.document()["target"]
    assert target["method"] == "bound"
    assert "a log without all statements hides what statement_timeout was set" in target["reason"]


def test_which_setting_a_session_begins_with() -> None:
    own = [("app", None, 1.0), ("app", "shop", 2.0), (None, "shop", 3.0), (None, None, 4.0)]
    all_levels = StatementTimeouts(9.0, own)
    assert all_levels.of("shop", "app") == (2.0, "of role app in database shop")
    assert all_levels.of("books", "app") == (1.0, "of role app")
    assert all_levels.of("shop", "eve") == (3.0, "of database shop")
    assert all_levels.of("books", "eve") == (4.0, "of all roles (ALTER ROLE ALL)")
    assert all_levels.of(None, "app") is None
    assert StatementTimeouts(9.0, []).of(None, None) == (9.0, "of the server")
    assert StatementTimeouts(None, own[:1]).of("shop", "eve") is None


def test_what_statements_do_to_the_timeout() -> None:
    def kinds(texts: Iterable[str]) -> list[TimeoutChange | None]:
        return [timeout_change(text) for text in texts]

    assert kinds(["SET statement_timeout TO '1min'", "SET SESSION statement_timeout = 250"]) == [
        TimeoutChange("set", 60_000.0),
        TimeoutChange("set", 250.0),
    ]
    assert kinds(["SET lock_timeout = 5", "ROLLBACK", "SELECT 1", "RESET work_mem"]) == [None] * 4
    unclear = ["DO $$ BEGIN SET statement_timeout = 5; END $$", "SET statement_timeout = ", "SET LOCAL statement_timeout TO DEFAULT"]  # fmt: skip
    assert kinds(unclear) == [TimeoutChange("unclear")] * 3


def test_on_a_server_by_the_session_and_by_the_role(postgres15: "Server", tmp_path: Path) -> None:
    dsn = postgres15.create_database("cancelled")
    postgres15.psql(
        "CREATE EXTENSION pg_stat_statements; CREATE ROLE hasty LOGIN;"
        "ALTER ROLE hasty IN DATABASE cancelled SET statement_timeout = '250ms';"
        "CREATE ROLE calm LOGIN",
        dsn,
    )
    postgres15.flush_logs()
    begin = postgres15.log_path().stat().st_size
    for user, first in (("calm", "SET statement_timeout = 300"), ("hasty", "SELECT 18")):
        with psycopg.connect(dsn, user=user, application_name=user, autocommit=True) as session:
            session.execute(first)
            session.execute("SELECT 17")
            for _ in range(3):
                with pytest.raises(psycopg.errors.QueryCanceled):
                    session.execute("SELECT pg_sleep(5)")
        time.sleep(1.1)  # a session's id tells whole seconds: the next one begins in a later one
    postgres15.flush_logs()
    lines = postgres15.log_path().read_bytes()[begin:].decode().splitlines(keepends=True)
    path = tmp_path / "postgresql.log"
    path.write_text("".join(one for one in lines if "@cancelled/" in one or one[:1] == "\t"))
    read = ReadOptions(log_line_prefix="%m [%p] %q%u@%d/%a %c %l ")
    without = run(Options([str(path)], read)).document
    calm = parts(without)["application", "calm"]
    assert (calm["low_ms"], calm["verdict"]) == (300.0, "missed")
    assert ("application", "hasty") not in parts(without)
    assert "--dsn would tell" in without["target"]["reason"]
    document = run(Options([str(path)], read, dsn=dsn)).document
    assert document["coverage"]["log_min_duration_ms"] is None
    hasty = parts(document)["user", "hasty"]
    assert (hasty["low_ms"], hasty["verdict"]) == (250.0, "missed")
    assert "of role hasty in database cancelled" in hasty["reason"]
