"""Drift: nothing on a clean database, everything that was planted, and mends that mend."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.model.catalog import Catalog
from analyzer.model.drift import Difference
from analyzer.prisma.drift import differences
from analyzer.sources.postgres.prisma_state import read_prisma_state
from analyzer.sources.schema import prisma, sql

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data"
SCHEMA = (DATA / "prisma" / "schema" / "schema.prisma").read_text(encoding="utf-8")
MIGRATION = (DATA / "schema" / "prisma_migration.sql").read_text(encoding="utf-8")

# What was planted in the capture of Prisma's own answers, and more of each kind.
PLANTED: tuple[tuple[str, str, tuple[str, str, str | None, str]], ...] = (
    ("index missing", 'DROP INDEX "_ProjectToTag_B_index"', ("index", "missing", "_ProjectToTag", "database")),
    ("include", "CREATE INDEX c_incl ON containers (project_id) INCLUDE (name)", ("index", "extra", "containers", "schema")),
    ("partial", "CREATE INDEX c_running ON containers (created_at) WHERE status = 'RUNNING'", ("index", "extra", "containers", "schema")),
    ("plain", "CREATE INDEX c_ps ON containers (project_id, status)", ("index", "extra", "containers", "schema")),
    ("class", "CREATE INDEX p_path ON projects USING gin (meta jsonb_path_ops)", ("index", "extra", "projects", "schema")),
    ("text class", "CREATE INDEX u_like ON users (email text_pattern_ops)", ("index", "extra", "users", "schema")),
    ("expression", "CREATE INDEX u_lower ON users (lower(email))", ("index", "extra", "users", "schema")),
    ("hash", "CREATE INDEX u_hash ON users USING hash (name)", ("index", "extra", "users", "schema")),
    ("renamed index", "ALTER INDEX containers_recent_idx RENAME TO recent", ("index", "different", "containers", "schema")),
    ("other direction", "DROP INDEX containers_recent_idx; CREATE INDEX containers_recent_idx ON containers (created_at)", ("index", "different", "containers", "database")),
    ("column extra", "ALTER TABLE projects ADD budget int", ("column", "extra", "projects", "schema")),
    ("column missing", 'ALTER TABLE "Backup" DROP "sizeBytes"', ("column", "missing", "Backup", "database")),
    ("stricter", "ALTER TABLE users ALTER name SET NOT NULL", ("nullability", "different", "users", "schema")),
    ("looser", "ALTER TABLE users ALTER email DROP NOT NULL", ("nullability", "different", "users", "database")),
    ("type", "ALTER TABLE users ALTER name TYPE varchar(40)", ("type", "different", "users", "database")),
    ("default gone", "ALTER TABLE projects ALTER status DROP DEFAULT", ("default", "different", "projects", "database")),
    ("default other", "ALTER TABLE projects ALTER status SET DEFAULT 'paused'", ("default", "different", "projects", "database")),
    ("table extra", "CREATE TABLE audit (id bigserial PRIMARY KEY, at timestamptz(6) NOT NULL DEFAULT now(), what text NOT NULL, tags text[])", ("table", "extra", "audit", "schema")),
    ("table missing", 'DROP TABLE "_ProjectToTag"', ("table", "missing", "_ProjectToTag", "database")),
    ("key missing", 'ALTER TABLE "Backup" DROP CONSTRAINT "Backup_containerId_fkey"', ("foreign-key", "missing", "Backup", "database")),
    ("key extra", "ALTER TABLE users ADD boss int; ALTER TABLE users ADD FOREIGN KEY (boss) REFERENCES users", ("foreign-key", "extra", "users", "schema")),
    ("key's action", 'ALTER TABLE "Backup" DROP CONSTRAINT "Backup_containerId_fkey"; ALTER TABLE "Backup" ADD CONSTRAINT "Backup_containerId_fkey" FOREIGN KEY ("containerId") REFERENCES containers ON DELETE CASCADE ON UPDATE CASCADE', ("foreign-key", "different", "Backup", "database")),
    ("key's name", 'ALTER TABLE "Backup" RENAME CONSTRAINT "Backup_containerId_fkey" TO b', ("foreign-key", "different", "Backup", "schema")),
    ("label extra", "ALTER TYPE role ADD VALUE 'GUEST'", ("enum", "different", None, "schema")),
    ("label missing", "ALTER TYPE role RENAME VALUE 'MEMBER' TO 'OTHER'", ("enum", "different", None, "schema")),
    ("enum extra", "CREATE TYPE mood AS ENUM ('good', 'so-so')", ("enum", "extra", None, "schema")),
    ("primary key", "ALTER TABLE team_members DROP CONSTRAINT team_members_pkey", ("primary-key", "missing", "team_members", "database")),
)  # fmt: skip


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return prisma.read_schema(SCHEMA, "schema.prisma")


@pytest.fixture
def clean(postgres15: Server) -> Iterator[str]:
    dsn = postgres15.create_database("drift_clean")
    postgres15.psql(MIGRATION, dsn)
    yield dsn
    postgres15.psql("DROP DATABASE drift_clean WITH (FORCE)")


def live(dsn: str) -> Catalog:
    return read_prisma_state(dsn).catalog


def said(found: list[Difference]) -> list[tuple[str, str, str | None, str]]:
    return [(one.subject, one.change, one.table, one.mend) for one in found]


def test_nothing_differs_on_what_prisma_made(wanted: Catalog, clean: str) -> None:
    assert differences(wanted, live(clean)) == []
    assert differences(wanted, sql.read_schema(MIGRATION, "dump.sql")) == []


@pytest.mark.parametrize(("name", "change", "expected"), PLANTED, ids=[one[0] for one in PLANTED])
def test_each_planted_difference_is_found_in_a_script(
    wanted: Catalog, name: str, change: str, expected: tuple[str, str, str | None, str]
) -> None:
    found = differences(wanted, sql.read_schema(f"{MIGRATION};\n{change};", name))
    assert expected in said(found)
    assert len(found) <= 2, found  # a foreign key's column comes with it


def test_all_are_found_on_a_server_as_in_a_script(
    wanted: Catalog, clean: str, postgres15: Server
) -> None:
    together = [one for one in PLANTED if one[0] not in ("table missing", "other direction", "key's action", "key's name", "label missing", "default other")]  # fmt: skip
    for _, change, _ in together:
        postgres15.psql(change, clean)
    found = said(differences(wanted, live(clean)))
    assert [one for one in (expected for _, _, expected in together) if one not in found] == []
    script = ";\n".join([MIGRATION, *(change for _, change, _ in together)])
    assert sorted(map(str, found)) == sorted(
        map(str, said(differences(wanted, sql.read_schema(script, "dump.sql"))))
    )


def test_a_dump_says_what_its_server_says(wanted: Catalog, clean: str, postgres15: Server) -> None:
    for name, change, _ in PLANTED[:15]:
        if name != "renamed index":
            postgres15.psql(change, clean)
    dump = subprocess.run(
        [postgres15.bin_directory / "pg_dump", "--schema-only", clean],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert said(differences(wanted, sql.read_schema(dump, "dump.sql"))) == said(
        differences(wanted, live(clean))
    )


SQL_MENDS = [one for one in PLANTED if one[2][3] == "database"]


@pytest.mark.parametrize(("name", "change", "expected"), SQL_MENDS, ids=[o[0] for o in SQL_MENDS])
def test_sql_mends_the_database(
    wanted: Catalog, clean: str, postgres15: Server, name: str, change: str, expected: object
) -> None:
    postgres15.psql(change, clean)
    found = differences(wanted, live(clean))
    assert found, (name, expected)
    for one in found:
        assert one.language == "sql"
        postgres15.psql(one.text, clean)
    assert differences(wanted, live(clean)) == []


def mended(schema: str, one: Difference) -> str:
    """The schema with what a difference says to write into it."""
    head, _, line = one.text.partition(": ")
    if one.subject == "table" or (one.subject == "enum" and one.change == "extra"):
        return f"{schema}\n{one.text}\n"
    if one.subject == "nullability":
        return re.sub(rf"(\b{one.name}\s+\w+)\?", r"\1", schema)
    if one.subject == "enum":
        head, _, line = one.text.partition(":\n")
    block = re.search(rf"^{head} \{{.*?^\}}", schema, re.DOTALL | re.MULTILINE)
    assert block, one
    return schema[: block.end() - 1] + line + "\n" + schema[block.end() - 1 :]


PRISMA_MENDS = [
    one
    for one in PLANTED
    if one[2][3] == "schema"
    and one[0]
    not in ("expression", "renamed index", "key extra", "key's name", "label missing")
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "expected"), PRISMA_MENDS, ids=[o[0] for o in PRISMA_MENDS])  # fmt: skip
def test_lines_for_the_schema_mend_it(name: str, change: str, expected: object) -> None:
    database = sql.read_schema(f"{MIGRATION};\n{change};", name)
    found = differences(prisma.read_schema(SCHEMA, "s"), database)
    assert found, expected
    text = SCHEMA
    for one in found:
        assert one.language == "prisma"
        text = mended(text, one)
    assert differences(prisma.read_schema(text, "mended"), database) == []


def test_an_index_beyond_prisma_is_in_order_once_it_is_declared() -> None:
    change = "CREATE INDEX emb ON projects USING hnsw (meta vector_cosine_ops)"
    database = sql.read_schema(f"{MIGRATION};\n{change};", "dump.sql")
    (found,) = differences(prisma.read_schema(SCHEMA, "s"), database)
    assert "hnsw" in found.why
    declared = SCHEMA.replace(
        "@@index([meta], type: Gin)", '@@index([meta], type: Gin)\n  @@index([meta], map: "emb")'
    )
    assert declared != SCHEMA
    assert differences(prisma.read_schema(declared, "s"), database) == []


def test_an_index_that_nobody_scanned_may_rather_go(
    wanted: Catalog, clean: str, postgres15: Server
) -> None:
    postgres15.psql("CREATE INDEX idle ON users (name)", clean)
    (found,) = differences(wanted, live(clean))
    assert found.text == 'model User: @@index([name], map: "idle")'
    assert found.risk.startswith("no scan of it was counted")


def test_tables_of_other_schemas_partitions_and_views_are_not_prismas(
    wanted: Catalog, clean: str, postgres15: Server
) -> None:
    postgres15.psql(
        "CREATE SCHEMA other; CREATE TABLE other.t (id int);"
        "CREATE MATERIALIZED VIEW m AS SELECT 1 AS one; CREATE VIEW v AS SELECT 1 AS one;"
        "CREATE TABLE _prisma_migrations (id text)",
        clean,
    )
    assert differences(wanted, live(clean)) == []
