"""`pg95 jobs`: what jobs of queues wait, run and cost the database."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import shared_options
from analyzer.cli._redis import redis_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.pipeline import Options

FORMATS = ("table", "markdown", "json")


@click.command(
    epilog="""\b
Examples:
  pg95 jobs spans.jsonl                               waits, runs and statements from OpenTelemetry spans
  pg95 jobs postgresql.log --redis redis://queue:6379/0   BullMQ's jobs, and what they run, by tags of statements
  pg95 jobs --redis redis://queue:6379/0 --queue mail --format json
""",
)
@shared_options
@redis_option("Read BullMQ's jobs of a Redis")
@click.option(
    "--queue",
    "queues",
    multiple=True,
    metavar="NAME",
    help="Read this queue of the Redis; several are allowed. [default: all that are found]",
)
@click.option(
    "--bull-prefix", default="bull", show_default=True, help="What BullMQ's keys begin with."
)
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def jobs(**given: Any) -> None:
    """Say how long jobs wait and run, and what each does in the database.

    Times come from spans of the workers (bullmq-otel), or from BullMQ's Redis, which is only read. Which statements
    a job runs is told by spans, or by comments of statements that name queue, job and jobId.
    """
    from analyzer.report.parts.jobs import LOOPS
    from analyzer.report.views import jobs as view

    run_focused(given, LOOPS, view.show, {"markdown": view.render}, asking_redis(given))


def asking_redis(given: dict[str, Any]) -> "Callable[[Options], Options]":
    """What adds the jobs of a Redis to a run."""

    def asks(options: "Options") -> "Options":
        if not given["redis_url"]:
            return options
        from analyzer.sources.redis.bullmq import read_queues

        found = read_queues(given["redis_url"], given["queues"], given["bull_prefix"])

        def more(recording: Any, _progress: Any) -> list[Any]:
            recording.jobs += found.attempts
            recording.coverage.warnings += found.warnings
            return []

        return replace(options, more=more)

    return asks
