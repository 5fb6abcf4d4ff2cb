"""What a statement's text tells."""

import pytest

from analyzer.model.statement import Arity, Effect, Join, Kind, Predicate, Role, StatementFacts
from analyzer.sql.identity import identify


def facts(text: str) -> StatementFacts:
    return identify(text).facts


@pytest.mark.parametrize(
    ("text", "kind", "role"),
    [
        ("SELECT a FROM t", Kind.SELECT, Role.WORKLOAD),
        ("INSERT INTO t VALUES (1)", Kind.INSERT, Role.WORKLOAD),
        ("MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", Kind.MERGE, Role.WORKLOAD),
        ("BEGIN", Kind.TRANSACTION, Role.TRANSACTION),
        ("ROLLBACK TO SAVEPOINT x", Kind.TRANSACTION, Role.TRANSACTION),
        ("SET search_path = a", Kind.UTILITY, Role.SESSION),
        ("SELECT set_config('a', 'b', false)", Kind.SELECT, Role.SESSION),
        ("SELECT 1", Kind.SELECT, Role.HEALTH_CHECK),
        ("SELECT pg_advisory_unlock_all(); CLOSE ALL; RESET ALL", Kind.SELECT, Role.SESSION),
        ("SELECT * FROM pg_class", Kind.SELECT, Role.CATALOG),
        ("SELECT * FROM information_schema.tables", Kind.SELECT, Role.CATALOG),
        ("SELECT * FROM pg_class JOIN t ON true", Kind.SELECT, Role.WORKLOAD),
        ("SELECT my_function(1)", Kind.SELECT, Role.WORKLOAD),
        ("/* pg95 */ SELECT a FROM t", Kind.SELECT, Role.OWN),
        ("CREATE INDEX ON t (a)", Kind.UTILITY, Role.WORKLOAD),
        ("not sql at all", Kind.UNKNOWN, Role.WORKLOAD),
    ],
)
def test_kind_and_role(text: str, kind: Kind, role: Role) -> None:
    found = facts(text)
    assert (found.kind, found.role) == (kind, role)


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ("BEGIN", 1),
        ("START TRANSACTION", 1),
        ("COMMIT", -1),
        ("END", -1),
        ("ROLLBACK", -1),
        ("SAVEPOINT a", 0),
        ("RELEASE a", 0),
    ],
)
def test_transaction_boundaries(text: str, boundary: int) -> None:
    assert facts(text).boundary == boundary


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("SELECT a FROM t", Effect.NONE),
        ("SELECT a FROM t FOR UPDATE", Effect.LOCKS),
        ("DECLARE c CURSOR FOR SELECT a FROM t FOR SHARE", Effect.LOCKS),
        ("INSERT INTO t VALUES (1)", Effect.LOCKS),
        ("MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE", Effect.LOCKS),
        ("COPY t FROM STDIN", Effect.LOCKS),
        ("copy t (a) FROM '/tmp/x'", Effect.LOCKS),
        ("COPY t TO STDOUT", Effect.NONE),
        ("COPY (SELECT a FROM t) TO STDOUT", Effect.NONE),
        ("COPY (DELETE FROM t RETURNING a) TO STDOUT", Effect.LOCKS),
        ("LOCK t", Effect.LOCKS),
        ("LOCK\tTABLE t, u IN SHARE ROW EXCLUSIVE MODE NOWAIT", Effect.LOCKS),
        ("LOCK TABLE t IN ACCESS SHARE MODE", Effect.NONE),
        ("EXPLAIN SELECT a FROM t FOR UPDATE", Effect.NONE),
        ("EXPLAIN DELETE FROM t", Effect.NONE),
        ("EXPLAIN (ANALYZE off) DELETE FROM t", Effect.NONE),
        ("EXPLAIN (ANALYZE 0) DELETE FROM t", Effect.NONE),
        ("EXPLAIN ANALYZE SELECT a FROM t", Effect.NONE),
        ("EXPLAIN ANALYZE DELETE FROM t", Effect.LOCKS),
        ("EXPLAIN (BUFFERS, ANALYZE true) DELETE FROM t", Effect.LOCKS),
        ("EXPLAIN (ANALYZE 1) DELETE FROM t", Effect.LOCKS),
        ("PREPARE p AS SELECT a FROM t", Effect.NONE),
        ("PREPARE p AS DELETE FROM t", Effect.NONE),
        ("ALTER TABLE t ADD a int", Effect.DEFINES),
        ("CREATE INDEX ON t (a)", Effect.DEFINES),
        ("CREATE TABLE t (a int)", Effect.DEFINES),
        ("CREATE TABLE t AS SELECT a FROM u", Effect.DEFINES),
        ("CREATE VIEW v AS SELECT a FROM t", Effect.DEFINES),
        ("DROP TABLE t", Effect.DEFINES),
        ("TRUNCATE t", Effect.DEFINES),
        ("CREATE TEMP TABLE t (a int)", Effect.NONE),
        ("CREATE TEMP TABLE t AS SELECT a FROM u", Effect.NONE),
        ("FETCH 10 FROM c", Effect.NONE),
        ("SET search_path = a", Effect.NONE),
        ("BEGIN", Effect.NONE),
        ("COMMIT", Effect.NONE),
        ("RELEASE a", Effect.NONE),
        ("ROLLBACK", Effect.ROLLS_BACK),
        ("ABORT", Effect.ROLLS_BACK),
        ("/* web */ ROLLBACK TO SAVEPOINT a", Effect.ROLLS_BACK),
    ],
)
def test_effects_on_a_transaction(text: str, effect: Effect) -> None:
    assert facts(text).effect is effect


