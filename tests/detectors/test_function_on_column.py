"""function-on-column on what ORMs write; its rewritten statements and indexes on a real server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from heavy_log import REST, Ran, analysed, found, outcome

from analyzer.model.text_evidence import FunctionOnColumnEvidence
from analyzer.pipeline import Options, run

if TYPE_CHECKING:
    from tests.conftest import Server

DETECTOR = "function-on-column"
SCHEMA = """
CREATE TABLE customers (id int PRIMARY KEY, name text, email varchar(200), nickname text, profile jsonb);
CREATE TABLE purchases (id int PRIMARY KEY, placed_at timestamp, created timestamptz, total int);
"""
ROWS = """
INSERT INTO customers SELECT n, md5(n::text), 'User' || n || '@Example.org',
    CASE WHEN n % 100 = 0 THEN NULL ELSE 'nick' || n END, jsonb_build_object('plan', 'p' || n)
    FROM generate_series(1, 20000) n;
INSERT INTO purchases SELECT n, timestamp '2020-01-01' + n * interval '2 hours', timestamptz '2020-01-01' + n * interval '2 hours', n
    FROM generate_series(1, 20000) n;
CREATE INDEX ON purchases (placed_at); CREATE INDEX ON purchases (created); CREATE INDEX ON customers (nickname);
SET timezone = 'UTC'; ANALYZE;
"""

# What programs write; then whether it is rewritten, the expression to index, and values for $n.
WRITTEN = {
    "SQLAlchemy lower": ("SELECT customers.id FROM customers WHERE lower(customers.email) = 'user7@example.org'", "lower(email)"),
    "Django iexact": ("""SELECT "customers"."id" FROM "customers" WHERE UPPER("customers"."email"::text) = UPPER('user7@example.org')""", "upper((email)::text)"),
    "SQLAlchemy json": ("SELECT customers.id FROM customers WHERE (customers.profile ->> 'plan') = 'p7'", "(profile ->> 'plan')"),
    "Sequelize json": ("""SELECT "id" FROM "customers" AS "Customer" WHERE ("Customer"."profile"#>>'{plan}') = 'p7';""", "(profile #>> '{plan}')"),
}  # fmt: skip
REWRITTEN = {
    "SQLAlchemy func.date": "SELECT purchases.id FROM purchases WHERE date(purchases.placed_at) = '2023-03-01'",
    "SQLAlchemy cast": "SELECT purchases.id FROM purchases WHERE CAST(purchases.placed_at AS DATE) = '2023-03-01'",
    "Rails raw": """SELECT "purchases"."id" FROM "purchases" WHERE (created::date >= '2024-07-01')""",
    "Django __date": """SELECT "purchases"."id" FROM "purchases" WHERE ("purchases"."created" AT TIME ZONE 'Europe/Berlin')::date = '2023-03-01'::date""",
    "Django __date__range": """SELECT "purchases"."id" FROM "purchases" WHERE ("purchases"."created" AT TIME ZONE 'UTC')::date BETWEEN '2023-03-01'::date AND '2023-03-03'::date""",
    "SQLAlchemy extract": "SELECT purchases.id FROM purchases WHERE EXTRACT(year FROM purchases.placed_at) = 2024",
    "SQLAlchemy date_trunc": "SELECT purchases.id FROM purchases WHERE date_trunc('month', purchases.placed_at) = '2023-03-01 00:00:00'",
    "date_trunc with a zone": "SELECT id FROM purchases WHERE date_trunc('day', created) = '2023-03-01 00:00:00+00' AND total > 5",
    "SQLAlchemy coalesce": "SELECT customers.id FROM customers WHERE coalesce(customers.nickname, '') = 'nick77'",
    "coalesce with its default": "SELECT id FROM customers WHERE coalesce(nickname, '') = ''",
}
SILENT = {
    "a function of the value": "SELECT customers.id FROM customers WHERE customers.email = lower('A@b')",
    "a range": "SELECT purchases.id FROM purchases WHERE purchases.placed_at >= '2026-03-01' AND purchases.placed_at < '2026-03-02'",
    "a date of now": "SELECT id FROM purchases WHERE placed_at > now() - interval '1 day'",
    "one row by its key": "SELECT id FROM customers WHERE id = 7 AND lower(email) = 'x'",
    "in the target list": "SELECT lower(email) FROM customers WHERE name = 'x'",
    "a cast that leaves the value": """SELECT "id" FROM "customers" WHERE "email"::text = 'x'""",
    "two columns": "SELECT id FROM customers WHERE lower(email) = nickname",
}


