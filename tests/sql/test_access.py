"""Whose column each one is: statements resolved against a catalog."""

import pytest

from analyzer.model.access import StatementAccess, TableAccess, Use
from analyzer.model.catalog import Catalog, Column, Table
from analyzer.sql.access import statement_access


def table(name: str, *columns: str) -> Table:
    types = {
        "id": "integer",
        "doc": "jsonb",
        "email": "text",
        "gone": "timestamp without time zone",
    }
    return Table(name, tuple(Column(one, types.get(one, "integer")) for one in columns))


CATALOG = Catalog(
    {
        one.name: one
        for one in (
            table("users", "id", "email", "team", "gone"),
            table("orders", "id", "user_id", "state", "total", "made"),
            table("teams", "team", "name", "doc"),
        )
    },
    views={
        "open_orders": "SELECT o.id AS number, o.user_id AS buyer FROM orders o WHERE o.state = 1"
    },
)


def access(sql: str) -> StatementAccess:
    found = statement_access(sql, CATALOG)
    assert found is not None
    return found


def of(sql: str, name: str) -> TableAccess:
    return next(one for one in access(sql).accesses if one.table == name)


def compared(one: TableAccess) -> set[tuple[str, str]]:
    return {(each.column, each.operator) for each in one.compared}


def test_aliases_joins_and_using() -> None:
    sql = "SELECT u.email FROM users u JOIN teams USING (team) JOIN orders o ON o.user_id = u.id WHERE state = 3"
    assert compared(of(sql, "users")) == {("team", "="), ("id", "=")}
    assert compared(of(sql, "teams")) == {("team", "=")}
    assert compared(of(sql, "orders")) == {("user_id", "="), ("state", "=")}
    assert of(sql, "users").needed == ("id", "email", "team")
    assert next(one for one in of(sql, "orders").compared if one.column == "user_id").joined


def test_ctes_subqueries_and_views_lead_to_the_table() -> None:
    for sql in (
        "WITH mine (n, who) AS (SELECT id, user_id FROM orders) SELECT n FROM mine WHERE who = 7",
        "SELECT n FROM (SELECT id AS n, user_id AS who FROM orders) AS mine WHERE who = 7",
        "SELECT number FROM open_orders WHERE buyer = 7",
        "WITH orders AS (SELECT 1 AS id) SELECT number FROM open_orders WHERE buyer = 7",
    ):
        found = of(sql, "orders")
        assert ("user_id", "=") in compared(found)
        assert set(found.needed) >= {"id", "user_id"}
        assert access(sql).unresolved == ()
    assert ("state", "=") in compared(of("SELECT number FROM open_orders", "orders"))


def test_correlated_and_semi_joins() -> None:
    sql = """SELECT email FROM users u WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = u.id)
             AND team IN (SELECT team FROM teams WHERE name = 4)"""
    assert compared(of(sql, "orders")) == {("user_id", "=")}
    assert compared(of(sql, "teams")) == {("team", "="), ("name", "=")}
    assert compared(of(sql, "users")) == {("id", "="), ("team", "=")}
    assert of(sql, "orders").needed == ("user_id",)


def test_stars_ask_for_every_column_of_theirs() -> None:
    assert of("SELECT * FROM users", "users").needed == ("id", "email", "team", "gone")
    both = "SELECT o.* FROM users u JOIN orders o ON o.user_id = u.id"
    assert of(both, "users").needed == ("id",)
    assert len(of(both, "orders").needed) == 5


def test_order_limit_group_and_extremes() -> None:
    page = of("SELECT id FROM orders WHERE state = 1 ORDER BY made DESC, id LIMIT 5", "orders")
    assert [(one.column, one.descending) for one in page.sorted_by] == [
        ("made", True),
        ("id", False),
    ]
    assert page.limited
    groups = of("SELECT user_id, count(*) FROM orders GROUP BY 1", "orders")
    assert groups.grouped_by == ("user_id",)
    largest = of("SELECT max(total) FROM orders WHERE state = 2", "orders")
    assert largest.limited
    assert largest.sorted_by[0].column == "total"


