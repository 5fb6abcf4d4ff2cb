"""`pg95 plans`: findings in EXPLAIN plans."""

from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import explain_options, shared_options
from analyzer.cli._output import FORMATS


@click.command(
    epilog="""\b
Examples:
  pg95 plans plan.json
  psql -Xc "EXPLAIN (ANALYZE, BUFFERS) SELECT …" | pg95 plans -
  pg95 plans app.log                     plans that auto_explain logged
  pg95 plans app.log --dsn service=prod --explain   and of the server, what takes most time
""",
)
@shared_options
@explain_options
@click.option("--format", type=click.Choice(FORMATS), help="Instead of a table.")
def plans(**given: Any) -> None:
    """Find trouble in EXPLAIN plans: files, stdin, or what auto_explain put into a log."""
    from analyzer.detectors.plans import RULES
    from analyzer.report.views import focused

    run_focused(given, tuple(rule.id for rule in RULES), focused.plans)