@pytest.mark.parametrize("program", WRITTEN)
def test_found_with_its_index(tmp_path: Path, program: str) -> None:
    sql, expression = WRITTEN[program]
    finding = found(tmp_path, DETECTOR, sql, SCHEMA)
    assert isinstance(finding.evidence, FunctionOnColumnEvidence)
    assert finding.evidence.expression == expression
    (advice,) = finding.recommendations
    assert "(((" not in advice.text  # no more brackets than PostgreSQL asks for
    assert (advice.kind, finding.evidence.rewritten_sql) == ("index", None)


@pytest.mark.parametrize("program", REWRITTEN)
def test_found_with_the_statement_rewritten(tmp_path: Path, program: str) -> None:
    finding = found(tmp_path, DETECTOR, REWRITTEN[program], SCHEMA)
    assert finding.recommendations[0].kind == "rewrite"


def test_statements_that_one_index_serves_are_one_finding(tmp_path: Path) -> None:
    lower = WRITTEN["SQLAlchemy lower"][0]
    asked = [Ran(lower), Ran(lower.replace("customers.id", "customers.name")), Ran(REST)]
    dates = [REWRITTEN["SQLAlchemy cast"], REWRITTEN["SQLAlchemy cast"] + " AND total > 5"]
    result = analysed(tmp_path, [*asked, *map(Ran, dates)], SCHEMA)
    shapes = [len(f.shape_ids) for f in result.findings if f.detector == DETECTOR]
    assert sorted(shapes) == [1, 1, 2]  # each date has its own statement to rewrite


@pytest.mark.parametrize("case", SILENT)
def test_near_misses(tmp_path: Path, case: str) -> None:
    assert outcome(tmp_path, DETECTOR, SILENT[case], SCHEMA).status == "clean"


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (WRITTEN["SQLAlchemy lower"][0], "CREATE INDEX ON customers (lower((email)::text));"),
        (WRITTEN["SQLAlchemy json"][0], "CREATE INDEX ON customers ((profile ->> 'plan'::text));"),
    ],
)
def test_an_index_on_the_expression_silences_it(tmp_path: Path, sql: str, index: str) -> None:
    assert outcome(tmp_path, DETECTOR, sql, SCHEMA + index).status == "clean"


def test_without_a_schema_it_is_less_sure(tmp_path: Path) -> None:
    sql = WRITTEN["SQLAlchemy lower"][0]
    known, unknown = found(tmp_path, DETECTOR, sql, SCHEMA), found(tmp_path, DETECTOR, sql)
    assert unknown.confidence < known.confidence
    assert (
        "CREATE INDEX CONCURRENTLY ON customers (lower(email))" in unknown.recommendations[0].text
    )


def test_silent_below_the_floor(tmp_path: Path) -> None:
    sql = WRITTEN["SQLAlchemy lower"][0]
    assert outcome(tmp_path, DETECTOR, Ran(sql, ms=2.0), SCHEMA).status == "clean"


def test_json_paths_that_cannot_be_indexed_as_they_are(tmp_path: Path) -> None:
    sql = """SELECT id FROM customers WHERE ("profile"#>ARRAY[$1]::text[])::jsonb::jsonb = $2"""
    finding = found(tmp_path, DETECTOR, Ran(sql, parameters="$1 = 'plan', $2 = '\"p7\"'"), SCHEMA)
    assert "jsonb_path_ops" in finding.recommendations[0].text
    assert "\u2026" not in finding.title


@pytest.fixture(scope="module")
def shop(postgres15: "Server") -> str:
    dsn = postgres15.create_database("texts_functions")
    postgres15.psql(SCHEMA + ROWS, dsn)
    return dsn


