"""`pg95 tables`: from a server, from its snapshots, and from a log alone; in every format."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.report.document import dump, load
from analyzer.report.views import RENDERERS

LOG = """\
2026-11-20 10:00:00.000 UTC [77] app@shop LOG:  duration: 40.000 ms  statement: SELECT * FROM orders o JOIN parts p ON p.id = o.id WHERE o.id = 1
2026-11-20 10:00:01.000 UTC [77] app@shop LOG:  duration: 60.000 ms  statement: UPDATE orders SET note = 'a' WHERE id = 1
2026-11-20 10:00:02.000 UTC [77] app@shop LOG:  duration: 1.000 ms  statement: SELECT * FROM orders WHERE id = 2
"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...


@pytest.fixture(scope="module")
def shop(postgres15: Server) -> str:
    dsn = postgres15.create_database("tables_shop")
    postgres15.psql(
        """
        CREATE TABLE orders (id int PRIMARY KEY, customer int, note text);
        CREATE TABLE lines (id int, "order" int REFERENCES orders) WITH (autovacuum_enabled = off);
        CREATE TABLE dead (id int, pad text) WITH (autovacuum_enabled = off);
        CREATE TABLE parts (id int, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
        CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
        INSERT INTO orders SELECT n, n % 2000, repeat('x', 60) FROM generate_series(1, 20000) AS n;
        INSERT INTO lines SELECT n, n FROM generate_series(1, 3000) AS n;
        INSERT INTO dead SELECT n, repeat('x', 500) FROM generate_series(1, 60000) AS n;
        INSERT INTO parts SELECT n, '2020-05-05' FROM generate_series(1, 300) n;
        INSERT INTO parts SELECT n, '2021-05-05' FROM generate_series(1, 700) n;
        DELETE FROM dead WHERE id % 3 > 0;
        """,
        dsn,
    )
    postgres15.psql("VACUUM ANALYZE orders; ANALYZE dead", dsn)  # when all rows are counted
    use(dsn, reads=10)
    return dsn


