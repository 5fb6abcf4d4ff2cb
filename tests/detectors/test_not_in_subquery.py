"""not-in-subquery on what ORMs write, and NOT EXISTS on a real server: the same rows, an anti join."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from heavy_log import Ran, found, outcome

from analyzer.model.finding import Severity
from analyzer.model.text_evidence import NotInSubqueryEvidence

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "not-in-subquery"
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE purchases (id int PRIMARY KEY, customer_id int, paid boolean NOT NULL, total int NOT NULL);
"""
FOUND = {
    "SQLAlchemy": "SELECT customers.id FROM customers WHERE (customers.id NOT IN (SELECT purchases.customer_id FROM purchases))",
    "Sequelize": """SELECT "id" FROM "customers" AS "Customer" WHERE "Customer"."id" NOT IN (SELECT "customer_id" FROM "purchases");""",
    "Knex": """select * from "customers" where "id" not in (select "customer_id" from "purchases")""",
    "Django": """SELECT "customers"."id" FROM "customers" WHERE NOT ("customers"."id" IN (SELECT U0."customer_id" FROM "purchases" U0 WHERE U0."paid"))""",
    "Rails": """SELECT "customers".* FROM "customers" WHERE "customers"."id" NOT IN (SELECT DISTINCT "purchases"."customer_id" FROM "purchases" WHERE "purchases"."total" > 90)""",
    "<> ALL": "SELECT id FROM customers WHERE id <> ALL (SELECT customer_id FROM purchases)",
    "DELETE": "DELETE FROM customers WHERE id NOT IN (SELECT customer_id FROM purchases WHERE paid)",
}
SILENT = {
    "IN": "SELECT id FROM customers WHERE id IN (SELECT customer_id FROM purchases)",
    "NOT EXISTS": "SELECT customers.id FROM customers WHERE NOT (EXISTS (SELECT * FROM purchases WHERE purchases.customer_id = customers.id))",
    "a list of values": "SELECT id FROM customers WHERE id NOT IN (1, 2, 3)",
}


@pytest.mark.parametrize("program", FOUND)
def test_found(tmp_path: Path, program: str) -> None:
    finding = found(tmp_path, DETECTOR, FOUND[program], SCHEMA)
    evidence = finding.evidence
    assert isinstance(evidence, NotInSubqueryEvidence)
    assert (evidence.table, evidence.column) == ("customers", "id")
    assert (evidence.excluded_table, evidence.excluded_column) == ("purchases", "customer_id")
    assert evidence.nullable
    assert finding.severity is Severity.HIGH  # medium by its time, one more for the NULLs


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


def test_a_list_without_nulls_is_less_severe(tmp_path: Path) -> None:
    sql = "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM purchases WHERE customer_id IS NOT NULL)"
    assert found(tmp_path, DETECTOR, sql, SCHEMA).severity is Severity.MEDIUM
    never = SCHEMA.replace("customer_id int", "customer_id int NOT NULL")
    assert found(tmp_path, DETECTOR, FOUND["Knex"], never).severity is Severity.MEDIUM
    unknown = found(tmp_path, DETECTOR, FOUND["Knex"])
    assert isinstance(unknown.evidence, NotInSubqueryEvidence)
    assert unknown.evidence.nullable is None


def test_silent_below_the_floor(tmp_path: Path) -> None:
    assert outcome(tmp_path, DETECTOR, Ran(FOUND["Knex"], ms=2.0), SCHEMA).status == "clean"
    assert outcome(tmp_path, DETECTOR, Ran(FOUND["Knex"], calls=2), SCHEMA).status == "clean"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM customers WHERE id NOT IN (SELECT max(customer_id) FROM purchases GROUP BY paid)",
        "SELECT id FROM customers WHERE id NOT IN (SELECT customer_id FROM purchases LIMIT 5)",
        "SELECT id FROM customers WHERE id NOT IN (SELECT customers.id FROM customers WHERE name = 'x')",
        "SELECT c.id FROM customers c, purchases o WHERE total NOT IN (SELECT id FROM invoices)",
    ],
)
def test_what_cannot_be_rewritten_safely_is_not(tmp_path: Path, sql: str) -> None:
    finding = found(tmp_path, DETECTOR, sql, SCHEMA)
    assert isinstance(finding.evidence, NotInSubqueryEvidence)
    assert finding.evidence.rewritten_sql is None
    assert finding.recommendations == ()


@pytest.fixture(scope="module")
def shop(postgres15: "Server") -> str:
    dsn = postgres15.create_database("texts_not_in")
    postgres15.psql(
        SCHEMA + "INSERT INTO customers SELECT n, 'n' || n FROM generate_series(1, 30000) n;"
        "INSERT INTO purchases SELECT n, n % 29000 + 1, n % 3 = 0, n % 100 FROM generate_series(1, 60000) n;"
        "ANALYZE",
        dsn,
    )
    return dsn


# <> ALL reads its list for every row whatever work_mem is: a minute on these tables.
@pytest.mark.parametrize("program", [name for name in FOUND if name not in ("DELETE", "<> ALL")])
def test_not_exists_finds_the_same_by_an_anti_join(
    postgres15: "Server", shop: str, tmp_path: Path, program: str
) -> None:
    original = FOUND[program].rstrip(";")
    advice = found(tmp_path, DETECTOR, original, SCHEMA).recommendations[0]
    rewritten = advice.text.rstrip(";").replace("$1", "90")
    ids = [
        postgres15.psql(f"SELECT count(*), sum(id) FROM ({sql}) x", shop)
        for sql in (original, rewritten)
    ]
    assert ids[0] == ids[1]
    assert not ids[0].startswith("0|")
    # With a work_mem that the list does not fit into, NOT IN reads it for every row.
    costs = [
        postgres15.psql(f"SET work_mem = '64kB'; EXPLAIN {sql}", shop)
        for sql in (original, rewritten)
    ]
    assert "SubPlan" in costs[0]
    assert "Anti Join" in costs[1]


def test_one_null_and_not_in_returns_nothing(postgres15: "Server", tmp_path: Path) -> None:
    dsn = postgres15.create_database("texts_not_in_null")
    postgres15.psql(
        SCHEMA + "INSERT INTO customers VALUES (1, 'a'), (2, 'b');"
        "INSERT INTO purchases VALUES (1, 1, true, 5), (2, NULL, true, 5)",
        dsn,
    )
    original = FOUND["SQLAlchemy"]
    rewritten = found(tmp_path, DETECTOR, original, SCHEMA).recommendations[0].text
    assert postgres15.psql(original, dsn) == ""
    assert postgres15.psql(rewritten, dsn) == "2"