def test_a_loaded_table_is_the_one_written_to() -> None:
    assert facts("COPY sales.orders FROM STDIN").main_table == "sales.orders"
    assert facts("COPY orders TO STDOUT").main_table is None


def test_predicates_with_their_parameters() -> None:
    found = facts(
        "SELECT * FROM t WHERE a = $2 AND b IN (7) AND c IN (1, 2) AND d = ANY($1) AND e > 5 AND lower(f) = 'x' AND g = h AND i IS NULL"
    )
    assert found.predicates == (
        Predicate("t", "a", "=", Arity.ONE, 2),
        Predicate("t", "b", "=", Arity.ONE, -1),
        Predicate("t", "c", "=", Arity.MANY),
        Predicate("t", "d", "=", Arity.MANY, 1),
        Predicate("t", "e", ">", Arity.ONE),  # behind a list of literals no place can be told
        Predicate("t", "f", "=", Arity.ONE, 0, "lower"),
        Predicate("t", "i", "is null", Arity.EXPRESSION),
    )


def test_literal_places_count_bytes_of_any_alphabet() -> None:
    found = facts("SELECT 'é東😀' FROM t WHERE a = 'x' AND b = -5")
    assert [(p.column, p.parameter) for p in found.predicates] == [("a", -2), ("b", -3)]


def test_columns_are_resolved_through_aliases_and_joins() -> None:
    found = facts(
        'SELECT b.title, a.name FROM public.books AS b JOIN "Author" a ON a.id = b.author_id '
        "LEFT JOIN sales.orders o ON o.book_id = b.id WHERE a.id = 5 AND title = 'x'"
    )
    assert found.tables == ("books", "Author", "sales.orders")
    assert found.main_table == "books"
    assert found.joins == (
        Join("Author", "id", "books", "author_id"),
        Join("sales.orders", "book_id", "books", "id"),
    )
    assert [(p.table, p.column) for p in found.predicates] == [("Author", "id"), (None, "title")]
    assert found.columns == (("books", "title"), ("Author", "name"))


def test_limit_offset_and_one_row() -> None:
    found = facts("SELECT a FROM t WHERE b = 1 LIMIT 20 OFFSET $1")
    assert (found.limit, found.offset, found.offset_parameter) == (20, -1, 1)
    assert facts("SELECT count(*) FROM t").one_row
    assert not facts("SELECT count(*) FROM t GROUP BY a").one_row
    assert not facts("SELECT count(*) OVER () FROM t").one_row
    exists = facts("SELECT EXISTS (SELECT 1 FROM t WHERE a = 5)")
    assert exists.one_row
    assert [(p.table, p.column) for p in exists.predicates] == [("t", "a")]


def test_wrapped_subquery_shows_its_conditions() -> None:
    found = facts("SELECT count(*) FROM (SELECT id FROM books WHERE author_id = $1 LIMIT 5) x")
    assert found.main_table == "books"
    assert found.one_row
    assert [p.column for p in found.predicates] == ["author_id"]


def test_disjunction_is_no_lookup() -> None:
    found = facts("SELECT a FROM t WHERE b = 1 OR c = 2")
    assert found.disjunctive
    assert found.predicates == ()


def test_ctes_are_no_tables() -> None:
    assert facts("WITH x AS (SELECT a FROM t) SELECT * FROM x JOIN u ON u.a = x.a").tables == (
        "u",
        "t",
    )


def test_cursor_is_unwrapped() -> None:
    found = facts("DECLARE c CURSOR FOR SELECT a FROM t WHERE b = 4")
    assert found.cursor
    assert found.tables == ("t",)


def test_row_comparisons_are_one_predicate_a_column() -> None:
    found = facts("SELECT a FROM t WHERE (b, c) = ($1, $2)")
    assert [(p.column, p.arity, p.parameter) for p in found.predicates] == [
        ("b", Arity.ONE, 1),
        ("c", Arity.ONE, 2),
    ]
    found = facts("SELECT a FROM t WHERE (b, c) IN ((1, 2), (3, 4))")
    assert {p.arity for p in found.predicates} == {Arity.MANY}


def test_writes() -> None:
    found = facts("UPDATE t SET a = 1, b = b + 1 WHERE id = $1")
    assert found.main_table == "t"
    assert found.written_columns == ("a", "b")
    assert [p.column for p in found.predicates] == ["id"]
    assert facts("INSERT INTO t (a, b) VALUES (1, 2), (3, 4)").rows_written == 2
