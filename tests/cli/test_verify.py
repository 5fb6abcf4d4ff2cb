"""`--verify`: what is advised, built and run on a scratch server, and nothing left there or on --dsn."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import ServerError
from analyzer.indexes.verified import verify
from analyzer.model.explain import Sample
from analyzer.model.index_advice import CreatedIndex, IndexAdvice
from analyzer.sources.postgres.scratch_side import Side
from analyzer.sources.postgres.scratch_stage import LONGER
from analyzer.sources.postgres.verification import ScratchBench
from tests.sources.counted_work import count_work, pages

DDL = ("CREATE INDEX", "DROP INDEX", "CREATE EXTENSION", "ANALYZE lines", "ALTER ")


class Server(Protocol):
    """What these tests use of tests/conftest.py's servers."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("verify_shop")
    postgres15.psql(
        """
        CREATE TABLE orders (id int PRIMARY KEY, customer int, made int, pad text);
        CREATE TABLE lines (id int, order_id int REFERENCES orders, note text);
        CREATE TABLE notes (id int, n int);
        INSERT INTO notes SELECT n, n FROM generate_series(1, 5000) n;
        CREATE FUNCTION sly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
            RAISE WARNING 'sly was called'; RETURN $1; END $$;
        INSERT INTO orders SELECT n, CASE WHEN n <= 2000 THEN 7 ELSE 10 + n % 90 END,
            1000000 - n + (n * 7919 % 5), repeat('x', 40) FROM generate_series(1, 120000) AS n
            ORDER BY n * 7919 % 120001;
        INSERT INTO lines SELECT n, 1 + n % 120000, repeat('y', 20) FROM generate_series(1, 240000) n;
        """,
        dsn,
    )
    postgres15.psql("VACUUM ANALYZE", dsn)
    return dsn


@pytest.fixture(scope="module")
def refusal(shop: str, standby15: Server) -> str:
    """What is said of the copy as long as it is a replica."""
    with pytest.raises(ServerError) as refused:
        ScratchBench(at(standby15), shop, lambda _text: None)
    return str(refused.value)


@pytest.fixture(scope="module")
def scratch(refusal: str, standby15: Server) -> Server:
    """A copy of the server with the shop, which is made writable: what a restored backup is."""
    assert refusal
    standby15.psql("SELECT pg_promote()")
    return standby15


def at(scratch: Server) -> str:
    return f"postgresql://postgres@{scratch.host}:{scratch.port}/verify_shop"


def relations(server: Server, dsn: str) -> str:
    return server.psql("SELECT relname, reltuples FROM pg_class ORDER BY oid", dsn)


def created(sql: str) -> CreatedIndex:
    return CreatedIndex(sql, None, (), {}, "rule", "", "")


def judged(scratch: Server, shop: str, indexes: list[str], statements: list[str]) -> IndexAdvice:
    bench = ScratchBench(at(scratch), shop, lambda _text: None)
    advice = IndexAdvice(create=tuple(created(sql) for sql in indexes))
    return verify(advice, [Sample(f"s{n}", text) for n, text in enumerate(statements)], bench)


GOOD = "CREATE INDEX CONCURRENTLY good ON lines (order_id);"
BAD = "CREATE INDEX CONCURRENTLY bad ON orders (made);"
LOOKUP = "SELECT * FROM lines WHERE order_id = 77"
# The planner expects to meet customer 7 soon, whose orders are the last by `made`.
TRAP = "SELECT * FROM orders WHERE customer = 7 ORDER BY made LIMIT 1"


