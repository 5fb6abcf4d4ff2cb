"""A Prisma project against its database, for the commands that ask for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.model.catalog import Catalog
    from analyzer.model.migration import RecordedMigration
    from analyzer.sources.schema.project import PrismaProject


def compared(project: "PrismaProject", dumps: list[Path], dsn: str | None) -> dict[str, Any]:
    """The document of `pg95 schema`: a project against dumps, or where there are none a server."""
    from analyzer.prisma.document import schema_document
    from analyzer.prisma.drift import differences
    from analyzer.prisma.migration_states import migration_states
    from analyzer.sources.schema.project import migrated

    database, recorded, warnings = _database(dumps, dsn)
    states = None
    if recorded is not None:
        states = migration_states(project.migrations, recorded)
    return schema_document(
        files=project.files,
        database=database.origin,
        differences=differences(
            project.schema, database, migrated(project.migrations) if project.migrations else None
        ),
        migrations=states,
        warnings=warnings,
    )


def _database(
    dumps: list[Path], dsn: str | None
) -> tuple["Catalog", "tuple[RecordedMigration, ...] | None", list[str]]:
    if dumps:
        from analyzer.sources.schema.project import read_dumps

        return read_dumps(dumps), None, []
    from analyzer.sources.postgres.prisma_state import read_prisma_state

    state = read_prisma_state(dsn)
    return state.catalog, state.migrations, list(state.warnings)
