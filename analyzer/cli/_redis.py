"""The option --redis, which several commands have."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click

from analyzer.errors import UsageError


def redis_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--redis URL`; `what` says what it is asked for. A URL with a password is refused on the command line."""
    return click.option(
        "--redis",
        "redis_url",
        metavar="URL",
        envvar="PG95_REDIS",
        callback=_without_password,
        help=f"{what} (needs pg95[redis]). Put no password here: use REDISCLI_AUTH.",
    )


def _without_password(ctx: click.Context, param: click.Parameter, url: str | None) -> str | None:
    """Every user of the machine sees what a command line holds; the environment is the user's own."""
    source = ctx.get_parameter_source(param.name or "")
    if url is None or source is not click.core.ParameterSource.COMMANDLINE:
        return url
    try:
        secret = urlsplit(url).password
    except ValueError as error:
        raise UsageError("--redis: no URL, give redis://user@host:port/0") from error
    if secret:
        raise UsageError(
            "--redis: a password on the command line is seen by everybody on this machine. Leave it out of the "
            "URL and set REDISCLI_AUTH, or give the whole URL as PG95_REDIS."
        )
    return url
