"""`pg95 nightly`: the nightly job."""

from typing import Any

import click

from analyzer.cli._conditions import exit_code, fail_conditions
from analyzer.cli._options import moment, workers_option
from analyzer.cli._say import say, show


@click.command(
    epilog="""\b
Examples:
  pg95 nightly --config /etc/pg95/pg95.toml             what is new since the last night
  pg95 nightly --dry-run                                what it would do, and nothing else
  pg95 nightly --since 2026-11-20                       analyse again what the logs hold from then on
  pg95 nightly -q --fail-on new,regression              in CI: exit 1 when something got worse
""",
)
@click.option(
    "--config",
    metavar="FILE",
    help="The configuration. [default: pg95.toml here, else [tool.pg95] of pyproject.toml]",
)
@click.option(
    "--dry-run", is_flag=True, help="Analyse, say what would be written, and write nothing."
)
@click.option(
    "--since",
    metavar="TIME",
    help="Analyse again from then on (2026-11-20, 3d): writes reports, keeps nothing, moves no position.",
)
@workers_option
@click.option(
    "--fail-on",
    metavar="WHAT",
    default="never",
    show_default=True,
    help="Exit 1 on: target (that of statements missed or unknown), requests (the same of database time per request), findings (low or worse), new, regression; several with commas.",
)
@click.option(
    "--format", type=click.Choice(["json"]), help="Print the report as JSON on stdout, too."
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but warnings.")
def nightly(**given: Any) -> None:
    """Read what is new in logs and counters; write reports, keep history, send alerts.

    What it does is in pg95.toml: servers, logs, outputs, alerts, metrics (docs/nightly.md). It may be
    killed at any time and run again: no execution is lost or counted twice.
    """
    conditions = fail_conditions(given["fail_on"], compares=True)
    from analyzer.configuration import read_configuration
    from analyzer.nightly.job import Asked, run_night
    from analyzer.nightly.settings import read_settings

    configuration = read_configuration(given["config"])
    settings = read_settings(configuration)
    since_us = moment(given["since"], None, "--since")
    asked = Asked(given["dry_run"], since_us, given["workers"])
    outcome = run_night(settings, configuration, asked, _silent if given["quiet"] else _tell)
    for warning in (*outcome.document["coverage"]["warnings"], *outcome.warnings):
        say(f"warning: {warning}")
    if given["format"] == "json":
        from analyzer.report.document import dump

        click.echo(dump(outcome.document), nl=False)
    elif not given["quiet"]:
        from analyzer.report.verdict_words import verdict_line

        show("Nothing new." if outcome.quiet else verdict_line(outcome.document))
    slower = bool(outcome.slower)
    click.get_current_context().exit(exit_code(outcome.document, conditions, slower=slower))


def _tell(step: str) -> None:
    say(step)


def _silent(_step: str) -> None:
    """With --quiet."""
