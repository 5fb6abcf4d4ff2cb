"""`pg95 indexes` and the indexes that a server could do without: every format, and its replicas."""

import json
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import ServerError, UsageError


class Server(Protocol):
    """What these tests use of tests/conftest.py's servers."""

    dsn: str
    host: str
    port: int

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("hygiene_shop")
    postgres15.psql(
        """
        CREATE TABLE orders (id int PRIMARY KEY, customer int, note text);
        CREATE INDEX orders_again ON orders (id);
        CREATE INDEX orders_customer ON orders (customer);
        CREATE INDEX "orders <b>" ON orders (note) WHERE note <> 'a  b';
        INSERT INTO orders SELECT n, n % 2000, repeat('x', 60) FROM generate_series(1, 20000) AS n;
        ANALYZE orders;
        """,
        dsn,
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT * FROM orders WHERE id = 7")
        connection.execute("SELECT pg_stat_force_next_flush()")
    return dsn


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["indexes", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def drops(*arguments: str) -> dict[str, dict[str, Any]]:
    document = json.loads(run(*arguments, "--format", "json"))
    return {one["index"]: one for one in document["indexes"]["drop"]}


def test_drops_are_in_every_format(shop: str) -> None:
    found = drops("--dsn", shop)
    assert set(found) == {"orders_again", "orders_customer", "orders <b>"}
    again = found["orders_again"]
    assert again["sql"] == "DROP INDEX CONCURRENTLY orders_again;"
    assert again["rollback"] == (
        "CREATE INDEX CONCURRENTLY orders_again ON public.orders USING btree (id);"
    )
    assert again["bytes"] > 0
    assert found["orders_customer"]["action"] == "review"  # counted for some seconds only

    script = run("--dsn", shop, "--format", "sql").splitlines()
    assert [line for line in script if not line.startswith("--")] == [again["sql"]]
    assert "-- to be reviewed first: DROP INDEX CONCURRENTLY orders_customer;" in script
    table = run("--dsn", shop)
    assert "orders_pkey" in table
    assert "to be reviewed first" in table
    markdown = run("--dsn", shop, "--format", "markdown")
    assert "## Indexes" in markdown
    assert "CREATE INDEX CONCURRENTLY orders_again" in markdown
    page = run("--dsn", shop, "--format", "html")
    assert "orders &lt;b&gt;" in page
    assert "Review, then drop" in page


def test_a_replica_s_scans_count(shop: str, standby15: Server) -> None:
    missed = drops("--dsn", shop)["orders_customer"]
    assert "1 of 1 replicas count their own scans, which are not seen here" in missed["risk"]
    there = f"postgresql://postgres@{standby15.host}:{standby15.port}/hygiene_shop"
    assert "orders_customer" in drops("--dsn", shop, "--replica", there)
    with psycopg.connect(there, autocommit=True) as connection:
        connection.execute("SELECT * FROM orders WHERE customer = 7")
        connection.execute("SELECT pg_stat_force_next_flush()")
    seen = drops("--dsn", shop, "--replica", there)
    assert "orders_customer" not in seen
    assert "replicas" not in seen["orders <b>"]["risk"]
    alone = drops("--dsn", there)["orders <b>"]
    assert "this server is a replica" in alone["risk"]


def test_another_server_is_no_replica(shop: str, postgres15: Server) -> None:
    for dsn, why in ((shop, "is no replica"), (postgres15.dsn, "is no copy of database")):
        done = CliRunner().invoke(cli, ["indexes", "--dsn", shop, "--replica", dsn])
        assert isinstance(done.exception, ServerError)
        assert why in str(done.exception)
    done = CliRunner().invoke(cli, ["indexes", "sample_logs", "--replica", shop])
    assert isinstance(done.exception, UsageError)
