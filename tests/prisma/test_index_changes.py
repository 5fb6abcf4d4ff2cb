"""Index advice as changes of a project: what becomes a migration, under which name, and what is left out."""

from datetime import UTC, datetime
from typing import Any

import pytest

from analyzer.errors import InputError
from analyzer.model.schema_change import ProjectChange
from analyzer.prisma.index_changes import IndexChanges
from analyzer.prisma.migration_names import MigrationNames
from analyzer.sources.schema import prisma
from tests.prisma.prisma_cli import DATA

SCHEMA = (DATA / "prisma" / "schema" / "schema.prisma").read_text()
NOW = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)
SALES = """
generator client {
  provider = "prisma-client"
}
datasource db {
  provider = "postgresql"
  schemas  = ["public", "sales"]
}
model Order {
  id     Int @id
  userId Int @map("user_id")

  @@map("orders")
  @@schema("sales")
}
"""


def change(
    schema: str = SCHEMA, names: tuple[str, ...] = (), **advice: list[dict[str, Any]]
) -> ProjectChange:
    catalog = prisma.read_schema(schema, "s")
    return IndexChanges(catalog, names, NOW).of({"create": [], "drop": [], **advice})


def create(sql: str, table: str) -> dict[str, Any]:
    return {"sql": sql, "table": table, "rule": "a\nrule", "verified_by": "rule"}


def drop(name: str, table: str, **more: str) -> dict[str, Any]:
    return {"sql": f"DROP INDEX CONCURRENTLY {name};", "table": table, "index": name, "kind": "unused",
            "reason": "idle", "risk": "short", **more}  # fmt: skip


def test_a_migration_has_one_statement_and_says_why() -> None:
    made = change(create=[create("CREATE EXTENSION IF NOT EXISTS pg_trgm;\nCREATE INDEX CONCURRENTLY i ON users USING gin (email gin_trgm_ops);", "users")])  # fmt: skip
    assert [one.name for one in made.migrations] == [
        "20260201123000_add_extension",
        "20260201123001_add_users_email_idx",
    ]
    extension, index = (one.sql.splitlines() for one in made.migrations)
    assert extension[-1] == "CREATE EXTENSION IF NOT EXISTS pg_trgm;"
    assert (
        index[-1]
        == "CREATE INDEX CONCURRENTLY users_email_idx ON users USING gin (email gin_trgm_ops);"
    )
    assert index[0] == "-- a rule; verified by rule."  # a line break does not end the comment
    assert all(line.startswith("--") for line in index[:-1])


def test_a_model_in_a_schema_of_its_own_is_found_by_its_table() -> None:
    made = change(
        SALES,
        create=[create("CREATE INDEX CONCURRENTLY i ON sales.orders (user_id);", "sales.orders")],
    )
    assert [(one.model, one.added) for one in made.edits] == [("Order", "@@index([userId])")]
    assert (
        "INDEX CONCURRENTLY orders_user_id_idx ON sales.orders (user_id);" in made.migrations[0].sql
    )


def test_names_sort_behind_those_there_are() -> None:
    names = MigrationNames(["20260101000000_init", "20270101000000_later"], NOW)
    assert [names.next("Add „x“ y"), names.next("b" * 300)] == [
        "20270101000001_add_x_y",
        "20270101000002_" + "b" * 120,
    ]
    for last in ("99991231235959_end", "add_users", "20269999000000_x"):
        with pytest.raises(InputError, match=last):
            MigrationNames([last], NOW).next("x")
    assert MigrationNames(["0_init"], NOW).next("x") == "20260201123000_x"


@pytest.mark.parametrize(
    ("sql", "table", "why"),
    [
        ("CREATE INDEX CONCURRENTLY i ON other (a);", "other", "no model of the schema"),
        ('CREATE INDEX CONCURRENTLY i ON "_ProjectToTag" ("B", "A");', "_ProjectToTag", "many-to-many"),
        ("CREATE INDEX CONCURRENTLY i ON users (budget);", "users", "no field for budget"),
        ("CREATE INDEX CONCURRENTLY i ON projects (team_id, status);", "projects", "declares it already (projects_team_id_status_idx)"),
        ("CREATE INDEX i ON ONLY users (email);\nCREATE INDEX CONCURRENTLY j ON users_1 (email);", "users", "partitioned"),
    ],
)  # fmt: skip
def test_what_is_not_prisma_s_to_migrate_is_left_out_and_said(
    sql: str, table: str, why: str
) -> None:
    made = change(create=[create(sql, table)])
    assert (made.edits, made.migrations) == ((), ())
    assert why in made.left_out[0].reason


def test_an_index_whose_value_is_not_shown_is_left_out() -> None:
    sql = "CREATE INDEX CONCURRENTLY i ON users (id) WHERE email = ?;"
    made = change(create=[{**create(sql, "users"), "fill_in": "a value is missing"}])
    assert (made.edits, made.migrations) == ((), ())
    assert made.left_out[0].reason == "a value is missing"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (drop("containers_recent_idx", "containers", action="review"), "reviewed first: short"),
        (drop("users_email_key", "users"), "unique"),
        (drop("_ProjectToTag_B_index", "_ProjectToTag"), "many-to-many"),
    ],
)
def test_drops_that_are_not_made(entry: dict[str, Any], why: str) -> None:
    made = change(drop=[entry])
    assert (made.edits, made.migrations) == ((), ())
    assert why in made.left_out[0].reason


def test_an_invalid_index_that_is_declared_is_built_anew() -> None:
    again = "CREATE INDEX CONCURRENTLY containers_recent_idx ON containers (created_at DESC);"
    entry = drop("containers_recent_idx", "containers", kind="invalid", rollback=again)
    made = change(drop=[entry])
    assert made.edits == ()
    assert [one.sql.splitlines()[-1] for one in made.migrations] == [entry["sql"], again]


def test_an_index_that_only_the_database_has_is_dropped_if_it_is_there() -> None:
    made = change(drop=[drop("handmade", "users")])
    assert made.edits == ()
    assert made.migrations[0].sql.endswith("DROP INDEX CONCURRENTLY IF EXISTS handmade;\n")


def test_a_taken_name_gets_a_map() -> None:
    catalog = prisma.read_schema(SCHEMA, "s")
    changes = IndexChanges(catalog, (), NOW, {"users_name_idx"})
    made = changes.of({"create": [create("CREATE INDEX CONCURRENTLY i ON users (name);", "users")], "drop": []})  # fmt: skip
    assert made.edits[0].added == '@@index([name], map: "i")'
