"""Lists of values that a statement's columns are held against."""

import pytest

from analyzer.model.statement import ValueList
from analyzer.sql.identity import identify


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("SELECT * FROM a WHERE id IN (1, 2, 3)", ValueList("a", "id", -1, 0)),
        ("SELECT * FROM a WHERE b = 'x' AND id IN (1, 2) LIMIT 5", ValueList("a", "id", -2, 1)),
        ("SELECT * FROM a WHERE b = $1 AND id IN ($2, $3) LIMIT $4", ValueList("a", "id", 2, 1)),
        ("SELECT * FROM a WHERE id IN ($1::uuid, $2::uuid)", ValueList("a", "id", 1, 0)),
        ("SELECT * FROM a WHERE id = ANY($1::int[])", ValueList("a", "id", 1, 0, array=True)),
        ("SELECT * FROM a WHERE id = ANY('{1,2}')", ValueList("a", "id", -1, 0, array=True)),
        ("SELECT * FROM a WHERE id = ANY(ARRAY[1, 2])", ValueList("a", "id", -1, 0)),
        ("SELECT * FROM a WHERE id IN (VALUES (1), (2))", ValueList("a", "id", -1, 0)),
        (
            "SELECT * FROM a WHERE id IN (SELECT unnest($1::int[]))",
            ValueList("a", "id", 1, 0, array=True),
        ),
        (
            "SELECT * FROM a JOIN (VALUES (1), (2)) v(n) ON v.n = a.id WHERE a.b = 3",
            ValueList("a", "id", -1, 1),
        ),
        (
            "SELECT * FROM a JOIN unnest($1::int[]) AS k(n) ON a.id = k.n",
            ValueList("a", "id", 1, 0, array=True),
        ),
    ],
)
def test_a_list_is_known_by_where_it_stands(text: str, wanted: ValueList) -> None:
    assert identify(text).facts.lists == (wanted,)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM a WHERE id = 1",
        "SELECT * FROM a WHERE id NOT IN (1, 2)",
        "SELECT * FROM a WHERE id <> ALL($1)",
        "SELECT * FROM a WHERE b = 1 OR id IN (1, 2)",
        "SELECT * FROM a WHERE NOT (id IN (1, 2))",
        "SELECT * FROM a WHERE lower(id) IN ('x', 'y')",
        "SELECT * FROM a WHERE id IN (1, 2) AND b IN (3, 4)",  # no place of a value can be told
        "SELECT * FROM a WHERE id IN (1, b)",
        "SELECT * FROM a LEFT JOIN b ON b.a = a.id AND a.id IN (1, 2)",  # keeps every row of a
        "SELECT * FROM a LEFT JOIN (VALUES (1), (2)) v(n) ON v.n = a.id",
        "SELECT * FROM a WHERE id IN (SELECT unnest(b) FROM c)",
    ],
)
def test_what_keeps_no_column_to_a_list(text: str) -> None:
    assert identify(text).facts.lists == ()
