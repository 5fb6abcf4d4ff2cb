"""Plans whose nested loops read more pages than PostgreSQL's planner counts: seen, told, and with --careful not built on."""

import json
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.indexes.loops import uncounted_pages
from analyzer.model.catalog import Catalog
from analyzer.model.index_candidate import IndexCandidate, IndexKey
from analyzer.model.plan import Plan, RecordedPlan
from analyzer.plans import read_plans
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from tests.sources.counted_work import count_work, rows

# Each supplier's lines lie everywhere; the 100 suppliers of a region have lines on every page.
SCHEMA = """
CREATE TABLE regions (id int PRIMARY KEY, name text);
CREATE TABLE suppliers (id int PRIMARY KEY, region_id int, line_id int);
CREATE TABLE stock (part_id int, supplier_id int, amount int, PRIMARY KEY (part_id, supplier_id));
CREATE TABLE "Lines" (id int PRIMARY KEY, "supplierId" int, part_id int, price int, pad text);
INSERT INTO regions SELECT n, 'region ' || n FROM generate_series(1, 20) AS n;
INSERT INTO suppliers SELECT n, n % 20 + 1, n * 7919::bigint % 200000 + 1 FROM generate_series(1, 2000) AS n;
INSERT INTO stock SELECT n % 1000, n % 2000 + 1, n % 100 FROM generate_series(1, 2000) AS n;
INSERT INTO "Lines" SELECT n, (n * 7919::bigint) % 2000 + 1, (n * 7919::bigint) % 2000 % 1000, n % 50, repeat('x', 90)
FROM generate_series(1, 200000) AS n;
ALTER TABLE "Lines" SET (autovacuum_enabled = off); -- which would make its pages known to be visible to all
ANALYZE;
"""
JOINED = """SELECT sum(l.price) FROM regions r JOIN suppliers s ON s.region_id = r.id
JOIN "Lines" l ON l."supplierId" = s.id WHERE r.name = 'region 7'"""
PLAIN = """SELECT sum(l.price) FROM suppliers s JOIN "Lines" l ON l."supplierId" = s.id WHERE s.region_id = 7"""
BY_STOCK = """SELECT sum(l.price) FROM stock s JOIN "Lines" l ON l.part_id = s.part_id AND l."supplierId" = s.supplier_id
WHERE s.amount < 20"""


class Server(Protocol):
    """What these tests use of tests/conftest.py's server."""

    def psql(self, sql: str, dsn: str | None = None) -> str: ...

    def create_database(self, name: str) -> str: ...

    def flush_logs(self) -> None: ...

    def log_path(self) -> Path: ...


@pytest.fixture(scope="module")
def dsn(postgres15: Server) -> str:
    made = postgres15.create_database("careful")
    postgres15.psql(f"CREATE EXTENSION hypopg; {SCHEMA}", made)
    return made


@pytest.fixture(scope="module")
def scratch(postgres18: Server) -> str:
    made = postgres18.create_database("careful")
    postgres18.psql(SCHEMA, made)
    return made


@pytest.fixture(scope="module")
def catalog(dsn: str) -> Catalog:
    with connect(dsn) as connection:
        return read_catalog(connection).catalog


def run_with(
    dsn: str, keys: str, text: str, *settings: str, of: str | None = None, made: str = ""
) -> tuple[Plan, int]:
    """The plan of nested loops with an index, and on how many pages of the table the rows are (of this statement)."""
    with psycopg.connect(dsn) as connection:
        connection.execute(f'CREATE INDEX tried ON "Lines" ({keys}); {made}')  # rolled back
        for name in ("hashjoin", "mergejoin", "bitmapscan", "memoize", "material"):
            connection.execute(f"SET LOCAL enable_{name} = off")
        for setting in settings:
            connection.execute(f"SET LOCAL {setting}")
        row: Any = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}").fetchone()
        places = f"SELECT l.ctid::text::point AS place {_after_columns(of or text)}"
        met: Any = connection.execute(
            f"SELECT count(DISTINCT place[0]) FROM ({places}) AS rows"
        ).fetchone()
        connection.rollback()
    recorded = RecordedPlan(json.dumps(row[0]), "json", "test", source=0)
    (plan,) = read_plans(recorded)
    assert any(node.index == "tried" for node in plan.root.walk())
    return plan, met[0]


