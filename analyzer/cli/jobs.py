"""`pg95 jobs`: what jobs of queues wait, run and cost the database."""

from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import shared_options
from analyzer.cli._redis import asking_queues, queue_options, redis_option

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
@queue_options
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def jobs(**given: Any) -> None:
    """Say how long jobs wait and run, and what each does in the database.

    Times come from spans of the workers (bullmq-otel), or from BullMQ's Redis, which is only read. Which statements
    a job runs is told by spans, or by comments of statements that name queue, job and jobId.
    """
    from analyzer.report.parts.jobs import LOOPS
    from analyzer.report.views import jobs as view

    run_focused(
        given,
        LOOPS,
        view.show,
        {"markdown": view.render},
        asks=lambda options: asking_queues(given, options),
    )
