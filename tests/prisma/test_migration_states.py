"""What became of migrations: files against rows, and the error without the values it quotes."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analyzer.errors import InputError
from analyzer.model.migration import MigrationFile, RecordedMigration
from analyzer.prisma.document import in_order
from analyzer.prisma.migration_states import migration_states
from analyzer.sources.postgres.prisma_state import error_of, read_prisma_state
from analyzer.sources.schema.project import find_schema, read_project

Server = Any  # tests/conftest.py
DATA = Path(__file__).parents[1] / "data" / "prisma"
HIDDEN = ", whose text may quote data: the logs of _prisma_migrations have it"
START = datetime(2026, 11, 22, 8, 46, tzinfo=UTC)
ROWS = """
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
  finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at, applied_steps_count, logs) VALUES
  ('1', 'a', '20260101000000_init', '2026-11-22 08:46:46.237+00', '2026-11-22 08:46:47.15+00', NULL, 1, NULL),
  ('2', 'b', '20260102000000_fail', '2026-11-22 08:50:09.011+00', NULL, NULL, 0, $$external connector error
Error querying the database: ERROR: duplicate key value violates unique constraint "users_email_key"
   0: sql_schema_connector::apply_migration::apply_script$$);
CREATE ROLE nobody_here LOGIN;
"""


def file(name: str, sql: str = "SELECT 1;\n") -> MigrationFile:
    return MigrationFile(name, f"prisma/migrations/{name}/migration.sql", sql)


def row(name: str, sql: str = "SELECT 1;\n", **fields: object) -> RecordedMigration:
    known: dict[str, Any] = {
        "checksum": hashlib.sha256(sql.encode()).hexdigest(),
        "started": START,
        "finished": START + timedelta(milliseconds=913),
        "rolled_back": None,
        "steps": 1,
        "error": None,
    }
    return RecordedMigration(name=name, **{**known, **fields})


def statuses(files: list[MigrationFile], rows: list[RecordedMigration]) -> dict[str, str]:
    return {one.name: one.status for one in migration_states(files, rows)}


def test_each_state_is_told_from_the_others() -> None:
    failed = row("3_failed", finished=None, error="column … already exists")
    files = [
        file("1_ok"),
        file("2_edited", "SELECT 2;\n"),
        file("3_failed"),
        file("5_new"),
        file("6_undone"),
    ]
    rows = [
        row("1_ok"),
        row("2_edited"),
        failed,
        row("4_gone"),
        row("6_undone", finished=None, rolled_back=START),
    ]
    states = migration_states(files, rows)
    assert {one.name: one.status for one in states} == {
        "1_ok": "applied",
        "2_edited": "edited",
        "3_failed": "failed",
        "4_gone": "missing",
        "5_new": "pending",
        "6_undone": "rolled-back",
    }
    by_name = {one.name: one for one in states}
    assert by_name["1_ok"].duration_ms == pytest.approx(913)
    assert by_name["3_failed"].error == "column … already exists"
    assert 'resolve --rolled-back "3_failed"' in (by_name["3_failed"].mend or "")
    assert in_order(states) is False
    assert in_order([one for one in states if one.status in ("applied", "pending")]) is True
    assert in_order(None) is None


def test_a_failed_migration_that_was_run_again_is_applied() -> None:
    undone = row("1", finished=None, rolled_back=START)
    assert statuses([file("1")], [undone, row("1", started=START + timedelta(hours=1))]) == {
        "1": "applied"
    }


@pytest.mark.parametrize("text", ["a\nb\n", "a\r\nb\r\n"])
@pytest.mark.parametrize("applied", ["a\nb\n", "a\r\nb\r\n"])
def test_line_ends_of_a_checkout_are_no_edit(text: str, applied: str) -> None:
    assert statuses([file("1", text)], [row("1", applied)]) == {"1": "applied"}


def test_prismas_own_capture_of_a_failure() -> None:
    """What `prisma migrate deploy` left in the table, from psql's output of it."""
    captured = (DATA / "migrate" / "06_prisma_migrations_rows.txt").read_text(encoding="utf-8")
    logs = "\n".join(
        line.split("|")[-1].strip(" +") for line in captured.splitlines() if "|" in line
    )
    assert error_of(logs) == 'column … of relation "projects" already exists'


@pytest.mark.parametrize(
    ("logs", "said"),
    [
        (None, None),
        ("", None),
        ('ERROR: invalid input syntax for type integer: "4711"', "invalid input syntax for type …"),
        ("Something of ours: secret and 4711", f"an error{HIDDEN}"),
        ("Database error code: P0001\nDatabase error:\nERROR: refused bob", f"SQLSTATE P0001{HIDDEN}"),
    ],
)  # fmt: skip
def test_an_error_is_shown_without_values(logs: str | None, said: str | None) -> None:
    assert error_of(logs) == said


def test_rows_are_read_from_a_server(postgres15: Server) -> None:
    dsn = postgres15.create_database("prisma_state")
    assert read_prisma_state(dsn).migrations is None
    postgres15.psql(ROWS, dsn)
    first, second = read_prisma_state(dsn).migrations or ()
    assert (first.name, first.checksum, first.steps, first.error) == (
        "20260101000000_init",
        "a",
        1,
        None,
    )
    assert first.finished == datetime(2026, 11, 22, 8, 46, 47, 150_000, UTC)
    assert second.finished is None
    assert second.error == 'duplicate key value violates unique constraint "users_email_key"'
    weak = read_prisma_state(dsn.replace("postgres@", "nobody_here@"))
    assert weak.migrations is None
    assert 'GRANT SELECT ON "public"._prisma_migrations TO "nobody_here";' in weak.warnings[0]


def test_a_project_is_found_and_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no schema\.prisma at the usual places"):
        find_schema(tmp_path)
    folder = tmp_path / "prisma" / "schema"
    (folder / "parts").mkdir(parents=True)
    (folder / "a.prisma").write_text("model A {\n  id Int @id\n  b B[]\n}\n")
    (folder / "parts" / "b.prisma").write_text(
        "model B {\n  id Int @id\n  aId Int\n  a A @relation(fields: [aId], references: [id])\n}\n"
    )
    migration = tmp_path / "prisma" / "migrations" / "1_init"
    migration.mkdir(parents=True)
    (migration / "migration.sql").write_bytes(b"SELECT 1;\r\n")
    found = find_schema(tmp_path)
    assert found == folder
    project = read_project(found)
    assert set(project.schema.tables) == {"A", "B"}
    assert len(project.files) == 2
    assert [(one.name, one.sql) for one in project.migrations] == [("1_init", "SELECT 1;\r\n")]
    with pytest.raises(InputError, match="no folder of migrations"):
        read_project(found, tmp_path / "none")
    (folder / "a.prisma").write_text("model {")
    with pytest.raises(InputError, match=r"a\.prisma:1"):
        read_project(found)
