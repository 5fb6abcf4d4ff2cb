"""What `pg95 schema` and `pg95 migrations` share: where the server is, printing, conditions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._output import terminal
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.model.catalog import Catalog
    from analyzer.model.migration import RecordedMigration
    from analyzer.sources.schema.project import PrismaProject


def conditions(text: str, known: tuple[str, ...]) -> set[str]:
    """The names of --fail-on.

    Raises:
        UsageError: one is unknown.
    """
    names = {name.strip() for name in text.split(",")}
    unknown = names - set(known)
    if unknown:
        raise UsageError(f"--fail-on takes {', '.join(known)}, not {', '.join(sorted(unknown))}")
    return names


def print_document(
    document: dict[str, Any],
    form: str,
    show: Callable[[dict[str, Any], int], Any],
    render: Callable[[dict[str, Any]], str],
) -> None:
    """Warnings on stderr; the document as JSON, Markdown or for a terminal on stdout."""
    for warning in document["warnings"]:
        click.echo(f"pg95: warning: {warning}", err=True)
    if form == "json":
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    elif form == "markdown":
        click.echo(render(document), nl=False)
    else:
        from analyzer.report.views._terminal import to_text

        width, colour = terminal()
        click.echo(to_text(show(document, width), width, colour=colour), nl=False)


def compared(project: "PrismaProject", dumps: list[Path], dsn: str | None) -> dict[str, Any]:
    """The document of `pg95 schema`: a project against dumps, or where there are none a server."""
    from analyzer.prisma.document import schema_document
    from analyzer.prisma.drift import differences
    from analyzer.prisma.migration_states import migration_states

    database, recorded, warnings = _database(dumps, dsn)
    states = None
    if recorded is not None:
        states = migration_states(project.migrations, recorded)
    return schema_document(
        files=project.files,
        database=database.origin,
        differences=differences(project.schema, database),
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
