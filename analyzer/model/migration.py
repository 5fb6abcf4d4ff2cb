"""Migrations of a Prisma project: the files, what a database recorded of them, and their state."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """prisma/migrations/<name>/migration.sql: its `path`, and its text in UTF-8."""

    name: str
    path: str
    sql: str


@dataclass(frozen=True, slots=True)
class RecordedMigration:
    """A row of _prisma_migrations; times in UTC.

    `checksum` is the SHA-256 of migration.sql in hex. `error` is what the server said where it
    failed, without the values that a message quotes. `steps` are the applied ones.
    """

    name: str
    checksum: str
    started: datetime
    finished: datetime | None
    rolled_back: datetime | None
    steps: int
    error: str | None


@dataclass(frozen=True, slots=True)
class MigrationState:
    """What became of a migration.

    `status`: applied, failed (neither finished nor rolled back: every later deploy is refused),
    rolled-back, pending (a file that no database row knows), edited (applied, and the file is
    another one since), missing (applied, and there is no file). `text` says it in a sentence, `mend`
    is the command that mends it, None where there is nothing to mend. `duration_ms` is the time it
    took, None where it did not end.
    """

    name: str
    status: str
    text: str
    mend: str | None = None
    started: datetime | None = None
    duration_ms: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ReadyFile:
    """A file to put into the project: `path` below prisma/migrations, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Danger:
    """What may go wrong when a migration is applied, or with the application while it is.

    `rule` is pg95's name for it, or squawk's. `severity` is high (it fails, or loses data), medium (it
    blocks readers or writers for long) or low. `line` is 1-based, in migration.sql. `table` is None where
    it is about none. `evidence` says what is known of the data. `safe` are the files of a sequence that
    does the same without the danger, empty where there is none to give.
    """

    migration: str
    rule: str
    severity: str
    line: int
    table: str | None
    title: str
    why: str
    evidence: str = ""
    safe: tuple[ReadyFile, ...] = ()
    source: str = "pg95"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """What a linter says of a migration's statement: its rule, the 1-based line, the text, the advice."""

    rule: str
    line: int
    message: str
    help: str
