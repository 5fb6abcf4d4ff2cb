"""`pg95 migrations`: what became of a Prisma project's migrations, and whether the next are safe."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._output import print_document
from analyzer.cli._server import server_options
from analyzer.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.model.catalog import Catalog
    from analyzer.model.migration import Danger, MigrationFile, MigrationState
    from analyzer.sources.postgres.prisma_state import PrismaState

FAIL_ON = ("never", "failed", "high", "danger")


@click.command(
    epilog="""\b
Examples:
  pg95 migrations --dsn service=prod                    what became of each, and whether the pending ones are safe
  pg95 migrations --since 20260101000000_init --fail-on high          in a pipeline, without a server
  pg95 migrations prisma/migrations --dsn service=prod -o safe/       the safe sequences as files
""",
)
@click.argument("folder", required=False, metavar="[DIR]")
@server_options
@click.option("--since", metavar="NAME", help="Check the migrations after this one.")
@click.option("--all", "every", is_flag=True, help="Check all, also those that are applied.")
@click.option("-o", "--output", metavar="DIR", help="Write the safe sequences below this folder.")
@click.option("--format", "form", type=click.Choice(("table", "markdown", "json")), default="table")
@click.option(
    "--fail-on",
    metavar="WHAT",
    default="never",
    show_default=True,
    help="Exit 1 on: failed (a migration failed, was edited or lost its file), high (dangers), danger (any); several with commas.",
)
def migrations(**given: Any) -> None:
    """Say what became of a Prisma project's migrations, and what may go wrong with the next ones.

    DIR is the folder of migrations, or the project's. Checked are the pending ones, by squawk and for
    Prisma's own traps (a rename written as DROP and ADD, an index made by hand that it drops, a required
    column without default, CONCURRENTLY beside other statements), against a server's statistics where
    --dsn is given. Nothing is applied and nothing is changed.
    """
    from analyzer.prisma.document import migrations_document
    from analyzer.prisma.migration_states import migration_states
    from analyzer.report.views import migrations as view
    from analyzer.sources.schema.project import read_migrations

    wanted = fail_conditions(given["fail_on"], among=FAIL_ON)
    folder = _folder(given["folder"])
    files = list(read_migrations(folder))
    if not files:
        raise InputError(f"{folder}: no migration in it (a folder with migration.sql).")
    state = _state(given)
    states = None
    if state is not None and state.migrations is not None:
        states = migration_states(files, state.migrations)
    checked = _checked(given, files, states)
    applied = {one.name for one in states or () if one.status in ("applied", "edited")}
    found = _dangers(given, files, checked, state.catalog if state else None, applied)
    document = migrations_document(
        folder=str(folder),
        database=state.address if state else None,
        states=states,
        checked=checked,
        dangers=found,
        warnings=state.warnings if state else (),
    )
    if given["output"]:
        _write(found, Path(given["output"]))
    print_document(document, given["form"], view.show, view.render)
    failed = "failed" in wanted and document["migrations_in_order"] is not True
    high = "high" in wanted and any(one.severity == "high" for one in found)
    held = failed or high or ("danger" in wanted and bool(found))
    click.get_current_context().exit(CONDITION if held else 0)


def _folder(named: str | None) -> Path:
    """The folder of migrations: as given, as prisma.config.ts says, below what is given, or at the usual place."""
    from analyzer.sources.schema.project import migrations_folder

    start = Path(named) if named else Path.cwd()
    configured = None if any(start.glob("*/migration.sql")) else migrations_folder(start)
    if configured is not None and not any(configured.glob("*/migration.sql")):
        raise InputError(f"{configured}: no migration in it, and prisma.config names this folder.")
    for place in (configured, start, start / "migrations", start / "prisma" / "migrations"):
        if place is not None and any(place.glob("*/migration.sql")):
            return place
    if start.exists():
        raise InputError(
            f"{start}: no migrations in it or in prisma/migrations below. Give the folder."
        )
    raise InputError(f"{start}: there is no such folder.")


def _state(given: dict[str, Any]) -> "PrismaState | None":
    if not given["dsn"] and not given["live"]:
        return None
    from analyzer.sources.postgres.prisma_state import read_prisma_state

    return read_prisma_state(given["dsn"])


def _checked(
    given: dict[str, Any],
    files: "list[MigrationFile]",
    states: "list[MigrationState] | None",
) -> list[str]:
    """The names of the migrations to check: those pending, or after --since, or all."""
    names = [file.name for file in files]
    if given["since"]:
        if given["since"] not in names:
            raise UsageError(f"--since {given['since']}: there is no such migration")
        return names[names.index(given["since"]) + 1 :]
    if given["every"] or states is None:
        return names
    open_ones = {one.name for one in states if one.status in ("pending", "rolled-back", "failed")}
    return [name for name in names if name in open_ones]


def _values(
    given: dict[str, Any], files: "list[MigrationFile]", checked: list[str]
) -> "Mapping[tuple[str, str], Sequence[str]]":
    """What the server's statistics hold of the columns whose types are to change."""
    from analyzer.prisma.safety import changed_types
    from analyzer.sources.postgres.prisma_state import sampled_values
    from analyzer.sources.schema.project import read_steps

    wanted = [
        column
        for file in files
        if file.name in checked
        for column in changed_types(list(read_steps(file.sql)))
    ]
    return sampled_values(given["dsn"], wanted) if wanted else {}


def _dangers(
    given: dict[str, Any],
    files: "list[MigrationFile]",
    checked: list[str],
    live: "Catalog | None",
    applied: set[str],
) -> "list[Danger]":
    """What may go wrong with each, against the tables before it; a server's facts where it has them."""
    from dataclasses import replace

    from analyzer.prisma.safety import Situation, dangers, linted, without_repeats
    from analyzer.sources.schema.project import history
    from analyzer.sources.schema.squawk import lint

    found: list[Danger] = []
    version = live.server_version if live else None
    values = _values(given, files, checked) if live else {}
    for file, steps, before in history(files):
        if file.name not in checked:
            continue
        # Of what is applied the server shows what it was made into, not what was there before.
        known = live.tables if live and file.name not in applied else {}
        tables = replace(before, tables={**before.tables, **known})
        situation = Situation(file.name, steps, tables, values if known else {})
        others = linted(lint(file.path, file.sql, version), situation)
        found += without_repeats(dangers(situation), others, situation)
    return found


def _write(found: "list[Danger]", folder: Path) -> None:
    """The files of all safe sequences; one that is there already is never written over."""
    for danger in found:
        for file in danger.safe:
            path = folder / danger.migration / f"{danger.rule}-{danger.line}" / file.path
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8") as out:
                    out.write(file.text)
            except OSError as error:
                raise InputError(f"-o {path}: cannot be written ({error.strerror})") from error
            click.echo(f"{path}", err=True)
