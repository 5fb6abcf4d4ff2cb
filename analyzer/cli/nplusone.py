"""`pg95 nplusone`: N+1 candidates with evidence."""

from functools import partial
from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import shared_options
from analyzer.cli._output import FORMATS

DETECTORS = ("n-plus-one", "repeated-lookup", "repeated-query")


@click.command(
    epilog="""\b
Examples:
  pg95 nplusone app.log
  pg95 nplusone app.log --schema schema.prisma        relations named as in the schema
  pg95 nplusone query_events.jsonl --format json | jq '.findings[].title'
""",
)
@shared_options
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def nplusone(**given: Any) -> None:
    """Find loops of statements: N+1, repeated lookups, repeated queries.

    Needs every statement in the order in which it ran: a log with
    log_min_duration_statement = 0, or the application's query log.
    """
    from analyzer.report.views import focused

    run_focused(given, DETECTORS, partial(focused.findings, nothing="No loop of statements found."))
