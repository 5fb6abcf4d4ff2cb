"""`pg95 scoreboard`: the four promises of a team on one page."""

from pathlib import Path
from typing import Any

import click

from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._history import add_promise_trend, history_option, place
from analyzer.cli._options import pipeline_options, shared_options
from analyzer.cli._output import clear_progress, print_document, progress
from analyzer.cli._redis import redis_option
from analyzer.cli._say import say
from analyzer.errors import AnalyzerError

FAIL_ON = ("never", "target")
FORMS = ("table", "markdown", "json", "openmetrics")


@click.command(
    epilog="""\b
Examples:
  pg95 scoreboard app.log --dsn service=prod --prisma prisma/schema.prisma
  pg95 scoreboard app.log monitor.txt info.txt --dsn service=prod     with what Redis tells of the cache
  pg95 scoreboard app.log --prisma prisma --dump dump.sql --format markdown
  pg95 scoreboard app.log --dsn service=prod --history /var/lib/pg95/history.db     beside earlier nights
  pg95 scoreboard app.log --dsn service=prod --format openmetrics > /var/lib/node_exporter/pg95_promises.prom
""",
)
@shared_options
@click.option(
    "--prisma",
    "prisma",
    metavar="PATH",
    help="schema.prisma, or its folder. [default: at its usual places here, if there is one]",
)
@click.option(
    "--dump",
    metavar="FILE",
    help="Compare the schema with a pg_dump --schema-only instead of --dsn.",
)
@redis_option("Ask a Redis for INFO")
@history_option
@click.option("--hit-target", type=click.FloatRange(0, 1), default=0.8, show_default=True)
@click.option("--format", "form", type=click.Choice(FORMS), default="table")
def scoreboard(**given: Any) -> None:
    """Show the four promises: queries P95, cache hit rate, failed migrations, schema in sync.

    Each with its value, target, method and the first thing to do; what nothing tells is unknown, with
    what would make it known; with --history what each was in earlier nights. INPUT are query logs, and what Redis and the application tell of the cache.
    --fail-on target: exit 1 unless all four are met.
    """
    from analyzer.promises import hit_rate
    from analyzer.report import scoreboard as board
    from analyzer.report.views import scoreboard as view
    from analyzer.sources.redis.facts import CacheFacts

    conditions = fail_conditions(given["fail_on"], among=FAIL_ON)
    warnings: list[str] = []
    facts = CacheFacts()
    logs = [name for name in given["inputs"] if not facts.take(name)]
    if given["redis_url"]:
        facts.ask(given["redis_url"], 0.0)
    report = _report({**given, "inputs": logs})
    document = board.scoreboard(
        report,
        hit_rate(facts, given["hit_target"]),
        _schema(given, warnings),
        [*facts.warnings, *warnings],
    )
    if given["history"]:
        _add_trend(document, given["history"])
    if given["form"] == "openmetrics":
        for warning in document["warnings"]:
            say(f"warning: {warning}")
        click.echo(board.open_metrics(document), nl=False)
    else:
        print_document(document, given["form"], view.show, view.render)
    kept = all(one["verdict"] == "met" for one in document["metrics"])
    click.get_current_context().exit(CONDITION if "target" in conditions and not kept else 0)


def _add_trend(document: dict[str, Any], history: str) -> None:
    """What each metric was in the runs that a history has, as its `trend`."""
    from analyzer.history import open_store

    with open_store(place(history), make=False) as store, store.reading() as reader:
        add_promise_trend(reader, {"scoreboard": document})


def _report(given: dict[str, Any]) -> dict[str, Any] | None:
    """The report's document, None where there is nothing to read one from."""
    if not given["inputs"] and not given["dsn"] and not given["live"]:
        return None
    from analyzer.pipeline import run

    result = run(pipeline_options(given), progress())
    clear_progress()
    return result.document


def _schema(given: dict[str, Any], warnings: list[str]) -> dict[str, Any] | None:
    """What `pg95 schema` says; None where there is no schema or nothing to compare it with."""
    if not given["dump"] and not given["dsn"] and not given["live"]:
        return None
    from analyzer.promises import compared, schema_of
    from analyzer.sources.schema.project import find_schema, read_project

    if given["prisma"]:
        path = schema_of(Path(given["prisma"]))
    else:
        try:
            path = find_schema(Path.cwd())
        except AnalyzerError:
            return None  # no Prisma project here: unknown, as `first` says
    dumps = [Path(given["dump"])] if given["dump"] else []
    document = compared(read_project(path), dumps, given["dsn"])
    warnings += document["warnings"]
    return document
