"""Views from SQL: a statement over them leads to the same tables as with the live server's catalog."""

import subprocess
from pathlib import Path
from typing import Protocol

import pytest

from analyzer.model.access import StatementAccess
from analyzer.model.catalog import Catalog
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from analyzer.sources.schema.sql import read_schema
from analyzer.sql.access import statement_access


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    bin_directory: Path

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


SCRIPT = """
CREATE SCHEMA sales;
CREATE TABLE people (id int PRIMARY KEY, name text, team int, gone timestamp);
CREATE TABLE sales.orders (id int PRIMARY KEY, person_id int, state text, made date, total int);
CREATE VIEW present AS SELECT * FROM people WHERE gone IS NULL;
CREATE VIEW sales.open (number, buyer, since) AS
    SELECT o.id, o.person_id, o.made FROM sales.orders AS o WHERE o.state = 'open';
CREATE OR REPLACE VIEW buyers AS
    SELECT p.name, p.team, b.since FROM present p JOIN sales.open b ON b.buyer = p.id;
CREATE RECURSIVE VIEW steps (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM steps WHERE n < 9;
CREATE VIEW old AS SELECT id FROM people;
ALTER VIEW old RENAME TO older;
ALTER VIEW older SET SCHEMA sales;
CREATE VIEW gone AS SELECT id FROM people;
DROP VIEW gone;
CREATE MATERIALIZED VIEW totals AS SELECT person_id, sum(total) AS total FROM sales.orders GROUP BY 1;
"""
STATEMENTS = [
    "SELECT name FROM present WHERE team = 3",
    "SELECT number FROM sales.open WHERE buyer = 7 ORDER BY since DESC LIMIT 5",
    "SELECT name FROM buyers WHERE team = 3 AND since > date '2024-01-01'",
    "SELECT * FROM sales.older WHERE id = 5",
    "SELECT total FROM totals WHERE person_id = 5",
    "SELECT b.name, s.n FROM buyers b, steps s WHERE b.team = s.n",
    "UPDATE present SET team = 4 WHERE name = 'x'",
]


def live(server: Server, name: str) -> tuple[Catalog, str]:
    dsn = server.create_database(name)
    server.psql(SCRIPT, dsn)
    with connect(dsn) as connection:
        catalog = read_catalog(connection).catalog
    dump = [str(server.bin_directory / "pg_dump"), "--schema-only", dsn]
    return catalog, subprocess.run(dump, capture_output=True, text=True, check=True).stdout


def resolved(sql: str, catalog: Catalog) -> StatementAccess:
    found = statement_access(sql, catalog)
    assert found is not None
    assert found.unresolved == ()
    return found


def seen(sql: str, catalog: Catalog) -> list[tuple[object, ...]]:
    found = resolved(sql, catalog)
    return [
        (
            one.table,
            sorted((each.column, each.operator) for each in one.compared),
            one.sorted_by,
            sorted(one.needed),
            one.target,
        )
        for one in sorted(found.accesses, key=lambda one: (one.table, len(one.compared)))
    ]


def test_a_dump_and_a_script_lead_to_the_tables_that_the_server_does(postgres15: Server) -> None:
    server, dump = live(postgres15, "schema_views")
    for script in (dump, SCRIPT):
        written = read_schema(script, "script")
        assert set(written.views) == set(server.views)
        for sql in STATEMENTS:
            assert seen(sql, written) == seen(sql, server), sql


@pytest.mark.parametrize("sql", STATEMENTS[:4])
def test_conditions_of_the_view_and_of_the_statement_stand_together(sql: str) -> None:
    catalog = read_schema(SCRIPT, "script")
    tables = {one.table: one for one in resolved(sql, catalog).accesses}
    operators = {
        (one.table, each.column, each.operator) for one in tables.values() for each in one.compared
    }
    assert operators & {
        ("people", "gone", "is null"),
        ("sales.orders", "state", "="),
        ("people", "id", "="),
    }


def test_a_temporary_view_and_one_that_is_gone_are_none() -> None:
    script = "CREATE TABLE t (a int); CREATE TEMP VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM t; DROP VIEW IF EXISTS w;"
    assert read_schema(script, "script").views == {}
