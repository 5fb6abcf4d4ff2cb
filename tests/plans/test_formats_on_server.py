"""What PostgreSQL 15 prints of every kind of node, in all four formats: one tree.

EXPLAIN without ANALYZE plans the same each time, so that all that is said can be compared.
"""

from collections.abc import Iterator

import psycopg
import pytest
from plan_texts import FLAGS, read, stable

from analyzer.model.plan import Plan

SCHEMA = """
CREATE SCHEMA "My schema";
CREATE TABLE "My schema"."Order on x" (id int PRIMARY KEY, "the Total" numeric, note text);
CREATE TABLE pr_t (id int PRIMARY KEY, a int, b int, c text, at timestamptz);
INSERT INTO pr_t SELECT n, n % 10, n % 100, 'x' || n, now() FROM generate_series(1, 3000) n;
CREATE INDEX "pr on a" ON pr_t (a);
CREATE INDEX pr_b ON pr_t (b, c);
CREATE TABLE pr_parts (id int, day int) PARTITION BY RANGE (day);
CREATE TABLE pr_p1 PARTITION OF pr_parts FOR VALUES FROM (0) TO (10);
CREATE TABLE pr_p2 PARTITION OF pr_parts FOR VALUES FROM (10) TO (20);
CREATE INDEX ON pr_parts (day);
CREATE TABLE pr_u (id int PRIMARY KEY REFERENCES pr_t ON DELETE CASCADE, n int UNIQUE);
INSERT INTO pr_u SELECT n, n FROM generate_series(1, 1000) n;
ANALYZE;
"""
STATEMENTS = (
    'SELECT * FROM "My schema"."Order on x" o WHERE o."the Total" > 5 AND note = \'it\'\'s "so" (a\'',
    "SELECT a, b, count(*) FROM pr_t GROUP BY GROUPING SETS ((a, b), (a), ())",
    "SELECT a, b, count(*) FROM pr_t GROUP BY ROLLUP (a, b) ORDER BY a",
    "SELECT a, c, sum(b) OVER (PARTITION BY a ORDER BY c) FROM pr_t",
    "SELECT * FROM pr_t WHERE a = 3 OR b = 5",
    "SELECT * FROM pr_t WHERE a = 3 AND b BETWEEN 5 AND 9 ORDER BY b, c DESC NULLS LAST LIMIT 5",
    "SELECT * FROM pr_t ORDER BY b, at LIMIT 10",
    "SELECT * FROM pr_t ORDER BY id DESC LIMIT 3",
    "SELECT * FROM pr_t TABLESAMPLE bernoulli (10) REPEATABLE (3)",
    "SELECT a FROM pr_t EXCEPT SELECT n FROM pr_u",
    "SELECT a FROM pr_t INTERSECT ALL SELECT n FROM pr_u",
    "SELECT a FROM pr_t UNION SELECT n FROM pr_u",
    "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (x, y) JOIN pr_t ON pr_t.id = v.x",
    "SELECT * FROM pr_t LEFT JOIN pr_u USING (id) WHERE pr_u.n IS NULL",
    "SELECT * FROM pr_t FULL JOIN pr_u USING (id)",
    "SELECT * FROM pr_t RIGHT JOIN pr_u ON pr_t.a = pr_u.n",
    "SELECT * FROM pr_t WHERE EXISTS (SELECT FROM pr_u WHERE pr_u.n = pr_t.b)",
    "SELECT * FROM pr_t WHERE id NOT IN (SELECT n FROM pr_u)",
    "SELECT *, (SELECT max(n) FROM pr_u WHERE pr_u.id < pr_t.id) FROM pr_t WHERE a = (SELECT 3)",
    "WITH w AS MATERIALIZED (SELECT * FROM pr_t WHERE a = 1) SELECT * FROM w x, w y WHERE x.id = y.b",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r",
    "WITH d AS (DELETE FROM pr_u WHERE id < 5 RETURNING *) SELECT * FROM d",
    "SELECT * FROM generate_series(1, 5) AS g (x), LATERAL (SELECT * FROM pr_t WHERE id = x) t",
    "SELECT * FROM xmltable('/a' PASSING (xml '<a/>') COLUMNS b text) x",
    "SELECT * FROM pr_t WHERE ctid = '(0,1)' OR ctid = '(0,2)'",
    "SELECT * FROM pr_t WHERE ctid > '(1,1)'",
    "SELECT * FROM pr_parts WHERE day = 5",
    "SELECT * FROM pr_parts ORDER BY day",
    "SELECT * FROM pr_t WHERE false",
    "SELECT 1 WHERE now() > '2020-01-01'",
    "SELECT unnest(ARRAY[1, 2, 3])",
    "SELECT DISTINCT b, c FROM pr_t ORDER BY b, c",
    "SELECT c FROM pr_t WHERE c LIKE 'a\nNote: b, (c%' OR c = 'two  spaces: x'",
    "SELECT * FROM pr_t WHERE a IN (1, 2, 3) FOR UPDATE",
    "INSERT INTO pr_u SELECT id, a FROM pr_t ON CONFLICT (id) DO UPDATE SET n = 3 WHERE pr_u.n > 4",
    "INSERT INTO pr_u VALUES (1, 2) ON CONFLICT DO NOTHING",
    "UPDATE pr_parts SET id = 3 WHERE day < 15",
    "UPDATE pr_t AS x SET a = u.n FROM pr_u u WHERE u.id = x.id RETURNING x.*",
    "DELETE FROM pr_t WHERE id < 10",
    "MERGE INTO pr_u u USING pr_t t ON t.id = u.id WHEN MATCHED THEN UPDATE SET n = t.a WHEN NOT MATCHED THEN INSERT VALUES (t.id, t.b)",
)
PREFERENCES = (
    "",
    "SET enable_hashagg = off; SET enable_hashjoin = off; SET enable_bitmapscan = off",
    "SET enable_sort = off; SET enable_mergejoin = off; SET enable_nestloop = off",
    "SET enable_hashjoin = off; SET enable_mergejoin = off",
    "SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0",
    "SET parallel_tuple_cost = 0; SET parallel_setup_cost = 0; SET min_parallel_table_scan_size = 0",
)