def _after_columns(text: str) -> str:
    return text[text.index("FROM") :]


def test_the_pages_of_loops_over_joined_rows_are_counted(dsn: str, catalog: Catalog) -> None:
    plan, pages = run_with(dsn, '"supplierId"', JOINED)
    charged = pages * 100 / 2000  # those of all 2,000 suppliers, of which 100 are left
    assert uncounted_pages(plan, catalog) == pytest.approx(pages - charged, rel=0.1)


def test_loops_over_what_conditions_on_one_table_leave_the_planner_counts(
    dsn: str, catalog: Catalog
) -> None:
    plan, pages = run_with(dsn, '"supplierId"', PLAIN)
    assert uncounted_pages(plan, catalog) < pages / 100


def test_bitmaps_are_read_as_searches_are(dsn: str, catalog: Catalog) -> None:
    plan, pages = run_with(
        dsn, '"supplierId"', JOINED, "enable_bitmapscan = on", "enable_indexscan = off"
    )
    assert any(node.type == "Bitmap Heap Scan" for node in plan.root.walk())
    assert uncounted_pages(plan, catalog) == pytest.approx(pages, rel=0.15)


def test_rows_of_a_key_are_there_though_its_columns_are_taken_for_independent(
    dsn: str, catalog: Catalog
) -> None:
    """One row is expected of each part and supplier, and there are a hundred."""
    plan, pages = run_with(dsn, 'part_id, "supplierId"', BY_STOCK)
    searched = next(node for node in plan.root.walk() if node.index == "tried")
    assert searched.rows_estimated == 1
    assert searched.rows_actual == pytest.approx(100, rel=0.1)
    assert uncounted_pages(plan, catalog) > pages / 2


def test_pages_in_the_order_of_the_index_are_read_one_after_the_other_if_the_loop_has_that_order(
    dsn: str, catalog: Catalog
) -> None:
    text = """SELECT sum(l.price) FROM regions r JOIN suppliers s ON s.region_id = r.id
    JOIN "Lines" l ON l.id = s.{} WHERE r.name = 'region 7'"""
    in_order, _ = run_with(dsn, "id", text.format("id"))
    anyhow, pages = run_with(dsn, "id", text.format("line_id"))
    assert uncounted_pages(in_order, catalog) < 1
    # All 2,000 lines would be on about half of the 3,300 pages, and the planner charges 100 of them their share.
    assert uncounted_pages(anyhow, catalog) == pytest.approx(pages - 1650 * 100 / 2000, abs=15)


def test_an_index_brings_the_order_of_its_own_keys(dsn: str, catalog: Catalog) -> None:
    """A region's suppliers come in the order of what stands behind the region in the index."""
    text = """SELECT sum(l.price) FROM regions r JOIN suppliers s ON s.region_id = r.id
    JOIN "Lines" l ON l.id = s.id WHERE r.name = 'region 7'"""
    uncounted = {}
    for column in ("id", "line_id"):
        by_region = IndexCandidate(
            "suppliers",
            (IndexKey("region_id", "equality"), IndexKey(column, "sort")),
            *("btree", "by_region", "", "", ""),
        )
        made = f"CREATE INDEX by_region ON suppliers (region_id, {column})"
        plan, _ = run_with(dsn, "id", text, "enable_seqscan = off", made=made)
        assert any(node.index == "by_region" for node in plan.root.walk())
        uncounted[column] = uncounted_pages(plan, catalog, {"by_region": by_region})
    assert uncounted["id"] < 1
    assert uncounted["line_id"] > 50


