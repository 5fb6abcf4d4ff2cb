"""`pg95 cache`: the hit rate of a cache, and which statements one would serve."""

from typing import TYPE_CHECKING, Any

import click

from analyzer.cli._cache import HIT_TARGET, CacheAsked
from analyzer.cli._conditions import fail_conditions
from analyzer.cli._failures import CONDITION
from analyzer.cli._options import pipeline_options, shared_options
from analyzer.cli._output import clear_progress, print_document, progress
from analyzer.cli._redis import redis_option
from analyzer.errors import UsageError

if TYPE_CHECKING:
    from analyzer.model.workload import Workload

FAIL_ON = ("never", "target")


@click.command(
    epilog="""\b
Examples:
  pg95 cache app.log --format markdown                 which statements to cache, for how long
  pg95 cache cache-events.jsonl                        the hit rate by route, from the application's log
  redis-cli INFO > info.txt; timeout 60 redis-cli MONITOR > monitor.txt; pg95 cache info.txt monitor.txt app.log
  pg95 cache --redis redis://cache:6379/0 --monitor-seconds 10
  pg95 cache --snippet ioredis > cache-reads.mjs       a middleware that logs reads by route
""",
)
@shared_options
@redis_option("Ask a Redis for INFO")
@click.option(
    "--monitor-seconds",
    type=click.FloatRange(0, 600),
    default=0.0,
    show_default=True,
    help="Also sample MONITOR for so long; it slows a busy Redis down while it runs.",
)
@click.option(
    "--hit-target",
    type=click.FloatRange(0, 1),
    default=HIT_TARGET,
    show_default=True,
    help="The hit rate to be over.",
)
@click.option(
    "--cache-memory",
    metavar="SIZE",
    help="What a statement's entries may take, 100MB say: those used longest ago are evicted.",
)
@click.option(
    "--snippet",
    type=click.Choice(("node-redis", "ioredis")),
    help="Print a middleware that logs reads by route, and do nothing else.",
)
@click.option("--format", "form", type=click.Choice(("table", "markdown", "json")), default="table")
def cache(**given: Any) -> None:
    """Say how well a cache does, and which statements to cache for how long, with the code for it.

    INPUT are query logs, and what Redis and the application tell of the cache: INFO, a capture of MONITOR,
    JSON lines {ts, route, op, key_prefix, hit}; each is recognised by its content. --fail-on target: exit 1
    unless the hit rate is met.
    """
    from analyzer.report.views import cache as view

    if given["snippet"]:
        click.echo(_snippet(), nl=False)
        return
    conditions = fail_conditions(given["fail_on"], among=FAIL_ON)
    asked = CacheAsked(given, given["monitor_seconds"])
    serves = bool(asked.inputs or given["dsn"] or given["live"])
    if not asked.facts.any and not serves:
        raise UsageError("give a query log, INFO, a capture of MONITOR, cache events, or --redis")
    workload = _observed({**given, "inputs": asked.inputs}, asked) if serves else None
    document = asked.document(workload)
    print_document(document, given["form"], view.show, view.render)
    failed = "target" in conditions and document["hit_rate"]["verdict"] != "met"
    click.get_current_context().exit(CONDITION if failed else 0)


def _snippet() -> str:
    """The middleware; one serves both clients of Redis."""
    from importlib.resources import files

    place = files("analyzer.cache") / "snippets" / "cache-reads.mjs"
    return place.read_text(encoding="utf-8")


def _observed(given: dict[str, Any], asked: CacheAsked) -> "Workload":
    """The workload of the query logs, replayed on the way."""
    from analyzer.pipeline import run

    result = run(pipeline_options(given), progress(), observers=[asked.observer()])
    clear_progress()
    return result.workload
