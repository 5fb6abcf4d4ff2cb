"""Foreign keys without an index: on the Prisma schema, the four that its server has."""

from pathlib import Path

import psycopg
import pytest

from analyzer.indexes.foreign_keys import uncovered
from analyzer.model.catalog import Catalog, ForeignKey, Index, Table
from analyzer.sources.postgres.catalog import read_catalog
from analyzer.sources.postgres.connection import connect
from tests.conftest import Server

TRUTH = Path(__file__).resolve().parents[1] / "data" / "prisma" / "schema" / "fk_without_index.txt"


def catalog(*tables: Table) -> Catalog:
    return Catalog({table.name: table for table in tables})


def child(*indexes: Index, columns: tuple[str, ...] = ("a_id",)) -> Catalog:
    key = ForeignKey(columns, "a", tuple("id" for _ in columns))
    return catalog(Table("b", primary_key=("id",), foreign_keys=(key,), indexes=indexes))


PRISMA = catalog(
    Table("users", primary_key=("id",)),
    Table("teams", primary_key=("id",)),
    Table(
        "team_members",
        primary_key=("user_id", "team_id"),
        foreign_keys=(
            ForeignKey(("user_id",), "users", ("id",), "team_members_user_id_fkey"),
            ForeignKey(("team_id",), "teams", ("id",), "team_members_team_id_fkey"),
        ),
    ),
    Table(
        "projects",
        primary_key=("id",),
        foreign_keys=(
            ForeignKey(("owner_id",), "users", ("id",), "projects_owner_id_fkey"),
            ForeignKey(("team_id",), "teams", ("id",), "projects_team_id_fkey"),
        ),
        indexes=(Index(None, ("team_id", "status")), Index(None, ("meta",), method="gin")),
    ),
    Table(
        "containers",
        primary_key=("id",),
        foreign_keys=(ForeignKey(("project_id",), "projects", ("id",), "containers_project_id_fkey"),),
        indexes=(Index("containers_recent_idx", ("created_at",)),),
    ),
    Table(
        "Backup",
        primary_key=("id",),
        foreign_keys=(ForeignKey(("containerId",), "containers", ("id",), "Backup_containerId_fkey"),),
    ),
    Table(
        "EnvironmentVariable",
        primary_key=("id",),
        unique_keys=(("projectId", "key"),),
        foreign_keys=(ForeignKey(("projectId",), "projects", ("id",), "EnvironmentVariable_projectId_fkey"),),
    ),
    Table(
        "_ProjectToTag",
        primary_key=("A", "B"),
        foreign_keys=(ForeignKey(("A",), "projects", ("id",)), ForeignKey(("B",), "Tag", ("id",))),
        indexes=(Index("_ProjectToTag_B_index", ("B",)),),
    ),
)  # fmt: skip


def test_the_prisma_schema_has_the_four_that_the_server_says() -> None:
    rows = [line.split("|") for line in TRUTH.read_text().splitlines() if line.count("|") == 3]
    truth = {
        (row[0].strip().strip('"'), row[2].strip().strip("{}"))
        for row in rows
        if row[3].strip() == "f"
    }
    assert len(truth) == 4
    found = uncovered(PRISMA)
    assert {(candidate.table, *candidate.columns) for candidate in found} == truth
    assert len(found) == 4
    backup = next(candidate for candidate in found if candidate.table == "Backup")
    assert backup.sql.endswith(' ON "Backup" ("containerId");')
    assert "refers to containers (Backup_containerId_fkey)" in backup.rule


@pytest.mark.parametrize(
    "index",
    [
        Index("i", ("a_id",)),
        Index("i", ("a_id", "x")),
        Index("i", ("a_id",), method="hash"),
        Index("i", ("a_id",), predicate="(a_id IS NOT NULL)"),
    ],
)
def test_supported(index: Index) -> None:
    assert uncovered(child(index)) == []


@pytest.mark.parametrize(
    "index",
    [
        Index("i", ("x", "a_id")),
        Index("i", ("a_id",), method="brin"),
        Index("i", ("a_id",), valid=False),
        Index("i", ("a_id",), predicate="(x IS NULL)"),
        Index("i", ("lower(a_id)",)),
    ],
)
def test_not_supported(index: Index) -> None:
    assert [candidate.columns for candidate in uncovered(child(index))] == [("a_id",)]


def test_the_columns_of_a_composite_key_may_stand_in_any_order() -> None:
    assert uncovered(child(Index("i", ("y", "x", "z")), columns=("x", "y"))) == []
    assert len(uncovered(child(Index("i", ("x", "z", "y")), columns=("x", "y")))) == 1


def test_two_keys_on_the_same_columns_need_one_index() -> None:
    keys = (ForeignKey(("a_id",), "a", ("id",)), ForeignKey(("a_id",), "c", ("id",)))
    assert len(uncovered(catalog(Table("b", foreign_keys=keys)))) == 1


@pytest.mark.parametrize(
    "write", ["DELETE FROM authors WHERE id = 7", "UPDATE authors SET id = -7 WHERE id = 7"]
)
def test_what_is_done_to_a_parent_no_longer_reads_all_children(
    postgres15: Server, write: str
) -> None:
    dsn = postgres15.create_database("parents")
    postgres15.psql(
        """CREATE TABLE authors (id int PRIMARY KEY, name text);
        CREATE TABLE books (id int PRIMARY KEY, author_id int REFERENCES authors (id) ON DELETE CASCADE ON UPDATE CASCADE);
        INSERT INTO authors SELECT n, 'name' FROM generate_series(1, 2000) AS n;
        INSERT INTO books SELECT n, n % 2000 + 1 FROM generate_series(1, 20000) AS n;
        ANALYZE authors; ANALYZE books""",
        dsn,
    )
    with connect(dsn) as connection:
        (candidate,) = uncovered(read_catalog(connection).catalog)

    def children_read() -> tuple[int, int]:
        """Rows of children read one after the other, and by an index, in the transaction of the write."""
        with psycopg.connect(dsn) as fresh:  # a session keeps the plans of its checks
            fresh.execute(write.encode())
            row = fresh.execute(
                "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'books'"
            ).fetchone()
            fresh.rollback()
        assert row is not None
        return row

    assert children_read()[0] == 20000
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(candidate.sql.encode())
    assert children_read() == (0, 10)
