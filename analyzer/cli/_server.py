"""The options that name a live server."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from analyzer.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def dsn_option(does: str) -> Callable[[Any], Any]:
    """--dsn; `does` says what the server is for."""
    return click.option(
        "--dsn",
        envvar="PG95_DSN",
        help=f"{does} (libpq URI or key=value). Put no password here: use ~/.pgpass, a service, or PGPASSWORD.",
    )


def server_options(command: Command) -> Command:
    """Add --dsn and --live to a command that is about a server."""
    live = click.option("--live", is_flag=True, help="The server named by libpq's PG* variables.")
    made: Command = dsn_option("The server")(live(command))
    return made


def insist_on_server(given: dict[str, Any]) -> None:
    """Hold that a server is named.

    Raises:
        UsageError: none is.
    """
    if not given["dsn"] and not given["live"]:
        raise UsageError("which server? Give --dsn, or --live for the one that PG* variables name")
