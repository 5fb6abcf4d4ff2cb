"""order-by-random on what ORMs write, and picking by key and by sample on a real server."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from heavy_log import Ran, analysed, found, outcome

from analyzer.detectors.order_by_random import OrderByRandom
from analyzer.model.text_evidence import OrderByRandomEvidence
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = OrderByRandom.id
SCHEMA = "CREATE TABLE customers (id int PRIMARY KEY, name text);"
FOUND = {
    "SQLAlchemy": "SELECT customers.id, customers.name FROM customers ORDER BY random()  LIMIT 3",
    "Sequelize": """SELECT "id" FROM "customers" AS "Customer" ORDER BY RANDOM() LIMIT 3;""",
    "Knex": """select * from "customers" order by random() limit 3""",
    "Django": """SELECT "customers"."id", "customers"."name" FROM "customers" ORDER BY RANDOM() ASC LIMIT 3""",
    "Rails": """SELECT "customers".* FROM "customers" ORDER BY RANDOM() LIMIT $1""",
}
SILENT = {
    "a shuffle without LIMIT": "SELECT id FROM customers ORDER BY random()",
    "another order": "SELECT id FROM customers ORDER BY name LIMIT 3",
    "random values": "SELECT id, random() FROM customers ORDER BY id LIMIT 3",
    "a random key": "SELECT id FROM customers WHERE id >= (SELECT floor(random() * 100)::int) ORDER BY id LIMIT 3",
}


@pytest.mark.parametrize("program", FOUND)
def test_found(tmp_path: Path, program: str) -> None:
    finding = found(tmp_path, DETECTOR, FOUND[program], SCHEMA)
    assert isinstance(finding.evidence, OrderByRandomEvidence)
    assert (finding.evidence.table, finding.evidence.key) == ("customers", "id")
    assert not finding.evidence.filtered


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


def test_silent_below_the_floor(tmp_path: Path) -> None:
    assert outcome(tmp_path, DETECTOR, Ran(FOUND["Knex"], ms=2.0), SCHEMA).status == "clean"


def test_without_a_schema_a_sample_is_advised(tmp_path: Path) -> None:
    (advice,) = found(tmp_path, DETECTOR, FOUND["Knex"]).recommendations
    assert "TABLESAMPLE SYSTEM (1)" in advice.text


def test_picking_reads_a_few_rows_where_sorting_reads_all(
    postgres15: "Server", tmp_path: Path
) -> None:
    dsn = postgres15.create_database("texts_random")
    postgres15.psql(
        SCHEMA
        + "INSERT INTO customers SELECT n, 'n' || n FROM generate_series(1, 200000) n; ANALYZE",
        dsn,
    )
    log = tmp_path / "postgresql.log"
    line = (
        "2026-03-01 10:00:0{}.000 UTC [{}] app@shop/web LOG:  duration: 40.000 ms  statement: {}\n"
    )
    log.write_text("".join(line.format(n, 4000 + n, FOUND["Django"]) for n in range(6)))
    result = run(Options(inputs=[str(log)], dsn=dsn))
    (finding,) = [finding for finding in result.findings if finding.detector == DETECTOR]
    assert finding.evidence.table_rows == 200_000  # type: ignore[union-attr] # this detector's
    before = postgres15.psql(f"EXPLAIN (ANALYZE, TIMING off) {FOUND['Django']}", dsn)
    assert "actual rows=200000" in before
    by_key, by_sample = (advice.text for advice in finding.recommendations)
    assert len(postgres15.psql(by_sample, dsn).splitlines()) == 3
    pages = int(postgres15.psql("SELECT relpages FROM pg_class WHERE relname = 'customers'", dsn))
    percent = float(by_sample.split("SYSTEM (")[1].split(")")[0])
    assert pages * percent / 100 >= 20  # no page at all is taken once in e^20 times
    for text in (by_key, by_sample):
        plan = postgres15.psql(f"EXPLAIN (ANALYZE, TIMING off) {text}", dsn)
        assert "Seq Scan" not in plan
        assert "actual rows=200000" not in plan
        assert "Index Scan using customers_pkey" in plan or "Sample Scan" in plan


def test_other_columns_of_one_lineage_are_one_finding(tmp_path: Path) -> None:
    statements = [Ran(FOUND["Django"]), Ran(FOUND["Django"].replace(', "customers"."name"', ""))]
    result = analysed(tmp_path, statements, SCHEMA)
    (finding,) = [finding for finding in result.findings if finding.detector == DETECTOR]
    assert len(finding.shape_ids) == 2
    assert finding.impact.total_ms == 800.0
