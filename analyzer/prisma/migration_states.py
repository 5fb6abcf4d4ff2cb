"""What became of each migration: the files against what a database recorded.

`prisma migrate status` says "up to date" with an edited migration and with real drift, so neither
is taken from it. A row that neither finished nor was rolled back is a failed migration, and
`prisma migrate deploy` refuses to go on (P3009) until it is resolved.
"""

import hashlib
from collections.abc import Iterable, Sequence

from analyzer.model.lines import error_of
from analyzer.model.migration import MigrationFile, MigrationState, RecordedMigration


def migration_states(
    files: Iterable[MigrationFile], recorded: Iterable[RecordedMigration]
) -> list[MigrationState]:
    """The state of every migration that a file or a row knows, by name, which is by time."""
    known = {file.name: file for file in files}
    rows: dict[str, list[RecordedMigration]] = {}
    for row in sorted(recorded, key=lambda one: one.started):
        rows.setdefault(row.name, []).append(row)
    return [_state(name, known.get(name), rows.get(name, ())) for name in sorted({*known, *rows})]


def _state(
    name: str, file: MigrationFile | None, rows: Sequence[RecordedMigration]
) -> MigrationState:
    if not rows:
        return MigrationState(
            name, "pending", "in the project, not in the database", "npx prisma migrate deploy"
        )
    applied = next((row for row in rows if row.finished and not row.rolled_back), None)
    failed = next((row for row in rows if not row.finished and not row.rolled_back), None)
    if failed is not None:
        return _failed(name, failed)
    if applied is None:
        return _rolled_back(name, rows[-1], file)
    took = (applied.finished - applied.started).total_seconds() * 1000 if applied.finished else None
    if file is None:
        return MigrationState(
            name, "missing", "applied, but the project has no such migration any more",
            "bring the folder back from git: a new database would be built without it",
            applied.started, took,
        )  # fmt: skip
    if applied.checksum not in checksums(file.sql):
        return MigrationState(
            name, "edited", "migration.sql is another one than what was applied",
            f"git log -p -- {file.path}   then bring the applied text back, and put the change into a new migration",
            applied.started, took,
        )  # fmt: skip
    return MigrationState(name, "applied", "applied", None, applied.started, took)


def _said(row: RecordedMigration) -> str | None:
    """What the server said of a migration's failure; it quotes the rows that were in the way."""
    return None if row.error is None else error_of(row.error)


def checksums(sql: str) -> frozenset[str]:
    """The SHA-256 sums under which Prisma may have recorded a migration.

    It sums the file's bytes; a checkout with other line ends has others, and Prisma takes both.
    """
    lines = sql.replace("\r\n", "\n")
    texts = (sql, lines, lines.replace("\n", "\r\n"))
    return frozenset(hashlib.sha256(text.encode("utf-8")).hexdigest() for text in texts)


def _failed(name: str, row: RecordedMigration) -> MigrationState:
    done = f" after {row.steps} steps" if row.steps else ""
    return MigrationState(
        name, "failed",
        f"failed{done}; every later deploy is refused (P3009) until it is resolved",
        f'npx prisma migrate resolve --rolled-back "{name}"   after undoing what it did; or --applied "{name}" '
        "after finishing it by hand",
        row.started, None, _said(row),
    )  # fmt: skip


def _rolled_back(name: str, row: RecordedMigration, file: MigrationFile | None) -> MigrationState:
    if file is None:
        text, mend = "rolled back, and gone from the project", None
    else:
        text, mend = "rolled back: the next deploy runs it again", "npx prisma migrate deploy"
    return MigrationState(name, "rolled-back", text, mend, row.started, None, _said(row))
