"""The options --redis and those of BullMQ's queues, which several commands have, and what they ask for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from analyzer.errors import ServerError, UsageError

if TYPE_CHECKING:
    from analyzer.pipeline import Options

VARIABLES = ("PG95_REDIS_URL", "PG95_REDIS")


def redis_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--redis URL`; `what` says what it is asked for. A URL with a password is refused on the command line."""
    return click.option(
        "--redis",
        "redis_url",
        metavar="URL",
        envvar=VARIABLES,
        callback=_without_password,
        help=f"{what} (needs pg95[redis]). Put no password here: use REDISCLI_AUTH, or give the URL as {VARIABLES[0]}.",
    )


def queue_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which of BullMQ's queues are read, and where their keys are."""
    queue = click.option(
        "--queue",
        "queues",
        multiple=True,
        metavar="NAME",
        help="Read this queue of the Redis; several are allowed. [default: all that are found]",
    )
    prefix = click.option(
        "--bull-prefix",
        default="bull",
        show_default=True,
        help="With --redis: what BullMQ's keys begin with.",
    )
    return queue(prefix(command))


def asking_queues(given: dict[str, Any], options: "Options") -> "Options":
    """The pipeline's options with the jobs of the Redis of --redis.

    One that cannot be asked is a warning beside other inputs, and an error without any.
    """
    if not given["redis_url"]:
        return options
    from dataclasses import replace

    from analyzer.sources.redis.bullmq import read_queues

    alone = not (given["inputs"] or given["dsn"] or given["live"])

    def more(recording: Any, _progress: Any) -> list[Any]:
        try:
            found = read_queues(given["redis_url"], given["queues"], given["bull_prefix"])
        except ServerError as error:
            if alone:
                raise
            recording.coverage.warnings.append(f"no jobs of queues: {error}")
            return []
        recording.jobs += found.attempts
        recording.coverage.warnings += found.warnings
        return []

    return replace(options, more=more)


def _without_password(ctx: click.Context, param: click.Parameter, url: str | None) -> str | None:
    """Every user of the machine sees what a command line holds; the environment is the user's own."""
    source = ctx.get_parameter_source(param.name or "")
    if url is None or source is not click.core.ParameterSource.COMMANDLINE:
        return url
    from analyzer.sources.redis.connection import has_password

    if has_password(url):
        raise UsageError(
            "--redis: a password on the command line is seen by everybody on this machine. Leave it out of the "
            f"URL and set REDISCLI_AUTH, or give the whole URL as {VARIABLES[0]}."
        )
    return url
