"""HypoPG asked on a real PostgreSQL 15: costs, sizes, refusals, and that nothing else happens there."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import psycopg
import pytest

from analyzer.errors import ServerError, WhatIfError
from analyzer.indexes.making import Maker
from analyzer.model.catalog import Column, Table
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.what_if import PlannedStatement
from analyzer.sources.postgres.hypopg import HypoPG

SCHEMA = """
CREATE EXTENSION hypopg;
CREATE TABLE visits (id int PRIMARY KEY, page int, state text, tags int[]);
INSERT INTO visits SELECT n, n % 5000, CASE n % 50 WHEN 0 THEN 'open' ELSE 'done' END, ARRAY[n]
FROM generate_series(1, 50000) AS n;
VACUUM ANALYZE visits;
"""
TABLE = Table("visits", tuple(Column(name, "integer") for name in ("id", "page", "state", "tags")))


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


def index(*columns: str, method: str = "btree", predicate: str | None = None) -> IndexCandidate:
    keys = [IndexKey(column, "equality") for column in columns]
    return Maker(TABLE, None).make(keys, method=method, predicate=predicate)


def asked(sql: str) -> PlannedStatement:
    return PlannedStatement("shape", sql)


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("hypopg_asked")
    postgres15.psql(SCHEMA, made)
    return made


@pytest.fixture
def hypopg(dsn: str) -> Iterator[HypoPG]:
    opened = HypoPG(dsn)
    yield opened
    opened.close()


def test_an_index_that_is_not_there_lowers_the_cost(hypopg: HypoPG) -> None:
    lookup = asked("SELECT * FROM visits WHERE page = 7")
    page = index("page")
    before, after = hypopg.estimate(lookup, ()), hypopg.estimate(lookup, [page])
    assert before.indexes == frozenset()
    assert after.indexes == {page.name}
    assert after.cost < before.cost / 5
    assert after.plan is not None
    assert page.name in [node.index for node in after.plan.root.walk()]
    assert (
        hypopg.estimate(lookup, [index("state")]).cost == before.cost
    )  # the other one is gone again
    assert hypopg.calls == 3


def test_what_it_estimates_is_what_the_real_index_costs(hypopg: HypoPG, dsn: str) -> None:
    lookup = asked("SELECT page FROM visits WHERE state = 'open'")
    partial = index("page", predicate="state = 'open'")
    guessed = hypopg.estimate(lookup, [partial])
    assert guessed.indexes == {partial.name}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(partial.sql)
        try:
            real = hypopg.estimate(lookup, ())
        finally:
            connection.execute(f"DROP INDEX {partial.name}")
    assert real.indexes == {partial.name}
    assert real.cost == pytest.approx(guessed.cost, rel=0.3)


def test_unknown_parameters_are_planned_generically(hypopg: HypoPG) -> None:
    page = index("page")
    for text in (
        "SELECT * FROM visits WHERE page = $1",
        "DELETE FROM visits WHERE page = $1",
        "UPDATE visits SET state = $1 WHERE page = $2",
    ):
        assert hypopg.estimate(asked(text), [page]).indexes == {page.name}


def test_what_it_cannot_try_is_said(hypopg: HypoPG) -> None:
    assert "gin" in (hypopg.refused(index("tags", method="gin")) or "")
    assert hypopg.refused(index("nowhere")) is not None
    assert hypopg.refused(index("page")) is None
    size = hypopg.size_bytes(index("page"))
    assert size is not None
    assert 500_000 < size < 4_000_000


def test_a_statement_that_has_no_plan_costs_only_itself(hypopg: HypoPG) -> None:
    for text in ("SELECT * FROM nowhere", "DROP TABLE visits", "SELECT 1; SELECT 2", "SELECT '"):
        with pytest.raises(WhatIfError):
            hypopg.estimate(asked(text), ())
    assert hypopg.estimate(asked("SELECT 1"), ()).cost < 1


def test_without_the_extension_the_error_says_what_to_do(postgres15: Server) -> None:
    bare = postgres15.create_database("hypopg_missing")
    with pytest.raises(ServerError, match="HypoPG is not installed in database hypopg_missing"):
        HypoPG(bare)


def test_nothing_but_questions_reaches_the_server(postgres15: Server, dsn: str) -> None:
    postgres15.flush_logs()
    seen = postgres15.log_path("csvlog").stat().st_size
    opened = HypoPG(dsn)
    opened.estimate(asked("DELETE FROM visits WHERE page = 1"), [index("page"), index("state")])
    opened.estimate(asked("SELECT * FROM visits WHERE page = $1"), [index("page")])
    opened.close()
    postgres15.flush_logs()
    with postgres15.log_path("csvlog").open(newline="") as log:
        log.seek(seen)
        rows = [row for row in csv.reader(log) if row[2] == "hypopg_asked" and row[22] == "pg95"]
    timed = [row[13] for row in rows if row[13].startswith("duration")]
    # auto_explain logs the plan of what took 5 ms beside the statement itself, which is held below.
    said = [text.partition(": ")[2] for text in timed if "ms  plan:" not in text.partition("\n")[0]]
    texts = [text.partition(": ")[2] for text in said if ": " in text]
    assert texts
    allowed = ("SELECT /* pg95 */", "-- ", "EXPLAIN (FORMAT JSON) /* pg95 */", "BEGIN READ ONLY")
    allowed += ("ROLLBACK", "DEALLOCATE", "DELETE FROM visits", "SELECT * FROM visits")
    assert [text for text in texts if not text.strip().startswith(allowed)] == []
    assert not any("ANALYZE" in text for text in texts if text.startswith("EXPLAIN"))
    assert postgres15.psql("SELECT count(*) FROM visits", dsn) == "50000"
    assert postgres15.psql("SELECT count(*) FROM pg_indexes WHERE tablename = 'visits'", dsn) == "1"
