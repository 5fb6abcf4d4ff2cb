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
