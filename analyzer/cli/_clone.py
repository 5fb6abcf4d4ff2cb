"""What commands that may ask a clone have in common: its option, and where its blueprint comes from."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.model.blueprint import Blueprint

statistics_option: Callable[[Any], Any] = click.option(
    "--statistics",
    metavar="FILE",
    help="For --what-if clone: a snapshot taken with --with-statistics, or what pg_dump --statistics-only wrote (with --schema, its --schema-only). Without it they are read from --dsn.",
)


def blueprint(given: dict[str, Any]) -> "Blueprint":
    """What a clone is built from: --statistics (with --schema), else the live server of --dsn.

    Raises:
        UsageError: neither is there. InputError, ServerError: what is named cannot be read.
    """
    if given.get("statistics"):
        from analyzer.sources.blueprint_files import read_blueprint_file

        return read_blueprint_file(given["statistics"], given.get("schema"))
    if given.get("dsn") or given.get("live"):
        from analyzer.sources.postgres.blueprint import read_blueprint

        return read_blueprint(given.get("dsn"))
    raise UsageError(
        "--what-if clone needs the planner's statistics: --statistics FILE (docs/clone.md says how to "
        "take them), or --dsn to read them from the server"
    )
