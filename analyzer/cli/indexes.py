"""`pg95 indexes`: index recommendations."""

from typing import Any

import click

from analyzer.cli._focused import run_focused
from analyzer.cli._options import replica_option, shared_options
from analyzer.cli._output import FORMATS

# Those whose findings an index may settle.
DETECTORS = (
    "selective-seq-scan",
    "seq-scan-in-loop",
    "index-filter",
    "top-n-sort",
    "wrong-index-for-limit",
    "bitmap-and",
    "many-index-searches",
    "trigger-time",
    "vector-seq-scan",
    "vector-operator-mismatch",
)


@click.command(
    epilog="""\b
Examples:
  pg95 indexes app.log --schema schema.sql
  pg95 indexes app.log --dsn service=prod --format sql > indexes.sql
""",
)
@shared_options
@replica_option
@click.option(
    "--max-width",
    type=click.IntRange(1, 8),
    default=3,
    show_default=True,
    help="Most columns in an index.",
)
@click.option(
    "--format",
    type=click.Choice((*FORMATS, "sql")),
    help="sql: runnable statements, one per line.",
)
def indexes(**given: Any) -> None:
    """Suggest the indexes that the workload lacks. Nothing is ever created by pg95.

    From sequential scans in plans and from foreign keys that statements look up by, less what
    existing indexes serve (as far as --schema or --dsn tell of them). And which of those that exist
    to drop: invalid ones, duplicates, unused ones, and those that a wider one begins with.
    """
    from analyzer.report.views import focused

    run_focused(given, DETECTORS, focused.indexes)
