"""Rewritten statements do on a real server exactly what the loops, pages and lists did."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from analyzer.sql.count_rewrite import count_of
from analyzer.sql.identity import identify
from analyzer.sql.keyset import keyset
from analyzer.sql.sargable import without_function
from analyzer.sql.write_rewrite import ManyRows, write_many

if TYPE_CHECKING:
    from tests.conftest import Server

SCHEMA = Path(__file__).parents[1] / "data" / "neighbours" / "schema.sql"
TYPES = {
    "accounts": dict.fromkeys(("id", "balance", "region", "tier", "score"), "integer")
    | {"owner": "text"},
    "events": {"id": "integer", "account_id": "integer", "kind": "text", "payload": "text"},
}
Row = tuple[object, ...]


@dataclass(frozen=True)
class Loop:
    """A statement as it is executed for each of `rows`; `columns` are what its `$n` are about."""

    sql: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    varying: frozenset[int] | None = None


LOOPS = {
    "insert": Loop(
        'INSERT INTO "events" ("account_id", "kind", "payload") VALUES ($1, $2, $3) RETURNING "events"."id"',
        ("account_id", "kind", "payload"),
        ((1, "a", "x"), (2, "b", "it's")),
    ),
    "insert with a default and an expression": Loop(
        "INSERT INTO events (id, account_id, kind, payload) VALUES (DEFAULT, $1, 'k', $2::text)",
        ("account_id", "payload"),
        ((1, "x"), (2, "y")),
    ),
    "insert on conflict": Loop(
        "INSERT INTO accounts (id, owner, balance, region, tier, score) VALUES ($1, $2, $3, 0, 0, 0) "
        "ON CONFLICT (id) DO UPDATE SET balance = EXCLUDED.balance",
        ("id", "owner", "balance"),
        ((1, "x", 77), (5000, "y", 78)),
    ),
    "insert of an expression": Loop(
        "INSERT INTO events (account_id, kind, payload) VALUES ($1, lower($2), $3)",
        ("account_id", "kind", "payload"),
        ((1, "A", "x"), (2, "B", "y")),
    ),
    "update": Loop(
        'UPDATE "accounts" SET "owner" = $1, "balance" = $2 WHERE "accounts"."id" = $3',
        ("owner", "balance", "id"),
        tuple((f"o{n}", n * 7, n) for n in range(1, 9)),
    ),
    "update as Prisma writes it": Loop(
        'UPDATE "public"."accounts" SET "score" = $1 WHERE ("public"."accounts"."id" = $2 AND 1=1) '
        'RETURNING "public"."accounts"."id", "public"."accounts"."score"',
        ("score", "id"),
        tuple((n * 3, n) for n in range(1, 9)),
    ),
    "counter": Loop(
        "UPDATE accounts SET balance = balance - $1, score = score + 1 WHERE id = $2 AND region < 8",
        ("balance", "id"),
        tuple((n, n) for n in range(1, 20)),
    ),
    "same value for each": Loop(
        "UPDATE accounts SET tier = $1 WHERE id = $2",
        ("tier", "id"),
        tuple((9, n) for n in range(1, 9)),
        frozenset({2}),
    ),
    "same tenant": Loop(
        "UPDATE accounts AS a SET balance = $1 WHERE a.region = $2 AND a.id = $3",
        ("balance", "region", "id"),
        tuple((n + 500, 3, n) for n in range(1, 40)),
        frozenset({1, 3}),
    ),
    "delete": Loop(
        'DELETE FROM "events" WHERE "events"."id" IN ($1)',
        ("id",),
        tuple((n,) for n in range(5, 30)),
    ),
    "delete by two columns": Loop(
        "DELETE FROM events e WHERE account_id = $1 AND kind = $2",
        ("account_id", "kind"),
        ((2, "even"), (3, "odd"), (4, "even"), (5, "even")),
    ),
    "update of one table alone": Loop(
        "UPDATE ONLY accounts AS a SET balance = $1 WHERE a.id = $2",
        ("balance", "id"),
        tuple((n * 5, n) for n in range(1, 9)),
    ),
    "delete from one table alone": Loop(
        "DELETE FROM ONLY public.events WHERE account_id = $1 AND kind = $2",
        ("account_id", "kind"),
        ((5, "even"), (6, "odd")),
    ),
}
REFUSED = [
    "INSERT INTO events (account_id) SELECT $1",
    "INSERT INTO events (account_id, kind) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET kind = $3",
    "UPDATE accounts SET owner = lower($1) WHERE id = $2",
    "UPDATE accounts SET score = $1 WHERE id = $2 AND score = $3",
    "UPDATE accounts SET score = (SELECT max(score) FROM accounts WHERE region = $1) WHERE id = $2",
    "UPDATE accounts SET score = $1",
    "DELETE FROM accounts USING events WHERE accounts.id = $1",
    "SELECT 1",
    "no SQL",
]


@pytest.fixture(scope="module")
def connection(postgres15: "Server") -> Iterator[psycopg.Connection[Any]]:
    dsn = postgres15.create_database("rewrites")
    with psycopg.connect(dsn, cursor_factory=psycopg.RawCursor) as made:
        made.execute(SCHEMA.read_text())  # type: ignore[arg-type]  # a file of our own
        made.commit()
        yield made


def state(connection: psycopg.Connection[Any]) -> tuple[list[Row], ...]:
    """What both tables hold, without the keys of new rows (the sequence goes on)."""
    accounts = connection.execute("SELECT * FROM accounts ORDER BY id").fetchall()
    old = "SELECT * FROM events WHERE id <= 60000 ORDER BY id"
    new = "SELECT account_id, kind, payload FROM events WHERE id > 60000 ORDER BY 1, 2, 3"
    return accounts, connection.execute(old).fetchall(), connection.execute(new).fetchall()


def arguments(loop: Loop, many: ManyRows) -> list[object]:
    """What to call the rewritten statement with, by what it says of its parameters."""
    found: list[object] = []
    constant = [n for n in range(len(loop.columns)) if n + 1 not in (loop.varying or ())]
    for number, told in enumerate(many.parameters):
        column = told.rpartition(" ")[2]
        if told in ("first row", "second row"):
            flat = [value for row in loop.rows[:2] for value in row]
            found.append(flat[number])
        elif told.startswith("array of"):
            place = loop.columns.index(column)
            found.append([row[place] for row in loop.rows])
        elif told.startswith("jsonb"):
            objects = [
                {
                    name: row[loop.columns.index(name)]
                    for name in loop.columns
                    if f'"{name}"' in told
                }
                for row in loop.rows
            ]
            found.append(Jsonb(objects))
        else:
            found.append(loop.rows[0][constant.pop(0)])
    return found


@pytest.mark.parametrize("typed", [True, False], ids=["types", "no types"])
@pytest.mark.parametrize("name", LOOPS)
def test_the_rewritten_write_does_what_the_loop_did(
    connection: psycopg.Connection[Any], name: str, *, typed: bool
) -> None:
    loop = LOOPS[name]
    statement = identify(loop.sql)
    types = TYPES[statement.facts.main_table or ""] if typed else {}
    many = write_many(statement.sql if "1=1" in loop.sql else loop.sql, types, loop.varying)
    assert many is not None
    before = state(connection)
    with connection.transaction(force_rollback=True):
        for row in loop.rows:
            connection.execute(loop.sql, row)  # type: ignore[arg-type]  # written above
        looped = state(connection)
    with connection.transaction(force_rollback=True):
        connection.execute(many.sql, arguments(loop, many))  # type: ignore[arg-type]
        together = state(connection)
    assert looped != before
    assert together == looped


@pytest.mark.parametrize(
    ("table", "row_type"),
    [
        ('"x AS y"', '"x AS y"'),
        ('ONLY "S"."a.b" AS t', '"S"."a.b"'),
        ("db.s.order_lines l", "db.s.order_lines"),
    ],
)
def test_rows_of_json_are_of_the_tables_own_type(table: str, row_type: str) -> None:
    many = write_many(f"UPDATE {table} SET n = $1 WHERE id = $2", {}, None)
    assert many is not None
    assert f"(CAST(NULL AS {row_type}), $1)" in " ".join(many.sql.split())


@pytest.mark.parametrize("typed", [True, False], ids=["types", "no types"])
def test_a_key_twice_is_refused_on_conflict_and_the_note_says_so(
    connection: psycopg.Connection[Any], *, typed: bool
) -> None:
    loop = replace(LOOPS["insert on conflict"], rows=((1, "x", 77), (1, "x", 78)))
    many = write_many(loop.sql, TYPES["accounts"] if typed else {}, None)
    assert many is not None
    assert (
        "merge rows of one key first: PostgreSQL refuses a key twice in one statement" in many.note
    )
    with connection.transaction(force_rollback=True):
        for row in loop.rows:
            connection.execute(loop.sql, row)  # type: ignore[arg-type]  # written above
    with (
        pytest.raises(psycopg.errors.CardinalityViolation, match="a second time"),
        connection.transaction(force_rollback=True),
    ):
        connection.execute(many.sql, arguments(loop, many))  # type: ignore[arg-type]


@pytest.mark.parametrize("conflict", ["", "ON CONFLICT DO NOTHING", "ON CONFLICT (id) DO NOTHING"])
@pytest.mark.parametrize("types", [TYPES["accounts"], {}])
def test_keys_need_no_merging_where_nothing_is_updated(
    conflict: str, types: dict[str, str]
) -> None:
    many = write_many(f"INSERT INTO accounts (id) VALUES ($1) {conflict}", types, None)
    assert many is not None
    assert "merge" not in many.note


@pytest.mark.parametrize("sql", REFUSED)
def test_what_would_not_be_the_same_is_refused(sql: str) -> None:
    assert write_many(sql, TYPES["accounts"], None) is None


PAGES = [
    "SELECT id, owner FROM accounts ORDER BY id LIMIT $1 OFFSET $2",
    "SELECT a.id, a.owner FROM accounts AS a WHERE a.tier = 1 ORDER BY a.region DESC LIMIT $1 OFFSET $2",
    'SELECT "accounts"."owner" FROM "accounts" ORDER BY "accounts"."region" DESC, "accounts"."owner" ASC LIMIT $1 OFFSET $2',
    "SELECT * FROM accounts WHERE region = 3 OR region = 4 ORDER BY tier DESC, id DESC OFFSET $2 LIMIT $1",
]


def rows_of(connection: psycopg.Connection[Any], sql: str, values: Sequence[object]) -> list[Any]:
    cursor = connection.execute(sql, values)  # type: ignore[arg-type]  # written here
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.mark.parametrize("sql", PAGES)
def test_pages_behind_the_last_row_are_those_of_offset(
    connection: psycopg.Connection[Any], sql: str
) -> None:
    made = keyset(sql, ("id",))
    assert made is not None
    # The order of equal rows is not said without the key: both walks need it.
    wanted = (
        sql
        if "id" in sql.partition("ORDER BY")[2]
        else sql.replace(" LIMIT", f", {'a.id DESC' if ' a.' in sql else 'id'} LIMIT")
    )
    size = 37
    paged = [row for n in range(4) for row in rows_of(connection, wanted, (size, n * size))]
    first = made.sql.partition("\nWHERE")
    assert first[1]
    last = {
        **rows_of(
            connection,
            wanted.replace("SELECT ", "SELECT id AS key, ", 1) if "*" not in sql else wanted,
            (size, 0),
        )[-1]
    }
    columns = ", ".join(made.columns)
    at = rows_of(
        connection,
        f"SELECT {columns} FROM accounts WHERE id = $1",
        (last.get("key", last.get("id")),),
    )[0]
    behind: list[Any] = []
    for _ in range(3):
        values = [size, *(at[column] for column in made.columns)]
        page = rows_of(connection, made.sql, values)
        behind += page
        at = page[-1]
    shown = list(paged[0])
    assert [[row[name] for name in shown] for row in behind] == [
        [row[name] for name in shown] for row in paged[size:]
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id, owner FROM accounts LIMIT $1 OFFSET $2",
        "SELECT region, count(*) FROM accounts GROUP BY region ORDER BY region LIMIT $1 OFFSET $2",
        "SELECT DISTINCT region FROM accounts ORDER BY region LIMIT $1 OFFSET $2",
        "SELECT id FROM accounts ORDER BY lower(owner) LIMIT $1 OFFSET $2",
        "SELECT id, -tier AS tier FROM accounts ORDER BY tier LIMIT $1 OFFSET $2",
        "SELECT id FROM accounts ORDER BY tier NULLS FIRST LIMIT $1 OFFSET $2",
        "SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT $1 OFFSET $2",
        "no SQL",
    ],
)
def test_pages_without_a_sure_order_are_refused(sql: str) -> None:
    assert keyset(sql, ("id",)) is None


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT id, owner FROM accounts WHERE tier = $1 ORDER BY id", (1,)),
        ("SELECT $1::text, id FROM accounts WHERE tier = $2 FOR UPDATE", ("x", 1)),
        (
            "SELECT e.id FROM events e JOIN accounts a ON a.id = e.account_id WHERE a.region = $1",
            (3,),
        ),
    ],
)
def test_the_count_is_the_number_of_rows(
    connection: psycopg.Connection[Any], sql: str, values: Row
) -> None:
    counted = count_of(sql)
    assert counted is not None
    rows = rows_of(connection, sql, values)
    used = values[-counted.count("$") :]
    assert rows_of(connection, counted, used) == [{"count": len(rows)}]


@pytest.mark.parametrize(
    "sql", ["SELECT DISTINCT tier FROM accounts", "SELECT tier FROM accounts GROUP BY tier", "("]
)
def test_what_counts_something_else_is_refused(sql: str) -> None:
    assert count_of(sql) is None


DEEP = " || ".join(["owner"] * 1500)
LONG_NAMES = [f"column_{n}" for n in range(600)]


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda: write_many(f"UPDATE accounts SET owner = {DEEP} WHERE id = $1", {}, None),
        lambda: write_many(f"DELETE FROM accounts WHERE id = $1 AND owner <> {DEEP}", {}, None),
        lambda: write_many("INSERT INTO accounts (id) VALUES ($1)", {"id": "no type ("}, None),
        lambda: keyset(f"SELECT {DEEP} FROM accounts ORDER BY id LIMIT $1 OFFSET $2", ("id",)),
        lambda: count_of(f"SELECT id FROM accounts WHERE owner <> {DEEP}"),
        lambda: without_function(f"SELECT {DEEP} FROM t WHERE a::date = $1", "a", "(a)::date"),
    ],
)
def test_what_cannot_be_written_anew_is_refused(rewrite: Callable[[], object]) -> None:
    assert rewrite() is None


def test_a_rewriting_may_be_longer_than_what_is_rewritten() -> None:
    values = ", ".join(f"${n}" for n in range(1, len(LONG_NAMES) + 1))
    sql = f"INSERT INTO t ({', '.join(LONG_NAMES)}) VALUES ({values})"
    kind = "timestamp(3) without time zone"
    many = write_many(sql, dict.fromkeys(LONG_NAMES, kind), None)
    assert many is not None
    assert len(many.parameters) == len(LONG_NAMES)


def test_a_year_as_a_range_beside_a_month_finds_the_same_rows(
    connection: psycopg.Connection[Any],
) -> None:
    days = "(SELECT date '2023-11-15' + 10 * n AS a FROM generate_series(0, 80) AS n) AS days"
    sql = f"SELECT a FROM {days} WHERE EXTRACT(year FROM a) = $1 AND EXTRACT(month FROM a) = $2"
    made = without_function(sql, "a", "EXTRACT(year FROM a)", "date")
    assert made is not None
    wanted = rows_of(connection, sql, (2024, 5))
    assert len(wanted) == 3
    assert rows_of(connection, made, (2024, 5)) == wanted
