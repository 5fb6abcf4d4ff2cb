"""`pg95 history`: the trend of the P95, of a statement or of a finding."""

from typing import Any

import click

from analyzer.cli._history import history_option, place
from analyzer.cli._output import terminal
from analyzer.errors import UsageError
from analyzer.report.json_text import json_text


@click.command(
    epilog="""\b
Examples:
  pg95 history                                     the P95 day by day, and what is found
  pg95 history --statement 2f1c0a9e4b7d6650 --days 90
  pg95 history --finding n-plus-one-0123456789ab
  pg95 history --history postgresql://perf@db/pg95 --format json | jq .trend
""",
)
@history_option
@click.option(
    "--statement",
    metavar="ID",
    help="Of one statement: its shape_id, lineage or fingerprint, or how one of them begins.",
)
@click.option("--finding", metavar="KEY", help="Of one finding, run by run.")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@click.option(
    "--target-ms",
    type=click.FloatRange(min=0, min_open=True),
    help="The target. [default: that of the newest run]",
)
@click.option(
    "--quantile",
    type=click.FloatRange(0, 1, min_open=True),
    help="The quantile. [default: that of the newest run]",
)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table")
def history(**given: Any) -> None:
    """Show what the history knows: figures by day of UTC against the target.

    A statement's trend is that of its lineage: it goes on when a deploy changes its columns.
    """
    from datetime import UTC, datetime

    from analyzer.history import open_store, overview
    from analyzer.report.views import trend
    from analyzer.report.views._terminal import to_text

    if given["statement"] and given["finding"]:
        raise UsageError("give --statement or --finding, not both")
    now_us = int(datetime.now(UTC).timestamp() * 1e6)
    question = overview.Question(now_us, given["days"], given["target_ms"], given["quantile"])
    with open_store(place(given["history"]), make=False) as store, store.reading() as reader:
        if given["statement"]:
            wanted = given["statement"]
            document = overview.of_statement(reader, question, store.name, wanted)
        elif given["finding"]:
            document = overview.of_finding(reader, question, store.name, given["finding"])
        else:
            document = overview.of_everything(reader, question, store.name)
    if given["form"] == "json":
        click.echo(json_text(document))
        return
    width, colour = terminal()
    click.echo(to_text(trend.show(document, width), width, colour=colour), nl=False)
