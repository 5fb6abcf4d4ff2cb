"""The options of a Prisma project that index advice is written for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.cli._prisma_change import ProjectAdvice


def prisma_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--prisma, and where the project's migrations are and when the first new one is of."""
    project = click.option(
        "--prisma",
        metavar="DIR",
        help="A Prisma project (its folder, or its schema): index advice as a patch of schema.prisma and as migrations.",
    )
    migrations = click.option(
        "--migrations",
        metavar="DIR",
        help="With --prisma: its migrations, where they are not beside the schema.",
    )
    time = click.option(
        "--migration-time",
        type=click.DateTime(["%Y%m%d%H%M%S", "%Y-%m-%dT%H:%M:%S"]),
        help="With --prisma: the time (UTC) in the name of the first migration. [default: now]",
    )
    return project(migrations(time(command)))


def project_advice(given: dict[str, Any], *others: str) -> "ProjectAdvice | None":
    """The project of --prisma, whose schema is then --schema's as well; None without the option.

    `others` are options that go with it alone.

    Raises:
        UsageError: one of them is given without it.
    """
    if not given["prisma"]:
        named = [name for name in ("migrations", "migration_time", *others) if given[name]]
        if named:
            raise UsageError(f"--{named[0].replace('_', '-')} is for --prisma DIR")
        return None
    from analyzer.cli._prisma_change import ProjectAdvice

    advice = ProjectAdvice(given["prisma"], given["migrations"], given["migration_time"])
    given["schema"] = given["schema"] or str(advice.path)
    return advice
