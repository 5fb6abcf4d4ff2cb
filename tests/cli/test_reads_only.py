"""Every command that connects to the server: its own log shows read-only statements of pg95, with timeouts."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import psycopg
import pytest
from click.testing import CliRunner

from analyzer.cli import cli

if TYPE_CHECKING:
    from tests.conftest import Server

DATA = Path(__file__).parent.parent / "data"
COMMANDS = {
    "report": ("--dsn", "DSN", "-o", "report.json"),
    "explained": ("--dsn", "DSN", "--explain", "LOG", "-o", "report.json"),
    "top": ("--dsn", "DSN"),
    "nplusone": ("LOG", "--dsn", "DSN"),
    "plans": ("LOG", "--dsn", "DSN"),
    "indexes": ("LOG", "--dsn", "DSN"),
    "tables": ("LOG", "--dsn", "DSN"),
    "cache": ("LOG", "--dsn", "DSN"),
    "doctor": ("--dsn", "DSN"),
    "planned": ("--dsn", "DSN", "--plan-logging"),
    "snapshot": ("--dsn", "DSN", "-o", "taken.json"),
    "statistics": ("--dsn", "DSN", "--with-statistics", "-o", "taken.json"),
    "schema": ("SCHEMA", "--dsn", "DSN"),
    "migrations": ("PROJECT", "--dsn", "DSN"),
    "scoreboard": ("LOG", "--dsn", "DSN", "--prisma", "SCHEMA"),
    "nightly": ("--config", "pg95.toml"),
}
NAMES = {"explained": "report", "planned": "doctor", "statistics": "snapshot"}
READS = re.compile(
    r"(?:--[^\n]*\n)*\s*(?:SELECT /\* pg95 \*/|EXPLAIN \([A-Z_, ]+\) /\* pg95 \*/|WITH\b.*/\* pg95 \*/"
    r"|BEGIN READ ONLY|DEALLOCATE .pg95_|ROLLBACK\b|COMMIT\b)",
    re.DOTALL,
)
LIMITS = ("default_transaction_read_only=on", "statement_timeout=", "lock_timeout=")


@pytest.fixture(scope="module")
def watched(postgres15: "Server", tmp_path_factory: pytest.TempPathFactory) -> "Watched":
    return Watched(postgres15, tmp_path_factory.mktemp("watched"))


class Watched:
    """A database whose every statement is in the server's log, and files to read beside it."""

    def __init__(self, server: "Server", folder: Path) -> None:
        self.server, self.folder = server, folder
        self.dsn = server.create_database("reads_only")
        server.psql(
            "CREATE EXTENSION pg_stat_statements; CREATE TABLE items AS SELECT n AS id FROM generate_series(1, 500) AS n;"
            "ANALYZE items; SELECT count(*) FROM items WHERE id < 7;"
            "ALTER DATABASE reads_only SET log_statement = 'all'",
            self.dsn,
        )
        (folder / "app.log").write_text(
            "".join(
                f"2026-11-22 08:00:{n:02d}.000 UTC [7] LOG:  duration: 9.000 ms  statement: "
                f"SELECT id FROM items WHERE id = {n}\n"
                for n in range(60)
            )
        )
        step = folder / "migrations" / "20260101000000_init"
        step.mkdir(parents=True)
        (step / "migration.sql").write_text("ALTER TABLE items ADD COLUMN note text;\n")
        (folder / "pg95.toml").write_text(
            f'[history]\npath = "h.db"\n[[servers]]\nname = "one"\ndsn = "{self.dsn}"\n'
            '[outputs]\njson = "n.json"\n'
        )

    def given(self, arguments: tuple[str, ...]) -> list[str]:
        known = {
            "DSN": self.dsn,
            "LOG": str(self.folder / "app.log"),
            "SCHEMA": str(DATA / "prisma" / "schema" / "schema.prisma"),
            "PROJECT": str(self.folder),
        }
        return [known.get(one, one) for one in arguments]

    def said(self, start: int) -> list[dict[str, Any]]:
        """What the server's log has of pg95's sessions since a position in it."""
        self.server.flush_logs()
        with self.server.log_path("jsonlog").open("rb") as log:
            log.seek(start)
            entries = [json.loads(line) for line in log]
        return [one for one in entries if one.get("application_name") == "pg95"]


@pytest.mark.parametrize("command", COMMANDS)
def test_only_reads(watched: Watched, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(watched.folder)
    start = watched.server.log_path("jsonlog").stat().st_size
    connecting = psycopg.Connection.connect
    with mock.patch.object(psycopg.Connection, "connect", side_effect=connecting) as connect:
        name = NAMES.get(command, command)
        done = CliRunner().invoke(cli, [name, *watched.given(COMMANDS[command])])
    assert done.exit_code == 0, done.output
    for call in connect.call_args_list:
        asked = psycopg.conninfo.conninfo_to_dict(call.args[0])
        assert all(limit in str(asked["options"]) for limit in LIMITS), asked
    said = watched.said(start)
    statements = [
        one["message"].partition("statement: ")[2]
        for one in said
        if "statement: " in one["message"]
    ]
    assert connect.call_args_list
    assert len(statements) >= 3
    assert [one for one in statements if not READS.match(one)] == []
    assert [one["message"] for one in said if one["error_severity"] in ("ERROR", "FATAL")] == []
