"""`pg95 schema`: schema.prisma against the database."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._output import print_document
from analyzer.cli._server import server_options
from analyzer.errors import InputError, UsageError

if TYPE_CHECKING:
    from analyzer.sources.schema.project import PrismaProject

FAIL_ON = ("never", "drift", "migrations")


@click.command(
    epilog="""\b
Examples:
  pg95 schema --dsn service=prod                        prisma/schema.prisma here against the server
  pg95 schema prisma/schema --live --fail-on drift,migrations
  pg95 schema prisma/schema.prisma dump.sql             against a pg_dump --schema-only
  pg95 schema --dsn service=prod --format json | jq '.differences[] | select(.mend == "schema") | .text'
""",
)
@click.argument("inputs", nargs=-1, metavar="[SCHEMA] [DUMP.sql]...")
@click.option("--schema", metavar="PATH", help="schema.prisma, or a folder of .prisma files.")
@click.option(
    "--migrations", metavar="DIR", help="The migrations, where they are not beside the schema."
)
@server_options
@click.option("--format", "form", type=click.Choice(("table", "markdown", "json")), default="table")
@click.option(
    "--fail-on",
    metavar="WHAT",
    default="never",
    show_default=True,
    help="Exit 1 on: drift (any difference), migrations (one failed, edited or without its file); several with commas.",
)
def schema(**given: Any) -> None:
    """Say where schema.prisma and the database differ, and which side to mend, with the text to do it.

    Tables, columns, types, NULLs, defaults, enums, keys, foreign keys with their actions, and indexes
    down to INCLUDE, conditions, expressions and operator classes. From a server also what became of
    the migrations. Nothing is changed anywhere.
    """
    from analyzer.promises import compared
    from analyzer.report.views import drift as view

    wanted = fail_conditions(given["fail_on"], among=FAIL_ON)
    project, dumps = _inputs(given)
    document = compared(project, dumps, given["dsn"])
    print_document(document, given["form"], view.show, view.render)
    drifted = "drift" in wanted and not document["in_sync"]
    broken = "migrations" in wanted and document["migrations_in_order"] is not True
    click.get_current_context().exit(CONDITION if drifted or broken else 0)


def _inputs(given: dict[str, Any]) -> tuple["PrismaProject", list[Path]]:
    """The project and the dumps: what ends in .sql is one, the rest is the schema."""
    from analyzer.sources.schema.project import find_schema, read_project

    paths = [Path(name) for name in given["inputs"]]
    dumps = [path for path in paths if path.suffix.lower() == ".sql"]
    named = [path for path in paths if path not in dumps]
    named += [Path(given["schema"])] if given["schema"] else []
    if len(named) > 1:
        raise UsageError(f"one schema at a time, not {', '.join(map(str, named))}")
    if dumps and (given["dsn"] or given["live"]):
        raise UsageError("a server or a dump: give one of them")
    if not dumps and not given["dsn"] and not given["live"]:
        raise UsageError("against what? Give --dsn, --live, or a dump (pg_dump --schema-only)")
    migrations = Path(given["migrations"]) if given["migrations"] else None
    path = named[0] if named else find_schema(Path.cwd())
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder.")
    return read_project(path, migrations), dumps
