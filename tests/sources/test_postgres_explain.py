"""Plans of a running server: what is explained, what is run, and what is refused, on 15 and 18."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest

from analyzer.errors import ServerError
from analyzer.model.explain import Explained, ExplainRequest, Sample
from analyzer.sources.postgres.explain import LiveExplainer

SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, made timestamptz DEFAULT now());
INSERT INTO items SELECT n, 'item ' || n FROM generate_series(1, 5000) AS n;
CREATE SEQUENCE numbers;
CREATE VIEW shown AS SELECT id, nextval('numbers') FROM items;
CREATE FUNCTION upper(int) RETURNS text LANGUAGE sql VOLATILE AS 'SELECT nextval(''numbers'')::text';
CREATE FUNCTION touched(items) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT nextval(''numbers'')';
CREATE FUNCTION unsure(int, int) RETURNS bool LANGUAGE sql VOLATILE AS 'SELECT nextval(''numbers'') > 0';
CREATE OPERATOR <<<>>> (LEFTARG = int, RIGHTARG = int, FUNCTION = unsure);
CREATE TABLE guarded (id int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE TYPE pair AS (a int, b int);
CREATE TABLE pairs (id int, two pair);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE moods (id int, mood mood);
ANALYZE items;
"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self, log_format: str = "stderr") -> Path: ...


@pytest.fixture(scope="module")
def dsn15(postgres15: Server) -> str:
    return _made(postgres15, "explained")


def _made(server: Server, name: str) -> str:
    dsn = server.create_database(name)
    server.psql(SCHEMA, dsn)
    return dsn


def explain(
    dsn: str,
    *texts: str,
    values: Sequence[str | None] | None = None,
    analyze: bool = False,
    seconds: float = 30,
) -> list[Explained]:
    samples = [
        Sample(str(n), text, None if values is None else tuple(values))
        for n, text in enumerate(texts)
    ]
    request = ExplainRequest(analyze=analyze, max_seconds=seconds)
    return list(LiveExplainer(dsn).explain(samples, request).answers)


def plan(answer: Explained) -> dict[str, Any]:
    assert answer.document is not None, answer.why_not
    (document,) = json.loads(answer.document)
    assert isinstance(document["Plan"], dict)
    return document["Plan"]


def test_a_text_with_literals_is_explained_as_it_ran(dsn15: str) -> None:
    (found,) = explain(dsn15, "SELECT * FROM items WHERE name = '100% of it'")
    assert plan(found)["Node Type"] == "Seq Scan"
    assert "'100% of it'" in plan(found)["Filter"]
    assert "Actual Rows" not in plan(found)
    assert (found.analyzed, found.why_not) == (False, None)


def test_known_values_are_bound(dsn15: str) -> None:
    text = "SELECT * FROM items WHERE id < $1 AND name <> $2"
    few, many = (
        plan(explain(dsn15, text, values=(limit, "it's"))[0])["Plan Rows"]
        for limit in ("10", "4000")
    )
    assert few < 20
    assert many > 3000
    (found,) = explain(dsn15, "SELECT * FROM items WHERE id = $1", values=(None,))
    assert plan(found)["Node Type"] in ("Result", "Index Scan")


@pytest.mark.parametrize("version", ["15", "18"])
def test_unknown_values_give_the_generic_plan(version: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(f"postgres{version}")
    dsn = _made(server, "explained_generic")
    found = explain(
        dsn,
        "SELECT * FROM items WHERE id = $1 LIMIT $2",
        "INSERT INTO items (id, name) VALUES ($1, $2)",
        "SELECT * FROM items WHERE missing = $1",
        "SELECT count(*) FROM items WHERE id < $1",
    )
    assert "$1" in plan(found[0])["Plans"][0]["Index Cond"]
    assert plan(found[1])["Node Type"] == "ModifyTable"
    assert found[2].why_not == 'the server: column "missing" does not exist'
    assert plan(found[3])["Node Type"] == "Aggregate"
    server.flush_logs()
    assert _run_by_pg95(server, "explained_generic", "ANALYZE") == []


def test_what_reads_only_is_run(dsn15: str) -> None:
    texts = (
        "SELECT i.id, lower(i.name) FROM items i JOIN items j USING (id) WHERE i.name LIKE 'item 1%' ORDER BY 2",
        "WITH few AS (SELECT * FROM items WHERE id BETWEEN 1 AND 9) SELECT count(*) FROM few",
        "SELECT * FROM moods WHERE mood = 'good'::mood",
        "SELECT date_trunc('day', made), count(*) FROM public.items GROUP BY 1 HAVING count(*) > 3",
    )
    for answer in explain(dsn15, *texts, analyze=True):
        assert answer.why_not is None
        assert answer.analyzed
        assert "Actual Rows" in plan(answer)
        assert "Shared Hit Blocks" in plan(answer)
    (bound,) = explain(dsn15, "SELECT name FROM items WHERE id = $1", values=("7",), analyze=True)
    assert plan(bound)["Actual Rows"] == 1


REFUSED = {
    "SELECT nextval('numbers')": "nextval()",
    "SELECT pg_sleep(0)": "pg_sleep()",
    "SELECT set_config('a.b', '1', false)": "set_config()",
    "SELECT public.touched(i) FROM items i": "not PostgreSQL's own (public.touched)",
    "SELECT i.touched FROM items i": "user-defined function touched()",
    "SELECT (i).touched FROM items i": "user-defined function touched()",
    "SELECT upper(id) FROM items": "user-defined function upper()",
    "SELECT * FROM items WHERE id <<<>>> 1": "user-defined operator <<<>>>",
    "SELECT * FROM items WHERE id OPERATOR(public.<<<>>>) 1": "an operator that is not PostgreSQL's own",
    "SELECT * FROM items FOR UPDATE": "locks rows",
    "SELECT * FROM (SELECT * FROM items FOR SHARE) AS x": "locks rows",
    "WITH gone AS (DELETE FROM items RETURNING *) SELECT * FROM gone": "DELETE",
    "UPDATE items SET name = '' WHERE id = 1": "UPDATE",
    "SELECT * FROM shown": "a view",
    "SELECT * FROM guarded": "row security",
    "SELECT * FROM pairs": "user-defined type",
    "SELECT ROW(1, 2)::pair": "user-defined type pair",
    "SELECT * FROM items TABLESAMPLE SYSTEM (10)": "TABLESAMPLE",
    "SELECT * FROM items WHERE id = $1": "values of its parameters are not known",
}


def test_what_may_do_more_than_read_is_planned_and_not_run(dsn15: str, postgres15: Server) -> None:
    answers = explain(dsn15, *REFUSED, analyze=True)
    for answer, (text, reason) in zip(answers, REFUSED.items(), strict=True):
        assert answer.why_not is not None, text
        assert reason in answer.why_not, text
        assert not answer.analyzed
        assert "Actual Rows" not in plan(answer)
    assert postgres15.psql("SELECT is_called FROM numbers", dsn15) == "f"
    assert postgres15.psql("SELECT count(*) FROM items", dsn15) == "5000"


def test_what_is_no_single_plannable_statement_never_reaches_the_server(
    dsn15: str, postgres15: Server
) -> None:
    texts = (
        "SELECT 1; DROP TABLE items",
        "DROP TABLE items",
        "SELECT * INTO copied FROM items",
        "EXPLAIN ANALYZE DELETE FROM items",
        "SELECT 'cut off",
        "SELECT 1\0; DROP TABLE items",
    )
    for answer in explain(dsn15, *texts, analyze=True):
        assert answer.document is None
        assert answer.why_not
    explain(dsn15, "SELECT 'control'::int")  # which the server refuses, and logs with its text
    postgres15.flush_logs()
    rows = _rows_of_pg95(postgres15, "explained")
    said = ["\n".join((row[13], row[19])) for row in rows]  # the message, and the text it is about
    assert any("SELECT 'control'" in text for text in said)
    assert [text for text in said for one in texts if one.partition("\0")[0] in text] == []


def test_the_servers_log_shows_that_nothing_but_reads_ran(dsn15: str, postgres15: Server) -> None:
    explain(dsn15, *REFUSED, "SELECT count(*) FROM items", analyze=True)
    postgres15.flush_logs()
    analyzed = set(_run_by_pg95(postgres15, "explained", "EXPLAIN (ANALYZE"))
    assert any("SELECT count(*) FROM items" in text for text in analyzed)
    assert not [text for text in analyzed if text.partition("/* pg95 */ ")[2] in REFUSED]


def test_limits_are_answers(dsn15: str) -> None:
    slow = "SELECT count(*) FROM items a, items b, items c WHERE a.name < b.name || c.name"
    run, late = explain(dsn15, slow, "SELECT 1", analyze=True, seconds=0.5)
    assert (run.analyzed, run.timed_out) == (False, True)
    assert "budget" in (late.why_not or "")
    assert (late.document, late.timed_out) == (None, True)


def test_values_in_what_the_server_says_are_not_told(dsn15: str) -> None:
    (found,) = explain(dsn15, "SELECT * FROM items WHERE id = $1", values=("secret",))
    assert found.document is None
    assert "secret" not in (found.why_not or "")
    assert "22P02" in (found.why_not or "")


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ServerError, match="cannot connect"):
        explain("postgresql://nobody@127.0.0.1:1/nothing", "SELECT 1")


def _rows_of_pg95(server: Server, database: str) -> list[list[str]]:
    """What the server logged of pg95's sessions, by csvlog's columns."""
    with server.log_path("csvlog").open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if row[2] == database and row[22] == "pg95"]
    assert rows
    return rows


def _run_by_pg95(server: Server, database: str, beginning: str) -> list[str]:
    """Statements of pg95's sessions that the server logged and that hold a text."""
    return [
        row[13].partition(": ")[2].partition(": ")[2]
        for row in _rows_of_pg95(server, database)
        if "duration:" in row[13] and "plan:" not in row[13] and beginning in row[13]
    ]
