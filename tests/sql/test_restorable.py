"""Which statements of a schema a scratch server runs, and what is taken out of them."""

import pytest

from analyzer.sql.index_parts import rows_statement, trial_statement
from analyzer.sql.restorable import Leniency, NotRestorableError, restorable
from analyzer.sql.statistics_calls import NotStatisticsError, statistics_calls


def made(statement: str, leniency: Leniency | None = None) -> str:
    piece = restorable(statement, leniency or Leniency())
    assert piece is not None
    return piece.sql


@pytest.mark.parametrize(
    ("statement", "run"),
    [
        (
            "CREATE TABLE a (id integer DEFAULT nextval('s'::regclass) NOT NULL, b text DEFAULT f(1)) TABLESPACE fast",
            "CREATE TABLE a (id integer NOT NULL, b text)",
        ),
        (
            "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY USING INDEX TABLESPACE fast)",
            "CREATE TABLE a (id bigint PRIMARY KEY)",
        ),
        (
            "ALTER TABLE ONLY a ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES c(id)",
            "ALTER TABLE ONLY a ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES c (id) NOT VALID",
        ),
        ("CREATE DOMAIN d AS text DEFAULT f() CHECK (g(VALUE))", "CREATE DOMAIN d AS text"),
        ("CREATE SCHEMA s AUTHORIZATION boss", "CREATE SCHEMA s"),
        (
            "CREATE TYPE r AS RANGE (subtype = float8, subtype_diff = f, canonical = g)",
            "CREATE TYPE r AS RANGE (subtype = float8)",
        ),
        ("CREATE INDEX CONCURRENTLY i ON a (b)", "CREATE INDEX i ON a (b)"),
        (
            "ALTER TABLE ONLY p ATTACH PARTITION c FOR VALUES FROM ('2025-01-01') TO (MAXVALUE)",
            "ALTER TABLE ONLY p ATTACH PARTITION c FOR VALUES FROM ('2025-01-01') TO (maxvalue)",
        ),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA",) * 2,
        ("CREATE VIEW v AS SELECT a FROM t",) * 2,
    ],
)
def test_what_means_nothing_to_a_planner_goes(statement: str, run: str) -> None:
    assert made(statement) == run


@pytest.mark.parametrize(
    "statement",
    [
        "SET search_path = ''",
        "SELECT pg_catalog.set_config('search_path', '', false)",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()",
        "DO $$ BEGIN PERFORM f(); END $$",
        "COPY a FROM '/etc/passwd'",
        "INSERT INTO a SELECT pg_read_file('/etc/passwd')",
        "GRANT ALL ON a TO PUBLIC",
        "ALTER TABLE a OWNER TO boss",
        "ALTER TABLE a ALTER COLUMN b SET DEFAULT f()",
        "CREATE SERVER s FOREIGN DATA WRAPPER w",
        "CREATE AGGREGATE g (integer) (sfunc = f, stype = integer)",
    ],
)
def test_what_a_schema_also_holds_is_passed_over(statement: str) -> None:
    assert restorable(statement) is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("CREATE TABLE a AS SELECT pg_sleep(100)", "a query's rows"),
        ("CREATE MATERIALIZED VIEW m AS SELECT f() WITH DATA", "a query's rows"),
        ("CREATE TEMP TABLE a (b integer)", "temporary"),
        ("CREATE TABLE c PARTITION OF p FOR VALUES FROM (f()) TO (2)", "computed"),
        ("CREATE SCHEMA s CREATE TABLE a (b integer)", "other statements inside"),
        ("DROP TABLE a", "none that a clone needs"),
        ("ALTER SYSTEM SET fsync = off", "none that a clone needs"),
        ("CREATE DATABASE d", "none that a clone needs"),
        ("LOAD '/tmp/x.so'", "none that a clone needs"),
        ("CREATE TABLE a (b integer); SELECT f()", "several statements"),
        ("CREATE TABEL a", "no SQL"),
    ],
)
def test_what_would_run_or_harm_is_refused(statement: str, reason: str) -> None:
    with pytest.raises(NotRestorableError, match=reason):
        restorable(statement)


def test_a_second_attempt_asks_for_less() -> None:
    table = "CREATE TABLE a (b public.geometry(Point, 4326)[], c integer CHECK (f(c)), d integer GENERATED ALWAYS AS (f(c)) STORED, CHECK (g(c)))"
    piece = restorable(table)
    assert piece is not None
    assert "public.geometry" in piece.types
    lenient = Leniency(without_checks=True, plain_types=frozenset(["public.geometry"]))
    assert made(table, lenient) == "CREATE TABLE a (b text[], c integer, d integer)"
    check = "ALTER TABLE a ADD CONSTRAINT k CHECK (f(b))"
    assert restorable(check, lenient) is None


def test_an_extension_is_named_and_not_run_as_it_stands() -> None:
    piece = restorable('CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA tools')
    assert piece is not None
    assert (piece.extension, piece.schema) == ("uuid-ossp", "tools")


def test_a_candidate_is_tried_under_another_name() -> None:
    wanted = (
        'CREATE INDEX CONCURRENTLY "a b" ON s.t USING gin (data jsonb_path_ops) WHERE x IS NULL;'
    )
    assert trial_statement(wanted, "other") == (
        "CREATE INDEX other ON s.t USING gin (data jsonb_path_ops) WHERE x IS NULL"
    )
    assert rows_statement(wanted) == "SELECT 1 FROM s.t WHERE x IS NULL"
    assert rows_statement("CREATE INDEX i ON t (a)") is None
    for text in ("DROP TABLE t", "CREATE INDEX i ON t (a); DROP TABLE t", "no SQL"):
        with pytest.raises(NotRestorableError):
            trial_statement(text, "other")


def test_statistics_are_read_off_calls() -> None:
    (call,) = statistics_calls(
        "SELECT * FROM pg_catalog.pg_restore_attribute_stats('version', '180004'::integer, 'schemaname', "
        "'public', 'attnum', '2'::smallint, 'inherited', 'f'::boolean, 'null_frac', 0.5, 'n_distinct', NULL)"
    )
    assert call.function == "pg_restore_attribute_stats"
    assert call.arguments == {
        "version": "180004",
        "schemaname": "public",
        "attnum": "2",
        "inherited": "f",
        "null_frac": "0.5",
    }
    assert statistics_calls("SELECT 'pg_restore_relation_stats'") == []
    assert statistics_calls("pg_restore_relation_stats is no SQL") == []


@pytest.mark.parametrize(
    "arguments", ["'schemaname'", "'schemaname', f()", "'schemaname', (SELECT 1)", "a, b"]
)
def test_what_is_no_constant_is_refused(arguments: str) -> None:
    with pytest.raises(NotStatisticsError):
        statistics_calls(f"SELECT pg_restore_relation_stats({arguments})")
