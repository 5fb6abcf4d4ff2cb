"""Ready files of every rule that has some, carried out as `prisma migrate deploy` sends them."""

from typing import Any

import pytest

from analyzer.model.catalog import Catalog
from analyzer.model.migration import Danger
from analyzer.prisma.drift import differences
from analyzer.prisma.safe_rest import safe_form
from analyzer.sources.postgres.prisma_state import read_prisma_state
from analyzer.sql.definitions import Step
from tests.prisma.test_safety import INIT, checked

Server = Any  # tests/conftest.py
FOREIGN = (
    'ALTER TABLE "Backup" ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users (id) ON DELETE CASCADE'
)


def danger(sql: str, rule: str, live: Catalog | None = None) -> Danger:
    return next(one for one in checked(sql, live) if one.rule == rule)


def database(server: Server, name: str, more: str = "") -> str:
    dsn = str(server.create_database(name))
    server.psql(INIT, dsn)
    if more:
        server.psql(more, dsn)
    return dsn


@pytest.mark.parametrize(
    ("rule", "sql", "left"),
    [
        ("drops-handmade-index", "ALTER TABLE users ADD a INT;\nDROP INDEX lower_email;\nALTER TABLE users ADD b INT;", ["a INT", "b INT"]),
        ("drops-handmade-index", "DROP INDEX recent;", ["This is an empty migration"]),
        ("renaming-column", "ALTER TABLE users ADD a INT;\nALTER TABLE users RENAME COLUMN name TO title;", ["a INT", '@map("name")']),
        ("concurrently-in-transaction", "ALTER TABLE users ADD a INT;\nCREATE INDEX CONCURRENTLY i ON users (name);", ["a INT"]),
    ],
)  # fmt: skip
def test_the_migration_without_the_statement(rule: str, sql: str, left: list[str]) -> None:
    file = danger(sql, rule).safe[0]
    assert file.path == "20260103000000_next/migration.sql"
    assert all(text in file.text for text in left)
    statements = [line for line in file.text.splitlines() if not line.startswith("--")]
    for gone in ("DROP INDEX", "RENAME COLUMN", "CONCURRENTLY"):
        assert gone not in "\n".join(statements)


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("adding-foreign-key-constraint", FOREIGN),
        ("constraint-missing-not-valid", "ALTER TABLE users ADD CONSTRAINT c CHECK (length(name) < 9)"),
        ("require-concurrent-index-creation", "CREATE INDEX i ON users (name)"),
        ("require-concurrent-index-deletion", 'DROP INDEX "containers_recent_idx"'),
        ("ban-drop-column", "ALTER TABLE users DROP COLUMN name"),
        ("ban-drop-column", 'ALTER TABLE "Backup" DROP COLUMN "createdAt", DROP COLUMN "sizeBytes"'),
        ("ban-drop-table", 'DROP TABLE "Backup"'),
    ],
)  # fmt: skip
def test_what_the_linter_finds_has_files_that_lead_to_the_same(
    postgres15: Server, rule: str, sql: str
) -> None:
    straight, safely = (database(postgres15, f"safe_{name}") for name in ("straight", "safely"))
    try:
        postgres15.psql(sql, straight)
        files = danger(f"{sql};", rule).safe
        assert [file.path for file in files] == sorted(file.path for file in files)
        assert files
        for file in files:
            postgres15.psql(file.text, safely)
        one, other = (read_prisma_state(dsn).catalog for dsn in (straight, safely))
        assert differences(one, other) == []
        bad = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
        assert postgres15.psql(bad, safely) == "0"
    finally:
        for name in ("straight", "safely"):
            postgres15.psql(f"DROP DATABASE safe_{name} WITH (FORCE)")


def test_between_the_files_of_a_drop_both_versions_run(postgres15: Server) -> None:
    dsn = database(postgres15, "safe_drop")
    loose, _ = danger('ALTER TABLE "Backup" DROP COLUMN "sizeBytes";', "ban-drop-column").safe
    aside, _ = danger('DROP TABLE "Backup";', "ban-drop-table").safe
    postgres15.psql('ALTER TABLE "Backup" DROP CONSTRAINT "Backup_containerId_fkey"', dsn)
    old = 'INSERT INTO "Backup" ("containerId", "sizeBytes") VALUES (1, 2)'
    new = 'INSERT INTO "Backup" ("containerId") VALUES (1)'
    try:
        with pytest.raises(Exception, match="sizeBytes"):
            postgres15.psql(new, dsn)
        for sql in (loose.text, old, new, aside.text):
            postgres15.psql(sql, dsn)
        with pytest.raises(Exception, match="does not exist"):
            postgres15.psql(old, dsn)
        back = next(line for line in aside.text.splitlines() if line.startswith("--"))
        postgres15.psql(back.partition("at once: ")[2], dsn)
        assert postgres15.psql('SELECT count(*) FROM "Backup"', dsn) == "2"
    finally:
        postgres15.psql("DROP DATABASE safe_drop WITH (FORCE)")


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("ban-drop-column", "ALTER TABLE users DROP COLUMN id"),
        ("ban-drop-column", 'ALTER TABLE "Backup" DROP COLUMN "sizeBytes", ADD x INT'),
        ("ban-drop-table", 'DROP TABLE "Backup", "EnvironmentVariable"'),
        ("ban-drop-table", "DROP TABLE nobody_knows"),
    ],
)
def test_a_key_s_column_and_several_things_at_once_are_left_to_people(rule: str, sql: str) -> None:
    assert danger(f"{sql};", rule).safe == ()


def test_duplicates_stop_a_unique_index_before_anything_is_done(postgres15: Server) -> None:
    rows = "INSERT INTO users (email, name) SELECT 'u' || n, 'n' || n % 50 FROM generate_series(1, 2000) n; ANALYZE"
    dsn = database(postgres15, "safe_unique", rows)
    live = read_prisma_state(dsn).catalog
    guard, index = danger(
        "CREATE UNIQUE INDEX u ON users (name);", "unique-over-duplicates", live
    ).safe
    with pytest.raises(Exception, match="name has duplicates: settle them first"):
        postgres15.psql(guard.text, dsn)
    postgres15.psql("UPDATE users SET name = email", dsn)
    for file in (guard, index):
        postgres15.psql(file.text, dsn)
    assert postgres15.psql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'u'::regclass", dsn) == "t"  # fmt: skip
    postgres15.psql("DROP DATABASE safe_unique WITH (FORCE)")


@pytest.mark.parametrize(
    ("rule", "sql"),
    [
        ("adding-foreign-key-constraint", f"{FOREIGN} NOT VALID"),
        ("adding-foreign-key-constraint", f"{FOREIGN}, ADD x INT"),
        ("adding-foreign-key-constraint", "ALTER TABLE a ADD b INT REFERENCES c"),
        ("ban-drop-table", "DROP TABLE a"),
    ],
)
def test_what_has_no_such_form_has_no_files(rule: str, sql: str) -> None:
    assert safe_form(rule, "20260101000000_a", Step(1, sql, (), False)) == ()  # noqa: FBT003 - as the record has it
