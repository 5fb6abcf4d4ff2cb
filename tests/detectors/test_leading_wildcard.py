"""leading-wildcard on what ORMs write, and the index it advises on a real server."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from heavy_log import Ran, analysed, found, outcome

from analyzer.model.finding import Severity
from analyzer.model.text_evidence import LeadingWildcardEvidence

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "leading-wildcard"
SCHEMA = "CREATE TABLE customers (id int PRIMARY KEY, name varchar(200), email text, code int);"

FOUND = {
    "SQLAlchemy contains": "SELECT customers.id FROM customers WHERE (customers.name LIKE '%' || 'foo' || '%')",
    "SQLAlchemy ilike": "SELECT customers.id FROM customers WHERE customers.name ILIKE '%foo%'",
    "SQLAlchemy regexp_match": "SELECT customers.id FROM customers WHERE customers.name ~ 'foo'",
    "Sequelize substring": """SELECT "id" FROM "customers" AS "Customer" WHERE "Customer"."name" LIKE '%foo%';""",
    "Sequelize iRegexp": """SELECT "id" FROM "customers" AS "Customer" WHERE "Customer"."name" ~* 'foo';""",
    "Knex whereILike": """select "id" from "customers" where "name" ilike '%foo%'""",
    "Django contains": """SELECT "customers"."id" FROM "customers" WHERE "customers"."name"::text LIKE '%foo%'""",
}
SILENT = {
    "a beginning": "SELECT customers.id FROM customers WHERE (customers.name LIKE 'foo' || '%')",
    "a regular expression with its beginning": "SELECT id FROM customers WHERE name ~ '^foo'",
    "what is not wanted": "SELECT id FROM customers WHERE name NOT LIKE '%foo%'",
    "one row by its key": "SELECT id FROM customers WHERE id = 5 AND name LIKE '%foo%'",
    "an equality": "SELECT id FROM customers WHERE name = '%foo%'",
    "a pattern from a column": "SELECT c.id FROM customers c JOIN rules r ON c.name LIKE r.pattern",
}


def evidence(finding: object) -> LeadingWildcardEvidence:
    made = getattr(finding, "evidence", None)
    assert isinstance(made, LeadingWildcardEvidence)
    return made


@pytest.mark.parametrize("program", FOUND)
def test_found(tmp_path: Path, program: str) -> None:
    finding = found(tmp_path, DETECTOR, FOUND[program], SCHEMA)
    assert (evidence(finding).table, evidence(finding).column) == ("customers", "name")
    assert finding.severity is Severity.MEDIUM  # half of the time, 40 of 100 ms
    (advice,) = finding.recommendations
    assert "USING gin (name gin_trgm_ops);" in advice.text


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


def test_django_icontains_is_indexed_by_its_expression(tmp_path: Path) -> None:
    sql = """SELECT "customers"."id" FROM "customers" WHERE UPPER("customers"."name"::text) LIKE UPPER('%foo%')"""
    finding = found(tmp_path, DETECTOR, sql, SCHEMA)
    assert "gin (upper((name)::text) gin_trgm_ops);" in finding.recommendations[0].text


def test_a_search_form_is_one_finding(tmp_path: Path) -> None:
    sql = "SELECT customers.id FROM customers WHERE customers.name ILIKE '%foo%' OR customers.email ILIKE '%foo%' ORDER BY customers.id LIMIT 20"
    finding = found(tmp_path, DETECTOR, sql, SCHEMA)
    assert evidence(finding).subjects == ("name", "email")
    assert finding.recommendations[0].text.count("CREATE INDEX CONCURRENTLY") == 2


def test_a_page_and_its_count_are_one_finding(tmp_path: Path) -> None:
    where = """FROM "customers" WHERE UPPER("customers"."name"::text) LIKE UPPER('%foo%')"""
    page = Ran(f'SELECT "customers"."id" {where} ORDER BY "customers"."id" LIMIT 100', ms=30.0)
    count = Ran(f'SELECT COUNT(*) AS "__count" {where}', ms=120.0)
    other = Ran("SELECT id FROM customers WHERE email ILIKE '%foo%'")
    result = analysed(tmp_path, [page, count, other], SCHEMA)
    findings = [finding for finding in result.findings if finding.detector == DETECTOR]
    assert [len(finding.shape_ids) for finding in findings] == [2, 1]
    assert findings[0].impact.total_ms == 1500.0
    assert findings[0].severity is Severity.HIGH  # the count misses the target
    assert "COUNT(*)" in evidence(findings[0]).sql
    assert "1 more statement does the same" in evidence(findings[0]).reasons


def test_parameters_are_looked_at(tmp_path: Path) -> None:
    sql = 'SELECT "public"."customers"."id" FROM "public"."customers" WHERE "public"."customers"."name"::text LIKE $1 OFFSET $2'
    finding = found(tmp_path, DETECTOR, Ran(sql, parameters="$1 = '%foo%', $2 = '0'"), SCHEMA)
    assert (evidence(finding).looked_at, evidence(finding).anywhere) == (10, 10)
    prefix = Ran(sql, parameters="$1 = 'foo%', $2 = '0'")
    assert outcome(tmp_path, DETECTOR, prefix, SCHEMA).status == "clean"


def test_ilike_is_not_served_whatever_its_values_are(tmp_path: Path) -> None:
    sql = "SELECT id FROM customers WHERE name ILIKE $1"
    wildcard = found(tmp_path, DETECTOR, Ran(sql, parameters="$1 = '%foo%'"), SCHEMA)
    beginning = found(tmp_path, DETECTOR, Ran(sql, parameters="$1 = 'foo%'"), SCHEMA)
    assert (wildcard.confidence, beginning.confidence) == (0.8, 0.6)
    assert "anywhere in name" in wildcard.title
    assert "anywhere" not in beginning.title


def test_unseen_parameters_are_not_applicable(tmp_path: Path) -> None:
    answer = outcome(tmp_path, DETECTOR, "SELECT id FROM customers WHERE name LIKE $1", SCHEMA)
    assert answer.status == "not-applicable"
    assert "log_parameter_max_length" in (answer.reason or "")


def test_a_trigram_index_silences_it(tmp_path: Path) -> None:
    there = "CREATE INDEX c ON customers USING gin (name gin_trgm_ops);"
    sql = FOUND["Sequelize substring"]
    assert outcome(tmp_path, DETECTOR, sql, SCHEMA + there).status == "clean"


@pytest.mark.parametrize(
    "ran", [{"ms": 4.0}, {"calls": 4}], ids=["quick executions", "too few of them"]
)
def test_silent_below_the_floor(tmp_path: Path, ran: dict[str, float]) -> None:
    sql = FOUND["Sequelize substring"]
    assert outcome(tmp_path, DETECTOR, Ran(sql, **ran)).status == "clean"  # type: ignore[arg-type] # numbers


def test_the_advised_index_is_used(postgres15: "Server", tmp_path: Path) -> None:
    dsn = postgres15.create_database("texts_wildcard")
    postgres15.psql(
        SCHEMA
        + "INSERT INTO customers SELECT n, md5(n::text), md5(n::text) FROM generate_series(1, 20000) n; ANALYZE customers",
        dsn,
    )
    for sql in (
        FOUND["Sequelize substring"],
        "SELECT id FROM customers WHERE UPPER(name::text) LIKE UPPER('%foobar%')",
    ):
        search = sql.replace("%foo%", "%foobar%")
        assert "Seq Scan" in postgres15.psql(f"EXPLAIN {search}", dsn)
        advice = found(tmp_path, DETECTOR, search, SCHEMA).recommendations[0]
        for statement in advice.text.splitlines():
            postgres15.psql(statement, dsn)
        assert "Bitmap Index Scan" in postgres15.psql(f"EXPLAIN {search}", dsn)