def test_what_a_limit_or_the_first_row_leaves_unread_is_not_counted(
    dsn: str, catalog: Catalog
) -> None:
    rows = JOINED.replace("sum(l.price)", "l.price")
    few, _ = run_with(dsn, '"supplierId"', f"{rows} LIMIT 20", of=rows)
    sorted_first, pages = run_with(dsn, '"supplierId"', f"{rows} ORDER BY 1 LIMIT 20", of=rows)
    assert uncounted_pages(few, catalog) < 30
    assert uncounted_pages(sorted_first, catalog) > pages / 2
    some = """SELECT count(*) FROM regions r JOIN suppliers s ON s.region_id = r.id
    WHERE r.name = 'region 7' AND EXISTS (SELECT FROM "Lines" l WHERE l."supplierId" = s.id)"""
    first, _ = run_with(dsn, '"supplierId", id', some, "enable_indexonlyscan = off", of=JOINED)
    assert any(node.join_type == "Semi" for node in first.root.walk())
    assert uncounted_pages(first, catalog) < 110


def test_conditions_beside_the_join_leave_fewer_rows(dsn: str, catalog: Catalog) -> None:
    plan, pages = run_with(dsn, '"supplierId", price', f"{JOINED} AND l.price = 7")
    assert uncounted_pages(plan, catalog) == pytest.approx(pages, rel=0.3)
    assert pages < 210  # of 200 rows in all


def test_it_is_told_of_an_index_and_careful_advice_is_without(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "joined.sql").write_text(JOINED)
    given = ("--queries", str(tmp_path), "--dsn", dsn, "--what-if", "hypopg")
    usual, careful = (_created(*given, *more) for more in ((), ("--careful",)))
    lines = [one for one in usual if one["table"] == "Lines" and "INCLUDE" not in one["sql"]]
    assert lines
    assert all("MAY MAKE SLOWER" in one["risk"] and "joined (" in one["risk"] for one in lines)
    assert not [one for one in careful if "MAY MAKE SLOWER" in one["risk"]]
    assert {one["name"] for one in lines}.isdisjoint(one["name"] for one in careful)


def test_careful_advice_is_verified_first_and_then_what_more_is_promised(
    dsn: str, scratch: str, postgres18: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are too wide to be carried by an index. As they lie in memory, to meet few of them is all that counts."""
    count_work(monkeypatch, rows)
    (tmp_path / "joined.sql").write_text(JOINED.replace("sum(l.price)", "sum(l.price), max(l.pad)"))
    given = ("--queries", str(tmp_path), "--dsn", dsn, "--what-if", "hypopg")
    usual, careful = (_created(*given, *more) for more in ((), ("--careful",)))
    assert "Lines" not in {one["table"] for one in careful}
    (bold,) = [one for one in usual if one["table"] == "Lines"]
    postgres18.flush_logs()
    seen = len(postgres18.log_path().read_text())
    (measured,) = [one for one in _created(*given, "--verify", scratch) if one["table"] == "Lines"]
    assert measured["sql"] == bold["sql"]
    assert measured["verified_by"] == "execution"
    (gain,) = measured["statements"]
    assert gain["after_ms"] < gain["before_ms"] / 5
    postgres18.flush_logs()
    logged = postgres18.log_path().read_text()[seen:]
    built = [line for line in logged.splitlines() if "CREATE INDEX" in line]
    assert ["Lines" in line for line in built] == [False] * len(careful) + [
        one["table"] == "Lines" for one in usual
    ]


def test_what_is_promised_does_not_stand_where_it_saves_no_more(
    dsn: str, scratch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index that carries all columns, and is careful therefore, finds the rows that one without them does."""
    count_work(monkeypatch, rows)
    (tmp_path / "joined.sql").write_text(JOINED)
    given = ("--queries", str(tmp_path), "--dsn", dsn, "--what-if", "hypopg")
    usual, careful, verified = (
        {one["name"] for one in _created(*given, *more) if one["table"] == "Lines"}
        for more in ((), ("--careful",), ("--verify", scratch))
    )
    assert usual != careful
    assert verified == careful


def _created(*arguments: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(cli, ["indexes", *arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    created: list[dict[str, Any]] = json.loads(done.stdout)["indexes"]["create"]
    return [one for one in created if one["verified_by"] in ("what-if", "execution")]