@pytest.fixture(scope="module")
def connection(postgres15: object) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres15.dsn, autocommit=True) as opened:  # type: ignore[attr-defined]
        opened.execute("CREATE DATABASE plan_formats")
    dsn = postgres15.dsn.rpartition("/")[0] + "/plan_formats"  # type: ignore[attr-defined]
    with psycopg.connect(dsn, autocommit=True) as opened:
        opened.execute(SCHEMA)
        yield opened


def explained(connection: psycopg.Connection, options: str, sql: str, form: str) -> Plan:
    rows = connection.execute(f"EXPLAIN ({options}FORMAT {form}) {sql}").fetchall()  # type: ignore[arg-type]
    if form == "JSON":
        import json  # noqa: PLC0415 - psycopg hands JSON over as values

        return read(json.dumps(rows[0][0]), "json")[0]
    (plan,) = read("\n".join(row[0] for row in rows), form.lower())
    return plan


def said(plan: Plan) -> list[dict[str, object]]:
    """What stands in `extra`, without flags and figures that TEXT has only where they are not 0.

    Whether a join's inner side is unique TEXT says with VERBOSE, which is where Output is there, too.
    """
    verbose = any("Output" in node.extra for node in plan.root.walk())
    return [
        {
            key: value
            for key, value in node.extra.items()
            if (value or key not in FLAGS) and (verbose or key != "Inner Unique")
        }
        for node in plan.root.walk()
    ]


@pytest.mark.parametrize("preference", PREFERENCES)
def test_all_formats_say_the_same(connection: psycopg.Connection, preference: str) -> None:
    connection.execute("RESET ALL")
    connection.execute(preference or "SELECT 1")  # type: ignore[arg-type]
    types = set()
    for sql in STATEMENTS:
        for options in ("", "VERBOSE, SETTINGS, "):
            expected = explained(connection, options, sql, "JSON")
            types |= {node.type for node in expected.root.walk()}
            for form in ("TEXT", "YAML", "XML"):
                plan = explained(connection, options, sql, form)
                assert stable(plan) == stable(expected), (form, sql)
                assert said(plan) == said(expected), (form, sql)
                assert plan.settings == expected.settings
    assert len(types) >= 20


@pytest.mark.parametrize("sql", [one for one in STATEMENTS if one.startswith(("SELECT", "WITH R"))])
def test_all_formats_say_the_same_of_what_ran(connection: psycopg.Connection, sql: str) -> None:
    connection.execute("RESET ALL")
    options = "ANALYZE, BUFFERS, WAL, TIMING OFF, "
    expected = explained(connection, options, sql, "JSON")
    for form in ("TEXT", "YAML", "XML"):
        plan = explained(connection, options, sql, form)
        assert stable(plan) == stable(expected), form
        ours = [(node.rows_actual, node.loops) for node in plan.root.walk()]
        assert ours == [(node.rows_actual, node.loops) for node in expected.root.walk()]
