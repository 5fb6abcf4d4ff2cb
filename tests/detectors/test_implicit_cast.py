"""implicit-cast: casts that a statement spells, that a value's type causes, and that plans show."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from heavy_log import Ran, found, outcome

from analyzer.model.text_evidence import ImplicitCastEvidence
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "implicit-cast"
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, name text UNIQUE, code char(8) UNIQUE, ref uuid UNIQUE, total int);
"""
ROWS = """
INSERT INTO customers SELECT n, 'n' || n, 'c' || n, md5(n::text)::uuid, n FROM generate_series(1, 20000) n;
ANALYZE;
"""
UUID = "c4ca4238-a0b9-2382-0dcc-509a6f75849b"

# What programs write, and what the column is cast to.
FOUND = {
    "SQLAlchemy cast": ("SELECT customers.name FROM customers WHERE CAST(customers.id AS VARCHAR) = '5'", "character varying"),
    "Sequelize cast": ("""SELECT "name" FROM "customers" AS "Customer" WHERE CAST("id" AS TEXT) = '5';""", "text"),
    "a uuid as text": (f"SELECT id FROM customers WHERE ref::text = '{UUID}'", "text"),
    "SQLAlchemy Numeric": ("SELECT customers.name FROM customers WHERE customers.id = CAST(5 AS NUMERIC)", "numeric"),
    "a number with a point": ("SELECT name FROM customers WHERE id = 5.0", "numeric"),
    "a float": ("SELECT name FROM customers WHERE id = 5::float8", "double precision"),
    "text against character(n)": ("SELECT id FROM customers WHERE code = 'c5'::text", "text"),
}  # fmt: skip
SILENT = {
    "text as text": "SELECT id FROM customers WHERE name::text = 'x'",
    "an integer of another size": "SELECT name FROM customers WHERE id = 5::bigint",
    "a literal without a type": "SELECT id FROM customers WHERE ref = 'c4ca4238-a0b9-2382-0dcc-509a6f75849b'",
    "the value is cast": "SELECT name FROM customers WHERE id = '5'::int",
    "no index to lose": "SELECT name FROM customers WHERE total::text = '5'",
    "in the target list": "SELECT id::text FROM customers WHERE name = 'x'",
}


@pytest.mark.parametrize("program", FOUND)
def test_found(tmp_path: Path, program: str) -> None:
    sql, cast_to = FOUND[program]
    finding = found(tmp_path, DETECTOR, sql, SCHEMA)
    assert isinstance(finding.evidence, ImplicitCastEvidence)
    assert finding.evidence.cast_to == cast_to
    assert finding.evidence.index is not None
    assert finding.recommendations[0].kind == "rewrite"


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


def test_without_a_schema_names_decide(tmp_path: Path) -> None:
    finding = found(tmp_path, DETECTOR, FOUND["Sequelize cast"][0])
    assert finding.confidence < 0.6
    quiet = "SELECT id FROM customers WHERE name::text = 'x'"  # what Prisma writes of every text
    assert outcome(tmp_path, DETECTOR, quiet).status == "clean"


def test_an_index_on_the_cast_silences_it(tmp_path: Path) -> None:
    there = "CREATE INDEX ON customers ((id::text));"
    sql = FOUND["Sequelize cast"][0]
    assert outcome(tmp_path, DETECTOR, sql, SCHEMA + there).status == "clean"


def test_silent_below_the_floor(tmp_path: Path) -> None:
    sql = FOUND["Sequelize cast"][0]
    assert outcome(tmp_path, DETECTOR, Ran(sql, ms=2.0), SCHEMA).status == "clean"


@pytest.fixture(scope="module")
def shop(postgres15: "Server") -> str:
    dsn = postgres15.create_database("texts_casts")
    postgres15.psql(SCHEMA + ROWS, dsn)
    return dsn


@pytest.mark.parametrize("program", FOUND)
def test_the_column_s_own_type_is_found_by_the_index(
    postgres15: "Server", shop: str, tmp_path: Path, program: str
) -> None:
    """And the original is not: what the detector claims of types is what PostgreSQL does."""
    sql = FOUND[program][0]
    assert "Seq Scan" in postgres15.psql(f"EXPLAIN {sql}", shop)
    advice = found(tmp_path, DETECTOR, sql, SCHEMA).recommendations[0].text.partition("\n")[2]
    value = {"ref": f"'{UUID}'", "code": "'c5'"}.get(advice.split()[1], "5")
    plan = postgres15.psql(f"EXPLAIN SELECT 1 FROM customers {advice.replace('$1', value)}", shop)
    assert "Index" in plan
    assert "Seq Scan" not in plan


def test_casts_that_only_plans_show(postgres15: "Server", tmp_path: Path) -> None:
    """A driver binds a float to an integer key: nothing in the text tells, auto_explain does."""
    dsn = postgres15.create_database("texts_cast_plans")
    postgres15.psql(
        "CREATE TABLE ledger (id int PRIMARY KEY, note text);"
        "INSERT INTO ledger SELECT n, repeat('x', 80) FROM generate_series(1, 120000) n; ANALYZE",
        dsn,
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in range(6):
            connection.execute("SELECT note FROM ledger WHERE id = %s", (float(number),))
    postgres15.flush_logs()
    lines = postgres15.log_path("jsonlog").read_text().splitlines()
    log = tmp_path / "ledger.json"
    own = [line for line in lines if json.loads(line).get("dbname") == "texts_cast_plans"]
    log.write_text("\n".join(line for line in own if "ledger WHERE" in line) + "\n")
    schema = tmp_path / "schema.sql"
    schema.write_text("CREATE TABLE ledger (id int PRIMARY KEY, note text);")
    result = run(Options(inputs=[str(log)], schema=str(schema)))
    (finding,) = [one for one in result.findings if one.detector == DETECTOR]
    assert isinstance(finding.evidence, ImplicitCastEvidence)
    assert (finding.evidence.column, finding.evidence.cast_to) == ("id", "double precision")
    assert finding.evidence.seen_in_plan
    assert any("for the value's type" in reason for reason in finding.evidence.reasons)