def values_of(sql: str, rewritten: str, quoted: list[str]) -> str:
    """The statement rewritten with the literals of the original put in again, in order."""
    for number, value in reversed(list(enumerate(quoted, 1))):
        rewritten = rewritten.replace(f"${number}", value)
    assert "$" not in rewritten, sql
    return rewritten.rstrip(";")


LITERALS = {
    "SQLAlchemy func.date": ["'2023-03-01'"],
    "SQLAlchemy cast": ["'2023-03-01'"],
    "Rails raw": ["'2024-07-01'"],
    "Django __date": ["'Europe/Berlin'", "'2023-03-01'"],
    "Django __date__range": ["'UTC'", "'2023-03-01'", "'2023-03-03'"],
    "SQLAlchemy extract": ["2024"],
    "SQLAlchemy date_trunc": ["'2023-03-01 00:00:00'"],
    "date_trunc with a zone": ["'2023-03-01 00:00:00+00'", "5"],
    "SQLAlchemy coalesce": ["''", "'nick77'"],
    "coalesce with its default": ["''", "''"],
}


@pytest.mark.parametrize("program", REWRITTEN)
def test_rewritten_statements_find_the_same_by_an_index(
    postgres15: "Server", shop: str, tmp_path: Path, program: str
) -> None:
    original = REWRITTEN[program]
    advice = found(tmp_path, DETECTOR, original, SCHEMA).recommendations[0]
    rewritten = values_of(original, advice.text, LITERALS[program])
    for zone in ("UTC", "America/New_York"):
        same = [
            postgres15.psql(
                f"SET timezone = '{zone}'; SELECT count(*), sum(id) FROM ({sql}) x", shop
            )
            for sql in (original, rewritten)
        ]
        assert same[0] == same[1]
        assert zone != "UTC" or not same[0].startswith("0|")
    before, after = (postgres15.psql(f"EXPLAIN {sql}", shop) for sql in (original, rewritten))
    assert "Seq Scan" in before
    assert "Index Scan" in after
    assert "Seq Scan" not in after


@pytest.mark.parametrize("program", WRITTEN)
def test_advised_indexes_are_used(
    postgres15: "Server", shop: str, tmp_path: Path, program: str
) -> None:
    sql = WRITTEN[program][0]
    assert "Seq Scan" in postgres15.psql(f"EXPLAIN {sql}", shop)
    for statement in found(tmp_path, DETECTOR, sql, SCHEMA).recommendations[0].text.splitlines():
        postgres15.psql(statement, shop)
    assert "Index Scan" in postgres15.psql(f"EXPLAIN {sql}", shop)


@pytest.mark.parametrize("asked", ["email", "address"])
def test_an_index_on_another_table_is_no_answer(tmp_path: Path, asked: str) -> None:
    sql = f"SELECT c.id FROM customers c JOIN invites i ON i.{asked} = c.email WHERE lower(c.email) = 'x'"
    scan = {
        "Node Type": "Seq Scan",
        "Relation Name": "customers",
        "Alias": "c",
        "Filter": "(lower(email) = 'x'::text)",
    }
    inner = {
        "Node Type": "Index Scan",
        "Relation Name": "invites",
        "Alias": "i",
        "Index Cond": f"({asked} = c.email)",
    }
    plan = {"Query Text": sql, "Plan": {"Node Type": "Nested Loop", "Plans": [scan, inner]}}
    analysed(tmp_path, [Ran(sql)])
    logged = tmp_path / "plan.log"
    logged.write_text(
        "2026-03-01 10:59:00.000 UTC [4999] app@shop/web LOG:  duration: 40.000 ms  plan:\n\t"
        + json.dumps(plan, indent=2).replace("\n", "\n\t")
        + "\n"
    )
    result = run(Options(inputs=[str(tmp_path / "postgresql.log"), str(logged)]))
    assert len(result.workload.plans) == 1
    (finding,) = result.outcomes[DETECTOR].findings
    assert isinstance(finding.evidence, FunctionOnColumnEvidence)
    assert finding.evidence.seen_in_plan
