"""`pg95 top`: the statements that matter most."""

from functools import partial
from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import shared_options
from analyzer.cli._output import FORMATS


@click.command(
    epilog="""\b
Examples:
  pg95 top app.log
  pg95 top app.log --by p95 -n 5
  pg95 top pg_stat_statements.csv --format csv > statements.csv
""",
)
@shared_options
@click.option(
    "--by",
    type=click.Choice(("total", "p95", "calls", "round-trips")),
    default="total",
    show_default=True,
)
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def top(**given: Any) -> None:
    """List statements by total time, P95, calls or round trips per request."""
    from analyzer.report.views import focused

    run_focused(given, None, partial(focused.top, by=given["by"], limit=given["limit"]))