def test_an_index_that_makes_a_statement_slower_is_taken_out(
    scratch: Server, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_work(monkeypatch, pages)
    before = relations(scratch, at(scratch))
    found = judged(scratch, shop, [GOOD, BAD], [LOOKUP, TRAP])
    (kept,) = found.create
    assert kept.sql == GOOD
    assert kept.verified_by == "execution"
    assert kept.built_bytes is not None
    assert kept.built_bytes > 100_000
    (gain,) = kept.statements
    assert gain.before_ms is not None
    assert gain.after_ms is not None
    assert gain.after_ms < gain.before_ms / 5
    (rejected,) = found.notes
    assert (rejected.kind, rejected.indexes) == ("rejected", ("bad",))
    assert "makes a statement slower" in rejected.text
    assert "s1" in rejected.text
    assert found.verification is not None
    last = {one.shape_id: one for one in found.verification.trial.statements}
    assert last["s1"].used == frozenset()  # measured again without it
    assert not last["s1"].worse
    assert relations(scratch, at(scratch)) == before


def test_a_statement_that_ends_in_time_without_an_index_alone_counts_against_it(
    scratch: Server, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each execution whose plan has the index is ended by the limit, as a server would."""
    count_work(monkeypatch, lambda plan: pages(plan) / 100)
    run = Side.run

    def limited(self: Side, sample: Sample) -> tuple[float, dict[str, Any]]:
        if "pg95_trial_" in json.dumps(self.plan(sample)):
            raise psycopg.errors.QueryCanceled
        return run(self, sample)

    monkeypatch.setattr(Side, "run", limited)
    found = judged(scratch, shop, [BAD], [TRAP])
    assert not found.create
    assert found.verification is not None
    (slower,) = found.verification.rejected["bad"]
    assert slower.ended == len(slower.after_ms)
    assert slower.after > LONGER * slower.before
    assert "to at least" in found.notes[0].text


def test_of_two_indexes_in_a_plan_the_one_to_blame_goes(
    scratch: Server, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The join's other index is innocent."""
    count_work(monkeypatch, pages)
    statement = f"({TRAP}) UNION ALL SELECT * FROM orders WHERE pad = 'none' AND id IN (SELECT id FROM notes WHERE n = 7)"
    innocent = "CREATE INDEX CONCURRENTLY innocent ON notes (n);"
    found = judged(scratch, shop, [innocent, BAD], [statement])
    assert found.verification is not None
    both = found.verification.rejected["bad"]
    assert both[0].used == {"innocent", "bad"}
    assert [one.sql for one in found.create] == [innocent]


def test_what_does_not_only_read_is_neither_run_nor_built(scratch: Server, shop: str) -> None:
    before = relations(scratch, at(scratch))
    found = judged(
        scratch,
        shop,
        [
            GOOD,
            "CREATE INDEX CONCURRENTLY worse ON lines ((sly(id)));",
            "CREATE INDEX a ON lines (id); DROP TABLE lines;",
            "CREATE INDEX CONCURRENTLY odd ON missing (id);",
        ],
        [LOOKUP, "DELETE FROM lines", "SELECT sly(1)", "SELECT * FROM lines WHERE order_id = $1"],
    )
    told = {one.sql.split()[3]: one.verification or "" for one in found.create}
    assert "not proved harmless: it calls sly()" in told["worse"]
    assert "does not exist" in told["odd"]
    assert found.create[2].verification is not None
    assert found.create[2].verified_by == "rule"
    assert found.verification is not None
    why = {one.shape_id: one.why_not for one in found.verification.trial.statements}
    assert why == {
        "s0": None,
        "s1": "it writes (DELETE)",
        "s2": "it calls sly(), which is not known to only read",
        "s3": "the values of its parameters are not known",
    }
    scratch.flush_logs()
    assert "sly was called" not in scratch.log_path().read_text()
    assert relations(scratch, at(scratch)) == before


def test_an_index_that_nothing_uses_is_said_to_be(scratch: Server, shop: str) -> None:
    found = judged(scratch, shop, ["CREATE INDEX CONCURRENTLY i ON lines (note);"], [LOOKUP])
    (one,) = found.create
    assert one.verified_by == "rule"
    assert one.verification == "built, and none of the statements that could be run used it"


LOG = """\
2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 40.000 ms  statement: SELECT * FROM lines WHERE order_id = 77
2026-11-20 10:00:01.000 UTC [77] app@shop LOG:  duration: 40.000 ms  execute s1: SELECT note FROM lines WHERE order_id = $1
2026-11-20 10:00:01.000 UTC [77] app@shop DETAIL:  parameters: $1 = '78'
"""


def test_the_command_says_what_was_measured_and_where(
    scratch: Server, shop: str, postgres15: Server, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    postgres15.flush_logs()
    seen = len(postgres15.log_path().read_text())
    given = ["indexes", str(log), "--dsn", shop, "--verify", at(scratch)]
    done = CliRunner().invoke(cli, [*given, "--format", "json"])
    assert done.exit_code == 0, done.output
    assert "builds indexes in database verify_shop as role postgres on" in done.stderr
    document = json.loads(done.stdout)
    (index,) = document["indexes"]["create"]
    assert index["verified_by"] == "execution"
    assert len(index["statements"]) == 2
    assert all(one["after_ms"] < one["before_ms"] for one in index["statements"])
    assert document["indexes"]["verification"]["server"].endswith("/verify_shop")
    postgres15.flush_logs()
    logged = postgres15.log_path().read_text()[seen:]
    assert "pg95" in logged
    assert not [word for word in DDL if word in logged]
    assert "good" not in relations(scratch, at(scratch))
    text = CliRunner().invoke(cli, given).stdout
    assert "verified by execution" in text
    assert "2 statements that use it were run" in text
    alone = CliRunner().invoke(cli, given[:-2]).stdout
    assert "Not verified by execution" in alone


def test_servers_that_nothing_is_built_on(shop: str, postgres15: Server, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    for dsn in (shop, postgres15.dsn):
        done = CliRunner().invoke(cli, ["indexes", str(log), "--dsn", shop, "--verify", dsn])
        assert isinstance(done.exception, ServerError)
        assert "is the server of --dsn, on which nothing is ever built" in str(done.exception)


def test_ctrl_c_leaves_nothing(scratch: Server, shop: str, tmp_path: Path) -> None:
    """Pressed while a table is locked, so that it is for sure in the midst of building."""
    log = tmp_path / "app.log"
    log.write_text(LOG)
    before = relations(scratch, at(scratch))
    command = [sys.executable, "-m", "analyzer", "indexes", str(log), "--dsn", shop]
    with psycopg.connect(at(scratch)) as holder:
        holder.execute("LOCK TABLE lines IN ROW EXCLUSIVE MODE")
        with subprocess.Popen(
            [*command, "--verify", at(scratch)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - no threads here
        ) as process:
            wait_for(scratch, "CREATE INDEX", 1)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
    assert process.returncode != 0, told
    wait_for(scratch, "CREATE INDEX", 0)
    assert relations(scratch, at(scratch)) == before


def _heed_ctrl_c() -> None:
    """Programs started in a shell's background ignore it, and so does what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def wait_for(server: Server, text: str, sessions: int) -> None:
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg95' "
        f"AND query LIKE '%{text} %' AND state = 'active'"
    )
    deadline = time.monotonic() + 30
    while int(server.psql(asked)) != sessions:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_replica_is_not_built_on(refusal: str) -> None:
    assert "is in recovery (a replica), where nothing can be built" in refusal


def test_queries_of_files_are_run_as_well(scratch: Server, shop: str, tmp_path: Path) -> None:
    (tmp_path / "lookup.sql").write_text(LOOKUP + ";")
    (tmp_path / "write.sql").write_text("DELETE FROM lines WHERE order_id = 3;")
    given = ["indexes", "--queries", str(tmp_path), "--dsn", shop, "--verify", at(scratch)]
    done = CliRunner().invoke(cli, [*given, "--format", "json"])
    assert done.exit_code == 0, done.output
    advice = json.loads(done.stdout)["indexes"]
    assert [one["verified_by"] for one in advice["create"]] == ["execution"]
    assert advice["verification"]["not_run"] == {"it writes (DELETE)": 1}
