"""`pg95 demo`: the main job on the bundled sample."""

from typing import Any

import click

from analyzer.cli._options import DEFAULTS
from analyzer.cli._output import FORMATS
from analyzer.cli.report import DEFAULT_OUTPUT, run_report


@click.command(
    epilog="""\b
Examples:
  pg95 demo                       writes pg95-report.html
  pg95 demo --format table        in the terminal
""",
)
@click.option(
    "-o",
    "--output",
    multiple=True,
    metavar="FILE",
    help=f"Write here; several are allowed. [default: {DEFAULT_OUTPUT}]",
)
@click.option("--format", type=click.Choice(FORMATS), help="Print this on stdout.")
def demo(**given: Any) -> None:
    """Analyse the sample that comes with pg95: a Prisma application, seen from every side."""
    from analyzer.resources import sample_directory

    run_report({**DEFAULTS, **given, "inputs": (str(sample_directory()),)})
