"""What the promises beside the P95 are measured by: a Prisma project against its database, a cache's hit rate."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.cache.document import measure_part
from analyzer.cache.measure import measure
from analyzer.errors import UsageError
from analyzer.prisma.document import schema_document
from analyzer.prisma.drift import differences
from analyzer.prisma.migration_states import migration_states
from analyzer.sources.schema.project import find_schema, migrated, read_dumps

if TYPE_CHECKING:
    from analyzer.model.catalog import Catalog
    from analyzer.model.migration import RecordedMigration
    from analyzer.sources.redis.facts import CacheFacts
    from analyzer.sources.schema.project import PrismaProject


def compared(project: "PrismaProject", dumps: list[Path], dsn: str | None) -> dict[str, Any]:
    """The document of `pg95 schema`: a project against dumps, or where there are none a server."""
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
        warnings=[*project.notes, *warnings],
    )


def hit_rate(facts: "CacheFacts", target: float) -> dict[str, Any] | None:
    """The part of `pg95 cache` on how well it does against a target (0..1); None where nothing tells."""
    if not facts.any:
        return None
    origin = ", ".join(facts.origins)
    return measure_part(measure(facts.routes, facts.prefixes, facts.info, target, origin))


def schema_of(named: Path) -> Path:
    """The schema.prisma, or the folder of .prisma files, that a path means.

    Raises:
        UsageError: it is not there.
    """
    if not named.exists():
        raise UsageError(f"{named}: there is no such file or folder")
    return named if named.is_file() or any(named.glob("*.prisma")) else find_schema(named)


def _database(
    dumps: list[Path], dsn: str | None
) -> tuple["Catalog", "tuple[RecordedMigration, ...] | None", list[str]]:
    if dumps:
        return read_dumps(dumps), None, []
    from analyzer.sources.postgres.prisma_state import read_prisma_state  # noqa: PLC0415 - only runs with a server pay for psycopg

    state = read_prisma_state(dsn)
    return state.catalog, state.migrations, list(state.warnings)
