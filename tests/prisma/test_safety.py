"""Dangers of migrations: what is planted is found, what is safe is silent, and safe files do the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from analyzer.cli import cli
from analyzer.errors import InputError
from analyzer.model.catalog import Catalog
from analyzer.model.migration import Danger, MigrationFile
from analyzer.prisma.safety import Situation, dangers, linted, without_repeats
from analyzer.prisma.type_changes import type_change, unfit
from analyzer.sources.postgres.prisma_state import read_prisma_state
from analyzer.sources.schema import squawk
from analyzer.sources.schema.project import history
from analyzer.sources.schema.squawk import lint

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data"
INIT = (DATA / "schema" / "prisma_migration.sql").read_text(encoding="utf-8")
HANDMADE = """CREATE INDEX lower_email ON users (lower(email));
CREATE INDEX recent ON containers (created_at) WHERE status = 'RUNNING';
CREATE INDEX emb ON projects USING hnsw (meta vector_cosine_ops);"""


def checked(sql: str, live: Catalog | None = None) -> list[Danger]:
    files = [
        MigrationFile("20260101000000_init", "1", INIT),
        MigrationFile("20260102000000_hand", "2", HANDMADE),
        MigrationFile("20260103000000_next", "3", sql),
    ]
    file, steps, before = list(history(files))[-1]
    situation = Situation(file.name, steps, live or before)
    found = linted(lint(file.path, file.sql, 150_000), situation)
    return without_repeats(dangers(situation), found, situation)


def rules(sql: str, live: Catalog | None = None) -> list[tuple[str, int]]:
    return sorted((one.rule, one.line) for one in checked(sql, live))


FOUND = (
    ("ALTER TABLE users ADD COLUMN age INTEGER NOT NULL;", [("required-column", 1)]),
    ("ALTER TABLE users ALTER COLUMN name SET NOT NULL;", [("not-null-fails", 1)]),
    ('-- x\nALTER TABLE users DROP COLUMN name,\n ADD COLUMN "fullName" TEXT;', [("rename-as-drop", 2)]),
    ('ALTER TABLE "Backup" ALTER COLUMN "sizeBytes" SET DATA TYPE INTEGER;', [("type-change", 1)]),
    ("ALTER TABLE users RENAME COLUMN name TO title;", [("renaming-column", 1)]),
    ("DROP INDEX lower_email;", [("drops-handmade-index", 1)]),
    ("DROP INDEX recent;", [("drops-handmade-index", 1)]),
    ('DROP INDEX "emb";', [("drops-handmade-index", 1)]),
    ("SELECT 1;\nCREATE INDEX CONCURRENTLY i ON users (name);", [("concurrently-in-transaction", 2)]),
    ("CREATE INDEX i ON users (name);", [("require-concurrent-index-creation", 1)]),
    ("ALTER TABLE users DROP COLUMN name;", [("ban-drop-column", 1)]),
    ('DROP TABLE "Backup";', [("ban-drop-table", 1)]),
    ('ALTER TABLE "Backup" ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES users (id);', [("adding-foreign-key-constraint", 1)]),
)  # fmt: skip
SAFE = (
    "ALTER TABLE users ADD COLUMN age INTEGER;",
    "ALTER TABLE users ADD COLUMN age INTEGER NOT NULL DEFAULT 0;",
    "CREATE INDEX CONCURRENTLY i ON users (name);",
    "CREATE TABLE t (id SERIAL PRIMARY KEY, name TEXT NOT NULL); CREATE INDEX i ON t (name); ALTER TABLE t ADD x INT NOT NULL;",
    "ALTER TYPE role ADD VALUE 'GUEST';",
)  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), FOUND)
def test_what_is_planted_is_found_once(sql: str, expected: list[tuple[str, int]]) -> None:
    assert rules(sql) == expected


@pytest.mark.parametrize("sql", SAFE)
def test_what_is_safe_is_silent(sql: str) -> None:
    assert rules(sql) == []


@pytest.fixture(scope="module")
def filled(postgres15: Server) -> str:
    dsn = str(postgres15.create_database("prisma_safety"))
    postgres15.psql(INIT, dsn)
    postgres15.psql(
        "INSERT INTO users (email, name) SELECT 'u' || n, CASE WHEN n % 10 > 0 THEN 'n' || n % 50 END "
        "FROM generate_series(1, 2000) AS n; ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE; "
        "INSERT INTO teams (slug, name) SELECT 't' || n, 't' || n FROM generate_series(1, 600000) AS n; ANALYZE",
        dsn,
    )
    return dsn


def test_a_server_knows_more(filled: str) -> None:
    live = read_prisma_state(filled).catalog
    (null,) = checked("ALTER TABLE users ALTER COLUMN name SET NOT NULL;", live)
    assert (null.rule, null.severity) == ("not-null-fails", "high")
    assert "10.0% of its rows have NULL" in null.evidence
    assert "2,000 rows" in null.evidence
    (double,) = checked("CREATE UNIQUE INDEX u ON users (name);", live)
    assert double.rule == "unique-over-duplicates"
    assert "about 45 values in 1,800 rows" in double.evidence
    assert rules("CREATE INDEX u ON users (name);", live) == []  # small: nobody waits
    assert rules("CREATE UNIQUE INDEX u ON users (email);", live) == []
    assert rules("ALTER TABLE users ALTER COLUMN id SET DATA TYPE BIGINT;", live) == []
    assert rules('ALTER TABLE "Tag" ADD COLUMN x INT NOT NULL;', live) != []
    (large,) = checked("CREATE INDEX t ON teams (name);", live)
    assert large.rule == "blocking-index"
    assert "about 600,000 rows" in large.evidence
    assert "CREATE INDEX CONCURRENTLY t ON teams (name);" in large.safe[0].text


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("ALTER TABLE users ADD COLUMN age INTEGER NOT NULL", "7"),
        ("ALTER TABLE users ALTER COLUMN name SET NOT NULL", "'n'"),
        ('ALTER TABLE users DROP COLUMN name, ADD COLUMN "fullName" TEXT', ""),
        ("ALTER TABLE users ALTER COLUMN id SET DATA TYPE BIGINT", ""),
        ("SELECT 1; CREATE INDEX CONCURRENTLY i ON users (name)", ""),
    ],
)
def test_the_safe_files_run_and_lead_to_the_same(postgres15: Server, sql: str, value: str) -> None:
    """Each file as `prisma migrate deploy` sends it: one text, in the order of the names."""
    dsn = postgres15.create_database("prisma_safe_files")
    postgres15.psql(INIT, dsn)
    postgres15.psql("INSERT INTO users (email, name) VALUES ('a', 'x'), ('b', NULL)", dsn)
    danger = next(one for one in checked(sql) if one.safe)
    assert sorted(danger.safe, key=lambda file: file.path) == list(danger.safe)
    for file in danger.safe:
        postgres15.psql(file.text.replace("NULL /*", f"{value or 'NULL'} /*"), dsn)
    columns = dict(
        line.split("|")
        for line in postgres15.psql(
            "SELECT attname, format_type(atttypid, atttypmod) || ' ' || attnotnull FROM pg_attribute "
            "WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped",
            dsn,
        ).splitlines()
    )
    wanted = {
        "required-column": ("age", "integer true"),
        "not-null-fails": ("name", "text true"),
        "rename-as-drop": ("fullName", "text false"),
        "type-change": ("id", "bigint false"),
        "concurrently-in-transaction": ("name", "text false"),
    }[danger.rule]
    assert columns[wanted[0]] == wanted[1]
    assert postgres15.psql("SELECT count(*) FROM users", dsn) == "2"
    if danger.rule == "rename-as-drop":
        assert postgres15.psql("SELECT \"fullName\" FROM users WHERE email = 'a'", dsn) == "x"


@pytest.mark.parametrize(
    ("old", "new", "cost"),
    [
        ("character varying(10)", "character varying(20)", None),
        ("character varying(10)", "text", None),
        ("text", "character varying", None),
        ("numeric(10,2)", "numeric(12,2)", None),
        ("timestamp(3) without time zone", "timestamp(6) without time zone", None),
        ("integer", "bigint", False),
        ("integer", "text", False),
        (None, "bigint", False),
        ("bigint", "integer", True),
        ("text", "integer", True),
        ("character varying(20)", "character varying(10)", True),
        ("numeric(10,2)", "numeric(10,4)", True),
    ],
)
def test_what_a_change_of_type_costs(old: str | None, new: str, cost: bool | None) -> None:  # noqa: FBT001 - parametrized
    found = type_change(old, new)
    assert (found.may_fail if found else None) is cost


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'error: unexpected argument' >&2; exit 2", "unexpected argument"),
        ("echo 'not JSON'", "could not check it"),
        ("exit 0", "could not check it"),
    ],
)
def test_a_linter_that_fails_never_means_that_all_is_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, said: str
) -> None:
    program = tmp_path / "squawk"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(squawk, "_program", lambda: str(program))
    with pytest.raises(InputError, match=said):
        lint("20260101000000_init", "DROP TABLE t;", None)


def test_a_script_that_is_no_sql_is_told_by_the_linter() -> None:
    assert ("syntax-error", 1) in rules("ALTER TABEL users;")


@pytest.mark.parametrize(
    ("values", "new", "bad"),
    [
        (("1", "2147483647", "2147483648", "x"), "integer", 2),
        (("1.4", "99.5", "100", "-100.2"), "numeric(4,2)", 2),
        (("abc", "abcd", "abc  "), "character varying(3)", 1),
        (("t", "yes", "maybe"), "boolean", 1),
        (("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "b"), "uuid", 1),
        (("NaN", "1"), "double precision", 1),
        (("2026-01-01",), "timestamp(3) without time zone", None),
    ],
)
def test_values_that_a_type_refuses(values: tuple[str, ...], new: str, bad: int | None) -> None:
    assert unfit(values, new) == bad
    assert unfit(values, "role", ("1", "abc")) == sum(one not in ("1", "abc") for one in values)


def test_a_change_of_type_is_held_against_the_values_in_statistics(
    filled: str, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    for name, text in (
        ("20260101000000_init", INIT),
        ("20260102000000_types", ('ALTER TABLE "users" ALTER COLUMN "email" SET DATA TYPE VARCHAR(4);\n'
         'ALTER TABLE "users" ALTER COLUMN "name" SET DATA TYPE VARCHAR(9);')),
    ):  # fmt: skip
        (folder / name).mkdir(parents=True)
        (folder / name / "migration.sql").write_text(text)
    given = ["migrations", str(folder), "--dsn", filled, "--since", "20260101000000_init"]
    done = CliRunner().invoke(cli, [*given, "--format", "json"])
    email, name = json.loads(done.stdout)["dangers"]
    assert (email["rule"], email["severity"]) == ("type-change", "high")
    assert re.match(r"\d+ of 1001 values that statistics hold do not fit", email["evidence"])
    assert (name["rule"], name["severity"]) == ("type-change", "medium")
    assert "values that statistics hold fit; they are a sample" in name["evidence"]
    assert "u1999" not in done.stdout