def test_conditions_by_what_an_index_can_do() -> None:
    sql = """SELECT id FROM users WHERE lower(email) = 'a' AND gone IS NULL AND email LIKE 'ab%'
             AND email ILIKE '%x%' AND (id > 5 OR team = 2) AND team <> 9"""
    found = {
        (one.use, one.column, one.expression, one.required) for one in of(sql, "users").compared
    }
    assert found == {
        (Use.EQUALITY, "email", "lower(email)", True),
        (Use.TEST, "gone", None, True),
        (Use.RANGE, "email", None, True),
        (Use.SEARCH, "email", None, True),
        (Use.RANGE, "id", None, False),
        (Use.EQUALITY, "team", None, False),
    }


def test_what_every_arm_of_an_or_asks_is_required() -> None:
    sql = "SELECT 1 FROM orders WHERE (state = 1 AND total > 5) OR (state = 1 AND made < 3)"
    required = {one.column: one.required for one in of(sql, "orders").compared}
    assert required == {"state": True, "total": False, "made": False}


def test_writes() -> None:
    changed = access("UPDATE orders SET total = 1, state = 2 FROM users u WHERE user_id = u.id")
    assert [(one.kind, one.table, one.columns) for one in changed.writes] == [
        ("update", "orders", ("total", "state"))
    ]
    assert next(one for one in changed.accesses if one.table == "orders").target
    merge = """MERGE INTO orders o USING users u ON o.user_id = u.id
               WHEN MATCHED THEN UPDATE SET total = 2 WHEN NOT MATCHED THEN INSERT (id) VALUES (1)"""
    assert {one.kind for one in access(merge).writes} == {"update", "insert"}
    upsert = (
        "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET total = excluded.total"
    )
    assert [(one.kind, one.columns) for one in access(upsert).writes] == [
        ("insert", ("id",)),
        ("update", ("total",)),
    ]


def test_recursion_unions_and_functions_in_from() -> None:
    sql = """WITH RECURSIVE tree AS (SELECT id, user_id FROM orders WHERE id = 1
             UNION ALL SELECT o.id, o.user_id FROM orders o JOIN tree t ON o.user_id = t.id)
             SELECT * FROM tree, generate_series(1, 3) AS g (n) WHERE n = 1"""
    found = access(sql)
    assert found.unresolved == ()
    assert [compared(one) for one in found.accesses] == [{("id", "=")}, {("user_id", "=")}]


@pytest.mark.parametrize(
    ("sql", "unresolved"),
    [
        ("SELECT * FROM nowhere WHERE a = 1", ("nowhere",)),
        ("SELECT nothing FROM users", ("nothing",)),
        ("SELECT u.nothing FROM users u", ("u.nothing",)),
        ("SELECT id FROM users, orders", ("id",)),
    ],
)
def test_what_the_catalog_does_not_have_is_told(sql: str, unresolved: tuple[str, ...]) -> None:
    assert access(sql).unresolved == unresolved


def test_what_is_no_single_statement_gives_nothing() -> None:
    for sql in ("SELECT 1; SELECT 2", "VACUUM users", "SELECT FROM WHERE", "(" * 5000):
        assert statement_access(sql, CATALOG) is None


def test_what_is_written_through_a_view_is_written_to_its_table() -> None:
    found = access("UPDATE open_orders SET buyer = 3 WHERE number = 7")
    (write,) = found.writes
    assert (write.table, write.kind, write.columns) == ("orders", "update", ("user_id",))
    (own,) = found.accesses
    assert own.target
    assert compared(own) == {("id", "="), ("state", "=")}
    (inserted,) = access("INSERT INTO open_orders (number, buyer) VALUES (1, 2)").writes
    assert (inserted.table, inserted.columns) == ("orders", ("id", "user_id"))
    assert access("INSERT INTO open_orders (number) VALUES (1)").accesses == ()
