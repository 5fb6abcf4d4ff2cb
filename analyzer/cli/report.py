"""`pg95 report`: the main job."""

from dataclasses import replace
from typing import Any

import click

from analyzer.cli._additions import Additions
from analyzer.cli._conditions import exit_code, fail_conditions
from analyzer.cli._history import history_option, remember
from analyzer.cli._options import explain_options, pipeline_options, shared_options
from analyzer.cli._output import (
    FORMATS,
    clear_progress,
    progress,
    tell_warnings,
    write_all,
)
from analyzer.cli._prisma import prisma_options
from analyzer.cli._redis import queue_options, redis_option
from analyzer.cli._say import show
from analyzer.cli._summary import summary
from analyzer.errors import UsageError

DEFAULT_OUTPUT = "pg95-report.html"


@click.command(
    epilog="""\b
Examples:
  pg95 report /var/log/postgresql/                    a folder of logs, any format
  pg95 report app.log -o report.html -o report.json   two views of one run
  pg95 report logs/*.csv --schema schema.prisma       with keys and Prisma names
  pg95 report app.log --dsn service=prod              logs and a live server's counters
  zcat app.log.gz | pg95 report - --format json | jq .target
  pg95 report app.log --fail-on target,findings       for a nightly job
  pg95 report app.log --history default --save-history   and what changed since the last time
  pg95 report app.log --redis redis://queue:6379/0    with jobs of queues, and the cache
  pg95 report app.log --dsn service=prod --prisma .    index advice as a change of a Prisma project, too
  pg95 report --follow /var/log/postgresql/           tells what a burst shows when it ends, until Ctrl-C
  pg95 report --follow app.log --format json | jq -r .finding.title
""",
)
@shared_options
@explain_options
@click.option(
    "-o",
    "--output",
    multiple=True,
    metavar="FILE",
    help=f"Write here (.html .json .md .csv, - for stdout); several are allowed. [default: {DEFAULT_OUTPUT}]",
)
@click.option(
    "--format",
    type=click.Choice(FORMATS),
    help="Print this on stdout, or the format of outputs whose ending does not tell.",
)
@prisma_options
@redis_option("Jobs of BullMQ's queues and the cache's INFO belong into the report")
@queue_options
@history_option
@click.option(
    "--save-history",
    is_flag=True,
    help="Keep the figures and findings of this run in the history; plain reports keep nothing.",
)
@click.option(
    "--follow",
    is_flag=True,
    help="Read what is written to INPUT from now on (with --since: from then on), and print each finding when its burst ends; --format json: a line each.",
)
def report(**given: Any) -> None:
    """Analyse everything in INPUT and write a report.

    INPUT: log files, folders, globs or - (stdin), EXPLAIN plans as JSON, saved
    pg_stat_statements (CSV, JSON lines), Prisma query events, schemas. All are one workload.
    """
    if given.pop("follow"):
        from analyzer.cli._follow import follow

        follow(given)
    run_report(given)


def run_report(given: dict[str, Any]) -> None:
    """Run the pipeline and write the outputs; a summary goes to stdout unless a format does."""
    from analyzer.pipeline import run

    more = Additions(given) if "redis_url" in given else None  # the demo has its sample alone
    given = more.given if more else given
    history, save = given.get("history"), given.get("save_history", False)
    conditions = fail_conditions(given["fail_on"], compares=bool(history or save))
    options = replace(pipeline_options(given), keep_hours=save)
    if save and options.redact == "off":
        raise UsageError("a history holds no values of your data: leave out --no-redact")
    if more:
        result = run(more.options(options), progress(), more.observers())
        more.add(result)
    else:
        result = run(options, progress())
    clear_progress()
    if history or save:
        remember(result, history, save=save)
    tell_warnings(result)
    form = given["format"]
    outputs = list(given["output"]) or (["-"] if form else [DEFAULT_OUTPUT])
    write_all(result.document, outputs, form)
    if "-" not in outputs:
        show(summary(result.document, outputs))
    click.get_current_context().exit(exit_code(result.document, conditions))
