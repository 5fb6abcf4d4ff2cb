"""`pg95 schema`: its inputs, its answers in every form, and exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import InputError, ServerError, UsageError

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data"
SCHEMA = DATA / "prisma" / "schema" / "schema.prisma"
MIGRATION = DATA / "schema" / "prisma_migration.sql"


def pg95(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["schema", *map(str, arguments)])


@pytest.fixture
def drifted(tmp_path: Path) -> Path:
    path = tmp_path / "dump.sql"
    text = MIGRATION.read_text(encoding="utf-8")
    path.write_text(
        f'{text};\nALTER TABLE users ADD "<b>\x1b[31m" int;\nCREATE INDEX l ON users (lower(email));\n',
        encoding="utf-8",
    )
    return path


def test_in_sync() -> None:
    done = pg95(SCHEMA, MIGRATION, "--fail-on", "drift")
    assert done.exit_code == 0
    assert "in sync" in done.stdout
    assert (
        json.loads(pg95("--schema", SCHEMA, MIGRATION, "--format", "json").stdout)["in_sync"]
        is True
    )
    assert (
        pg95(SCHEMA, MIGRATION, "--fail-on", "migrations").exit_code == 1
    )  # nothing is known of them


def test_every_form_says_what_differs(drifted: Path) -> None:
    done = pg95(SCHEMA, drifted, "--fail-on", "drift")
    assert done.exit_code == 1
    said = " ".join(done.stdout.split())
    assert "differ in 2 things, 1 of them not seen by Prisma's own comparison" in said
    assert "\x1b" not in done.stdout
    found = json.loads(pg95(SCHEMA, drifted, "--format", "json").stdout)
    assert [one["subject"] for one in found["differences"]] == ["column", "index"]
    assert found["migrations"] is None
    text = pg95(SCHEMA, drifted, "--format", "markdown").stdout
    assert text.startswith("# ")
    assert "<b>" not in text.replace("```", "").split("model User")[0]


def test_a_server_answers_with_its_migrations(postgres15: Server) -> None:
    dsn = postgres15.create_database("cli_schema")
    postgres15.psql(MIGRATION.read_text(encoding="utf-8"), dsn)
    done = pg95(SCHEMA, "--dsn", dsn, "--format", "json")
    assert done.exit_code == 0
    found = json.loads(done.stdout)
    assert found["in_sync"] is True
    assert found["migrations_in_order"] is None
    assert "no _prisma_migrations" in done.stderr
    postgres15.psql(
        "CREATE TABLE _prisma_migrations (checksum text, finished_at timestamptz, migration_name text, logs text, "
        "rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int);"
        "INSERT INTO _prisma_migrations VALUES ('x', NULL, '1_bad', 'ERROR: division by zero', NULL, now(), 0)",
        dsn,
    )
    done = pg95(SCHEMA, "--dsn", dsn, "--fail-on", "migrations")
    assert done.exit_code == 1
    assert "1_bad: failed" in done.stdout
    assert "division by zero" in done.stdout
    assert pg95(SCHEMA, "--dsn", dsn, "--fail-on", "drift").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((SCHEMA,), UsageError, "against what"),
        ((SCHEMA, MIGRATION, "--live"), UsageError, "a server or a dump"),
        ((SCHEMA, SCHEMA, MIGRATION), UsageError, "one schema at a time"),
        ((SCHEMA, MIGRATION, "--fail-on", "rain"), UsageError, "--fail-on rain: choose from"),
        (("nowhere.prisma", MIGRATION), InputError, "no such file"),
        ((SCHEMA, "nowhere.sql"), InputError, "cannot be read"),
        ((SCHEMA, "--dsn", "host=127.0.0.1 port=1"), ServerError, "cannot connect"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[object, ...], error: type[Exception], said: str
) -> None:
    done = pg95(*arguments)
    assert isinstance(done.exception, error)
    assert said in str(done.exception)
