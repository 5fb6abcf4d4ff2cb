"""What a SELECT gives back is read off its target list, not off words in it."""

import pytest

from analyzer.sql.asked import Asked, asked_of

COUNTS = [
    "SELECT count(*) FROM books WHERE author_id = $1",
    "SELECT count (*) FROM books",
    'SELECT COUNT(DISTINCT("Book"."id")) AS "cnt" FROM "book" "Book"',
    "SELECT COALESCE(count(*), $1)::int FROM books",
    'SELECT COUNT(*) AS "_count$_all" FROM (SELECT "id" FROM "Book" WHERE 1=1 OFFSET $1) AS "sub"',
]
EXISTENCE = [
    "SELECT EXISTS (SELECT 1 FROM books WHERE author_id = $1)",
    "SELECT $1 AS one FROM books WHERE author_id = $2 LIMIT $3",
    'SELECT 1 AS "a" FROM books WHERE author_id = $1 LIMIT 1',
]
ROWS = [
    "SELECT id, title FROM post WHERE author_id = $1 AND NOT EXISTS (SELECT 1 FROM hidden)",
    "SELECT id, title, file_exists FROM files WHERE owner_id = $1",
    "SELECT sum(price), avg(discount(price)) FROM items WHERE order_id = $1",
    "SELECT max(a), (SELECT count(*) FROM z) FROM t WHERE b = $1",
    "SELECT count(*) OVER () FROM t WHERE b = $1",
    "SELECT (SELECT count(*) FROM z) FROM t",
    "SELECT * FROM t",
    "SELECT FROM t",
    "SELECT count(*) FROM a UNION SELECT count(*) FROM b",
    "INSERT INTO t VALUES ($1) RETURNING count(*)",
    "no SQL count(*)",
    "SELECT 1" + " || 1" * 20_000,
    "",
]


@pytest.mark.parametrize("sql", COUNTS)
def test_counts(sql: str) -> None:
    assert asked_of(sql) is Asked.COUNT


@pytest.mark.parametrize("sql", EXISTENCE)
def test_existence(sql: str) -> None:
    assert asked_of(sql) is Asked.EXISTS


@pytest.mark.parametrize("sql", ROWS)
def test_rows(sql: str) -> None:
    assert asked_of(sql) is Asked.ROWS