def use(dsn: str, *, reads: int) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(reads):
            connection.execute("SELECT * FROM orders WHERE id = %s", [number + 1])
        connection.execute("UPDATE orders SET customer = 0 WHERE id <= 100")
        connection.execute("SELECT count(*) FROM parts")
        connection.execute("SELECT pg_stat_force_next_flush()")


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["tables", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def tables(*arguments: str) -> dict[str, dict[str, Any]]:
    document = json.loads(run(*arguments, "--format", "json"))
    return {table["name"]: table for table in document["tables"]}


def kinds(table: Mapping[str, Any]) -> set[str]:
    return {note["kind"] for note in table["notes"]}


def test_a_server_tells_of_all_its_tables(shop: str, postgres15: Server) -> None:
    found = tables("--dsn", shop)
    assert set(found) == {"orders", "lines", "dead", "parts", "parts_a", "parts_b"}
    orders = found["orders"]
    row = postgres15.psql(
        "SELECT n_tup_ins + n_tup_upd + n_tup_del, seq_tup_read + idx_tup_fetch, idx_scan, n_tup_hot_upd,"
        " pg_total_relation_size(relid), pg_relation_size(relid), heap_blks_hit + idx_blks_hit"
        " FROM pg_stat_user_tables JOIN pg_statio_user_tables USING (relid)"
        " WHERE pg_stat_user_tables.relname = 'orders'",
        shop,
    ).split("|")
    writes, reads, scans, hot, size, heap, hits = map(int, row)
    assert (orders["writes"], orders["reads"], orders["bytes"]) == (writes, reads, size)
    assert orders["counted_by"] == "server"
    assert orders["hot_ratio"] == pytest.approx(hot / 100)
    assert orders["use"]["index_scans"] == scans
    assert orders["use"]["heap_bytes"] == heap
    assert orders["use"]["blocks_hit"] == hits
    assert orders["use"]["vacuumed"].startswith("20")
    assert orders["use"]["xid_age"] > 0
    (index,) = orders["indexes"]
    assert index["scans"] == scans
    assert kinds(orders) == set()


def test_what_stands_out_is_told(shop: str) -> None:
    found = tables("--dsn", shop)
    assert kinds(found["dead"]) == {
        *("dead-rows", "autovacuum-off", "sequential-reads", "bloat", "no-primary-key"),
    }
    dead = next(note for note in found["dead"]["notes"] if note["kind"] == "dead-rows")
    assert dead["severity"] == "high"
    assert "40,000 dead rows, 67% of all, and it was never vacuumed" in dead["text"]
    assert kinds(found["lines"]) == {
        *("autovacuum-off", "never-analyzed", "no-primary-key", "foreign-key-without-index"),
    }
    severities = [note["severity"] for note in found["lines"]["notes"]]
    assert severities == sorted(severities, key=("high", "medium", "low", "info").index)


def test_a_partitioned_table_is_the_sum_of_its_partitions(shop: str) -> None:
    found = tables("--dsn", shop)
    assert found["parts"]["writes"] == 1000
    assert found["parts"]["use"]["inserted"] == 1000
    assert found["parts_a"]["partition_of"] == "parts"
    assert found["parts"]["reads"] == found["parts_a"]["reads"] + found["parts_b"]["reads"]


def test_two_snapshots_are_the_window_between_them(shop: str, tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{name}.json") for name in ("before", "after")]
    for path in paths:
        taken = CliRunner().invoke(cli, ["snapshot", "--dsn", shop, "-o", path])
        assert taken.exit_code == 0, taken.output
        use(shop, reads=7)
    document = json.loads(run(*paths, "--format", "json"))
    assert document["tables_counted"]["since"] == "snapshot"
    orders = next(table for table in document["tables"] if table["name"] == "orders")
    assert orders["writes"] == 100
    assert orders["use"]["index_scans"] >= 7
    assert orders["use"]["index_scans"] < 12
    assert orders["indexes"] == []  # a snapshot knows their use, and not what they are
    alone = json.loads(run(paths[1], "--format", "json"))
    assert alone["tables_counted"]["since"] == "creation"


def test_statements_alone_tell_of_reads_and_writes(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    found = tables(str(log))
    assert {name: (one["reads"], one["writes"]) for name, one in found.items()} == {
        "orders": (2, 1),
        "parts": (1, 0),
    }
    assert found["orders"]["counted_by"] == "statements"
    assert found["orders"]["share"] == pytest.approx(1.0)
    assert found["parts"]["share"] == pytest.approx(40 / 101)
    assert len(found["orders"]["statements"]) == 3
    report = CliRunner().invoke(cli, ["report", str(log), "--format", "json"])
    assert json.loads(report.stdout)["tables"] == []  # for which a report needs a schema


def test_every_format(shop: str, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text(LOG)
    given = (str(log), "--dsn", shop)
    text = run(*given)
    assert "since the database was made" in text
    assert "never vacuumed" in text
    assert "orders_pkey (id): primary key" in text
    markdown = run(*given, "--format", "markdown")
    assert "| `dead` | 20,000 |" in markdown
    assert "VACUUM (ANALYZE) dead;" in markdown
    rows = list(csv.DictReader(io.StringIO(run(*given, "--format", "csv"))))
    by_name = {row["name"]: row for row in rows}
    assert by_name["dead"]["dead_rows"] == "40000"
    assert by_name["orders"]["statements"] == "3"
    page = run(*given, "--format", "html")
    assert "40,000 dead rows" in page
    document = run(*given, "--format", "json")
    loaded = load(document)
    again = RENDERERS["html"](loaded)
    # Every run counts: the share of pages found in memory is another one each time.
    assert again.count("<tr") == page.count("<tr")
    assert RENDERERS["html"](load(dump(loaded))) == again
