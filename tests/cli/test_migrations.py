"""`pg95 migrations`: what is checked, forms, files that are written, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from analyzer.cli import cli
from analyzer.errors import InputError, UsageError

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data"
INIT = (DATA / "schema" / "prisma_migration.sql").read_text(encoding="utf-8")
NEXT = "ALTER TABLE users ADD COLUMN age INTEGER NOT NULL;\n"


def pg95(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["migrations", *map(str, arguments)])


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, sql in (("20260101000000_init", INIT), ("20260102000000_age", NEXT)):
        folder = tmp_path / "prisma" / "migrations" / name
        folder.mkdir(parents=True)
        (folder / "migration.sql").write_text(sql, encoding="utf-8")
    return tmp_path


def test_without_a_server_all_or_the_later_ones_are_checked(project: Path) -> None:
    found = json.loads(pg95(project, "--format", "json").stdout)
    assert found["checked"] == ["20260101000000_init", "20260102000000_age"]
    assert found["migrations"] is None
    assert [one["rule"] for one in found["dangers"]] == ["required-column"]
    done = pg95(project / "prisma", "--since", "20260101000000_init", "--fail-on", "high")
    assert done.exit_code == 1
    assert "[high] age is required and has no default" in done.stdout
    assert pg95(project, "--since", "20260102000000_age", "--fail-on", "danger").exit_code == 0


def test_a_server_says_which_are_pending(project: Path, postgres15: Server) -> None:
    dsn = postgres15.create_database("cli_migrations")
    postgres15.psql(INIT, dsn)
    postgres15.psql(
        "CREATE TABLE _prisma_migrations (checksum text, finished_at timestamptz, migration_name text, logs text, "
        "rolled_back_at timestamptz, started_at timestamptz, applied_steps_count int);"
        "INSERT INTO _prisma_migrations SELECT encode(sha256(convert_to($$"
        + INIT
        + "$$, 'UTF8')), 'hex'), now(), "
        "'20260101000000_init', NULL, NULL, now(), 1",
        dsn,
    )
    done = pg95(project, "--dsn", dsn, "--format", "json", "--fail-on", "failed")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [one["status"] for one in found["migrations"]] == ["applied", "pending"]
    assert found["checked"] == ["20260102000000_age"]
    assert [one["rule"] for one in found["dangers"]] == ["required-column"]
    postgres15.psql(
        "CREATE INDEX lower_email ON users (lower(email))", dsn
    )  # after what is applied
    again = json.loads(pg95(project, "--dsn", dsn, "--all", "--format", "json").stdout)
    assert [(one["migration"], one["rule"]) for one in again["dangers"]] == [
        ("20260102000000_age", "required-column")
    ]
    text = pg95(project, "--dsn", dsn, "--format", "markdown").stdout
    assert "20260102000000_age" in text
    postgres15.psql("UPDATE _prisma_migrations SET checksum = 'x'", dsn)
    assert pg95(project, "--dsn", dsn, "--fail-on", "failed").exit_code == 1


def test_safe_files_are_written_and_never_over_others(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "safe"
    assert pg95(project, "-o", out).exit_code == 0
    written = sorted(str(path.relative_to(out)) for path in out.rglob("migration.sql"))
    assert len(written) == 5
    assert written[0] == (
        "20260102000000_age/required-column-1/20260102000001_add_age/migration.sql"
    )
    again = pg95(project, "-o", out)
    assert isinstance(again.exception, InputError)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("{project}", "--since", "1"), UsageError, "no such migration"),
        (("{project}/prisma/migrations/20260101000000_init",), InputError, "no migrations in it"),
        (("{project}/nowhere",), InputError, "no such folder"),
        (("{project}", "--fail-on", "rain"), UsageError, "--fail-on rain: choose from"),
    ],
)
def test_what_cannot_be_done_is_said(
    project: Path, arguments: tuple[str, ...], error: type[Exception], said: str
) -> None:
    done = pg95(*(one.format(project=project) for one in arguments))
    assert isinstance(done.exception, error)
    assert said in str(done.exception)
